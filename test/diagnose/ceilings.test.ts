import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { QueueFacts } from '../../src/base/index.js';
import { attachCeilings, limitsOf, shapingQueue, tcpShare } from '../../src/diagnose/index.js';
import { aboveCeiling } from '../../src/results/index.js';
import type { Limit } from '../../src/results/index.js';
import { card, given, load, path } from './given.js';
import type { GivenPath } from './given.js';

const megabits = (limit: Limit | undefined): number => Math.round((limit?.bps ?? Number.NaN) / 1e5) / 10;
const limit = (of: GivenPath, id: string, direction: 'up' | 'down' = 'up'): Limit | undefined =>
  limitsOf(path(of)).find((each) => each.id === id && each.direction === direction);
const without = (): GivenPath => ({
  and: [given('throughput', 'throughput.up', { outcome: 'lost' }), given('throughput', 'throughput.down', { outcome: 'lost' })],
});

describe('the share of a link that is left for payload', () => {
  for (const [mtuBytes, family, timestamps, expected] of [
    [1500, 4, true, 941.5],
    [1500, 4, false, 949.3],
    [1500, 6, true, 928.5],
    [9000, 4, true, 990],
    [1280, 4, true, 931.7],
  ] as const) {
    test(`is ${expected} Mbit/s of a gigabit at MTU ${mtuBytes}, IPv${family}${timestamps ? ' with timestamps' : ''}`, () => {
      assert.equal(Math.round(tcpShare({ mtuBytes, family, timestamps }) * 1e4) / 10, expected);
    });
  }
});

describe('the bounds of a path', () => {
  test('are those of both ends, the lowest first, and say what was reached of them', () => {
    const limits = limitsOf(path({ far: { link: card(100e6) }, up: { bps: 90e6 } }));
    const [first] = limits.filter(({ kind, direction }) => kind === 'physical' && direction === 'up');
    assert.equal(megabits(first), 94.1);
    assert.match(first?.why ?? '', /peer's link eth0 runs at 100.0 Mbit\/s; 1448 of 1538 bytes/);
    assert.ok(Math.abs((first?.reached ?? 0) - 0.956) < 0.001);
    assert.deepEqual(
      limits.map(({ bps }) => bps),
      limits.map(({ bps }) => bps).toSorted((a, b) => a - b),
    );
  });

  test('leave out timestamps where one end has none, and where nobody knows', () => {
    assert.equal(megabits(limit({ ...without(), far: { tcp: { timestamps: false } } }, 'link-rate')), 949.3);
    assert.equal(megabits(limit({ ...without(), near: { tcp: {} }, far: { tcp: {} } }, 'link-rate')), 949.3);
  });

  test('follow the segments of the connection where these are larger than the MTU that is known', () => {
    const jumbo = { bps: 980e6, details: { perStream: [{ mssBytes: 8948 }] } };
    assert.equal(megabits(limit({ up: jumbo }, 'link-rate')), 990);
  });

  for (const [what, link] of [
    ['veth', card(10e9, { driver: 'veth' })],
    ['virtio', card(10e9, { driver: 'virtio_net' })],
    ['bridge', card(10e9, { kind: 'bridge' })],
    ['tunnel', card(10e9, { kind: 'tunnel' })],
    ['loopback', card(10e9, { kind: 'loopback' })],
  ] as const) {
    test(`are not physical by the nominal speed of a ${what}`, () => {
      const bounds = limitsOf(path({ near: { link } })).filter(({ why }) => why.includes("this host's link"));
      assert.deepEqual(bounds, []);
    });
  }

  test('pay for the tunnel in a VPN: 60 bytes around each packet, on the one cable that there is', () => {
    const tunnel = card(0, { name: 'tailscale0', kind: 'tunnel', mtu: 1280 });
    const cable = given('link', 'link', { details: { link: card(1e9) } });
    const found = limit(
      { ...without(), kind: 'tailscale', near: { link: tunnel }, far: { link: tunnel }, and: [...(without().and ?? []), cable] },
      'link-rate',
    );
    assert.equal(megabits(found), Math.round((1e4 * 1228) / (1280 + 38 + 60)) / 10);
  });

  test('are window over round trip by the buffers of the end that receives, and of the one that sends', () => {
    const window = { tcp: { receiveBytes: [4096, 65_536, 1e6] as const, windowShare: 1 } };
    assert.equal(megabits(limit({ rttMs: 20, far: window }, 'receive-window', 'up')), Math.round((5e5 * 8) / 19 / 100) / 10);
    assert.equal(limit({ rttMs: 20, far: window }, 'receive-window', 'down')?.why.startsWith("this host's"), true);
    const whole = { ...window, kernel: '6.8.0' };
    assert.equal(
      megabits(limit({ rttMs: 20, far: whole }, 'receive-window', 'up')),
      Math.round((1e6 * 8) / 19 / 100) / 10,
      'from 6.6 on the whole buffer bounds',
    );
    assert.equal(
      megabits(limit({ rttMs: 20, near: { tcp: { sendBytes: [4096, 16_384, 1e6] } } }, 'send-buffer', 'up')),
      Math.round((1e6 * 8) / 19 / 100) / 10,
    );
    assert.equal(
      megabits(limit({ rttMs: 20, far: { tcp: { windowScaling: false } } }, 'window-scaling', 'down')),
      Math.round((65_535 * 8) / 19 / 100) / 10,
    );
  });

  for (const [scale, share] of [
    [2, 0.75],
    [1, 0.5],
    [-2, 0.25],
  ] as const) {
    test(`give the window ${100 * share} % of the buffer where tcp_adv_win_scale is ${scale}`, () => {
      const far = { kernel: '6.1.0', tcp: { receiveBytes: [4096, 65_536, 1e6] as const, windowShare: scale } };
      assert.equal(megabits(limit({ rttMs: 20, far }, 'receive-window', 'up')), Math.round((share * 1e6 * 8) / 19 / 100) / 10);
    });
  }

  test('are what one core is good for at the end whose thread was busy, and nowhere else', () => {
    const busy: GivenPath = { up: { bps: 800e6, receiverEnd: { busiest: 0.8 } } };
    assert.equal(megabits(limit(busy, 'single-core-receiver', 'up')), 1000);
    assert.equal(limit(busy, 'single-core-sender', 'up'), undefined);
    assert.equal(limit(busy, 'single-core-receiver', 'down'), undefined);
    assert.equal(limit({ up: { bps: 800e6, receiverEnd: { busiest: 0.6 } } }, 'single-core-receiver', 'up'), undefined, 'too idle to reckon from');
  });

  test('are what encryption leaves in a tunnel, by the processor that was busiest', () => {
    const host = { busy: 0.5, busiestCpu: 0.9, softirq: 0.1, steal: 0 };
    const tunnel: GivenPath = { kind: 'tailscale', up: { bps: 450e6, sender: { host } } };
    const bound = limit(tunnel, 'vpn-encryption', 'up');
    assert.deepEqual([megabits(bound), bound?.kind], [500, 'estimated']);
    assert.equal(limit({ ...tunnel, kind: 'lan' }, 'vpn-encryption', 'up'), undefined);
  });

  test('of a wireless link are about two thirds of its radio rate, and only an estimate', () => {
    const radio = limit({ near: { link: card(866e6, { kind: 'wireless', name: 'wlan0' }) } }, 'wireless-rate', 'up');
    assert.deepEqual([megabits(radio), radio?.kind], [562.9, 'estimated']);
  });

  test('are the rate of a shaper at the end that sends', () => {
    const qdiscs = [{ kind: 'tbf', parent: 'root', handle: '1:', rateBps: 40e6 }];
    assert.equal(megabits(limit({ near: { link: card(1e9, { qdiscs }) } }, 'shaper', 'up')), 38.3);
    assert.equal(limit({ near: { link: card(1e9, { qdiscs }) } }, 'shaper', 'down'), undefined);
  });

  test('take of several classes the one that moved most', () => {
    const found = shapingQueue([
      { kind: 'htb', parent: 'root', handle: '1:1', rateBps: 1e9, sentBytes: 10 },
      { kind: 'htb', parent: '1:', handle: '1:2', rateBps: 20e6, sentBytes: 1e6 },
      { kind: 'htb', parent: '1:', handle: '1:3', rateBps: 5e6, sentBytes: 100 },
    ]);
    assert.equal(found?.rateBps, 20e6);
  });

  test('are what loss leaves to a control that takes it for congestion, and to no other', () => {
    const lossy: GivenPath = { rttMs: 50, lost: { up: 8, down: 0 }, up: { bps: 5e6 } };
    const bound = limit(lossy, 'loss', 'up');
    const mathis = (1448 * 8 * 1.22) / 0.05 / Math.sqrt(0.02);
    assert.ok(bound && bound.bps >= mathis && bound.bps < 2 * mathis, `${bound?.bps} against ${mathis}`);
    assert.equal(limit(lossy, 'loss', 'down'), undefined, 'nothing is lost that way');
    assert.equal(limit({ ...lossy, up: { bps: 5e6, details: { congestion: 'bbr' } } }, 'loss', 'up'), undefined);
  });

  test('are unknown where nothing is known', () => {
    assert.deepEqual(limitsOf({ peer: 'x', path: '', kind: 'wan', measurements: [] }), []);
  });
});

describe('a figure above what is possible', () => {
  const limits = limitsOf(path());
  const shown = (bps: number, error = bps * 0.002) => {
    const each = load('up', { bps });
    return attachCeilings([{ ...each, error: { value: error, unit: 'bps', from: [] } }], limits)[0];
  };

  test('has the ceiling that shows it as a measuring error', () => {
    assert.ok((aboveCeiling(shown(1.2e9) ?? {}) ?? 0) > 1.2);
  });

  test('is none within its own error', () => {
    const close = shown(945e6);
    assert.equal(close && aboveCeiling(close), undefined);
  });

  test('keeps its ceiling where it is possible', () => {
    assert.equal(Math.round((shown(900e6)?.ceiling?.value ?? 0) / 1e5) / 10, 941.5);
  });

  describe('of a token bucket that everything goes through', () => {
    const bucket = { kind: 'tbf', parent: 'root', handle: '1:', rateBps: 1e9, burstBytes: 125_000 };
    const against = (qdisc: QueueFacts, bps: number) => {
      const veth = { link: card(10e9, { driver: 'veth', qdiscs: [qdisc] }) };
      const each = load('up', { bps, details: { measuredMs: 2000 } });
      return attachCeilings([{ ...each, error: { value: bps * 0.002, unit: 'bps', from: [] } }], limitsOf(path({ near: veth, far: veth })))[0];
    };

    test('is a measuring error too', () => {
      assert.ok((aboveCeiling(against(bucket, 28e9) ?? {}) ?? 0) > 25);
      assert.match(against(bucket, 28e9)?.ceiling?.why ?? '', /tbf 1: on this host's eth0 lets 1.0\d* Gbit\/s through/);
    });

    test('is possible as far as a full bucket in each interval makes it so, and then has no such ceiling', () => {
      assert.equal(against(bucket, 960e6)?.ceiling, undefined, '956 Mbit/s of payload, and 125 kB in each 100 ms');
      const above = against(bucket, 990e6);
      assert.equal(Math.round((above?.ceiling?.value ?? 0) / 1e6), 966);
      assert.ok((aboveCeiling(above ?? {}) ?? 0) > 1);
    });

    test('is none where a class may be lent to, or the bucket is not at the root or of unknown size', () => {
      for (const other of [
        { ...bucket, kind: 'htb' },
        { ...bucket, parent: '8001:1' },
        { kind: 'tbf', parent: 'root', handle: '1:', rateBps: 1e9 },
      ])
        assert.equal(against(other, 28e9)?.ceiling, undefined, JSON.stringify(other));
    });
  });

  test('is measured against what datagrams of its size leave', () => {
    const udp = given('throughput', 'udp.up', {
      summary: { ...load('up', { bps: 950e6 }).summary, unit: 'bps' } as never,
      details: { sizeBytes: 1400 },
    });
    const [figure] = attachCeilings([udp], limits);
    assert.equal(Math.round((figure?.ceiling?.value ?? 0) / 1e5) / 10, 955);
    assert.equal(figure && aboveCeiling(figure), undefined);
  });
});
