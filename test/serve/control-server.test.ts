import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Endpoint, HostAbout, ProcessorTimes, PumpInterval, PumpLog, PumpPlan } from '../../src/base/index.js';
import { ControlServer, Tickets, limitsOf } from '../../src/serve/index.js';
import { CLIENT_FRAME_BYTES_MAX, FrameChannel, controlTranscript, encodeFrame, encodePreface, proveKey } from '../../src/wire/index.js';
import type { ControlFrame, TestFrame } from '../../src/wire/index.js';
import { connectionPair } from './memory-connection.js';
import type { MemoryConnection } from './memory-connection.js';

const KEY = new TextEncoder().encode('a key of some length');
const NONCE = '0f'.repeat(16);
const TEST: TestFrame = { type: 'test', direction: 'up', streams: 1, durationMs: 1000, intervalMs: 100 };

interface WorldOptions {
  readonly key?: Uint8Array;
  readonly limits?: Record<string, number>;
  readonly about?: (remote: Endpoint) => Promise<HostAbout>;
  readonly processors?: () => Promise<ProcessorTimes | undefined>;
}

/** A server whose time stands still unless moved, and whose pumps end when they are told to. */
function world(options: WorldOptions = {}) {
  const sleepers: { atMs: number; wake: () => void }[] = [];
  let nowMs = 0;
  const clock = {
    nowMs: () => nowMs,
    sleep: (ms: number, signal?: AbortSignal): Promise<void> =>
      new Promise((wake) => {
        sleepers.push({ atMs: nowMs + ms, wake });
        signal?.addEventListener('abort', () => wake(), { once: true });
      }),
  };
  const pumps: { plan: PumpPlan; end: (log?: Partial<PumpLog>) => void }[] = [];
  const pump = (plan: PumpPlan): Promise<PumpLog> => {
    plan.onReady?.();
    return new Promise((resolve) => {
      const log: PumpLog = {
        intervals: [],
        bytes: plan.connections.map(() => 7),
        elapsedMs: 10,
        tcp: plan.connections.map(() => undefined),
        method: 'node',
        fallbacks: [],
        cpuMs: 1,
        broken: 0,
        aborted: false,
      };
      const end = (more: Partial<PumpLog> = {}): void => resolve({ ...log, ...more });
      plan.signal?.addEventListener('abort', () => end({ aborted: true }), { once: true });
      pumps.push({ plan, end });
    });
  };
  let turn = 0;
  const random = (count: number): Uint8Array => new Uint8Array(count).fill(++turn);
  const tickets = new Tickets({ lifetimeMs: 1000, max: 8, random });
  const server = new ControlServer(
    { clock, pump, random, ...(options.processors ? { processors: options.processors } : {}) },
    {
      limits: limitsOf(options.limits ?? {}),
      software: 'tautline/test',
      tickets,
      ...(options.key ? { key: options.key } : {}),
      ...(options.about ? { about: options.about } : {}),
    },
  );
  return {
    server,
    pumps,
    tickets,
    passMs(ms: number) {
      nowMs += ms;
      for (const sleeper of sleepers.splice(0)) {
        if (sleeper.atMs <= nowMs) sleeper.wake();
        else sleepers.push(sleeper);
      }
    },
    /** A client's end of a connection that the server serves. */
    connect(
      first?: ControlFrame,
      address: { host?: string } = {},
    ): { channel: FrameChannel; end: MemoryConnection; far: MemoryConnection; proven: () => boolean } {
      const [end, far] = connectionPair(address);
      let proven = false;
      void server.accept(far, () => (proven = true));
      if (first) end.write(new Uint8Array([...encodePreface(), ...encodeFrame(first)])).catch(() => {});
      return { channel: new FrameChannel(end), end, far, proven: () => proven };
    },
  };
}
type World = ReturnType<typeof world>;

async function frame(channel: FrameChannel): Promise<ControlFrame> {
  const event = await channel.next();
  assert.equal(event.kind, 'frame', JSON.stringify(event));
  return (event as { frame: ControlFrame }).frame;
}

/** Goes through the handshake without a key. */
async function control(from: World, address: { host?: string } = {}): Promise<ReturnType<World['connect']>> {
  const made = from.connect({ type: 'hello', nonce: NONCE }, address);
  assert.equal((await frame(made.channel)).type, 'challenge');
  await made.channel.send({ type: 'auth', mac: '' });
  assert.equal((await frame(made.channel)).type, 'welcome');
  return made;
}

async function ready(channel: FrameChannel, test: TestFrame = TEST): Promise<string> {
  await channel.send(test);
  const answer = await frame(channel);
  assert.equal(answer.type, 'ready', JSON.stringify(answer));
  return answer.type === 'ready' ? answer.test : '';
}

async function refusal(channel: FrameChannel): Promise<Extract<ControlFrame, { type: 'refused' }>> {
  const answer = await frame(channel);
  assert.equal(answer.type, 'refused', JSON.stringify(answer));
  return answer as Extract<ControlFrame, { type: 'refused' }>;
}

async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

describe('control server: handshake', () => {
  it('welcomes a client with the right key, proves itself, and hands out a ticket', async () => {
    const here = world({ key: KEY });
    const { channel, proven } = here.connect({ type: 'hello', nonce: NONCE });
    const challenge = await frame(channel);
    assert.ok(challenge.type === 'challenge' && challenge.auth);
    assert.equal(proven(), false);
    const transcript = controlTranscript(Buffer.from(NONCE, 'hex'), Buffer.from(challenge.nonce, 'hex'));
    await channel.send({ type: 'auth', mac: Buffer.from(proveKey(KEY, 'client', transcript)).toString('hex') });
    const welcome = await frame(channel);
    assert.ok(welcome.type === 'welcome');
    assert.equal(welcome.mac, Buffer.from(proveKey(KEY, 'server', transcript)).toString('hex'));
    assert.equal(proven(), true);
    assert.equal(here.tickets.check('10.0.0.1', welcome.ticket, 0), true);
  });

  it("refuses a wrong key, no key, and the server's own proof sent back", async () => {
    for (const proofOf of [
      (): string => 'ab'.repeat(32),
      (): string => '',
      (transcript: Uint8Array): string => Buffer.from(proveKey(KEY, 'server', transcript)).toString('hex'),
    ]) {
      const here = world({ key: KEY });
      const { channel, end, proven } = here.connect({ type: 'hello', nonce: NONCE });
      const challenge = await frame(channel);
      assert.ok(challenge.type === 'challenge');
      await channel.send({ type: 'auth', mac: proofOf(controlTranscript(Buffer.from(NONCE, 'hex'), Buffer.from(challenge.nonce, 'hex'))) });
      const refused = await refusal(channel);
      assert.equal(refused.code, 'key');
      assert.notEqual(refused.hint, '');
      await settle();
      assert.equal(end.ended, 'end');
      assert.equal(proven(), false);
      assert.equal(here.server.counters()['refusedKey'], 1);
    }
  });

  it('gives up on a client that does not finish the handshake in time', async () => {
    const here = world();
    const made = here.connect({ type: 'hello', nonce: NONCE });
    await frame(made.channel);
    made.far.onRead = (timeoutMs, timeOut) => {
      assert.equal(timeoutMs, limitsOf({}).handshakeMs);
      timeOut();
    };
    made.far.take(new Uint8Array(0));
    await settle();
    assert.equal(made.end.ended, 'end');
    assert.equal(here.server.counters()['handshakeTimeouts'], 1);
  });

  it('closes on a wrong version, a wrong first frame, an oversized frame and garbage, whatever it is', async () => {
    const newer = encodePreface();
    newer[4] = 99;
    const long = new Uint8Array(4);
    new DataView(long.buffer).setUint32(0, CLIENT_FRAME_BYTES_MAX + 1);
    for (const bytes of [
      newer,
      new Uint8Array([...encodePreface(), ...encodeFrame({ type: 'start' })]),
      new Uint8Array([...encodePreface(), ...long]),
    ]) {
      const here = world();
      const { end, channel } = here.connect();
      await end.write(bytes);
      assert.equal((await refusal(channel)).code, 'protocol');
      await settle();
      assert.equal(end.ended, 'end');
    }
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 200 }), { minLength: 1, maxLength: 6 }),
        fc.boolean(),
        async (chunks, polite) => {
          const here = world();
          const { end } = here.connect(polite ? { type: 'hello', nonce: NONCE } : undefined);
          for (const chunk of chunks) await end.write(chunk).catch(() => {});
          end.close();
          await settle();
          assert.equal(here.server.counters()['controlsOpen'], 0);
          assert.equal(here.server.counters()['testsRunning'], 0);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('control server: about its host', () => {
  const HOST: HostAbout = { name: 'b', os: 'o', kernel: 'k', cpus: 2 };
  const about = (remote: Endpoint): Promise<HostAbout> => Promise.resolve({ ...HOST, observed: remote.host });

  it('tells a client that has finished the handshake, and how it sees the client', async () => {
    const here = world({ about });
    const { channel } = await control(here, { host: '10.0.0.9' });
    await channel.send({ type: 'about' });
    assert.deepEqual(await frame(channel), { type: 'about', about: { ...HOST, observed: '10.0.0.9' } });
    assert.equal(here.server.counters()['abouts'], 1);
    await ready(channel);
  });

  it('tells nobody before the handshake', async () => {
    const here = world({ about });
    const { channel, end } = here.connect({ type: 'about' });
    assert.equal((await refusal(channel)).code, 'protocol');
    const { channel: other } = here.connect({ type: 'hello', nonce: NONCE });
    await frame(other);
    await other.send({ type: 'about' });
    assert.equal((await refusal(other)).code, 'protocol');
    await settle();
    assert.equal(end.ended, 'end');
    assert.equal(here.server.counters()['abouts'], 0);
  });

  it('says in the welcome whether it tells, and does not when it is set so', async () => {
    for (const options of [{}, { about }]) {
      const { channel } = world(options).connect({ type: 'hello', nonce: NONCE });
      await frame(channel);
      await channel.send({ type: 'auth', mac: '' });
      const welcome = await frame(channel);
      assert.ok(welcome.type === 'welcome');
      assert.equal(welcome.about, 'about' in options);
    }
    const { channel } = await control(world());
    await channel.send({ type: 'about' });
    assert.equal((await refusal(channel)).code, 'protocol');
  });

  it('answers so often and no more, and the connection goes on', async () => {
    const here = world({ about, limits: { aboutPerSecondMax: 2 } });
    const { channel } = await control(here);
    const other = await control(here);
    for (const { channel: asking } of [{ channel }, other]) {
      await asking.send({ type: 'about' });
      assert.equal((await frame(asking)).type, 'about');
    }
    await channel.send({ type: 'about' });
    assert.equal((await refusal(channel)).code, 'limit');
    here.passMs(500);
    await channel.send({ type: 'about' });
    assert.equal((await frame(channel)).type, 'about');
  });

  it('says nothing where the host cannot be read', async () => {
    const { channel } = await control(world({ about: () => Promise.reject(new Error('EACCES')) }));
    await channel.send({ type: 'about' });
    assert.deepEqual(await frame(channel), { type: 'about' });
  });

  it('reports how busy the host was while a test moved bytes', async () => {
    let busyMs = 0;
    const processors = (): Promise<ProcessorTimes> =>
      Promise.resolve({ atMs: 0, cpus: [{ busyMs, softirqMs: busyMs / 2, stealMs: 0, idleMs: 1000 - busyMs + (busyMs > 0 ? 1000 : 0) }] });
    const here = world({ processors });
    const { channel } = await control(here);
    const test = await ready(channel);
    await frame(here.connect({ type: 'join', test, index: 0, direction: 'up' }).channel);
    await channel.send({ type: 'start' });
    await frame(channel);
    busyMs = 600;
    here.pumps[0]?.end();
    const report = await frame(channel);
    assert.ok(report.type === 'report');
    assert.deepEqual(report.pumps[0]?.host, { busy: 0.6, busiestCpu: 0.6, softirq: 0.3, steal: 0 });
  });
});

describe('control server: tests', () => {
  it('runs a test: joins, start, intervals, report, and then another on the same connection', async () => {
    const here = world();
    const { channel } = await control(here);
    for (let round = 0; round < 2; round++) {
      const test = await ready(channel, { ...TEST, direction: 'both', streams: 2 });
      for (const direction of ['up', 'down'] as const) {
        for (const index of [0, 1]) {
          const data = here.connect({ type: 'join', test, index, direction });
          assert.deepEqual(await frame(data.channel), { type: 'joined' });
          assert.equal(data.proven(), true);
        }
      }
      await channel.send({ type: 'start' });
      assert.deepEqual(await frame(channel), { type: 'started' });
      const [up, down] = here.pumps.splice(0);
      assert.ok(up && down);
      assert.deepEqual([up.plan.role, up.plan.connections.length, up.plan.durationMs], ['receive', 2, undefined]);
      assert.deepEqual([down.plan.role, down.plan.connections.length, down.plan.durationMs], ['send', 2, 1000]);
      const interval: PumpInterval = { startMs: 0, endMs: 100, bytes: [5, 6], tcp: [undefined, undefined] };
      up.plan.onInterval?.(interval);
      assert.deepEqual(await frame(channel), { type: 'interval', direction: 'up', ...interval });
      up.end();
      down.end({ broken: 1 });
      const report = await frame(channel);
      assert.ok(report.type === 'report');
      assert.deepEqual(
        report.pumps.map((pump) => [pump.direction, pump.bytes, pump.broken]),
        [
          ['up', [7, 7], 0],
          ['down', [7, 7], 1],
        ],
      );
      assert.equal(here.server.counters()['testsRunning'], 0);
    }
  });

  it('frees the test and closes its streams when the client disappears', async () => {
    const here = world();
    const { channel, end } = await control(here);
    const test = await ready(channel);
    const data = here.connect({ type: 'join', test, index: 0, direction: 'up' });
    await frame(data.channel);
    await channel.send({ type: 'start' });
    await frame(channel);
    assert.equal(here.server.counters()['testsRunning'], 1);
    end.close();
    await settle();
    assert.equal(here.pumps[0]?.plan.signal?.aborted, true);
    assert.equal(here.server.counters()['testsRunning'], 0);
    assert.equal(here.server.counters()['controlsOpen'], 0);
    assert.equal(data.end.ended, 'end');
  });

  it("ends a test at the client's stop and still reports", async () => {
    const here = world();
    const { channel } = await control(here);
    const test = await ready(channel);
    await frame(here.connect({ type: 'join', test, index: 0, direction: 'up' }).channel);
    await channel.send({ type: 'start' });
    await frame(channel);
    await channel.send({ type: 'stop' });
    const report = await frame(channel);
    assert.ok(report.type === 'report' && report.pumps[0]?.aborted);
  });

  it('bounds a test in time and in what a client may send beyond what it said', async () => {
    const here = world();
    const { channel } = await control(here);
    for (const overstep of [
      (): void => here.passMs(1000 + 10_000 + 1),
      (): void => here.pumps[0]?.plan.onInterval?.({ startMs: 0, endMs: 100, bytes: [1e9], tcp: [undefined] }),
    ]) {
      const test = await ready(channel, { ...TEST, rateBps: 1e6 });
      await frame(here.connect({ type: 'join', test, index: 0, direction: 'up' }).channel);
      await channel.send({ type: 'start' });
      await frame(channel);
      overstep();
      let report = await frame(channel);
      if (report.type === 'interval') report = await frame(channel);
      assert.ok(report.type === 'report' && report.pumps[0]?.aborted);
      here.pumps.splice(0);
    }
  });

  it('drops a test that nobody starts', async () => {
    const here = world();
    const { channel } = await control(here);
    const test = await ready(channel);
    const data = here.connect({ type: 'join', test, index: 0, direction: 'up' });
    await frame(data.channel);
    here.passMs(limitsOf({}).handshakeMs + 1);
    await settle();
    assert.equal(here.server.counters()['testsRunning'], 0);
    assert.equal(data.end.ended, 'end');
  });

  it('refuses joins to an unknown test, a taken or impossible place, and a test that runs', async () => {
    const here = world();
    const { channel } = await control(here);
    const test = await ready(channel);
    const join = (name: string, index: number, direction: 'up' | 'down'): FrameChannel =>
      here.connect({ type: 'join', test: name, index, direction }).channel;
    assert.equal((await refusal(join('00'.repeat(16), 0, 'up'))).code, 'unknown-test');
    assert.equal((await refusal(join(test, 1, 'up'))).code, 'unknown-test');
    assert.equal((await refusal(join(test, 0, 'down'))).code, 'unknown-test');
    assert.equal((await frame(join(test, 0, 'up'))).type, 'joined');
    assert.equal((await refusal(join(test, 0, 'up'))).code, 'unknown-test');
    await channel.send({ type: 'start' });
    await frame(channel);
    assert.match((await refusal(join(test, 0, 'up'))).message, /begun/);
  });

  it('refuses a start before all streams have joined', async () => {
    const here = world();
    const { channel, end } = await control(here);
    await ready(channel, { ...TEST, streams: 2 });
    await channel.send({ type: 'start' });
    assert.match((await refusal(channel)).message, /not every stream/);
    await settle();
    assert.equal(end.ended, 'end');
    assert.equal(here.server.counters()['testsRunning'], 0);
  });

  it('does not wait for a client that never reads its intervals', async () => {
    const here = world();
    const { channel, far } = await control(here);
    const test = await ready(channel);
    await frame(here.connect({ type: 'join', test, index: 0, direction: 'up' }).channel);
    await channel.send({ type: 'start' });
    await frame(channel);
    far.stuck = true;
    for (let i = 0; i < 1000; i++) here.pumps[0]?.plan.onInterval?.({ startMs: i, endMs: i + 1, bytes: [1], tcp: [undefined] });
    here.pumps[0]?.end();
    await settle();
    far.stuck = false;
    far.end('end');
    await settle();
    assert.equal(here.server.counters()['testsRunning'], 0);
  });

  it('lets go of a client that never reads its report, or its refusals', async () => {
    const here = world();
    const { channel, far } = await control(here);
    const test = await ready(channel);
    await frame(here.connect({ type: 'join', test, index: 0, direction: 'up' }).channel);
    await channel.send({ type: 'start' });
    await frame(channel);
    far.stuck = true;
    here.pumps[0]?.end();
    const other = await control(here);
    other.far.stuck = true;
    await other.channel.send({ type: 'start' });
    await settle();
    assert.deepEqual([far.ended, other.far.ended], ['open', 'open']);
    here.passMs(15_000);
    await settle();
    assert.deepEqual([far.ended, other.far.ended], ['closed', 'closed']);
    assert.equal(here.server.counters()['testsRunning'], 0);
  });
});

describe('control server: limits', () => {
  const cases: readonly { name: string; limits: Record<string, number>; test: Partial<TestFrame>; says: RegExp }[] = [
    { name: 'streams of a test', limits: { streamsMax: 4 }, test: { streams: 5 }, says: /4 streams.*5 were asked/ },
    { name: 'its duration', limits: { testMs: 500 }, test: {}, says: /500.0 ms/ },
    { name: 'its rate', limits: { streamRateBpsMax: 1e6 }, test: { rateBps: 2e6 }, says: /Mbit/ },
    { name: 'a rate that was not given', limits: { streamRateBpsMax: 1e6 }, test: {}, says: /no rate/ },
    { name: 'streams of all tests', limits: { streamsTotalMax: 3 }, test: { streams: 2, direction: 'both' }, says: /streams/ },
  ];
  for (const { name, limits, test, says } of cases) {
    it(`refuses a test beyond the limit on ${name}, says what to do, and takes a smaller one`, async () => {
      const here = world({ limits });
      const { channel } = await control(here);
      await channel.send({ ...TEST, ...test });
      const refused = await refusal(channel);
      assert.equal(refused.code, 'limit');
      assert.match(refused.message, says);
      assert.match(refused.hint, /at the server/);
      await ready(channel, { ...TEST, durationMs: 100, rateBps: 1e5 });
    });
  }

  it('refuses bytes beyond the limit', async () => {
    const here = world({ limits: { testBytesMax: 1000 } });
    const { channel } = await control(here);
    await channel.send({ type: 'test', direction: 'up', streams: 1, bytes: 1001, intervalMs: 100 });
    assert.match((await refusal(channel)).message, /1000 bytes/);
  });

  it('ends a test by time that has sent as many bytes as the limit allows', async () => {
    const here = world({ limits: { testBytesMax: 1000 } });
    const { channel } = await control(here);
    const test = await ready(channel, { ...TEST, direction: 'down' });
    await frame(here.connect({ type: 'join', test, index: 0, direction: 'down' }).channel);
    await channel.send({ type: 'start' });
    await frame(channel);
    here.pumps[0]?.plan.onInterval?.({ startMs: 0, endMs: 100, bytes: [1000], tcp: [undefined] });
    assert.equal(here.pumps[0]?.plan.signal?.aborted, false);
    here.pumps[0]?.plan.onInterval?.({ startMs: 100, endMs: 200, bytes: [1], tcp: [undefined] });
    assert.equal(here.pumps[0]?.plan.signal?.aborted, true);
  });

  it('bounds tests in all and of each client', async () => {
    const here = world({ limits: { testsMax: 3, testsPerClientMax: 2 } });
    const first = await control(here);
    const second = await control(here);
    const third = await control(here);
    await ready(first.channel);
    await ready(second.channel);
    await third.channel.send(TEST);
    assert.match((await refusal(third.channel)).message, /your address/);
    const other = await control(here, { host: '10.0.0.9' });
    await ready(other.channel);
    const late = await control(here, { host: '10.0.0.10' });
    await late.channel.send(TEST);
    assert.match((await refusal(late.channel)).message, /busy with 3 tests/);
    first.end.close();
    await settle();
    await ready(late.channel);
  });

  it('lets go of everything when it closes', async () => {
    const here = world();
    const { channel, end } = await control(here);
    await ready(channel);
    here.server.close();
    here.server.close();
    await settle();
    assert.equal(end.ended, 'end');
    assert.equal(here.server.counters()['testsRunning'], 0);
    const late = here.connect({ type: 'hello', nonce: NONCE });
    await settle();
    assert.equal(late.end.ended, 'end');
  });
});
