import { tailscaled } from '../control-sockets.js';
import type { TuneHostSpec } from '../tune-host.js';
import { virtioFeatures } from './features.js';
import { KERNEL_6_1 } from './kernel-6-1.js';
import { hugepageValues, interruptValues, queueValues, told } from './processors.js';
import type { InterruptSpec } from './processors.js';
import { forwardingValues, sysctlValues } from './sysctls.js';

const RELEASE = '6.1.0-56-cloud-amd64';
const CPUS = 4;
const QUEUES = [
  'pfifo_fast',
  'pfifo',
  'bfifo',
  'noqueue',
  'mq',
  'fq_codel',
  'fq',
  'cake',
  'codel',
  'sfq',
  'htb',
  'tbf',
  'netem',
  'prio',
  'pie',
  'fq_pie',
  'hfsc',
  'red',
];
const CONGESTION = [
  'reno',
  'cubic',
  'bbr',
  'bic',
  'cdg',
  'dctcp',
  'highspeed',
  'htcp',
  'hybla',
  'illinois',
  'nv',
  'scalable',
  'vegas',
  'veno',
  'westwood',
  'yeah',
];

/**
 * A rented virtual machine as Hetzner Cloud sells it (CPX31: 4 processors, 8 GB): Debian 12, kernel 6.1, virtio-net with a
 * queue for each processor, no frequencies and no idle states to choose, a Tailscale client. Kernel values, offloads, queues
 * and interrupts as that kernel had them in qemu with the same devices; firmware, addresses and files as such machines have them.
 */
export function recordedVps(): TuneHostSpec {
  return {
    name: 'vps',
    host: {
      addresses: ['203.0.113.24', '2001:db8:4f8:1c0c::1'],
      gateway: '172.31.1.1',
      resolvers: ['185.12.64.1', '185.12.64.2'],
      identity: {
        os: 'Debian GNU/Linux 12 (bookworm)',
        kernel: RELEASE,
        arch: 'x64',
        cpus: CPUS,
        cpuModel: 'AMD EPYC Processor',
        memoryBytes: 8_142_180_352,
        node: '20.19.0',
      },
      interfaces: [
        {
          name: 'eth0',
          addresses: ['203.0.113.24/32', '2001:db8:4f8:1c0c::1/64'],
          mac: '96:00:03:1b:5e:21',
          mtu: 1500,
          driver: 'virtio_net',
          bus: '0000:00:03.0',
          queues: { rx: CPUS, tx: CPUS, rxMax: CPUS, txMax: CPUS },
          rings: { rx: 256, tx: 256, rxMax: 256, txMax: 256 },
          coalescing: { rxUsecs: 0, txUsecs: 0 },
          features: virtioFeatures(),
        },
        { name: 'tailscale0', addresses: ['100.101.102.103/32'], kind: 'tunnel', type: 'tun', mtu: 1280 },
      ],
    },
    links: { eth0: { channels: { combined: CPUS, combinedMax: CPUS } } },
    queueKinds: QUEUES,
    values: {
      ...sysctlValues(KERNEL_6_1, { congestion: CONGESTION, queues: QUEUES }),
      ...forwardingValues(['eth0', 'tailscale0']),
      ...hugepageValues('always'),
      ...interruptValues(VPS_INTERRUPTS, CPUS),
      ...queueValues('eth0', { rx: CPUS, tx: CPUS }, CPUS, ['1', '2', '4', '8']),
      ...told({
        '/sys/devices/system/cpu/online': '0-3',
        '/sys/devices/system/cpu/possible': '0-3',
        '/sys/devices/system/cpu/cpuidle/current_driver': 'none',
        '/sys/class/dmi/id/sys_vendor': 'Hetzner',
        '/sys/class/dmi/id/product_name': 'vServer',
        '/sys/class/dmi/id/product_version': '20171111',
        '/sys/class/dmi/id/bios_vendor': 'Hetzner',
        '/sys/class/dmi/id/bios_version': '20171111',
        '/sys/class/net/eth0/mtu': '1500',
        '/proc/1/comm': 'systemd',
        '/proc/1/cgroup': '0::/init.scope',
        '/proc/cpuinfo':
          'processor\t: 0\nvendor_id\t: AuthenticAMD\nmodel name\t: AMD EPYC Processor\nflags\t\t: fpu vme de pse tsc msr sse sse2 ht syscall nx constant_tsc cpuid hypervisor lahf_lm',
        '/proc/self/limits': LIMITS,
        '/proc/self/mounts':
          'sysfs /sys sysfs rw,nosuid,nodev,noexec,relatime 0 0\nproc /proc proc rw,nosuid,nodev,noexec,relatime 0 0\n/dev/sda1 / ext4 rw,relatime 0 0',
      }),
    },
    folders: {
      '/root': 0o700,
      '/root/.ssh': 0o700,
      '/var/lib': 0o755,
      '/run/systemd/system': 0o755,
      '/etc/sysctl.d': 0o755,
      '/etc/systemd/system': 0o755,
      '/etc/systemd/network': 0o755,
    },
    symlinks: {
      '/var/run': '/run',
      '/etc/sysctl.d/99-sysctl.conf': '../sysctl.conf',
      '/sys/class/net/eth0/device': '/sys/devices/pci0000:00/0000:00:03.0/virtio1',
    },
    devices: ['/dev/cpu_dma_latency', '/run/tailscale/tailscaled.sock'],
    files: {
      '/etc/hostname': 'vps\n',
      '/etc/machine-id': '4b1d5f0c9e8a4d31a5a8f3a2b9c0d7e6\n',
      '/etc/os-release': 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\nID=debian\n',
      '/etc/sysctl.conf':
        '#\n# /etc/sysctl.conf - Configuration file for setting system variables\n# See /etc/sysctl.d/ for additional system variables.\n#\n\n#kernel.domainname = example.com\n#net.ipv4.ip_forward=1\n',
      '/etc/sysctl.d/README.sysctl': 'Kernel system variables configuration files\n',
      '/usr/lib/sysctl.d/50-pid-max.conf':
        '# Bump the numeric PID range to its maximum of 2^22 (from the in-kernel default\n# of 2^16), to make PID collisions less likely.\nkernel.pid_max = 4194304\n',
      '/usr/lib/sysctl.d/99-protect-links.conf':
        'fs.protected_fifos = 1\nfs.protected_hardlinks = 1\nfs.protected_regular = 2\nfs.protected_symlinks = 1\n',
      '/etc/resolv.conf': 'nameserver 185.12.64.1\nnameserver 185.12.64.2\n',
      '/etc/network/interfaces':
        '# interfaces(5) file used by ifup(8) and ifdown(8)\n# Include files from /etc/network/interfaces.d:\nsource /etc/network/interfaces.d/*\n',
      '/etc/network/interfaces.d/50-cloud-init': 'auto lo\niface lo inet loopback\n\nauto eth0\niface eth0 inet dhcp\n',
      '/etc/security/limits.conf':
        '# /etc/security/limits.conf\n#\n#<domain>      <type>  <item>         <value>\n#*               soft    core            0\n\n# End of file\n',
      '/etc/systemd/system.conf': '[Manager]\n#DefaultLimitNOFILE=1024:524288\n',
      '/etc/systemd/resolved.conf': '[Resolve]\n#Cache=yes\n',
      '/root/.ssh/authorized_keys': { text: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEXAMPLE me\n', mode: 0o600 },
      '/run/cloud-init/instance-data.json': '{"v1": {"cloud_name": "hetzner", "region": "eu-central", "instance_id": "48151623"}}\n',
      [`/lib/modules/${RELEASE}/modules.builtin`]: 'kernel/net/ipv4/tcp_cubic.ko\n',
      [`/lib/modules/${RELEASE}/modules.dep`]: [
        ...CONGESTION.slice(2).map((name) => `kernel/net/ipv4/tcp_${name}.ko:`),
        ...QUEUES.slice(5).map((name) => `kernel/net/sched/sch_${name}.ko:`),
        '',
      ].join('\n'),
    },
    services: {
      '/run/tailscale/tailscaled.sock': tailscaled({ RouteAll: false, AdvertiseRoutes: null, WantRunning: true, LoggedOut: false, OperatorUser: '' }),
    },
    place: { machine: '4b1d5f0c9e8a4d31a5a8f3a2b9c0d7e6', network: '4026531840' },
  };
}

/** Two for each queue, which the driver puts where its processor is. */
export const VPS_INTERRUPTS: readonly InterruptSpec[] = [
  { number: 27, name: 'virtio1-config', on: '0-3' },
  ...[0, 1, 2, 3].flatMap((i) => [
    { number: 28 + 2 * i, name: `virtio1-input.${i}`, on: String(i) },
    { number: 29 + 2 * i, name: `virtio1-output.${i}`, on: String(i) },
  ]),
];

/** A login by SSH on Debian and Ubuntu. */
export const LIMITS = [
  'Limit                     Soft Limit           Hard Limit           Units     ',
  'Max processes             31769                31769                processes ',
  'Max open files            1024                 1048576              files     ',
  'Max locked memory         1042362368           1042362368           bytes     ',
].join('\n');
