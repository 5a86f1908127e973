import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TautlineError, parseTarget } from '../../src/base/index.js';
import type { Ports } from '../../src/base/index.js';
import * as v from 'valibot';
import { echoProbe } from '../../src/probe/echo.js';
import type { EchoOptions } from '../../src/probe/echo.js';
import { openEchoSession } from '../../src/probe/echo-session.js';
import type { EchoSession } from '../../src/probe/echo-session.js';
import type { EchoRun } from '../../src/probe/echo-run.js';
import { MeasurementSchema } from '../../src/results/index.js';
import type { Measurement } from '../../src/results/index.js';
import { UdpResponder, limitsOf } from '../../src/serve/index.js';
import { KIND, encodeRefused } from '../../src/wire/index.js';
import { ScriptedNetwork } from './scripted-datagrams.js';
import type { Fate, Script } from './scripted-datagrams.js';

const KEY = new Uint8Array(32).fill(9);
const REMOTE = { host: '192.0.2.7', port: 7227, family: 4 } as const;
const NEVER = new AbortController().signal;

function responder(options: { key?: Uint8Array; limits?: Record<string, number> } = {}): UdpResponder {
  return new UdpResponder({
    secret: new Uint8Array(32).fill(1),
    limits: limitsOf(options.limits ?? {}),
    ...(options.key ? { key: options.key } : {}),
  });
}

/** Delays echoes (not the handshake) by `of(sequence)`; an empty list loses them. */
function echoes(of: (sequence: number) => readonly number[]): Fate {
  return ({ kind, sequence }) => (kind === KIND.echo || kind === KIND.echoReply ? of(sequence) : [0]);
}

async function session(network: ScriptedNetwork, key?: Uint8Array): Promise<EchoSession> {
  const opened = await openEchoSession({ ports: network, remote: REMOTE, timeoutMs: 3000, signal: NEVER, ...(key ? { key } : {}) });
  assert.equal(opened.outcome, 'ok', 'reason' in opened ? opened.reason : '');
  assert.ok('session' in opened);
  return opened.session;
}

async function runOf(script: Script, count: number, options: { intervalMs?: number; waitMs?: number; signal?: AbortSignal } = {}): Promise<EchoRun> {
  const network = new ScriptedNetwork({ responder: responder(), ...script });
  const open = await session(network);
  const run = await open.run({ count, intervalMs: options.intervalMs ?? 1, waitMs: options.waitMs ?? 500, signal: options.signal ?? NEVER });
  await open.close();
  return run;
}

async function measured(
  script: Script,
  options: Partial<EchoOptions> = {},
  more: { key?: Uint8Array; signal?: AbortSignal; target?: string } = {},
): Promise<Measurement[]> {
  const network = new ScriptedNetwork(script);
  const names = { lookup: () => Promise.resolve({ outcome: 'ok', addresses: [{ host: REMOTE.host, family: 4 }], elapsedMs: 0 }) };
  const measurements = await echoProbe.run({
    target: parseTarget(more.target ?? '192.0.2.7:7227'),
    path: 'default',
    options: { ...echoProbe.defaults, ...options },
    ports: { ...network, clock: network.clock, datagrams: network.datagrams, names } as unknown as Ports,
    seed: 1,
    signal: more.signal ?? NEVER,
    onProgress: () => {},
    ...(more.key ? { key: more.key } : {}),
  });
  assert.equal(network.flowsOpen, 0, 'every flow is closed');
  for (const measurement of measurements) v.parse(MeasurementSchema, JSON.parse(JSON.stringify(measurement)));
  return measurements;
}

function near(actual: number | undefined, expected: number, within = 1e-3): void {
  assert.ok(actual !== undefined && Math.abs(actual - expected) <= within, `${actual} is not ${expected}`);
}

// --- Figures ---------------------------------------------------------------------------------

test('the round trip leaves out how long the responder held the echo, and the raw one keeps it', async () => {
  const run = await runOf({ holdMs: 4, up: echoes(() => [10]), down: echoes(() => [25]) }, 50);
  assert.equal(run.received, 50);
  for (let i = 0; i < 50; i++) {
    near(run.rttMs[i], 35);
    near(run.rawRttMs[i], 39);
  }
});

test('losses are told apart by direction, and by burst', async () => {
  const up = echoes((i) => (i === 5 || i === 6 || i === 7 || i === 30 ? [] : [3]));
  const down = echoes((i) => (i === 40 || i === 41 ? [] : [3]));
  const run = await runOf({ up, down }, 100);
  assert.deepEqual(run.lost, { up: 4, down: 2, unknown: 0 });
  assert.deepEqual(run.losses.runs, [
    { length: 1, count: 1 },
    { length: 2, count: 1 },
    { length: 3, count: 1 },
  ]);
  assert.equal(run.sent, 100);
  assert.equal(run.received, 94);
});

test('without a report the replies tell the direction of all losses but the last', async () => {
  const up: Fate = ({ kind, sequence }) => (kind === KIND.finish || (kind === KIND.echo && [5, 6, 98].includes(sequence)) ? [] : [3]);
  const down = echoes((i) => ([40, 99].includes(i) ? [] : [3]));
  const run = await runOf({ up, down }, 100);
  assert.equal(run.report, undefined);
  assert.deepEqual(run.lost, { up: 2, down: 1, unknown: 2 });
});

test('copies count as duplicates of the direction that made them, never as answers', async () => {
  const up = echoes((i) => (i === 10 || i === 11 ? [3, 4] : i === 12 ? [] : [3]));
  const down = echoes((i) => (i === 20 ? [3, 3, 5] : [3]));
  const run = await runOf({ up, down }, 60);
  assert.deepEqual(run.duplicates, { up: 2, down: 2 });
  assert.equal(run.received, 59);
  assert.deepEqual(run.lost, { up: 1, down: 0, unknown: 0 });
});

test('overtaking counts as reordering of its direction', async () => {
  const run = await runOf({ up: echoes((i) => (i === 10 ? [5.5] : [3])), down: echoes((i) => (i === 20 || i === 30 ? [6.5] : [3])) }, 60);
  assert.deepEqual(run.reordered, { up: 1, down: 2 });
  assert.equal(run.received, 60);
});

test('transit times of each direction are right up to the difference of the clocks', async () => {
  const run = await runOf({ peerOffsetMs: -777_000, up: echoes((i) => [i % 2 === 0 ? 3 : 5]), down: echoes((i) => [i % 4 === 0 ? 10 : 3]) }, 80);
  for (let i = 1; i < 80; i++) near((run.upMs[i] ?? 0) - (run.upMs[i - 1] ?? 0), i % 2 === 0 ? -2 : 2);
  for (let i = 4; i < 80; i += 4) near((run.downMs[i] ?? 0) - (run.downMs[i - 1] ?? 0), 7);
  assert.equal(run.skewPpm, undefined, "80 ms are too short to tell the clocks' drift");
});

test('jitter of each direction follows RFC 3550 from changes of its transit', async () => {
  const run = await runOf({ up: echoes((i) => [i % 2 === 0 ? 3 : 5]) }, 400, { intervalMs: 10 });
  near(run.jitterMs.up, 2, 1e-2);
  near(run.jitterMs.down, 0, 1e-3);
});

test('the drift of the clocks is found, reported and taken out of one-way figures', async () => {
  const run = await runOf({ peerSkew: 80e-6, up: echoes((i) => [3 + ((i * 7) % 11) / 10]), down: echoes((i) => [3 + ((i * 5) % 13) / 10]) }, 2000, {
    intervalMs: 5,
  });
  near(run.skewPpm, 80, 1);
  const spread = Math.max(...run.upMs) - Math.min(...run.upMs);
  near(spread, 1, 0.02);
});

test('a responder whose clock steps back makes no negative round trips', async () => {
  const network = new ScriptedNetwork({ responder: responder(), up: () => [2], down: () => [2] });
  let step = 0n;
  const honest = network.peerNs.bind(network);
  network.peerNs = (atMs) => honest(atMs) - ((step += 1n) > 40n ? 3_000_000_000n : 0n);
  const open = await session(network);
  const run = await open.run({ count: 100, intervalMs: 1, waitMs: 100, signal: NEVER });
  assert.equal(run.received, 100);
  assert.ok(run.rttMs.every((rtt) => rtt > 0 && rtt < 10));
});

test('a train longer than 16 bits of sequence number is one run, answers under way at the seams included', async () => {
  const run = await runOf({ up: echoes((i) => (i === 65_535 || i === 65_537 ? [] : [4])), down: echoes(() => [30]) }, 70_000, { intervalMs: 1 });
  assert.equal(run.sent, 70_000);
  assert.equal(run.received, 69_998);
  assert.deepEqual(run.lost, { up: 2, down: 0, unknown: 0 });
  assert.equal(run.losses.longestRun, 1);
  near(run.rttMs[65_536], 34);
  near(run.rttMs[69_999], 34);
});

test('a second run of a session starts afresh', async () => {
  const network = new ScriptedNetwork({ responder: responder() });
  const open = await session(network);
  const options = { count: 20, intervalMs: 1, waitMs: 100, signal: NEVER };
  const first = await open.run(options);
  const id = open.id;
  const second = await open.run(options);
  assert.notEqual(open.id, id);
  for (const run of [first, second]) {
    assert.equal(run.received, 20);
    assert.deepEqual(run.duplicates, { up: 0, down: 0 });
    assert.equal(run.report?.received, 20);
  }
  await open.close();
  await open.close();
  assert.equal(network.flowsOpen, 0);
});

test('an answer that comes after the wait is a loss', async () => {
  const run = await runOf({ down: echoes((i) => [i === 99 ? 5000 : 3]) }, 100, { waitMs: 500 });
  assert.equal(run.received, 99);
  assert.deepEqual(run.lost, { up: 0, down: 1, unknown: 0 });
});

test('missing answers are waited for three times as long as the slowest took', async () => {
  const run = await runOf({ down: echoes((i) => [i === 99 ? 1100 : 400]) }, 100, { intervalMs: 10, waitMs: 3000 });
  assert.equal(run.received, 100);
  const late = await runOf({ down: echoes((i) => [i === 99 ? 1300 : 400]) }, 100, { intervalMs: 10, waitMs: 3000 });
  assert.equal(late.received, 99);
});

test('a peer that is silent for 65536 echoes gets no more', async () => {
  const run = await runOf({ up: echoes(() => []) }, 140_000, { waitMs: 100 });
  assert.equal(run.silent, true);
  assert.equal(run.sent, 65_536);
  assert.equal(run.losses.lost, 65_536);
});

test('what this host could not send is not lost on the path', async () => {
  const run = await runOf({ sendErrno: (i) => (i === 3 ? 'ENOBUFS' : undefined) }, 10);
  assert.equal(run.sent, 9);
  assert.equal(run.unsent, 1);
  assert.equal(run.received, 9);
  assert.equal(run.losses.lost, 0);
});

// --- Handshake -------------------------------------------------------------------------------

test('the handshake survives lost datagrams in both directions', async () => {
  const seen = new Map<number, number>();
  const second: Fate = ({ kind }) => {
    const n = (seen.get(kind) ?? 0) + 1;
    seen.set(kind, n);
    return n === 1 && kind !== KIND.echo && kind !== KIND.echoReply ? [] : [1];
  };
  const network = new ScriptedNetwork({ responder: responder({ key: KEY }), up: second, down: second });
  const open = await session(network, KEY);
  const run = await open.run({ count: 5, intervalMs: 1, waitMs: 100, signal: NEVER });
  assert.equal(run.received, 5);
  assert.equal(run.report?.received, 5);
});

test('the same key at both ends opens a session', async () => {
  const [rtt] = await measured({ responder: responder({ key: KEY }) }, { count: 10 }, { key: KEY });
  assert.equal(rtt?.outcome, 'ok');
});

test('keys that do not match are refused from either side, and the reason says which', async () => {
  const other = new Uint8Array(32).fill(8);
  const cases = [
    { script: { responder: responder({ key: KEY }) }, key: other, reason: /another key/ },
    { script: { responder: responder({ key: KEY }) }, key: undefined, reason: /wants a key.*--key-file/ },
    { script: { responder: responder() }, key: KEY, reason: /without a key/ },
    // Somebody who accepts every key without knowing it.
    {
      script: { responder: responder({ key: KEY }), mangle: (bytes: Uint8Array) => (bytes[5] === KIND.opened ? bytes.fill(0, 32, 64) : bytes) },
      key: KEY,
      reason: /does not know the key/,
    },
  ];
  for (const { script, key, reason } of cases) {
    const [rtt, ...more] = await measured(script, { count: 10 }, key ? { key } : {});
    assert.equal(rtt?.outcome, 'refused');
    assert.match(rtt?.reason ?? '', reason);
    assert.equal(more.length, 0);
  }
});

test('a closed port is refused, a silent one times out, and an unreachable host is lost', async () => {
  const [refused] = await measured({ refusedFromMs: 0 });
  assert.equal(refused?.outcome, 'refused');
  assert.match(refused?.reason ?? '', /nothing listens.*tautline serve/);
  const [silent] = await measured({}, { timeoutMs: 700 });
  assert.equal(silent?.outcome, 'timeout');
  assert.match(silent?.reason ?? '', /did not answer within 700 ms/);
  const [gone] = await measured({ openError: new TautlineError('io', 'no route to 192.0.2.7') });
  assert.equal(gone?.outcome, 'lost');
  assert.match(gone?.reason ?? '', /no route/);
});

test('an old or foreign peer is named as what it is', async () => {
  const version2 = (bytes: Uint8Array): Uint8Array => {
    bytes[4] = 2;
    return bytes;
  };
  const [old] = await measured({ responder: responder(), mangle: version2 }, { timeoutMs: 500 });
  assert.equal(old?.outcome, 'unsupported');
  assert.match(old?.reason ?? '', /protocol version 2, this is 1/);
  const [foreign] = await measured(
    { responder: responder(), mangle: () => new TextEncoder().encode('HTTP/1.1 400 Bad Request') },
    { timeoutMs: 500 },
  );
  assert.equal(foreign?.outcome, 'unsupported');
  assert.match(foreign?.reason ?? '', /not a tautline/);
  const refusing = (bytes: Uint8Array): Uint8Array => encodeRefused({ clientNonce: bytes.slice(8, 24), code: 4, retryAfterMs: 0 });
  const [told] = await measured({ responder: responder(), mangle: refusing }, { timeoutMs: 500 });
  assert.equal(told?.outcome, 'unsupported');
  assert.match(told?.reason ?? '', /another version/);
});

test('a responder that is full says so', async () => {
  const full = responder({ limits: { udpSessionsPerClientMax: 1 } });
  const network = new ScriptedNetwork({ responder: full });
  await session(network);
  const second = await openEchoSession({ ports: network, remote: REMOTE, timeoutMs: 1000, signal: NEVER });
  assert.equal(second.outcome, 'refused');
  assert.match('reason' in second ? second.reason : '', /as many sessions as its limits allow, try again in 5 s/);
  assert.equal(network.flowsOpen, 1, 'the refused flow is closed');
});

test('a refused datagram of before the cookie does not stop a handshake of another client', async () => {
  const stranger = (bytes: Uint8Array): Uint8Array =>
    bytes[5] === KIND.cookie ? encodeRefused({ clientNonce: new Uint8Array(16), code: 1, retryAfterMs: 0 }) : bytes;
  const [rtt] = await measured({ responder: responder(), mangle: stranger }, { timeoutMs: 400 });
  assert.equal(rtt?.outcome, 'timeout');
});

// --- Measurements ----------------------------------------------------------------------------

test('a run gives rtt and jitter with loss, its own error and details', async () => {
  const measurements = await measured(
    { responder: responder(), up: echoes((i) => (i === 7 ? [] : [10])), down: echoes((i) => [i % 2 === 0 ? 10 : 12]) },
    { count: 100, intervalMs: 1, dscp: 46 },
  );
  assert.deepEqual(
    measurements.map(({ metric, outcome }) => [metric, outcome]),
    [
      ['rtt', 'ok'],
      ['jitter', 'ok'],
    ],
  );
  const [rtt, jitter] = measurements;
  near(rtt?.summary?.min, 20);
  near(rtt?.summary?.max, 22);
  assert.equal(rtt?.summary?.n, 99);
  assert.deepEqual({ sent: rtt?.loss?.sent, received: rtt?.loss?.received, ratio: rtt?.loss?.ratio }, { sent: 100, received: 99, ratio: 0.01 });
  assert.deepEqual(rtt?.details?.['lost'], { up: 1, down: 0, unknown: 0 });
  near(jitter?.summary?.median, 2);
  assert.ok(rtt?.error?.from.some((cause) => /stamped by the kernel/.test(cause)));
  assert.ok(rtt?.error?.from.some((cause) => /DSCP 46 \(EF\).*cannot be known/.test(cause)));
});

test('a peer that dies in the middle leaves what was measured, counted loss and the time it stopped', async () => {
  const dying: Script = { responder: responder(), up: ({ atMs }) => (atMs > 1600 ? [] : [1]), down: () => [1] };
  const [rtt] = await measured(dying, { count: 2000, intervalMs: 1, timeoutMs: 300 });
  assert.equal(rtt?.outcome, 'lost');
  assert.equal(rtt?.partial, true);
  assert.match(rtt?.reason ?? '', /answers stopped .* at echo \d+ of 2000/);
  assert.ok(rtt?.summary && rtt.summary.n > 500);
  assert.equal(rtt?.loss?.sent, 2000);
  const [closed] = await measured({ responder: responder(), refusedFromMs: 1600 }, { count: 2000, intervalMs: 1, timeoutMs: 300 });
  assert.match(closed?.reason ?? '', /answers stopped.*nothing listens/);
  assert.ok(closed?.summary);
});

test('losses at the very end with a responder still there are losses, not a death', async () => {
  const [rtt] = await measured({ responder: responder(), up: echoes((i) => (i > 70 ? [] : [1])) }, { count: 100, intervalMs: 1, timeoutMs: 300 });
  assert.equal(rtt?.outcome, 'ok');
  assert.deepEqual(rtt?.details?.['lost'], { up: 29, down: 0, unknown: 0 });
});

test('a session whose echoes are all lost has the outcome lost, and all of the loss', async () => {
  const [rtt, ...more] = await measured({ responder: responder(), down: echoes(() => []) }, { count: 50, intervalMs: 1, timeoutMs: 300 });
  assert.equal(rtt?.outcome, 'lost');
  assert.match(rtt?.reason ?? '', /none of 50 echoes/);
  assert.equal(rtt?.loss?.ratio, 1);
  assert.equal(rtt?.summary, undefined);
  assert.deepEqual(rtt?.details?.['lost'], { up: 0, down: 50, unknown: 0 });
  assert.equal(more.length, 0);
});

test('an aborted run keeps what it has and is partial', async () => {
  const abort = new AbortController();
  const up: Fate = ({ kind, sequence }) => {
    if (kind === KIND.echo && sequence === 40) abort.abort();
    return [1];
  };
  const [rtt] = await measured({ responder: responder(), up }, { count: 100, intervalMs: 1 }, { signal: abort.signal });
  assert.equal(rtt?.outcome, 'ok');
  assert.equal(rtt?.partial, true);
  assert.match(rtt?.reason ?? '', /interrupted after 4\d of 100/);
  assert.ok(rtt?.summary && rtt.summary.n >= 38);
});

test('what is under way when a run is aborted is not lost', async () => {
  const abort = new AbortController();
  const up: Fate = ({ kind, sequence }) => {
    if (kind === KIND.echo && sequence === 40) abort.abort();
    return [1];
  };
  const [rtt] = await measured({ responder: responder(), up, down: echoes(() => [80]) }, { count: 100, intervalMs: 1 }, { signal: abort.signal });
  assert.equal(rtt?.loss?.ratio, 0);
  assert.equal(rtt?.partial, true);
});

test('aborted before it began, a run measures nothing and says so', async () => {
  const [rtt] = await measured({ responder: responder() }, {}, { signal: AbortSignal.abort() });
  assert.equal(rtt?.outcome, 'unchecked');
});

test("a rate above the responder's limit is named as a cause", async () => {
  const [rtt] = await measured({ responder: responder({ limits: { echoPerSecondMax: 100 } }) }, { count: 300, intervalMs: 1, timeoutMs: 300 });
  assert.ok(rtt?.error?.from.some((cause) => /at most 100 echoes a second/.test(cause)));
});

test('impossible options are usage errors', async () => {
  const usage = (error: unknown): boolean => error instanceof TautlineError && error.code === 'usage' && error.hint !== undefined;
  for (const options of [
    { count: 0 },
    { count: 1.5 },
    { intervalMs: 0 },
    { durationMs: 0 },
    { count: 1e9 },
    { sizeBytes: 63 },
    { sizeBytes: 65_508 },
    { intervalMs: Number.NaN },
  ]) {
    await assert.rejects(measured({ responder: responder() }, options), usage);
  }
});

test('a duration and an interval give the count', async () => {
  const [rtt] = await measured({ responder: responder() }, { durationMs: 500, intervalMs: 5 });
  assert.equal(rtt?.loss?.sent, 100);
  const [first] = await measured({ responder: responder() }, { durationMs: 500, intervalMs: 5, count: 30 });
  assert.equal(first?.loss?.sent, 30);
});
