import type { TuneHostSpec } from '../tune-host.js';
import { i40eFeatures } from './features.js';
import { KERNEL_6_1 } from './kernel-6-1.js';
import { frequencyValues, hugepageValues, idleValues, interruptValues, queueValues, told } from './processors.js';
import { forwardingValues, sysctlValues } from './sysctls.js';
import { LIMITS } from './vps.js';

const RELEASE = '6.8.0-87-generic';
const CPUS = 16;
const QUEUE_MAX = 16;
const QUEUES = ['pfifo_fast', 'pfifo', 'noqueue', 'mq', 'fq_codel', 'fq', 'cake', 'codel', 'sfq', 'htb', 'tbf', 'netem', 'prio', 'pie'];
const CONGESTION = ['reno', 'cubic', 'bbr', 'dctcp', 'htcp', 'illinois', 'vegas', 'westwood'];

/** What differs from 6.1 with 64 GB: keys that came since (6.5 to 6.8), what follows from memory, and what Ubuntu builds in. */
const KEYS: Readonly<Record<string, string>> = {
  ...KERNEL_6_1,
  'kernel.osrelease': RELEASE,
  'net.core.optmem_max': '131072',
  'net.ipv4.tcp_limit_output_bytes': '1048576',
  'net.ipv4.tcp_mem': '767541\t1023388\t1535082',
  'net.ipv4.udp_mem': '1535085\t2046780\t3070170',
  'net.ipv4.tcp_max_orphans': '262144',
  'net.ipv4.tcp_max_tw_buckets': '262144',
  'net.ipv4.tcp_max_syn_backlog': '4096',
  'net.ipv4.tcp_ehash_entries': '524288',
  'net.ipv4.tcp_pingpong_thresh': '1',
  'net.ipv4.tcp_backlog_ack_defer': '1',
  'net.ipv4.tcp_syn_linear_timeouts': '4',
  'net.ipv4.tcp_plb_enabled': '0',
  'kernel.numa_balancing': '0',
  'fs.nr_open': '1048576',
};

/**
 * A rented machine of one's own with a 10 Gbit/s card, as Hetzner's AX line has them: Ubuntu 24.04, kernel 6.8, 16
 * processors with frequencies and idle states to choose, an Intel X710 with 8 of 16 queues in use. Put together from that
 * kernel's and driver's sources and what such machines show; none was at hand to record.
 */
export function recordedMetal(): TuneHostSpec {
  const interrupts = Array.from({ length: 8 }, (_, i) => ({ number: 120 + i, name: `i40e-enp65s0f0np0-TxRx-${i}`, on: '0' }));
  return {
    name: 'metal',
    host: {
      addresses: ['198.51.100.10', '10.0.0.10'],
      gateway: '198.51.100.1',
      resolvers: ['185.12.64.1', '185.12.64.2'],
      identity: {
        os: 'Ubuntu 24.04.3 LTS',
        kernel: RELEASE,
        arch: 'x64',
        cpus: CPUS,
        cpuModel: 'AMD Ryzen 7 PRO 8700GE w/ Radeon 780M Graphics',
        memoryBytes: 67_213_783_040,
        node: '22.12.0',
      },
      interfaces: [
        {
          name: 'enp65s0f0np0',
          addresses: ['198.51.100.10/26', '10.0.0.10/24'],
          mac: '3c:fd:fe:a1:b2:c3',
          mtu: 1500,
          speedBps: 10e9,
          driver: 'i40e',
          firmware: '9.20 0x8000d8c5 0.0.0',
          bus: '0000:41:00.0',
          port: 'direct attach',
          supported: ['10000baseT/Full'],
          queues: { rx: 8, tx: 8, rxMax: QUEUE_MAX, txMax: QUEUE_MAX },
          rings: { rx: 512, tx: 512, rxMax: 8160, txMax: 8160 },
          coalescing: { rxUsecs: 50, txUsecs: 50, adaptiveRx: true, adaptiveTx: true },
          features: i40eFeatures(),
        },
      ],
    },
    links: { enp65s0f0np0: { channels: { combined: 8, combinedMax: QUEUE_MAX } } },
    queueKinds: QUEUES,
    values: {
      ...sysctlValues(KEYS, { congestion: CONGESTION, queues: QUEUES }),
      ...forwardingValues(['enp65s0f0np0']),
      ...hugepageValues('madvise'),
      ...interruptValues(interrupts, CPUS),
      ...queueValues(
        'enp65s0f0np0',
        { rx: QUEUE_MAX, tx: QUEUE_MAX },
        CPUS,
        Array.from({ length: QUEUE_MAX }, (_, i) => (1 << i).toString(16).padStart(4, '0')),
      ),
      ...frequencyValues(CPUS, {
        driver: 'acpi-cpufreq',
        governor: 'schedutil',
        governors: ['conservative', 'ondemand', 'userspace', 'powersave', 'performance', 'schedutil'],
      }),
      ...idleValues(CPUS, 'acpi_idle', [
        ['POLL', 0],
        ['C1', 1],
        ['C2', 18],
        ['C3', 350],
      ]),
      ...told({
        '/sys/devices/system/cpu/online': '0-15',
        '/sys/devices/system/cpu/possible': '0-31',
        '/sys/class/dmi/id/sys_vendor': 'Hetzner',
        '/sys/class/dmi/id/product_name': 'AX42',
        '/sys/class/dmi/id/board_vendor': 'ASRockRack',
        '/sys/class/net/enp65s0f0np0/mtu': '1500',
        '/proc/1/comm': 'systemd',
        '/proc/1/cgroup': '0::/init.scope',
        '/proc/cpuinfo':
          'processor\t: 0\nvendor_id\t: AuthenticAMD\nmodel name\t: AMD Ryzen 7 PRO 8700GE w/ Radeon 780M Graphics\nflags\t\t: fpu vme de pse tsc msr sse sse2 ht syscall nx constant_tsc nonstop_tsc cpuid svm lahf_lm',
        '/proc/self/limits': LIMITS,
      }),
    },
    folders: {
      '/root': 0o700,
      '/root/.ssh': 0o700,
      '/var/lib': 0o755,
      '/run/systemd/system': 0o755,
      '/etc/systemd/system': 0o755,
      '/etc/security/limits.d': 0o755,
    },
    symlinks: {
      '/var/run': '/run',
      '/etc/sysctl.d/99-sysctl.conf': '../sysctl.conf',
      '/etc/resolv.conf': '../run/systemd/resolve/stub-resolv.conf',
      '/sys/class/net/enp65s0f0np0/device': '/sys/devices/pci0000:40/0000:40:03.1/0000:41:00.0',
    },
    devices: ['/dev/cpu_dma_latency'],
    files: {
      '/etc/hostname': 'metal\n',
      '/etc/machine-id': 'f00d5f0c9e8a4d31a5a8f3a2b9c0d7e6\n',
      '/etc/os-release': 'PRETTY_NAME="Ubuntu 24.04.3 LTS"\nNAME="Ubuntu"\nVERSION_ID="24.04"\nID=ubuntu\n',
      '/etc/sysctl.conf': '#\n# /etc/sysctl.conf - Configuration file for setting system variables\n#\n#net.ipv4.tcp_syncookies=1\n',
      '/etc/sysctl.d/99-hetzner.conf':
        '### Hetzner Online GmbH installimage\n# sysctl config\n#net.ipv4.ip_forward=1\nnet.ipv4.conf.all.rp_filter=1\nnet.ipv4.icmp_echo_ignore_broadcasts=1\n',
      '/usr/lib/sysctl.d/50-default.conf': '-net.core.default_qdisc = fq_codel\n-fs.protected_regular = 2\n',
      '/run/systemd/resolve/stub-resolv.conf':
        '# This is /run/systemd/resolve/stub-resolv.conf managed by man:systemd-resolved(8).\nnameserver 127.0.0.53\noptions edns0 trust-ad\nsearch .\n',
      '/run/systemd/resolve/resolv.conf': 'nameserver 185.12.64.1\nnameserver 185.12.64.2\n',
      '/usr/lib/systemd/resolved.conf': '[Resolve]\n#Cache=yes\n',
      '/etc/systemd/system.conf': '[Manager]\n#DefaultLimitNOFILE=1024:524288\n',
      '/etc/netplan/01-netcfg.yaml': {
        text: '### Hetzner Online GmbH installimage\nnetwork:\n  version: 2\n  renderer: networkd\n  ethernets:\n    enp65s0f0np0:\n      addresses:\n        - 198.51.100.10/26\n',
        mode: 0o600,
      },
      '/etc/security/limits.conf': '# /etc/security/limits.conf\n#<domain>      <type>  <item>         <value>\n# End of file\n',
      '/root/.ssh/config': { text: 'Host beta\n  HostName 10.0.0.11\n', mode: 0o600 },
      [`/lib/modules/${RELEASE}/modules.builtin`]: 'kernel/net/ipv4/tcp_cubic.ko\nkernel/net/sched/sch_fq_codel.ko\n',
      [`/lib/modules/${RELEASE}/modules.dep`]: [
        ...CONGESTION.slice(2).map((name) => `kernel/net/ipv4/tcp_${name}.ko.zst:`),
        ...QUEUES.slice(5).map((name) => `kernel/net/sched/sch_${name}.ko.zst:`),
        '',
      ].join('\n'),
    },
    place: { machine: 'f00d5f0c9e8a4d31a5a8f3a2b9c0d7e6', network: '4026531840' },
  };
}
