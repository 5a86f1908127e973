import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as v from 'valibot';
import { TautlineError, parseTarget } from '../../src/base/index.js';
import type { Ports } from '../../src/base/index.js';
import { measureUdpThroughput } from '../../src/probe/udp-throughput.js';
import type { UdpThroughputOptions } from '../../src/probe/udp-throughput.js';
import { MeasurementSchema } from '../../src/results/index.js';
import type { Measurement } from '../../src/results/index.js';
import { UdpResponder, limitsOf } from '../../src/serve/index.js';
import { KIND } from '../../src/wire/index.js';
import { ScriptedNetwork } from './scripted-datagrams.js';
import type { Fate, Script } from './scripted-datagrams.js';

const REMOTE = { host: '192.0.2.7', port: 7227, family: 4 } as const;

function responder(limits: Record<string, number> = {}): UdpResponder {
  return new UdpResponder({ secret: new Uint8Array(32).fill(1), limits: limitsOf(limits) });
}

function data(of: (sequence: number) => readonly number[]): Fate {
  return ({ kind, sequence }) => (kind === KIND.data ? of(sequence) : [5]);
}

async function measured(script: Script, options: Partial<UdpThroughputOptions> = {}, signal = new AbortController().signal): Promise<Measurement[]> {
  const network = new ScriptedNetwork(script);
  const names = { lookup: () => Promise.resolve({ outcome: 'ok', addresses: [{ host: REMOTE.host, family: 4 }], elapsedMs: 0 }) };
  const measurements = await measureUdpThroughput({
    target: parseTarget('192.0.2.7'),
    path: 'default',
    options: { direction: 'up', sizeBytes: 1000, durationMs: 2000, rateBps: 800_000, timeoutMs: 2000, ...options },
    ports: { clock: network.clock, datagrams: network.datagrams, names } as unknown as Ports,
    seed: 1,
    signal,
    onProgress: () => {},
  });
  assert.equal(network.flowsOpen, 0, 'every flow is closed');
  for (const measurement of measurements) v.parse(MeasurementSchema, JSON.parse(JSON.stringify(measurement)));
  return measurements;
}

function near(actual: unknown, expected: number, share = 0.02): void {
  assert.ok(typeof actual === 'number' && Math.abs(actual - expected) <= share * expected, `${String(actual)} is not ${expected}`);
}

test('up: goodput, loss, duplicates and reordering are what the receiver counted', async () => {
  // 200 datagrams, one every 10 ms.
  const up = data((i) => (i % 20 === 7 ? [] : i === 50 ? [5, 6] : i === 60 ? [26] : [5]));
  const [flood, idle, loaded] = await measured({ responder: responder(), up });
  assert.equal(flood?.metric, 'udp.up');
  assert.equal(flood?.outcome, 'ok');
  assert.deepEqual([flood?.loss?.sent, flood?.loss?.received], [200, 190]);
  near(flood?.details?.['goodputBps'], 760_000);
  near(flood?.summary?.mean, 760_000, 0.03);
  assert.equal(flood?.details?.['duplicates'], 1);
  assert.equal(flood?.details?.['reordered'], 1);
  assert.deepEqual(flood?.details?.['lost'], { total: 10, receiverBufferAtLeast: 0 });
  assert.equal(flood?.details?.['keptRate'], true);
  const intervals: unknown = flood?.details?.['intervals'];
  assert.ok(Array.isArray(intervals));
  near(intervals.length, 20, 0.06);
  assert.deepEqual([idle?.metric, loaded?.metric], ['rtt.idle', 'rtt.loaded.up']);
});

test('down: the responder floods at the rate asked for, and its own count of sent gives the loss', async () => {
  const [flood] = await measured({ responder: responder(), down: data((i) => (i % 10 === 3 ? [] : [5])) }, { direction: 'down' });
  assert.equal(flood?.metric, 'udp.down');
  assert.equal(flood?.outcome, 'ok', flood?.reason);
  near(flood?.loss?.sent, 200);
  near(flood?.loss?.ratio, 0.1);
  near(flood?.details?.['goodputBps'], 720_000, 0.03);
});

test('both: each direction has its measurement', async () => {
  // The scripted network has one clock and runs one operation at a time, so the figures are not looked at here.
  const measurements = await measured({ responder: responder() }, { direction: 'both' });
  assert.deepEqual(
    measurements.map(({ metric }) => metric).filter((metric) => metric.startsWith('udp')),
    ['udp.up', 'udp.down'],
  );
});

test('a sender that does not keep the rate says so', async () => {
  const [flood] = await measured({ responder: responder(), floodBpsMax: 400_000 });
  assert.equal(flood?.details?.['keptRate'], false);
  near(flood?.details?.['sentBps'], 400_000);
  assert.match(flood?.error?.from.join('\n') ?? '', /sender: it reached 400.0 kbit\/s of the 800.0 kbit\/s asked for/);
  assert.equal(flood?.loss?.ratio, 0, 'what was not sent is not lost');
});

test('datagrams that the receiving host dropped are told apart from those of the path', async () => {
  const busy = responder();
  let seen = 0;
  const up: Fate = ({ kind }) => {
    if (kind !== KIND.data) return [5];
    if (++seen % 10 === 0) {
      busy.dropped(seen / 10);
      return [];
    }
    return [5];
  };
  const [flood] = await measured({ responder: busy, up });
  assert.deepEqual(flood?.details?.['lost'], { total: 20, receiverBufferAtLeast: 20 });
  assert.match(flood?.error?.from.join('\n') ?? '', /receiving host dropped at least 20/);
  assert.ok((flood?.error?.value ?? 0) > 50_000);
});

test('a lost report is asked for again', async () => {
  let finishes = 0;
  const up: Fate = ({ kind }) => (kind === KIND.finish && ++finishes % 3 !== 0 ? [] : [1]);
  const [flood] = await measured({ responder: responder(), up });
  assert.equal(flood?.outcome, 'ok');
});

test('a responder that dies in the middle leaves no made-up figure', async () => {
  const [flood] = await measured({ responder: responder(), up: ({ atMs }) => (atMs > 2500 ? [] : [1]) });
  assert.equal(flood?.outcome, 'lost');
  assert.match(flood?.reason ?? '', /does not say what it received/);
  assert.equal(flood?.summary, undefined);
  assert.equal(flood?.loss, undefined, 'nobody knows what arrived');
  const [closed] = await measured({ responder: responder(), refusedFromMs: 2500 });
  assert.equal(closed?.outcome, 'lost');
  assert.match(closed?.reason ?? '', /nothing listens/);
});

test('a responder that dies while it floods leaves what came until then', async () => {
  const [flood] = await measured(
    { responder: responder(), up: ({ atMs }) => (atMs > 2500 ? [] : [1]), down: ({ atMs }) => (atMs > 2500 ? [] : [1]) },
    { direction: 'down' },
  );
  assert.equal(flood?.outcome, 'lost');
  assert.equal(flood?.partial, true);
  assert.match(flood?.reason ?? '', /the flood stopped after .* went away/);
  near(flood?.summary?.median, 800_000);
});

test('a responder that may not flood says why', async () => {
  const [flood] = await measured({ responder: responder({ floodsMax: 0 }) }, { direction: 'down' });
  assert.equal(flood?.outcome, 'refused');
  assert.match(flood?.reason ?? '', /as many floods as its limits allow/);
});

test('a flood that stops before its time is partial', async () => {
  const down: Fate = ({ kind, sequence }) => (kind === KIND.data && sequence > 80 ? [] : [1]);
  const [flood] = await measured({ responder: responder(), down }, { direction: 'down' });
  assert.equal(flood?.partial, true);
  assert.match(flood?.reason ?? '', /the flood stopped after 8\d\d ms of 2000/);
});

test('a few datagrams far apart are a whole flood', async () => {
  const [flood] = await measured({ responder: responder() }, { rateBps: 16_000 });
  assert.equal(flood?.partial, undefined);
  assert.equal(flood?.loss?.received, 4);
  near(flood?.details?.['goodputBps'], 16_000);
});

test('limits of the responder bound the flood, and are named', async () => {
  const [flood] = await measured({ responder: responder({ floodRateBpsMax: 400_000, floodMs: 1000 }) }, { direction: 'down' });
  near(flood?.details?.['goodputBps'], 400_000, 0.05);
  near(flood?.details?.['elapsedMs'], 1000, 0.05);
  assert.match(flood?.error?.from.join('\n') ?? '', /at most 1000 ms[^]*at most 400.0 kbit\/s/);
  assert.equal(flood?.details?.['askedBps'], 800_000);
});

test('nobody there is an outcome of every direction asked for', async () => {
  const measurements = await measured({ refusedFromMs: 0 }, { direction: 'both' });
  assert.deepEqual(
    measurements.map(({ metric, outcome }) => [metric, outcome]),
    [
      ['udp.up', 'refused'],
      ['udp.down', 'refused'],
    ],
  );
});

test('an interrupted flood keeps what was counted', async () => {
  const abort = new AbortController();
  const up: Fate = ({ kind, sequence }) => {
    if (kind === KIND.data && sequence === 100) abort.abort();
    return [1];
  };
  const [flood] = await measured({ responder: responder(), up }, {}, abort.signal);
  assert.equal(flood?.outcome, 'ok');
  assert.equal(flood?.partial, true);
  assert.match(flood?.reason ?? '', /interrupted after/);
  assert.ok((flood?.loss?.received ?? 0) >= 95);
});

test('impossible options are usage errors', async () => {
  const usage = (error: unknown): boolean => error instanceof TautlineError && error.code === 'usage';
  for (const options of [{ durationMs: 0 }, { rateBps: 0 }, { sizeBytes: 27 }, { sizeBytes: 65_508 }]) {
    await assert.rejects(measured({ responder: responder() }, options), usage);
  }
});

test('figures are told for the intervals that were asked for', async () => {
  const up = data((i) => (i >= 100 && i < 150 ? [] : [5]));
  const [flood] = await measured({ responder: responder(), up }, { intervalMs: 500 });
  // The last of four ends with the last datagram, 10 ms early.
  assert.equal(flood?.summary?.n, 3);
  near(flood?.summary?.max, 800_000, 0.03);
  assert.ok((flood?.summary?.min ?? 1e9) < 40_000, `nothing came for half a second, got ${flood?.summary?.min}`);
  await assert.rejects(
    measured({ responder: responder() }, { intervalMs: 150 }),
    (error) => error instanceof TautlineError && error.code === 'usage' && /multiple/.test(error.hint ?? ''),
  );
});
