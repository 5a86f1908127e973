import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readManagers } from '../../src/tune/index.js';
import type { Managers } from '../../src/tune/index.js';
import { decidingLine, parseSysctlFile, sysctlPath } from '../../src/tune/others/sysctl-files.js';
import { SimFiles } from '../../src/sim/index.js';

const HOME_OF_ROOT = '/root';
const BACKUP = `${HOME_OF_ROOT}/network-optimization-backup-20251109-120000`;

const managers = (files: Readonly<Record<string, string>>): Promise<Managers> => readManagers({ files: new SimFiles(files) });
const by = async (files: Readonly<Record<string, string>>, key: string): Promise<string | undefined> => {
  const found = (await managers(files)).managedBy(key);
  return found && `${found.who} = ${found.value ?? '?'}`;
};

describe('who else sets kernel values: sysctl.d', () => {
  const KEY = 'net.core.rmem_max';

  test('the last name in order wins, whatever its folder', async () => {
    const files = {
      '/etc/sysctl.d/10-a.conf': `${KEY}=1\n`,
      '/run/sysctl.d/20-b.conf': `${KEY} = 2\n`,
      '/usr/local/lib/sysctl.d/15-c.conf': `${KEY}=3`,
    };
    assert.equal(await by(files, KEY), '/run/sysctl.d/20-b.conf:1 = 2');
  });

  test('of files with one name the first folder counts, and an empty one masks the others', async () => {
    const below = { '/usr/local/lib/sysctl.d/50-x.conf': `${KEY}=3\n`, '/run/sysctl.d/50-x.conf': `${KEY}=2\n` };
    assert.equal(await by(below, KEY), '/run/sysctl.d/50-x.conf:1 = 2');
    assert.equal(await by({ ...below, '/etc/sysctl.d/50-x.conf': '' }, KEY), undefined);
  });

  test('a later line of one file wins; comments, other files and lines without a value do not count', async () => {
    const text = `# ${KEY}=1\n; ${KEY}=2\n\n ${KEY} = 4096 \n${KEY}\nnet.core.wmem_max=5\n`;
    assert.equal(await by({ '/etc/sysctl.d/a.conf': text, '/etc/sysctl.d/README.sysctl': `${KEY}=9` }, KEY), '/etc/sysctl.d/a.conf:4 = 4096');
    assert.equal(await by({ '/etc/sysctl.d/a.conf': `${KEY}=1\n${KEY}=2\n` }, KEY), '/etc/sysctl.d/a.conf:2 = 2');
  });

  test('defaults of the distribution and of the provider are nobody, and neither are files of Tautline', async () => {
    for (const path of [
      '/usr/lib/sysctl.d/50-a.conf',
      '/lib/sysctl.d/50-a.conf',
      '/etc/sysctl.d/10-network-security.conf',
      '/etc/sysctl.d/99-hetzner.conf',
      '/etc/sysctl.d/90-tautline.conf',
    ]) {
      assert.equal(await by({ [path]: `${KEY}=1\n` }, KEY), undefined, path);
    }
    const both = { '/etc/sysctl.d/10-own.conf': `${KEY}=1\n`, '/usr/lib/sysctl.d/99-vendor.conf': `${KEY}=2\n` };
    assert.equal(await by(both, KEY), '/etc/sysctl.d/10-own.conf:1 = 1');
  });

  test('/etc/sysctl.conf is known by that name where 99-sysctl.conf is a link to it, and read last where there is none', async () => {
    const own = `${KEY}=7\n`;
    const linked = { '/etc/sysctl.conf': own, '/etc/sysctl.d/99-sysctl.conf': own, '/etc/sysctl.d/99-z.conf': `${KEY}=8\n` };
    assert.equal(await by(linked, KEY), '/etc/sysctl.d/99-z.conf:1 = 8');
    assert.equal(await by({ '/etc/sysctl.conf': own, '/etc/sysctl.d/99-z.conf': `${KEY}=8\n` }, KEY), '/etc/sysctl.conf:1 = 7');
    const listed = (await managers(linked)).found.map(({ who }) => who);
    assert.deepEqual(listed, ['/etc/sysctl.conf', '/etc/sysctl.d/99-z.conf']);
  });

  test('dots and slashes: the first separator says which of them separates', () => {
    assert.equal(sysctlPath('net.ipv4.conf.eth0/100.rp_filter'), 'net/ipv4/conf/eth0.100/rp_filter');
    assert.equal(sysctlPath('net/ipv4/conf/eth0.100/rp_filter'), 'net/ipv4/conf/eth0.100/rp_filter');
    assert.equal(sysctlPath('vm.swappiness'), 'vm/swappiness');
  });

  test('patterns give way to a key that is named, and to one that is kept away from them', () => {
    const lines = parseSysctlFile(
      ['net.ipv4.conf.*.rp_filter = 2', 'net.ipv4.conf.eth0.rp_filter = 1', '-net.ipv4.conf.all.rp_filter', '-net.core.none = 5'].join('\n'),
      '/etc/sysctl.d/a.conf',
    );
    const value = (key: string): string | undefined => decidingLine(lines, key)?.value;
    assert.equal(value('net.ipv4.conf.eth1.rp_filter'), '2');
    assert.equal(value('net.ipv4.conf.eth0.rp_filter'), '1');
    assert.equal(value('net.ipv4.conf.all.rp_filter'), undefined);
    assert.equal(value('net.core.none'), '5', 'a leading - before a value means that failure is no matter');
    assert.equal(value('net.ipv4.conf.a.b.rp_filter'), undefined, 'a star stops at a separator');
    const back = parseSysctlFile('net.core.x = 1\n-net.core.x\nnet.core.* = 2\n-net.core.y\nnet.core.y = 3\n', '/etc/sysctl.d/c.conf');
    assert.equal(decidingLine(back, 'net.core.x'), undefined, 'taken back, and kept away from the pattern');
    assert.equal(decidingLine(back, 'net.core.y')?.value, '3');
    assert.equal(decidingLine(back, 'net.core.z')?.value, '2');
    const odd = parseSysctlFile('net.ipv4.conf.eth[01].x=1\nnet.ipv4.conf.w[!l]an?.x=2\nnet.ipv4.tcp[z-a]=3\nvm.a+b=4', '/etc/sysctl.d/b.conf');
    assert.equal(decidingLine(odd, 'net.ipv4.conf.eth1.x')?.value, '1');
    assert.equal(decidingLine(odd, 'net.ipv4.conf.eth2.x'), undefined);
    assert.equal(decidingLine(odd, 'net.ipv4.conf.wxan0.x')?.value, '2');
    assert.equal(decidingLine(odd, 'net.ipv4.conf.wlan0.x'), undefined);
    assert.equal(decidingLine(odd, 'net.ipv4.tcpz'), undefined);
  });

  test('UFW writes after all of them, as long as it is on', async () => {
    const files = {
      '/etc/sysctl.d/99-a.conf': 'net.ipv4.tcp_sack=1\n',
      '/etc/ufw/sysctl.conf': '# UFW\nnet/ipv4/tcp_sack=0\n',
      '/etc/ufw/ufw.conf': 'ENABLED=yes\n',
    };
    assert.equal(await by(files, 'net.ipv4.tcp_sack'), '/etc/ufw/sysctl.conf:2 = 0');
    assert.equal(await by({ ...files, '/etc/ufw/ufw.conf': 'ENABLED=no\n' }, 'net.ipv4.tcp_sack'), '/etc/sysctl.d/99-a.conf:1 = 1');
    assert.equal(await by({ ...files, '/etc/default/ufw': 'IPT_SYSCTL=/etc/other.conf\n' }, 'net.ipv4.tcp_sack'), '/etc/sysctl.d/99-a.conf:1 = 1');
  });

  test('files that may not be read are passed over', async () => {
    const files = new SimFiles({ '/etc/sysctl.d/a.conf': `${KEY}=1`, '/run/sysctl.d/b.conf': `${KEY}=2` });
    files.break('/run', 'read', 'permission');
    assert.equal((await readManagers({ files })).managedBy(KEY)?.value, '1');
  });
});

describe('who else sets values: programs', () => {
  const TUNED = {
    '/etc/tuned/active_profile': 'network-latency\n',
    '/run/tuned/tuned.pid': '812\n',
    '/usr/lib/tuned/profiles/network-latency/tuned.conf':
      '[main]\ninclude=latency-performance\n[vm]\ntransparent_hugepages=never\n[sysctl]\nnet.core.busy_read=50 # poll\nnet.core.somaxconn=>2048\n',
    '/usr/lib/tuned/profiles/latency-performance/tuned.conf':
      '[cpu]\nforce_latency=cstate.id_no_zero:1|3\ngovernor=performance\n[sysctl]\nvm.swappiness=10\nnet.core.busy_read=1\nnet.ipv4.tcp_rmem="4096 131072 16777216"\n',
  };

  test("TuneD's profile with what it includes: its own values win, marks and quotes are not part of a value", async () => {
    const { managedBy } = await managers(TUNED);
    assert.deepEqual(managedBy('net.core.busy_read'), { who: 'TuneD profile network-latency', value: '50' });
    assert.deepEqual(managedBy('vm.swappiness'), { who: 'TuneD profile latency-performance', value: '10' });
    assert.deepEqual(managedBy('net.ipv4.tcp_rmem')?.value, '4096 131072 16777216');
    assert.deepEqual(managedBy('net.core.somaxconn')?.value, '2048');
    assert.deepEqual(managedBy('cpu-governor'), { who: 'TuneD profile latency-performance', value: 'performance' });
    assert.deepEqual(managedBy('transparent-hugepages')?.value, 'never');
    assert.equal(managedBy('net.core.wmem_max'), undefined);
  });

  test('sysctl.d goes before TuneD, which applies it after its own values', async () => {
    assert.equal(await by({ ...TUNED, '/etc/sysctl.d/a.conf': 'vm.swappiness=60\n' }, 'vm.swappiness'), '/etc/sysctl.d/a.conf:1 = 60');
  });

  test("a person's own profile of the same name goes before the package's, and a circle of includes ends", async () => {
    const files = {
      ...TUNED,
      '/etc/tuned/network-latency/tuned.conf': '[main]\ninclude=network-latency\n[sysctl.more]\ntype=sysctl\nvm.swappiness=${mine}\n',
    };
    assert.deepEqual((await managers(files)).managedBy('vm.swappiness'), { who: 'TuneD profile network-latency' });
  });

  test('a TuneD that neither runs nor starts at boot manages nothing, and that is said', async () => {
    const { '/run/tuned/tuned.pid': _, ...stopped } = TUNED;
    const found = await managers(stopped);
    assert.equal(found.managedBy('vm.swappiness'), undefined);
    assert.deepEqual(found.found, [
      {
        who: 'TuneD profile network-latency',
        what: 'is chosen in /etc/tuned/active_profile, but TuneD neither runs nor starts at boot',
        advice: 'nothing to do: it sets nothing',
      },
    ]);
    const boots = { ...stopped, '/etc/systemd/system/multi-user.target.wants/tuned.service': '' };
    assert.equal((await managers(boots)).managedBy('vm.swappiness')?.value, '10');
  });

  test('irqbalance has the affinities, cpufrequtils and power-profiles-daemon the governor', async () => {
    assert.equal(await by({ '/run/irqbalance/irqbalance812.sock': '' }, 'irq-affinity'), 'irqbalance = ?');
    assert.equal(
      await by({ '/etc/default/cpufrequtils': '# x\nGOVERNOR="performance"\n' }, 'cpu-governor'),
      '/etc/default/cpufrequtils:2 = performance',
    );
    const ppd = { '/etc/systemd/system/graphical.target.wants/power-profiles-daemon.service': '' };
    assert.equal(await by(ppd, 'cpu-governor'), 'power-profiles-daemon = ?');
    assert.equal(await by({ '/etc/default/cpufrequtils': '#GOVERNOR="performance"\n' }, 'cpu-governor'), undefined);
  });

  test('files that set offloads, rings and coalescing are named with what they set, and comments are not', async () => {
    const found = await managers({
      '/etc/systemd/network/10-eth.link': '[Match]\nOriginalName=*\n[Link]\nGenericReceiveOffload=false\nRxBufferSize=max\n#TxBufferSize=max\n',
      '/etc/netplan/50-cloud-init.yaml': 'network:\n  ethernets:\n    eth0:\n      generic-receive-offload: false\n',
      '/etc/NetworkManager/system-connections/wired.nmconnection': '[ethtool]\nfeature-gro=false\nring-rx=4096\n',
      '/etc/network/interfaces': 'iface eth0 inet dhcp\n  offload-gro off\n  post-up /sbin/ethtool -G $IFACE rx 4096\n',
      '/run/NetworkManager/devices/2': '',
      '/etc/systemd/network/90-tautline.link': '[Link]\nRxBufferSize=max\n',
    });
    assert.deepEqual(
      found.found.map(({ who, what }) => `${who}: ${what}`),
      [
        '/etc/systemd/network/10-eth.link: sets GenericReceiveOffload false, RxBufferSize max',
        '/etc/netplan/50-cloud-init.yaml: sets generic-receive-offload false',
        '/etc/NetworkManager/system-connections/wired.nmconnection: sets feature-gro false, ring-rx 4096',
        '/etc/network/interfaces: sets offload-gro off, post-up /sbin/ethtool -G $IFACE rx 4096',
        "cloud-init: writes /etc/netplan/50-cloud-init.yaml anew on the first boot of a new instance, such as one made of this one's snapshot",
        'NetworkManager: sets up interfaces, their MTU, addresses and name servers whenever a connection comes up',
      ],
    );
  });

  test('a file that sets them decides offloads, rings, coalescing and queues, each by the line that says so', async () => {
    const { managedBy } = await managers({
      '/etc/systemd/network/10-eth.link': '[Link]\nGenericReceiveOffload=false\nRxBufferSize=max\nRxCoalesceSec=0\nCombinedChannels=4\n',
    });
    const path = '/etc/systemd/network/10-eth.link';
    assert.deepEqual(
      ['offloads', 'rings', 'coalescing', 'queues', 'rps'].map((id) => managedBy(id)?.who),
      [`${path}:2`, `${path}:3`, `${path}:4`, `${path}:5`, undefined],
    );
    const hooks = await managers({ '/etc/network/interfaces': 'iface eth0 inet dhcp\n  up ethtool -K eth0 gro off\n  hardware-dma-ring-rx 4096\n' });
    assert.equal(hooks.managedBy('offloads')?.who, '/etc/network/interfaces:2');
    assert.equal(hooks.managedBy('rings')?.who, '/etc/network/interfaces:3');
  });

  test('cloud-init whose network part is switched off is not named', async () => {
    const files = { '/etc/netplan/50-cloud-init.yaml': 'network: {}\n', '/etc/cloud/cloud.cfg.d/99-x.cfg': 'network: {config: disabled}\n' };
    assert.deepEqual((await managers(files)).found, []);
  });

  test('limits on open files are named with their lines', async () => {
    const found = await managers({
      '/etc/security/limits.conf': '# * soft nofile 1\n* soft nofile 65536\n* hard nproc 5\nroot hard nofile 65536 # mine\n',
    });
    assert.deepEqual(
      found.found.map(({ who, what }) => [who, what]),
      [['/etc/security/limits.conf', 'sets * soft nofile 65536 (line 2), root hard nofile 65536 (line 4)']],
    );
  });

  test('what scripts of the low-latency guide left behind is known, with how to take it away', async () => {
    const found = await managers({
      '/etc/sysctl.d/99-low-latency-s2s.conf': 'net.core.rmem_max=16384\n',
      '/etc/network/if-up.d/optimize-latency': '#!/bin/sh\nethtool -K $IFACE gro off\n',
      '/etc/default/cpufrequtils': 'GOVERNOR="performance"\n',
      '/etc/systemd/resolved.conf.d/low-latency.conf': '[Resolve]\nDNS=1.1.1.1\n',
      [`${BACKUP}/sysctl.conf.bak`]: '',
      [`${BACKUP}/limits.conf.bak`]: '',
    });
    const advice = Object.fromEntries(found.found.map((each) => [each.who, each.advice]));
    assert.match(advice['/etc/sysctl.d/99-low-latency-s2s.conf'] ?? '', /^remove it: sudo rm \/etc\/sysctl\.d\/99-low-latency-s2s\.conf;/);
    assert.match(advice['/etc/network/if-up.d/optimize-latency'] ?? '', /gro on tso on gso on/);
    assert.match(advice['/etc/systemd/resolved.conf.d/low-latency.conf'] ?? '', /restart systemd-resolved/);
    assert.match(advice['/etc/default/cpufrequtils'] ?? '', /remove the line/);
    assert.match(advice[BACKUP] ?? '', /limits\.conf\.bak, .*sysctl\.conf\.bak/);
    assert.equal(found.managedBy('net.core.rmem_max')?.who, '/etc/sysctl.d/99-low-latency-s2s.conf:1');
    assert.equal(found.managedBy('offloads')?.who, '/etc/network/if-up.d/optimize-latency');
    assert.equal(Object.keys(advice).length, found.found.length, 'each is named once');
  });

  test('a host that nobody tuned has nobody', async () => {
    assert.deepEqual((await managers({})).found, []);
  });
});
