import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ECHO, HEADERS_BYTES, deviation, exchange, mean, pair, rttsMs, sequenceOf } from './pair.js';

describe('delay', () => {
  test('is exact to the nanosecond, and its own in each direction', async () => {
    const log = await exchange(pair({ delayMs: 10, back: { delayMs: 2.5 } }), { count: 50 });
    assert.deepEqual(new Set(rttsMs(log)), new Set([12.5]));
  });

  test('a rate adds the time that a datagram takes at it', async () => {
    const log = await exchange(pair({ delayMs: 10, rateBps: 1e6 }), { count: 5, intervalNs: 100e6 });
    const transmitMs = ((64 + HEADERS_BYTES) * 8) / 1e3;
    for (const rtt of rttsMs(log)) assert.equal(rtt, 20 + 2 * transmitMs);
  });

  test('framing of the link counts at the rate', async () => {
    const log = await exchange(pair({ rateBps: 1e6, framingBytes: 38 }), { count: 1 });
    assert.deepEqual(rttsMs(log), [(2 * (64 + HEADERS_BYTES + 38) * 8) / 1e3]);
  });
});

describe('jitter', () => {
  test('uniform: bounded, centred, with the deviation of a uniform distribution', async () => {
    const rtts = rttsMs(
      await exchange(
        pair({
          delayMs: 20,
          jitter: { distribution: 'uniform', ms: 6 },
          keepsOrder: false,
          back: { jitter: { distribution: 'uniform', ms: 0 } },
        }),
        { count: 4000 },
      ),
    );
    assert.ok(Math.min(...rtts) >= 34 && Math.max(...rtts) <= 46);
    assert.ok(Math.abs(mean(rtts) - 40) < 0.2, `${mean(rtts)}`);
    assert.ok(Math.abs(deviation(rtts) - 6 / Math.sqrt(3)) < 0.15, `${deviation(rtts)}`);
  });

  test('normal: the declared standard deviation', async () => {
    const rtts = rttsMs(
      await exchange(
        pair({
          delayMs: 20,
          jitter: { distribution: 'normal', ms: 3 },
          keepsOrder: false,
          back: { jitter: { distribution: 'normal', ms: 0 } },
        }),
        { count: 4000 },
      ),
    );
    assert.ok(Math.abs(mean(rtts) - 40) < 0.2, `${mean(rtts)}`);
    assert.ok(Math.abs(deviation(rtts) - 3) < 0.15, `${deviation(rtts)}`);
  });

  test('keeps the order unless the path says otherwise', async () => {
    const jitter = { distribution: 'uniform', ms: 9 } as const;
    const kept = await exchange(pair({ delayMs: 10, jitter }), { count: 500 });
    const mixed = await exchange(pair({ delayMs: 10, jitter, keepsOrder: false }), { count: 500 });
    const overtakings = (log: typeof kept): number =>
      Array.from({ length: log.received - 1 }, (_, k) => k + 1).filter((k) => sequenceOf(log, k) < sequenceOf(log, k - 1)).length;
    assert.equal(overtakings(kept), 0);
    assert.ok(overtakings(mixed) > 100);
  });

  test('nothing arrives before it left', async () => {
    const rtts = rttsMs(await exchange(pair({ delayMs: 1, jitter: { distribution: 'normal', ms: 5 }, keepsOrder: false }), { count: 500 }));
    assert.ok(Math.min(...rtts) >= 0);
  });
});

describe('loss', () => {
  const within = (count: number, n: number, ratio: number): boolean => Math.abs(count - n * ratio) <= 3.5 * Math.sqrt(n * ratio * (1 - ratio));

  test('random: as many as the ratio says, within binomial bounds, in the declared direction only', async () => {
    const network = pair({ delayMs: 5, loss: 0.02, back: { loss: 0 } });
    const log = await exchange(network, { count: 20_000 });
    const up = network.path('a', 'b').counters;
    const down = network.path('b', 'a').counters;
    assert.ok(within(up.lost, 20_000, 0.02), `${up.lost} of 20000`);
    assert.deepEqual([up.offered, down.offered, down.lost], [20_000, 20_000 - up.lost, 0]);
    assert.equal(log.received, 20_000 - up.lost);
  });

  test('all and nothing', async () => {
    assert.equal((await exchange(pair({ loss: 1 }), { count: 100 })).received, 0);
    assert.equal((await exchange(pair({ loss: 0 }), { count: 100 })).received, 100);
  });

  test('Gilbert and Elliott: long-run ratio, and bursts as long as the bad state lasts', async () => {
    const log = await exchange(pair({ loss: { toBad: 0.01, toGood: 0.25 }, back: { loss: 0 } }), { count: 40_000, replyBytesMax: 4 });
    const lost = rttsMs(log).map(Number.isNaN);
    const ratio = lost.filter(Boolean).length / lost.length;
    const bursts = lost.filter((is, i) => is && !lost[i - 1]).length;
    // Stationary: 0.01 / 0.26; the bad state lasts 1 / 0.25 packets.
    assert.ok(Math.abs(ratio - 0.01 / 0.26) < 0.005, `${ratio}`);
    assert.ok(Math.abs(lost.filter(Boolean).length / bursts - 4) < 0.5, `${lost.filter(Boolean).length / bursts}`);
  });
});

describe('queue', () => {
  test('what waits waits for the backlog at the rate', async () => {
    // 1000-byte packets at once into 8 Mbit/s: each takes 1 ms and waits for those before it.
    const network = pair({ delayMs: 10, rateBps: 8e6, queueMs: 1000, back: { rateBps: 1e12 } });
    const rtts = rttsMs(await exchange(network, { payload: new Uint8Array(1000 - HEADERS_BYTES), count: 50, intervalNs: 0 }));
    rtts.forEach((rtt, i) => assert.ok(Math.abs(rtt - (20 + i + 1)) < 0.001, `${i}: ${rtt}`));
    assert.ok(Math.abs(network.path('a', 'b').queueMs) < 1e-9);
  });

  test('what does not fit is dropped at the tail', async () => {
    const network = pair({ rateBps: 8e6, queueMs: 10, back: { rateBps: 1e12 } });
    const log = await exchange(network, { payload: new Uint8Array(1000 - HEADERS_BYTES), count: 50, intervalNs: 0 });
    const { queueDropped, delivered } = network.path('a', 'b').counters;
    // 10 ms of room are 10 packets; within the microsecond in which all are sent none leaves.
    assert.deepEqual([delivered, queueDropped, log.received], [10, 40, 10]);
    assert.deepEqual(rttsMs(log).slice(0, 10).some(Number.isNaN), false, 'the first ones came through');
  });

  test('an empty queue without room still passes one packet after the other', async () => {
    const log = await exchange(pair({ rateBps: 8e6, queueMs: 0 }), { payload: new Uint8Array(100), count: 50, intervalNs: 1e6 });
    assert.equal(log.received, 50);
  });
});

describe('duplicates and reordering', () => {
  test('duplicates arrive beside the originals, as many as declared', async () => {
    const network = pair({ delayMs: 5, duplicate: 0.1, back: { duplicate: 0 } });
    const log = await exchange(network, { count: 5000 });
    const { duplicated } = network.path('a', 'b').counters;
    assert.ok(Math.abs(duplicated - 500) < 80, `${duplicated}`);
    assert.equal(log.received, 5000 + duplicated);
  });

  test('reordered packets come later by the declared time and are overtaken', async () => {
    const network = pair({ delayMs: 5, reorder: { ratio: 0.05, byMs: 3.5 }, back: { reorder: { ratio: 0, byMs: 1 } } });
    const rtts = rttsMs(await exchange(network, { count: 2000 }));
    const late = rtts.filter((rtt) => rtt === 13.5).length;
    assert.equal(late, network.path('a', 'b').counters.reordered);
    assert.ok(late > 60 && late < 140, `${late}`);
    assert.equal(rtts.filter((rtt) => rtt === 10).length, 2000 - late);
  });
});

describe('what stops packets', () => {
  const send = async (
    network: ReturnType<typeof pair>,
    options: { bytes?: number; dontFragment?: boolean; ttl?: number; port?: number; count?: number },
  ) =>
    network.run(async () => {
      const { bytes = 64, port = 7, count = 3, ...flowOptions } = options;
      const flow = await network.ports('a').datagrams.open({ protocol: 'udp', remote: { ...ECHO, port }, ...flowOptions });
      return flow.exchange({ payload: new Uint8Array(bytes), count, intervalNs: 50e6, waitNs: 200e6, sequence: { offset: 0, width: 4 } });
    });

  test('an unused port answers with an ICMP error, after a round trip', async () => {
    const log = await send(pair({ delayMs: 5 }), { port: 9 });
    assert.deepEqual([log.received, log.errors], [0, { ECONNREFUSED: 3 }]);
  });

  test('a filtered way back hides it, and so does a host that drops', async () => {
    assert.deepEqual((await send(pair({ delayMs: 5, back: { icmp: 'filtered' } }), { port: 9 })).errors, {});
    assert.deepEqual((await send(pair({ delayMs: 5 }, { b: { closedPorts: 'drop' } }), { port: 9 })).errors, {});
  });

  test('a black hole swallows both', async () => {
    const network = pair({ blackhole: true });
    const log = await send(network, {});
    assert.deepEqual([log.received, log.errors, network.path('a', 'b').counters.blackholed], [0, {}, 3]);
  });

  test('too long with the do-not-fragment bit: a router says so each time, and the kernel remembers; without it, carried in pieces', async () => {
    const narrow = { delayMs: 5, mtu: 1280 };
    const held = await send(pair(narrow), { bytes: 1400, dontFragment: true });
    assert.deepEqual([held.received, held.errors], [0, { EMSGSIZE: 3 }]);
    assert.ok(!held.sentNs.some(Number.isNaN), 'what the kernel believes holds nothing back');
    assert.deepEqual([held.tooBig?.map(({ mtuBytes }) => mtuBytes), held.pathMtuBytes], [[1280, 1280, 1280], 1280]);
    assert.equal((await send(pair(narrow), { bytes: 1252, dontFragment: true })).received, 3, '1280 with headers fits');
    assert.equal((await send(pair(narrow), { bytes: 1400 })).received, 3);
  });

  test('behind a filter it just disappears: a path MTU black hole', async () => {
    const log = await send(pair({ delayMs: 5, mtu: 1280, back: { mtu: 1280, icmp: 'filtered' } }), { bytes: 1400, dontFragment: true });
    assert.deepEqual([log.received, log.errors], [0, {}]);
  });

  test('a router may say nothing, or name a wrong MTU', async () => {
    const silent = await send(pair({ delayMs: 5, mtu: 1280, tooBig: 'silent' }), { bytes: 1400, dontFragment: true });
    assert.deepEqual([silent.received, silent.errors, silent.tooBig, silent.pathMtuBytes], [0, {}, [], 1500]);
    const wrong = await send(pair({ delayMs: 5, mtu: 1280, tooBig: 1300 }), { bytes: 1400, dontFragment: true, count: 1 });
    assert.deepEqual([wrong.tooBig?.[0]?.mtuBytes, wrong.pathMtuBytes], [1300, 1300]);
  });

  test('too long for the own interface is refused at once', async () => {
    const log = await send(pair({ delayMs: 5 }), { bytes: 3000, dontFragment: true });
    assert.deepEqual([log.sent, log.received, log.errors], [3, 0, { EMSGSIZE: 3 }]);
    assert.ok(log.sentNs.every(Number.isNaN));
  });

  test('losing one piece loses the whole', async () => {
    const whole = await send(pair({ loss: 0.2, back: { loss: 0 } }), { bytes: 1400, count: 2000 });
    const pieces = await send(pair({ loss: 0.2, back: { loss: 0 } }), { bytes: 4000, count: 2000 });
    assert.ok(Math.abs(whole.received / 2000 - 0.8) < 0.03);
    assert.ok(Math.abs(pieces.received / 2000 - 0.8 ** 3) < 0.04);
  });

  test('a TTL that is too small dies on the way and says so', async () => {
    const log = await send(pair({ delayMs: 5, hops: 4 }), { ttl: 4 });
    assert.deepEqual([log.received, log.errors], [0, { EHOSTUNREACH: 3 }]);
    assert.equal((await send(pair({ delayMs: 5, hops: 4 }), { ttl: 5 })).received, 3);
  });

  test('an address that nobody has is unreachable, or silent behind a gateway', async () => {
    const remote = { host: '203.0.113.9', port: 7, family: 4 } as const;
    const alone = pair({});
    await assert.rejects(() => alone.run(alone.ports('a').datagrams.open({ protocol: 'udp', remote })), /no route/);
    const log = await exchange(pair({}, { a: { gateway: '10.0.0.254' } }), { count: 3, waitNs: 1e6 }, remote);
    assert.deepEqual([log.sent, log.received, log.errors], [3, 0, {}]);
  });
});

describe('what happens on its own', () => {
  test('a path changes at its time: more delay, then nothing at all', async () => {
    const network = pair(
      { delayMs: 5 },
      {
        events: [
          { atMs: 99.5, from: 'a', to: 'b', change: { delayMs: 25 } },
          { atMs: 199.5, from: 'a', to: 'b', change: { blackhole: true } },
        ],
      },
    );
    const rtts = rttsMs(await exchange(network, { count: 300 }));
    assert.deepEqual([rtts[99], rtts[100], rtts[199]], [10, 30, 30]);
    assert.ok(rtts.slice(200).every(Number.isNaN));
  });

  test('a host that falls silent answers no more; one whose program ended says that the port is closed', async () => {
    const silent = await exchange(pair({ delayMs: 5 }, { events: [{ atMs: 50, kill: 'b', how: 'host' }] }), { count: 100 });
    const ended = await exchange(pair({ delayMs: 5 }, { events: [{ atMs: 50, kill: 'b' }] }), { count: 100 });
    assert.equal(silent.received, 45);
    assert.deepEqual(silent.errors, {});
    assert.equal(ended.received, 45);
    assert.deepEqual(ended.errors, { ECONNREFUSED: 55 });
  });
});

describe('chance', () => {
  const lossy = {
    delayMs: 5,
    jitter: { distribution: 'normal', ms: 1 },
    loss: 0.05,
    duplicate: 0.02,
    reorder: { ratio: 0.02, byMs: 3 },
  } as const;
  const run = async (seed: number) => {
    const log = await exchange(pair(lossy, { seed, a: { timing: {} }, b: { timing: {} } }), { count: 500 });
    return [...log.sentNs, ...log.arrivedNs, ...log.readNs].join();
  };

  test('the same seed gives the same log, to the nanosecond', async () => {
    assert.equal(await run(42), await run(42));
  });

  test('another seed gives another', async () => {
    assert.notEqual(await run(42), await run(43));
  });

  test('more of one kind of chance leaves the others as they were', async () => {
    const lost = async (duplicate: number): Promise<number> => {
      const network = pair({ delayMs: 5, loss: 0.05, duplicate });
      await exchange(network, { count: 500 });
      return network.path('a', 'b').counters.lost;
    };
    assert.ok((await lost(0)) > 0);
    assert.equal(await lost(0.3), await lost(0));
  });
});
