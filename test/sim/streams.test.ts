import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Connection, PumpLog, PumpPlan } from '../../src/base/index.js';
import type { DirectionSpec, SimNetwork } from '../../src/sim/index.js';
import { ECHO, exchangeOn, pair, rttsMs } from './pair.js';

const PORT = 9000;
/** Of 1500 bytes at the rate, 1448 are payload: IP and TCP headers with timestamps take 52. */
const EFFICIENCY = 1448 / 1500;

type Direction = 'up' | 'down';

/** Pumps from `a` to `b` or the other way, and hands over both sides' logs. */
async function transfer(
  network: SimNetwork,
  options: { direction: Direction; streams?: number; beside?: () => Promise<void> } & Partial<PumpPlan>,
): Promise<{ sent: PumpLog; received: PumpLog }> {
  const { direction, streams = 1, beside, ...plan } = options;
  const here = network.ports('a');
  const there = network.ports('b');
  const accepted: Connection[] = [];
  const listener = network.host('b').listen(PORT, { onConnection: (connection) => accepted.push(connection) });
  const common = { idleMs: 5000, intervalMs: 500 };
  const logs = await network.run(async () => {
    const connections: Connection[] = [];
    for (let i = 0; i < streams; i++) {
      const made = await here.streams.connect({ remote: { ...ECHO, port: PORT }, timeoutMs: 10_000 });
      assert.ok(made.outcome === 'ok');
      connections.push(made.connection);
    }
    await here.clock.sleep(500);
    const [near, far] = direction === 'up' ? (['send', 'receive'] as const) : (['receive', 'send'] as const);
    const both = await Promise.all([
      here.streams.pump({ ...common, ...plan, connections, role: near }),
      there.streams.pump({ ...common, ...plan, connections: accepted, role: far }),
      beside?.(),
    ]);
    for (const connection of [...connections, ...accepted]) connection.close();
    return direction === 'up' ? { sent: both[0], received: both[1] } : { sent: both[1], received: both[0] };
  });
  listener.close();
  return logs;
}

const total = (log: PumpLog): number => log.bytes.reduce((sum, bytes) => sum + bytes, 0);
const mbps = (log: PumpLog): number => (total(log) * 8) / log.elapsedMs / 1e3;
const close = (actual: number, wanted: number, share: number): void =>
  assert.ok(Math.abs(actual - wanted) <= share * wanted, `${actual}, not within ${share * 100} % of ${wanted}`);

const SHAPED: DirectionSpec = { delayMs: 10, rateBps: 50e6, queueMs: 100 };

describe('connecting', () => {
  const connect = (network: SimNetwork, options: { port?: number; timeoutMs?: number } = {}) =>
    network.run(() => network.ports('a').streams.connect({ remote: { ...ECHO, port: options.port ?? PORT }, timeoutMs: options.timeoutMs ?? 5000 }));
  const listening = (path: Parameters<typeof pair>[0], options: Parameters<typeof pair>[1] = {}): SimNetwork => {
    const network = pair(path, options);
    network.host('b').listen(PORT, { onConnection: () => {} });
    return network;
  };

  test('takes one round trip, and so does being refused', async () => {
    assert.equal((await connect(listening({ delayMs: 12 }))).connectMs, 24);
    const refused = await connect(listening({ delayMs: 12 }), { port: 9001 });
    assert.deepEqual([refused.outcome, refused.connectMs], ['refused', 24]);
  });

  test('a lost SYN costs a second, and three seconds when the next is lost too', async () => {
    const took = await Promise.all(
      Array.from({ length: 60 }, (_, seed) => connect(listening({ delayMs: 10, loss: 0.3, back: { loss: 0 } }, { seed }), { timeoutMs: 20_000 })),
    );
    const times = new Set(took.map(({ connectMs }) => connectMs));
    assert.ok(
      [20, 1020, 3020].every((ms) => times.has(ms)),
      [...times].join(),
    );
    assert.ok([...times].every((ms) => [20, 1020, 3020, 7020, 15_020].includes(ms)));
  });

  test('silence ends at the timeout: nobody home, a firewall, a port that drops', async () => {
    for (const network of [
      listening({ delayMs: 5, blackhole: true }),
      pair({ delayMs: 5 }, { b: { closedPorts: 'drop' } }),
      pair({ delayMs: 5 }, { b: { services: [{ kind: 'silent', protocol: 'tcp', port: PORT }] } }),
    ]) {
      const made = await connect(network, { timeoutMs: 1500 });
      assert.deepEqual([made.outcome, made.connectMs], ['timeout', 1500]);
    }
  });

  test('without a route it is unreachable at once', async () => {
    const network = pair({});
    const made = await network.run(() =>
      network.ports('a').streams.connect({ remote: { host: '203.0.113.1', port: 1, family: 4 }, timeoutMs: 5000 }),
    );
    assert.deepEqual([made.outcome, made.connectMs], ['unreachable', 0]);
  });
});

describe('bulk data', () => {
  for (const direction of ['up', 'down'] as const) {
    test(`reaches the rate less its headers, ${direction}, as the receiver counts`, async () => {
      const { received } = await transfer(pair(SHAPED), { direction, durationMs: 10_000 });
      close(mbps(received), 50 * EFFICIENCY, 0.01);
      const last = received.intervals.at(-2);
      assert.ok(last);
      close(((last.bytes[0] ?? 0) * 8) / (last.endMs - last.startMs) / 1e3, 50 * EFFICIENCY, 0.01);
    });
  }

  test('framing takes its share: 941.5 Mbit/s of gigabit Ethernet', async () => {
    const { received } = await transfer(pair({ delayMs: 0.1, rateBps: 1e9, queueMs: 20, framingBytes: 38 }), {
      direction: 'down',
      durationMs: 3000,
    });
    close(mbps(received), 941.5, 0.005);
  });

  test('both directions at once do not slow each other down by much', async () => {
    const network = pair(SHAPED);
    const accepted: Connection[] = [];
    network.host('b').listen(PORT, { onConnection: (connection) => accepted.push(connection) });
    const logs = await network.run(async () => {
      const { streams, clock } = network.ports('a');
      const connections = await Promise.all(
        [0, 1].map(async () => {
          const made = await streams.connect({ remote: { ...ECHO, port: PORT }, timeoutMs: 1000 });
          assert.ok(made.outcome === 'ok');
          return made.connection;
        }),
      );
      await clock.sleep(100);
      const common = { durationMs: 8000, idleMs: 3000, intervalMs: 1000 };
      const one = (list: readonly Connection[], i: number): Connection[] => list.filter((_, at) => at === i);
      return Promise.all([
        streams.pump({ ...common, connections: one(connections, 0), role: 'send' }),
        network.ports('b').streams.pump({ ...common, connections: one(accepted, 0), role: 'receive' }),
        network.ports('b').streams.pump({ ...common, connections: one(accepted, 1), role: 'send' }),
        streams.pump({ ...common, connections: one(connections, 1), role: 'receive' }),
      ]);
    });
    // Acknowledgements of the one share the queue with the data of the other.
    for (const log of [logs[1], logs[3]]) assert.ok(mbps(log) > 40 && mbps(log) < 50 * EFFICIENCY, `${mbps(log)}`);
  });

  test('a longer queue is filled to its end, an idle path is not', async () => {
    for (const queueMs of [20, 200]) {
      const network = pair({ ...SHAPED, queueMs });
      const flow = await network.run(network.ports('a').datagrams.open({ protocol: 'udp', remote: ECHO }));
      const probe = { count: 800, intervalNs: 10e6 };
      const idle = rttsMs(await network.run(exchangeOn(flow, { ...probe, count: 20 })));
      let loaded: number[] = [];
      await transfer(network, {
        direction: 'down',
        durationMs: 8500,
        beside: async () => void (loaded = rttsMs(await exchangeOn(flow, probe)).filter((rtt) => !Number.isNaN(rtt))),
      });
      const transmitMs = (2 * 92 * 8) / 50e3;
      for (const rtt of idle) assert.ok(Math.abs(rtt - 20 - transmitMs) < 0.001, `${rtt}`);
      loaded.sort((a, b) => a - b);
      const [median = 0, max = 0] = [loaded[loaded.length >> 1], loaded.at(-1)];
      assert.ok(max > 20 + 0.95 * queueMs && max < 21 + queueMs, `max ${max} at ${queueMs}`);
      assert.ok(median > 20 + 0.55 * queueMs && median < 20 + queueMs, `median ${median} at ${queueMs}`);
    }
  });

  test('two streams share a bottleneck, and together they are no faster', async () => {
    const { received } = await transfer(pair(SHAPED), { direction: 'up', streams: 2, durationMs: 20_000 });
    close(mbps(received), 50 * EFFICIENCY, 0.01);
    for (const bytes of received.bytes) assert.ok(bytes > total(received) * 0.25, received.bytes.join());
  });

  test('random loss limits it as Mathis and others say', async () => {
    const { received, sent } = await transfer(
      pair({ delayMs: 20, rateBps: 1e9, loss: 0.01, back: { loss: 0 } }, { a: { tcp: { congestion: 'reno' } } }),
      { direction: 'up', durationMs: 60_000 },
    );
    // MSS / RTT * sqrt(3 / 2) / sqrt(p) (Mathis, Semke, Mahdavi, Ott 1997).
    close(mbps(received), ((1448 * 8) / 40e3) * Math.sqrt(1.5 / 0.01), 0.2);
    assert.ok((sent.tcp[0]?.retransmits ?? 0) > 0);
  });

  test('a receive buffer limits it to buffer / RTT', async () => {
    const { received } = await transfer(pair({ delayMs: 20, rateBps: 1e9 }, { b: { tcp: { receiveBufferBytes: 65_536 } } }), {
      direction: 'up',
      durationMs: 5000,
    });
    close(mbps(received), (65_536 * 8) / 40e3, 0.05);
  });

  test('a pacing rate is kept, over all streams together', async () => {
    const { received } = await transfer(pair({ delayMs: 5, rateBps: 1e9 }), {
      direction: 'up',
      streams: 4,
      durationMs: 4000,
      rateBps: 20e6,
    });
    close(mbps(received), 20, 0.02);
  });

  test('two hosts on a fast local network reach the speed of their interface', async () => {
    const { received } = await transfer(pair({ delayMs: 0.05 }), { direction: 'up', durationMs: 500 });
    close(mbps(received), 10_000 * EFFICIENCY, 0.02);
  });

  test('what the sender tells of the path is true', async () => {
    const { sent } = await transfer(pair({ delayMs: 15, rateBps: 20e6, queueMs: 60 }), { direction: 'up', durationMs: 6000 });
    const info = sent.tcp[0];
    assert.ok(info);
    assert.deepEqual([info.mssBytes, info.congestion], [1448, 'cubic']);
    assert.ok((info.minRttMs ?? 0) >= 30 && (info.minRttMs ?? 0) < 32, `${info.minRttMs}`);
    assert.ok(info.rttMs > 40 && info.rttMs <= 93, `${info.rttMs}`);
    close(info.deliveryRateBps ?? 0, 20e6 * EFFICIENCY, 0.1);
  });

  test('the same seed moves the same bytes', async () => {
    const run = async (seed: number): Promise<string> => {
      const { received } = await transfer(pair({ ...SHAPED, loss: 0.001 }, { seed }), { direction: 'up', durationMs: 3000 });
      return JSON.stringify(received.intervals);
    };
    assert.equal(await run(5), await run(5));
    assert.notEqual(await run(5), await run(6));
  });
});

describe('dying in the middle', () => {
  test('a peer whose program ends resets the connection; what came before is counted', async () => {
    const network = pair(SHAPED, { events: [{ atMs: 3000, kill: 'b' }] });
    const { received } = await transfer(network, { direction: 'down', durationMs: 10_000 });
    assert.deepEqual([received.broken, received.aborted], [1, false]);
    assert.ok(received.elapsedMs > 2000 && received.elapsedMs < 3000, `${received.elapsedMs}`);
    assert.ok(mbps(received) > 40);
  });

  test('a peer that falls silent is given up after the idle time', async () => {
    const network = pair(SHAPED, { events: [{ atMs: 3000, kill: 'b', how: 'host' }] });
    const startMs = network.nowMs;
    const here = network.ports('a');
    network.host('b').listen(PORT, {
      onConnection: (connection) =>
        void network.ports('b').streams.pump({ connections: [connection], role: 'send', durationMs: 10_000, idleMs: 1000, intervalMs: 500 }),
    });
    const log = await network.run(async () => {
      const made = await here.streams.connect({ remote: { ...ECHO, port: PORT }, timeoutMs: 1000 });
      assert.ok(made.outcome === 'ok');
      return here.streams.pump({ connections: [made.connection], role: 'receive', idleMs: 2000, intervalMs: 500 });
    });
    // What is still in the queue arrives until 3110.
    assert.ok(network.nowMs - startMs >= 5000 && network.nowMs - startMs < 5130, `${network.nowMs}`);
    assert.equal(log.broken, 0);
    assert.ok(log.elapsedMs > 2900);
    assert.equal(log.intervals.at(-1)?.endMs, log.elapsedMs, 'the silence belongs to no interval');
  });

  test('bytes that nobody acknowledges are sent again until the sender gives up', async () => {
    const network = pair({ delayMs: 10 }, { events: [{ atMs: 1000, from: 'a', to: 'b', change: { blackhole: true } }] });
    network.host('b').listen(PORT, { onConnection: () => {} });
    await network.run(async () => {
      const { clock, streams } = network.ports('a');
      const made = await streams.connect({ remote: { ...ECHO, port: PORT }, timeoutMs: 1000 });
      assert.ok(made.outcome === 'ok');
      await clock.sleep(2000);
      await made.connection.write(new Uint8Array(1000));
      assert.equal(await made.connection.read(), undefined);
      assert.equal(made.connection.ended, 'reset');
      // Linux gives up after 13 to 30 minutes (tcp(7), tcp_retries2).
      assert.ok(clock.nowMs() > 0 && network.nowMs > 13 * 60e3 && network.nowMs < 31 * 60e3, `${network.nowMs}`);
    });
  });

  test('a path that comes back carries on where it stopped', async () => {
    const network = pair(SHAPED, {
      events: [
        { atMs: 2000, from: 'a', to: 'b', change: { blackhole: true } },
        { atMs: 4000, from: 'a', to: 'b', change: { blackhole: false } },
      ],
    });
    const { sent, received } = await transfer(network, { direction: 'up', bytes: 20_000_000, idleMs: 20_000 });
    assert.deepEqual([total(sent), total(received), received.broken], [20_000_000, 20_000_000, 0]);
  });

  test('acknowledgements that are cut off stop the sender, not what it had sent', async () => {
    const network = pair(SHAPED, {
      events: [
        { atMs: 2000, from: 'b', to: 'a', change: { blackhole: true } },
        { atMs: 3000, from: 'b', to: 'a', change: { blackhole: false } },
      ],
    });
    const { sent, received } = await transfer(network, { direction: 'up', bytes: 20_000_000, idleMs: 20_000 });
    assert.deepEqual([total(sent), total(received), received.broken], [20_000_000, 20_000_000, 0]);
  });
});

describe('a reader that does not read', () => {
  test('holds the writer up once both buffers are full, and lets it go on', async () => {
    const network = pair({ delayMs: 5, rateBps: 1e9 }, { a: { tcp: { sendBufferBytes: 100_000 } }, b: { tcp: { receiveBufferBytes: 50_000 } } });
    let far: Connection | undefined;
    network.host('b').listen(PORT, { onConnection: (connection) => (far = connection) });
    await network.run(async () => {
      const { clock, streams } = network.ports('a');
      const made = await streams.connect({ remote: { ...ECHO, port: PORT }, timeoutMs: 1000 });
      assert.ok(made.outcome === 'ok');
      let written = 0;
      const writing = (async () => {
        for (let i = 0; i < 100; i++) {
          await made.connection.write(new Uint8Array(10_000));
          written += 10_000;
        }
        made.connection.close();
      })();
      await clock.sleep(5000);
      assert.ok(written >= 100_000 && written <= 170_000, `${written}`);
      let read = 0;
      for (let bytes = await far?.read(); bytes; bytes = await far?.read()) read += bytes.length;
      await writing;
      assert.equal(read, 1_000_000);
    });
  });
});
