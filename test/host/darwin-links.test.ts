import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { CommandResult, Commands } from '../../src/base/index.js';
import { parseIfconfigLinks, parseNetstat, parseRoute, parseSysctl, supportedModes } from '../../src/host/facts/darwin-links.js';
import { darwinFacts, processorsOf } from '../../src/host/facts/darwin.js';

// Written after the format of outputs that others recorded of macOS 12 to 15 (`ifconfig -v -m`, `netstat -ibdn`, `route -n get`, `sysctl`).
const IFCONFIG = `lo0: flags=8049<UP,LOOPBACK,RUNNING,MULTICAST> mtu 16384 index 1
	eflags=10000000<SENDLIST>
	options=1203<RXCSUM,TXCSUM,TXSTATUS,SW_TIMESTAMP>
	inet 127.0.0.1 netmask 0xff000000
	link quality: 100 (good)
	state availability: 0 (true)
en0: flags=8863<UP,BROADCAST,SMART,RUNNING,SIMPLEX,MULTICAST> mtu 1500 index 11
	eflags=e004080<TXSTART,NOAUTOIPV6LL,ECN_ENABLE,CHANNEL_DRV,FASTLN_ON>
	options=6460<TSO4,TSO6,CHANNEL_IO,PARTIAL_CSUM,ZEROINVERT_CSUM>
	ether 14:98:77:00:00:01
	inet 192.168.178.20 netmask 0xffffff00 broadcast 192.168.178.255
	media: autoselect
	status: active
	supported media:
		media autoselect
	type: Wi-Fi
	link quality: 100 (good)
	scheduler: FQ_CODEL (driver managed)
	uplink rate: 31.97 Mbps [eff] / 304.20 Mbps
	downlink rate: 31.97 Mbps [eff] / 304.20 Mbps [max]
en5: flags=8863<UP,BROADCAST,SMART,RUNNING,SIMPLEX,MULTICAST> mtu 9000 index 14
	options=404<VLAN_MTU,CHANNEL_IO>
	ether 14:98:77:00:00:02
	inet 10.0.0.7 netmask 0xffffff00 broadcast 10.0.0.255
	media: autoselect (1000baseT <full-duplex,flow-control>)
	status: active
	supported media:
		media autoselect
		media 10baseT/UTP mediaopt half-duplex
		media 100baseTX mediaopt full-duplex
		media 1000baseT mediaopt full-duplex
		media 2500Base-T mediaopt full-duplex
		media 10Gbase-T mediaopt full-duplex mediaopt flow-control
	type: Ethernet
	scheduler: FQ_CODEL
	link rate: 1.00 Gbps
en7: flags=8863<UP,BROADCAST,SMART,RUNNING,SIMPLEX,MULTICAST> mtu 1500 index 15
	options=6467<RXCSUM,TXCSUM,VLAN_MTU,TSO4,TSO6,CHANNEL_IO,PARTIAL_CSUM,ZEROINVERT_CSUM>
	ether 00:e0:4c:00:00:03
	media: 100baseTX <half-duplex>
	status: active
	type: Ethernet
en8: flags=8822<BROADCAST,SMART,SIMPLEX,MULTICAST> mtu 1500 index 16
	ether 36:00:00:00:00:04
	media: autoselect (none)
	status: inactive
	type: Ethernet
bridge0: flags=8863<UP,BROADCAST,SMART,RUNNING,SIMPLEX,MULTICAST> mtu 1500 index 17
	options=63<RXCSUM,TXCSUM,TSO4,TSO6>
	ether 36:00:00:00:00:05
	media: <unknown type>
	status: inactive
	type: Ethernet
awdl0: flags=8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> mtu 1500 index 18
	ether 8a:00:00:00:00:06
	media: autoselect
	status: active
	type: Wi-Fi
utun3: flags=8051<UP,POINTOPOINT,RUNNING,MULTICAST> mtu 1280 index 20
	inet 100.101.102.103 --> 100.101.102.103 netmask 0xffffffff
`;
const NETSTAT = `Name       Mtu   Network       Address            Ipkts Ierrs     Ibytes    Opkts Oerrs     Obytes  Coll Drop
lo0        16384 <Link#1>                       10     0       1000       12     0       1200     0   0
lo0        16384 127           127.0.0.1        10     -       1000       12     -       1200     -   -
gif0*      1280  <Link#2>                        0     0          0        0     0          0     0   0
en5        9000  <Link#14>   14:98:77:00:00:02 74226540     3 89875713350 33188946     4 10462616078     5   6
en5        9000  10.0.0/24     10.0.0.7   74226540     - 89875713350 33188946     - 10462616078     -   -
`;
const ROUTE = `   route to: 203.0.113.9
destination: default
       mask: default
    gateway: 192.168.178.1
  interface: en0
      flags: <UP,GATEWAY,DONE,STATIC,PRCLONING,GLOBAL>
 recvpipe  sendpipe  ssthresh  rtt,msec    rttvar  hopcount      mtu     expire
       0         0         0         0         0         0      1492         0
`;
const NEIGHBOUR = `   route to: 10.0.0.9
destination: 10.0.0.9
  interface: en5
      flags: <UP,HOST,DONE,LLINFO,WASCLONED,IFSCOPE,IFREF>
 recvpipe  sendpipe  ssthresh  rtt,msec    rttvar  hopcount      mtu     expire
       0         0         0         0         0         0      9000      1176
`;
const SYSCTL = `net.inet.tcp.recvspace: 131072
net.inet.tcp.sendspace: 131072
net.inet.tcp.autorcvbufmax: 4194304
net.inet.tcp.autosndbufmax: 4194304
net.inet.tcp.rfc1323: 1
net.inet.tcp.sack: 1
kern.ipc.maxsockbuf: 8388608
`;

describe('links of macOS, in the format of recorded outputs', () => {
  const links = parseIfconfigLinks(IFCONFIG);
  const link = (name: string): (typeof links)[number] => links.find((one) => one.name === name) ?? assert.fail(name);

  test('what each interface is', () => {
    assert.deepEqual(Object.fromEntries(links.map(({ name, kind }) => [name, kind])), {
      lo0: 'loopback',
      en0: 'wireless',
      en5: 'ethernet',
      en7: 'ethernet',
      en8: 'ethernet',
      bridge0: 'bridge',
      awdl0: 'wireless',
      utun3: 'tunnel',
    });
    assert.deepEqual([link('utun3').mtu, link('utun3').carrier, link('en5').mac], [1280, undefined, '14:98:77:00:00:02']);
  });

  test('speed, duplex and what the card can do', () => {
    const { speedBps, duplex, autonegotiation, carrier, supported, supportedBpsMax } = link('en5');
    assert.deepEqual(
      { speedBps, duplex, autonegotiation, carrier, supportedBpsMax },
      { speedBps: 1e9, duplex: 'full', autonegotiation: true, carrier: true, supportedBpsMax: 10e9 },
    );
    assert.deepEqual(supported, ['10baseT/Half', '100baseT/Full', '1000baseT/Full', '2500baseT/Full', '10000baseT/Full']);
  });

  test('a mode that was set by hand, and one that is off', () => {
    const { speedBps, duplex, autonegotiation, features } = link('en7');
    assert.deepEqual({ speedBps, duplex, autonegotiation }, { speedBps: 100e6, duplex: 'half', autonegotiation: false });
    assert.equal(features?.['tcp-segmentation-offload']?.on, true);
    assert.equal(features?.['large-receive-offload']?.on, false);
    const off = link('en8');
    assert.deepEqual([off.up, off.carrier, off.speedBps], [false, undefined, undefined]);
  });

  test('wireless has no negotiated speed, and says so', () => {
    assert.equal(link('en0').speedBps, undefined);
    assert.equal(link('en0').unread?.[0]?.what, 'speed');
  });

  test('counters are those of the link itself', () => {
    const counters = parseNetstat(NETSTAT);
    assert.deepEqual([...counters.keys()], ['lo0', 'gif0', 'en5']);
    assert.deepEqual(counters.get('en5'), {
      rx_packets: 74_226_540,
      rx_errors: 3,
      rx_bytes: 89_875_713_350,
      tx_packets: 33_188_946,
      tx_errors: 4,
      tx_bytes: 10_462_616_078,
      collisions: 5,
      tx_dropped: 6,
    });
    assert.equal(counters.get('lo0')?.['rx_packets'], 10);
  });

  test('the list of networksetup reads like that of ifconfig', () => {
    assert.deepEqual(supportedModes(['autoselect', '1000baseT <full-duplex,energy-efficient-ethernet>', '5000Base-T <full-duplex>', '']), {
      supported: ['1000baseT/Full', '5000baseT/Full'],
      supportedBpsMax: 5e9,
    });
  });

  test('a route through a gateway, to a neighbour, and none', () => {
    assert.deepEqual(parseRoute(ROUTE), { interfaceName: 'en0', gateway: '192.168.178.1', mtu: 1492, local: false });
    assert.deepEqual(parseRoute(NEIGHBOUR), { interfaceName: 'en5', mtu: 9000, local: false });
    assert.equal(parseRoute('route: writing to routing socket: not in table\n'), undefined);
    assert.equal(parseRoute(ROUTE.replace('STATIC', 'REJECT')), undefined);
  });

  test('TCP settings; a name that a release does not have is left out', () => {
    assert.deepEqual(parseSysctl(SYSCTL), {
      receiveBytes: [131_072, 131_072, 4_194_304],
      sendBytes: [131_072, 131_072, 4_194_304],
      receiveBytesAsked: 8_388_608,
      sendBytesAsked: 8_388_608,
      windowScaling: true,
      timestamps: true,
      sack: true,
    });
    assert.deepEqual(parseSysctl('sysctl: unknown oid\n'), {});
  });

  test('processor times are summed up by what they are', () => {
    const cpu = { model: 'Apple M1', speed: 24, times: { user: 100, nice: 1, sys: 20, idle: 800, irq: 2 } };
    assert.deepEqual(processorsOf([cpu], 5), { atMs: 5, cpus: [{ busyMs: 123, softirqMs: 0, stealMs: 0, idleMs: 800 }] });
    assert.equal(processorsOf([], 5), undefined);
  });

  test('outputs that are cut short or something else entirely never throw', () => {
    fc.assert(
      fc.property(fc.constantFrom(IFCONFIG, NETSTAT, ROUTE, SYSCTL), fc.nat(), fc.string(), (text, cut, more) => {
        for (const input of [text.slice(0, cut % text.length) + more, more]) {
          parseIfconfigLinks(input);
          parseNetstat(input);
          parseRoute(input);
          parseSysctl(input);
        }
      }),
    );
  });
});

describe('facts of a macOS host, in the format of recorded outputs', () => {
  const outputs: Readonly<Record<string, string>> = {
    'ifconfig -v -m': IFCONFIG,
    'ifconfig -v -m en7': IFCONFIG.slice(IFCONFIG.indexOf('en7:'), IFCONFIG.indexOf('en8:')),
    'netstat -ibdn': NETSTAT,
    'networksetup -listValidMedia en7': 'autoselect\n100baseTX <full-duplex>\n1000baseT <full-duplex>\n',
    'route -n get 203.0.113.9': ROUTE,
  };
  const commands: Commands = {
    run: (program, args): Promise<CommandResult> => {
      const line = [program, ...args].join(' ');
      if (program === 'sysctl')
        return Promise.resolve({ outcome: 'exited', code: 1, stdout: SYSCTL, stderr: "sysctl: unknown oid 'net.inet.tcp.slowstart_after_idle'" });
      const stdout = outputs[line];
      return Promise.resolve(
        stdout === undefined ? { outcome: 'exited', code: 1, stdout: '', stderr: 'bad' } : { outcome: 'exited', code: 0, stdout, stderr: '' },
      );
    },
  };
  const facts = darwinFacts({ readText: () => Promise.resolve(undefined) }, commands, () => []);

  test('each program is asked as it wants to be', async () => {
    const links = await facts.links();
    assert.equal(links.find(({ name }) => name === 'en5')?.counters?.['rx_errors'], 3);
    const [one, ...others] = await facts.links('en7');
    assert.deepEqual([one?.name, one?.supportedBpsMax, others.length], ['en7', 1e9, 0]);
    assert.equal((await facts.routeTo('203.0.113.9'))?.mtu, 1492);
    assert.equal(await facts.routeTo('2001:db8::1'), undefined);
    assert.equal((await facts.tcpSettings()).receiveBytesAsked, 8_388_608);
    assert.ok(((await facts.processors())?.cpus.length ?? 0) > 0);
  });

  test('where the programs are missing nothing is told', async () => {
    const none = darwinFacts({ readText: () => Promise.resolve(undefined) }, { run: () => Promise.resolve({ outcome: 'missing' }) }, () => []);
    assert.deepEqual([await none.links(), await none.routeTo('203.0.113.9'), await none.tcpSettings()], [[], undefined, {}]);
  });
});
