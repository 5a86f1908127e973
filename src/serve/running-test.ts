import { formatMs, formatRate } from '../base/index.js';
import type { Connection, PumpInterval, PumpLog } from '../base/index.js';
import { TEST_STREAMS_MAX, hostLoad } from '../wire/index.js';
import type { ControlFrame, FrameChannel, PumpReport, RefusedFrame, TestFrame } from '../wire/index.js';
import type { ControlPorts } from './control-server.js';
import type { Limits } from './limits.js';

/** A receiver gives up this long after the last byte: longer than TCP's first few retransmission timeouts. */
const IDLE_MS = 10_000;
/** How much longer than agreed a client's sending may take, to let a full queue run dry. */
const GRACE_MS = 10_000;
/** How long to wait for the pumps to be ready. */
const READY_MS = 2000;
/** A client that takes nothing of what it is told, for this long, is gone or means harm. */
const DEAF_MS = 15_000;
/** A client that was told a rate may exceed it by this much before the test ends. */
const RATE_SLACK = 1.5;
const RATE_SLACK_BYTES = 16e6;

export interface TestContext {
  readonly ports: ControlPorts;
  readonly limits: Limits;
  readonly frame: TestFrame;
  readonly client: string;
  /** The control connection. */
  readonly channel: FrameChannel;
  readonly onBytes: (received: number, sent: number) => void;
  readonly onOver: () => void;
}

/** One test at the server: gathers its streams, moves their bytes, and reports. `close` is idempotent and closes the streams. */
export class RunningTest {
  readonly client: string;
  readonly streams: number;
  readonly #context: TestContext;
  readonly #joined: Readonly<Record<'up' | 'down', (Connection | undefined)[]>>;
  readonly #stop = new AbortController();
  readonly #over = new AbortController();
  #state: 'joining' | 'running' | 'over' = 'joining';

  constructor(context: TestContext) {
    const { frame } = context;
    this.#context = context;
    this.client = context.client;
    const wanted = (direction: 'up' | 'down'): undefined[] =>
      Array<undefined>(frame.direction === direction || frame.direction === 'both' ? frame.streams : 0).fill(undefined);
    this.#joined = { up: wanted('up'), down: wanted('down') };
    this.streams = this.#joined.up.length + this.#joined.down.length;
    // A test that nobody starts must not hold its place.
    void context.ports.clock.sleep(context.limits.handshakeMs, this.#over.signal).then(() => {
      if (this.#state === 'joining') this.close();
    });
  }

  get over(): boolean {
    return this.#state === 'over';
  }

  /** Takes a stream. @returns why not, if it cannot */
  join(connection: Connection, frame: Extract<ControlFrame, { type: 'join' }>): string | undefined {
    const places = this.#joined[frame.direction];
    if (this.#state !== 'joining') return 'the test has begun already';
    if (frame.index >= places.length) return `the test has ${places.length} streams ${frame.direction}, and this is number ${frame.index + 1}`;
    if (places[frame.index]) return `stream ${frame.index + 1} has joined already`;
    places[frame.index] = connection;
    return undefined;
  }

  /** Begins to move bytes. @returns false when streams are missing or it had begun */
  start(): boolean {
    const complete = [...this.#joined.up, ...this.#joined.down].every((connection) => connection !== undefined);
    if (this.#state !== 'joining' || !complete) return false;
    this.#state = 'running';
    void this.#run();
    return true;
  }

  /** Ends the moving early; the report still follows. */
  stop(): void {
    if (this.#state === 'joining') this.close();
    this.#stop.abort();
  }

  close(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#stop.abort();
    this.#over.abort();
    for (const connection of [...this.#joined.up, ...this.#joined.down]) connection?.close();
    this.#context.onOver();
  }

  async #run(): Promise<void> {
    const { channel, frame, limits, ports } = this.#context;
    const boundMs = Math.min(frame.durationMs ?? limits.testMs, limits.testMs) + GRACE_MS;
    void ports.clock.sleep(boundMs, this.#over.signal).then(() => this.#stop.abort());
    const directions = (['up', 'down'] as const).filter((direction) => this.#joined[direction].length > 0);
    // Receivers must be there before the client hears that it may send.
    let waiting = directions.length;
    const started = (): void => {
      waiting--;
      if (waiting === 0) void channel.send({ type: 'started' });
    };
    // Should a pump not tell, its start is only later than it could be.
    void ports.clock.sleep(READY_MS, this.#over.signal).then(() => {
      if (waiting > 0) waiting = 1;
      started();
    });
    try {
      const pumps = await Promise.all(directions.map((direction) => this.#pump(direction, once(started))));
      if (!this.over) await sendOrClose(channel, { type: 'report', pumps }, ports.clock);
    } catch {
      const refusal = {
        type: 'refused',
        code: 'protocol',
        message: 'this server could not move the data',
        hint: 'look at the log of the server',
      } as const;
      await sendOrClose(channel, refusal, ports.clock);
    } finally {
      this.close();
    }
  }

  async #pump(direction: 'up' | 'down', onReady: () => void): Promise<PumpReport> {
    const { frame, channel, ports, onBytes } = this.#context;
    const connections = this.#joined[direction].filter((connection) => connection !== undefined);
    const receive = direction === 'up';
    let totalBytes = 0;
    const onInterval = (interval: PumpInterval): void => {
      const bytes = interval.bytes.reduce((sum, part) => sum + part, 0);
      totalBytes += bytes;
      onBytes(receive ? bytes : 0, receive ? 0 : bytes);
      void channel.send({ type: 'interval', direction, ...interval }, { canMiss: true });
      // What this side sends keeps to the rate and the bytes by itself; a test by time is bounded in bytes only here.
      if (receive ? this.#beyond(totalBytes, interval.endMs) : totalBytes > this.#context.limits.testBytesMax) this.#stop.abort();
    };
    const before = ports.processors?.().catch(() => undefined);
    const log = await ports.pump({
      connections,
      role: receive ? 'receive' : 'send',
      ...(receive || frame.durationMs === undefined ? {} : { durationMs: frame.durationMs }),
      ...(receive || frame.bytes === undefined ? {} : { bytes: frame.bytes }),
      ...(receive || frame.rateBps === undefined ? {} : { rateBps: frame.rateBps }),
      ...(frame.copy === undefined ? {} : { copy: frame.copy }),
      idleMs: IDLE_MS,
      intervalMs: frame.intervalMs,
      signal: this.#stop.signal,
      onReady,
      onInterval,
    });
    onReady();
    const load = hostLoad(await before, await ports.processors?.().catch(() => undefined));
    return { ...reportOf(direction, log), ...(load ? { host: load } : {}) };
  }

  /** Whether a client sends more than it said: limits that only the sender keeps are none. */
  #beyond(totalBytes: number, elapsedMs: number): boolean {
    const { frame, limits } = this.#context;
    const rateBps = Math.min(frame.rateBps ?? Number.POSITIVE_INFINITY, limits.streamRateBpsMax);
    const allowed = Math.min(frame.bytes ?? Number.POSITIVE_INFINITY, limits.testBytesMax, (rateBps / 8e3) * elapsedMs * RATE_SLACK);
    return totalBytes > allowed + RATE_SLACK_BYTES;
  }
}

/** Sends to a client that may have stopped reading: without an end to the waiting it would hold its place for ever. */
export async function sendOrClose(
  channel: FrameChannel,
  frame: ControlFrame,
  clock: ControlPorts['clock'],
  options: { canMiss?: boolean } = {},
): Promise<void> {
  const sent = new AbortController();
  void clock.sleep(DEAF_MS, sent.signal).then(() => {
    if (!sent.signal.aborted) channel.connection.close();
  });
  await channel.send(frame, options);
  sent.abort();
}

/** Why a test cannot be had under the limits, if it cannot. */
export function refuseTest(frame: TestFrame, state: { limits: Limits; client: string; running: readonly RunningTest[] }): RefusedFrame | undefined {
  const { limits, client, running } = state;
  const refused = (message: string, hint: string): RefusedFrame => ({ type: 'refused', code: 'limit', message, hint });
  const streams = frame.streams * (frame.direction === 'both' ? 2 : 1);
  const streamsMax = Math.min(limits.streamsMax, TEST_STREAMS_MAX);
  if (frame.streams > streamsMax) {
    return refused(
      `this server allows ${streamsMax} streams in a test, ${frame.streams} were asked for`,
      `use --streams ${streamsMax} or fewer, or raise streamsMax at the server`,
    );
  }
  if ((frame.durationMs ?? 0) > limits.testMs) {
    return refused(
      `this server allows tests of ${formatMs(limits.testMs)}, ${formatMs(frame.durationMs ?? 0)} were asked for`,
      'use a shorter --duration, or raise testMs at the server',
    );
  }
  if ((frame.bytes ?? 0) > limits.testBytesMax) {
    return refused(
      `this server allows ${limits.testBytesMax} bytes in a test, ${frame.bytes} were asked for`,
      'use fewer --bytes, or raise testBytesMax at the server',
    );
  }
  if (limits.streamRateBpsMax < UNBOUNDED_BPS && (frame.rateBps ?? Number.POSITIVE_INFINITY) > limits.streamRateBpsMax) {
    return refused(
      `this server allows ${formatRate(limits.streamRateBpsMax)} in a test${frame.rateBps === undefined ? ', and no rate was given' : `, ${formatRate(frame.rateBps)} were asked for`}`,
      'use a lower --rate, or raise streamRateBpsMax at the server',
    );
  }
  if (running.length >= limits.testsMax)
    return refused(`this server is busy with ${running.length} tests`, 'try again later, or raise testsMax at the server');
  const own = running.filter((test) => test.client === client).length;
  if (own >= limits.testsPerClientMax)
    return refused(`this server runs ${own} tests of your address already`, 'wait for them to end, or raise testsPerClientMax at the server');
  const open = running.reduce((sum, test) => sum + test.streams, 0);
  if (open + streams > limits.streamsTotalMax)
    return refused(`this server moves ${open} streams already`, 'try again later or with fewer --streams, or raise streamsTotalMax at the server');
  return undefined;
}

/** The default of streamRateBpsMax, which stands for no bound. */
const UNBOUNDED_BPS = 1e12;

function reportOf(direction: 'up' | 'down', log: PumpLog): PumpReport {
  const { bytes, elapsedMs, tcp, method, fallbacks, cpuMs, busiest, broken, aborted } = log;
  return { direction, bytes, elapsedMs, tcp, method, fallbacks, cpuMs, ...(busiest === undefined ? {} : { busiest }), broken, aborted };
}

function once(call: () => void): () => void {
  let called = false;
  return () => {
    if (called) return;
    called = true;
    call();
  };
}
