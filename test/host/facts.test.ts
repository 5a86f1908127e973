import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CommandResult, Commands, TextFiles, NetworkInterface } from '../../src/base/index.js';
import { darwinFacts, parseIfconfig, parseRouteGet, parseScutilDns } from '../../src/host/facts/darwin.js';
import { parseOsRelease } from '../../src/host/facts/identity.js';
import { scopeOf } from '../../src/host/facts/interfaces.js';
import { linuxFacts, parseRoutes4, parseRoutes6 } from '../../src/host/facts/linux.js';
import { parseResolvConf } from '../../src/host/facts/resolv-conf.js';

const ROUTES_4 = `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
wlan0	00000000	FE01A8C0	0003	0	0	600	00000000	0	0	0
eth0	00000000	010200C0	0003	0	0	100	00000000	0	0	0
tun0	00000000	00000000	0001	0	0	50	00000000	0	0	0
tun0	00000000	0100000A	0003	0	0	0	00000080	0	0	0
eth0	000200C0	00000000	0001	0	0	0	00FFFFFF	0	0	0
`;
const ROUTES_6 = `00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe80000000000000021122fffe334455 00000400 00000001 00000000 00000003     eth0
00000000000000000000000000000000 00 00000000000000000000000000000000 00 fd000000000000000000000000000001 00000064 00000001 00000000 00000003     eth1
fe800000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000002 00000000 00000001     eth0
00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo
`;

describe('facts of a Linux host', () => {
  test('default routes come with the best metric first, and only those that have a gateway and cover everything', () => {
    assert.deepEqual(parseRoutes4(ROUTES_4), [
      { gateway: '192.0.2.1', family: 4, interfaceName: 'eth0' },
      { gateway: '192.168.1.254', family: 4, interfaceName: 'wlan0' },
    ]);
  });

  test('an IPv6 gateway that is link-local names its interface', () => {
    assert.deepEqual(parseRoutes6(ROUTES_6), [
      { gateway: 'fd00::1', family: 6, interfaceName: 'eth1' },
      { gateway: 'fe80::211:22ff:fe33:4455%eth0', family: 6, interfaceName: 'eth0' },
    ]);
  });

  test('garbage in the tables is no route', () => {
    for (const text of [
      '',
      '\n\n',
      'Iface\nx',
      'Iface\neth0\t00000000\tzz\t0003\t0\t0\t0\t00000000',
      'not a table at all\n1 2 3 4 5 6 7 8 9 10 11',
    ]) {
      assert.deepEqual(parseRoutes4(text), []);
      assert.deepEqual(parseRoutes6(text), []);
    }
  });

  test('name servers are read once each, and comments and names are not addresses', () => {
    const text =
      '# nameserver 9.9.9.9\nsearch example.org\nnameserver 10.0.0.53\n nameserver fe80::1%eth0\nnameserver ns.example.org\nnameserver 10.0.0.53\noptions rotate\n';
    assert.deepEqual(parseResolvConf(text), ['10.0.0.53', 'fe80::1%eth0']);
  });

  test("behind systemd-resolved's stub, the resolvers that it asks are found", async () => {
    const listed = { '/etc/resolv.conf': 'nameserver 127.0.0.53\n', '/run/systemd/resolve/resolv.conf': 'nameserver 192.0.2.53\n' };
    assert.deepEqual(await linuxFacts(fakeFiles(listed)).resolvers(), ['192.0.2.53']);
    assert.deepEqual(await linuxFacts(fakeFiles({ '/etc/resolv.conf': 'nameserver 127.0.0.53\n' })).resolvers(), ['127.0.0.53']);
    assert.deepEqual(await linuxFacts(fakeFiles({})).resolvers(), []);
  });

  test('speed, MTU and state come from the driver, and what it does not know is left out', async () => {
    const item = (name: string): NetworkInterface => ({ name, addresses: [], up: true, loopback: false });
    const facts = linuxFacts(
      fakeFiles({
        '/sys/class/net/eth0/mtu': '1500\n',
        '/sys/class/net/eth0/speed': '2500\n',
        '/sys/class/net/eth0/operstate': 'up\n',
        '/sys/class/net/eth1/mtu': '9000\n',
        '/sys/class/net/eth1/speed': '-1\n',
        '/sys/class/net/eth1/operstate': 'down\n',
        '/sys/class/net/tun0/operstate': 'unknown\n',
      }),
      () => [item('eth0'), item('eth1'), item('tun0')],
    );
    assert.deepEqual(await facts.interfaces(), [
      { ...item('eth0'), mtu: 1500, speedBps: 2.5e9 },
      { ...item('eth1'), mtu: 9000, up: false },
      item('tun0'),
    ]);
  });

  test('a file that may not be read is a fact left out, not an error', async () => {
    const files: TextFiles = { readText: () => Promise.reject(new Error('EACCES')) };
    const facts = linuxFacts(files, () => [{ name: 'eth0', addresses: [], up: true, loopback: false }]);
    assert.deepEqual(await facts.defaultRoutes(), []);
    assert.deepEqual(await facts.resolvers(), []);
    assert.equal((await facts.interfaces())[0]?.mtu, undefined);
    assert.ok((await facts.identity()).cpus > 0);
  });

  test('link-local, loopback and global addresses are told apart', () => {
    assert.equal(scopeOf('127.0.0.1', true), 'host');
    assert.equal(scopeOf('169.254.3.4', false), 'link');
    assert.equal(scopeOf('FE80::1', false), 'link');
    assert.equal(scopeOf('febf::1', false), 'link');
    assert.equal(scopeOf('fd00::1', false), 'global');
    assert.equal(scopeOf('192.0.2.1', false), 'global');
  });

  test('the name of the distribution is read with any kind of quotes', () => {
    assert.equal(parseOsRelease('NAME="Debian"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n'), 'Debian GNU/Linux 12 (bookworm)');
    assert.equal(parseOsRelease("PRETTY_NAME='Alpine Linux v3.20'"), 'Alpine Linux v3.20');
    assert.equal(parseOsRelease('PRETTY_NAME=Void'), 'Void');
    assert.equal(parseOsRelease('NAME=x'), undefined);
  });
});

const ROUTE_GET = `   route to: default
destination: default
       mask: default
    gateway: 192.168.1.1
  interface: en0
      flags: <UP,GATEWAY,DONE,STATIC,PRCLONING,GLOBAL>
 recvpipe  sendpipe  ssthresh  rtt,msec    rttvar  hopcount      mtu     expire
       0         0         0         0         0         0      1500         0
`;
const SCUTIL = `DNS configuration

resolver #1
  search domain[0] : fritz.box
  nameserver[0] : fd00::1
  nameserver[1] : 192.168.178.1
  if_index : 14 (en0)
  flags    : Request A records, Request AAAA records
  reach    : 0x00020002 (Reachable,Directly Reachable Address)

resolver #2
  domain   : local
  options  : mdns
  timeout  : 5
  flags    : Request A records, Request AAAA records
  order    : 300000

DNS configuration (for scoped queries)

resolver #1
  nameserver[0] : 10.9.9.9
  if_index : 14 (en0)
  flags    : Scoped, Request A records
`;
const IFCONFIG = `lo0: flags=8049<UP,LOOPBACK,RUNNING,MULTICAST> mtu 16384
	inet 127.0.0.1 netmask 0xff000000
en0: flags=8863<UP,BROADCAST,SMART,RUNNING,SIMPLEX,MULTICAST> mtu 1500
	ether 14:98:77:00:00:01
	inet 192.168.178.20 netmask 0xffffff00 broadcast 192.168.178.255
	media: autoselect (1000baseT <full-duplex>)
	status: active
en5: flags=8863<UP,BROADCAST,SMART,RUNNING,SIMPLEX,MULTICAST> mtu 9000
	media: 10Gbase-T <full-duplex>
	media: autoselect (10Gbase-T <full-duplex>)
	status: inactive
`;

describe('facts of a macOS host', () => {
  test('the default route is read from route -n get', () => {
    assert.deepEqual(parseRouteGet(ROUTE_GET, 4), [{ gateway: '192.168.1.1', family: 4, interfaceName: 'en0' }]);
    assert.deepEqual(parseRouteGet(ROUTE_GET.replace('192.168.1.1', 'fe80::1%en0'), 6), [
      { gateway: 'fe80::1%en0', family: 6, interfaceName: 'en0' },
    ]);
  });

  test('a tunnel as default route and no route at all have no gateway', () => {
    assert.deepEqual(parseRouteGet(ROUTE_GET.replace(/ *gateway:.*\n/, ''), 4), []);
    assert.deepEqual(parseRouteGet(ROUTE_GET.replace('192.168.1.1', 'link#18'), 4), []);
    assert.deepEqual(parseRouteGet('route: writing to routing socket: not in table\n', 4), []);
  });

  test('resolvers are the general ones: no multicast DNS, none of a single domain, no scoped repeats', () => {
    assert.deepEqual(parseScutilDns(SCUTIL), ['fd00::1', '192.168.178.1']);
    assert.deepEqual(parseScutilDns('No DNS configuration available\n'), []);
  });

  test('MTU, state and media speed are read from ifconfig', () => {
    const found = parseIfconfig(IFCONFIG);
    assert.deepEqual(found.get('lo0'), { mtu: 16384, up: true });
    assert.deepEqual(found.get('en0'), { mtu: 1500, up: true, speedBps: 1e9 });
    assert.deepEqual(found.get('en5'), { mtu: 9000, up: false, speedBps: 10e9 });
  });

  test('programs that are missing or fail leave facts out', async () => {
    const missing: Commands = { run: () => Promise.resolve({ outcome: 'missing' } satisfies CommandResult) };
    const facts = darwinFacts(fakeFiles({ '/etc/resolv.conf': 'nameserver 10.0.0.1\n' }), missing, () => []);
    assert.deepEqual(await facts.defaultRoutes(), []);
    assert.deepEqual(await facts.resolvers(), ['10.0.0.1']);
    assert.deepEqual(await facts.interfaces(), []);
    assert.ok((await facts.identity()).name.length > 0);
  });
});

function fakeFiles(texts: Readonly<Record<string, string>>): TextFiles {
  return { readText: (path) => Promise.resolve(texts[path]) };
}
