import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { ConnectOutcome, Endpoint, PumpLog, PumpPlan, Streams } from '../../src/base/index.js';
import { openControl } from '../../src/probe/control-client.js';
import type { ControlOutcome } from '../../src/probe/control-client.js';
import type { StreamTest } from '../../src/probe/stream-test.js';
import { FrameChannel, controlTranscript, encodePreface, proveKey } from '../../src/wire/index.js';
import type { ControlFrame, PumpReport } from '../../src/wire/index.js';
import { connectionPair } from '../serve/memory-connection.js';
import type { MemoryConnection } from '../serve/memory-connection.js';

const REMOTE: Endpoint = { host: '10.0.0.2', port: 7227, family: 4 };
const KEY = new TextEncoder().encode('a key of some length');
const WELCOME = { type: 'welcome', mac: '', ticket: '0a'.repeat(24), limits: { streamsMax: 64, durationMsMax: 1e6 } } as const;
const TEST_ID = '0b'.repeat(16);

type Serve = (channel: FrameChannel, far: MemoryConnection) => Promise<void> | void;

/** Connections to `serve`, in a time in which sleeping takes one turn of the event loop. */
function world(serve: Serve, pump: Streams['pump'] = () => Promise.reject(new Error('no pump'))) {
  let nowMs = 0;
  const clock = {
    nowMs: () => nowMs,
    nowNs: () => 0n,
    wallMs: () => 0,
    sleep: (ms: number): Promise<void> => new Promise((done) => setImmediate(() => ((nowMs += ms), done()))),
  };
  const made: MemoryConnection[] = [];
  const connect = (): Promise<ConnectOutcome> => {
    const [end, far] = connectionPair();
    // A read without an answer ends by its timeout.
    end.onRead = (timeoutMs, timeOut) => timeoutMs !== undefined && setTimeout(timeOut, 0);
    made.push(end);
    void serve(new FrameChannel(far, { preface: true }), far);
    return Promise.resolve({ outcome: 'ok', connection: end, connectMs: 1 });
  };
  return { ports: { clock, streams: { connect, pump } }, made };
}

async function frameOf(channel: FrameChannel): Promise<ControlFrame | undefined> {
  const event = await channel.next();
  return event.kind === 'frame' ? event.frame : undefined;
}

/** A server's half of the handshake. */
async function greet(channel: FrameChannel, key?: Uint8Array): Promise<void> {
  const hello = await frameOf(channel);
  assert.ok(hello?.type === 'hello');
  const nonce = 'cd'.repeat(16);
  await channel.send({ type: 'challenge', nonce, auth: key !== undefined, software: 'tautline/test' });
  const auth = await frameOf(channel);
  assert.ok(auth?.type === 'auth');
  const transcript = controlTranscript(Buffer.from(hello.nonce, 'hex'), Buffer.from(nonce, 'hex'));
  if (key) assert.equal(auth.mac, Buffer.from(proveKey(key, 'client', transcript)).toString('hex'));
  await channel.send({ ...WELCOME, mac: key ? Buffer.from(proveKey(key, 'server', transcript)).toString('hex') : '' });
}

function open(serve: Serve, key?: Uint8Array): Promise<ControlOutcome> {
  return openControl({
    ports: world(serve).ports,
    remote: REMOTE,
    timeoutMs: 1000,
    signal: new AbortController().signal,
    ...(key ? { key } : {}),
  });
}

async function refusal(outcome: Promise<ControlOutcome>, kind: string, says: RegExp): Promise<void> {
  const made = await outcome;
  assert.equal(made.outcome, kind);
  assert.match(made.outcome === 'ok' ? '' : made.reason, says);
}

describe('control client: handshake', () => {
  it('opens with and without a key and hands over ticket and limits', async () => {
    for (const key of [undefined, KEY]) {
      const made = await open((channel) => greet(channel, key), key);
      assert.ok(made.outcome === 'ok');
      assert.equal(made.control.ticket, WELCOME.ticket);
      assert.deepEqual(made.control.limits, WELCOME.limits);
      made.control.close();
    }
  });

  it('says what to do when only one side has a key, or the server cannot prove it', async () => {
    const challenge =
      (auth: boolean): Serve =>
      async (channel) => {
        await frameOf(channel);
        await channel.send({ type: 'challenge', nonce: 'cd'.repeat(16), auth, software: 'x' });
        await frameOf(channel);
        await channel.send({ ...WELCOME, mac: 'ab'.repeat(32) });
      };
    await refusal(open(challenge(true)), 'refused', /--key-file/);
    await refusal(open(challenge(false), KEY), 'refused', /without a key/);
    await refusal(open(challenge(true), KEY), 'refused', /does not know the key/);
  });

  it('names a server that refuses, hangs, hangs up, is out of turn, or speaks something else', async () => {
    const answer =
      (frame: ControlFrame): Serve =>
      async (channel) => {
        await frameOf(channel);
        await channel.send(frame);
      };
    await refusal(open(answer({ type: 'refused', code: 'limit', message: 'too many', hint: 'wait' })), 'refused', /too many: wait/);
    await refusal(open(answer({ type: 'started' })), 'unsupported', /out of turn/);
    await refusal(
      open(() => {}),
      'timeout',
      /said nothing within 1000 ms/,
    );
    await refusal(
      open((_, far) => far.close()),
      'refused',
      /closed it/,
    );
    await refusal(
      open((_, far) => far.write(new TextEncoder().encode('SSH-2.0-OpenSSH\r\n'))),
      'unsupported',
      /not a tautline serve/,
    );
    await refusal(
      open((_, far) => far.write(encodePreface())),
      'unsupported',
      /not a tautline serve/,
    );
  });

  it('never throws and always ends, whatever the server sends', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ minLength: 1, maxLength: 100 }), { maxLength: 5 }), async (chunks) => {
        const made = await open(async (_, far) => {
          for (const chunk of chunks) await far.write(chunk).catch(() => {});
        });
        assert.notEqual(made.outcome, 'ok');
      }),
      { numRuns: 50 },
    );
  });

  it('does nothing when it is interrupted before it begins', async () => {
    const { ports, made } = world(() => {});
    const outcome = await openControl({ ports, remote: REMOTE, timeoutMs: 1000, signal: AbortSignal.abort() });
    assert.equal(outcome.outcome, 'unchecked');
    assert.equal(made.length, 0);
  });
});

describe('control client: tests', () => {
  const TEST: Omit<StreamTest, 'signal'> = { direction: 'up', streams: 2, durationMs: 100, intervalMs: 50 };
  const log = (plan: PumpPlan): PumpLog => ({
    intervals: [],
    bytes: plan.connections.map(() => 9),
    elapsedMs: 5,
    tcp: [],
    method: 'native',
    fallbacks: [],
    cpuMs: 1,
    broken: 0,
    aborted: plan.signal?.aborted ?? false,
  });
  const pump = (plan: PumpPlan): Promise<PumpLog> => {
    plan.onReady?.();
    return Promise.resolve(log(plan));
  };
  const report = (direction: 'up' | 'down'): PumpReport => ({
    direction,
    bytes: [9, 9],
    elapsedMs: 5,
    tcp: [undefined, undefined],
    method: 'native',
    fallbacks: [],
    cpuMs: 1,
    broken: 0,
    aborted: false,
  });
  /** A server that lets streams join, and does `afterStart` when the client starts. */
  const serveTest =
    (afterStart: Serve): Serve =>
    async (channel, far) => {
      const [first] = [await channel.next()];
      if (first.kind !== 'frame') return;
      if (first.frame.type === 'join') return void (await channel.send({ type: 'joined' }));
      await channel.send({ type: 'challenge', nonce: 'cd'.repeat(16), auth: false, software: 'x' });
      await frameOf(channel);
      await channel.send(WELCOME);
      assert.equal((await frameOf(channel))?.type, 'test');
      await channel.send({ type: 'ready', test: TEST_ID });
      assert.equal((await frameOf(channel))?.type, 'start');
      await afterStart(channel, far);
    };
  const runTest = async (serve: Serve, test: Partial<StreamTest> = {}) => {
    const { ports, made } = world(serve, pump);
    const opened = await openControl({ ports, remote: REMOTE, timeoutMs: 1000, signal: new AbortController().signal });
    assert.ok(opened.outcome === 'ok');
    const result = await opened.control.test({ ...TEST, signal: new AbortController().signal, ...test });
    opened.control.close();
    return { result, made };
  };

  it('joins all streams, starts, takes intervals and the report, and closes its streams', async () => {
    const seen: number[] = [];
    const { result, made } = await runTest(
      serveTest(async (channel) => {
        await channel.send({ type: 'started' });
        await channel.send({ type: 'interval', direction: 'up', startMs: 0, endMs: 50, bytes: [4, 5], tcp: [undefined, undefined] });
        await channel.send({ type: 'report', pumps: [report('up')] });
      }),
      { onInterval: (_, interval) => seen.push(interval.endMs) },
    );
    assert.ok(result.outcome === 'ok');
    const [up] = result.directions;
    assert.deepEqual([up?.direction, up?.cut, up?.intervals.length, up?.receiver?.bytes], ['up', undefined, 1, [9, 9]]);
    assert.deepEqual(seen, [50]);
    assert.equal(made.length, 3);
    assert.ok(made.every((connection) => connection.ended !== 'open'));
  });

  it('keeps the intervals that came before the server died, refused, garbled or fell silent', async () => {
    const interval: ControlFrame = { type: 'interval', direction: 'up', startMs: 0, endMs: 50, bytes: [4, 5], tcp: [undefined, undefined] };
    const ends: readonly (readonly [Serve, RegExp])[] = [
      [(_, far): void => far.close(), /closed the connection or died/],
      [
        (channel): Promise<void> => channel.send({ type: 'refused', code: 'limit', message: 'enough', hint: '' }).then(() => {}),
        /refused to go on: enough/,
      ],
      [(_, far): Promise<void> => far.write(Uint8Array.of(0, 0, 0, 2, 1, 2)), /garbled/],
      [(channel): Promise<void> => channel.send({ type: 'joined' }).then(() => {}), /out of turn/],
      [(): void => {}, /did not report in time/],
    ];
    for (const [end, says] of ends) {
      const { result } = await runTest(
        serveTest(async (channel, far) => {
          await channel.send({ type: 'started' });
          await channel.send(interval);
          await end(channel, far);
        }),
      );
      assert.ok(result.outcome === 'ok');
      assert.match(result.directions[0]?.cut ?? '', says);
      assert.equal(result.directions[0]?.intervals.length, 1);
    }
  });

  it("gives the server's reason when it refuses the test or a stream", async () => {
    const refused: ControlFrame = { type: 'refused', code: 'limit', message: 'no more tests', hint: 'try again later' };
    const { result } = await runTest(async (channel) => {
      await greet(channel);
      await frameOf(channel);
      await channel.send(refused);
    });
    assert.deepEqual(result.outcome === 'ok' ? [] : [result.outcome, /no more tests: try again later/.test(result.reason)], ['refused', true]);
    const joins: Serve = async (channel) => {
      const first = await frameOf(channel);
      if (first?.type === 'join') return void (await channel.send({ ...refused, message: 'no such test' }));
      await channel.send({ type: 'challenge', nonce: 'cd'.repeat(16), auth: false, software: 'x' });
      await frameOf(channel);
      await channel.send(WELCOME);
      await frameOf(channel);
      await channel.send({ type: 'ready', test: TEST_ID });
    };
    const { result: second, made } = await runTest(joins);
    assert.match(second.outcome === 'ok' ? '' : second.reason, /no such test/);
    assert.ok(made.every((connection) => connection.ended !== 'open'));
  });
});
