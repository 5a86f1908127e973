import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseProcStat, sysfsLink, tcpSettings } from '../../src/host/facts/linux-proc.js';

const reader =
  (files: Readonly<Record<string, string>>) =>
  (path: string): Promise<string | undefined> =>
    Promise.resolve(files[path]);

// Of Linux 6.18; guest time (the last two columns) is part of user time.
const STAT = `cpu  3000 20 1000 90000 500 10 270 60 40 0
cpu0 1000 20 400 45000 300 10 70 20 40 0
cpu1 2000 0 600 45000 200 0 200 40 0 0
intr 12345 0 9
ctxt 999
softirq 5 0 1
`;

test('processor times are told apart by what they went to', () => {
  assert.deepEqual(parseProcStat(STAT, 7), {
    atMs: 7,
    cpus: [
      { busyMs: 15_000, softirqMs: 700, stealMs: 200, idleMs: 453_000 },
      { busyMs: 28_000, softirqMs: 2000, stealMs: 400, idleMs: 452_000 },
    ],
  });
});

test('older kernels have fewer columns, and none at all is nothing', () => {
  assert.deepEqual(parseProcStat('cpu0 10 0 5 100\n', 0)?.cpus, [{ busyMs: 150, softirqMs: 0, stealMs: 0, idleMs: 1000 }]);
  assert.equal(parseProcStat('', 0), undefined);
  assert.equal(parseProcStat('cpu0 x y z\n', 0), undefined);
  fc.assert(
    fc.property(fc.string(), fc.nat(STAT.length), (more, cut) => {
      parseProcStat(STAT.slice(0, cut) + more, 0);
    }),
  );
});

test('TCP settings are read one by one, and what a namespace does not have is left out', async () => {
  const read = reader({
    '/proc/sys/net/ipv4/tcp_rmem': '4096\t131072\t33554432\n',
    '/proc/sys/net/ipv4/tcp_wmem': 'garbage\n',
    '/proc/sys/net/ipv4/tcp_congestion_control': 'cubic\n',
    '/proc/sys/net/ipv4/tcp_window_scaling': '0\n',
    '/proc/sys/net/ipv4/tcp_adv_win_scale': '-2\n',
    '/proc/sys/net/core/rmem_max': '212992\n',
  });
  assert.deepEqual(await tcpSettings(read), {
    receiveBytes: [4096, 131_072, 33_554_432],
    receiveBytesAsked: 212_992,
    congestion: 'cubic',
    windowScaling: false,
    windowShare: -2,
  });
});

test('without netlink, /sys tells speed, duplex, carrier and counters, and the rest is said to be unread', async () => {
  const eth0 = {
    '/sys/class/net/eth0/type': '1\n',
    '/sys/class/net/eth0/flags': '0x1003\n',
    '/sys/class/net/eth0/mtu': '1500\n',
    '/sys/class/net/eth0/speed': '100\n',
    '/sys/class/net/eth0/duplex': 'half\n',
    '/sys/class/net/eth0/carrier': '1\n',
    '/sys/class/net/eth0/address': '02:00:00:00:00:01\n',
    '/sys/class/net/eth0/statistics/rx_crc_errors': '17\n',
  };
  assert.deepEqual(await sysfsLink(reader(eth0), 'eth0', 'koffi is missing'), {
    name: 'eth0',
    kind: 'ethernet',
    up: true,
    carrier: true,
    mtu: 1500,
    mac: '02:00:00:00:00:01',
    speedBps: 100e6,
    duplex: 'half',
    counters: { rx_crc_errors: 17 },
    unread: [{ what: 'driver, link modes, offloads, queues, queue disciplines', why: 'koffi is missing' }],
  });
  const kindOf = async (type: string, uevent: string): Promise<string> =>
    (await sysfsLink(reader({ '/sys/class/net/x/type': type, '/sys/class/net/x/uevent': uevent, '/sys/class/net/x/speed': '-1' }), 'x', '')).kind;
  assert.deepEqual(
    [
      await kindOf('772', ''),
      await kindOf('1', 'DEVTYPE=wlan\n'),
      await kindOf('1', 'DEVTYPE=bridge\n'),
      await kindOf('65534', ''),
      await kindOf('32', ''),
    ],
    ['loopback', 'wireless', 'bridge', 'tunnel', 'other'],
  );
});
