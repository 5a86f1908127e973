import type { Connection, Endpoint, Ports, ProcessorTimes, PumpInterval, PumpLog, PumpPlan } from '../base/index.js';
import { FrameChannel, hostLoad } from '../wire/index.js';
import type { ChannelEvent, HostLoad, IntervalFrame, PumpReport } from '../wire/index.js';
import { connectFailure, oddAnswer, open } from './control-answer.js';
import type { ControlFailure } from './control-answer.js';

export interface StreamTest {
  readonly direction: 'up' | 'down' | 'both';
  readonly streams: number;
  /** Exactly one of the two. */
  readonly durationMs?: number;
  readonly bytes?: number;
  readonly intervalMs: number;
  readonly rateBps?: number;
  readonly copy?: boolean;
  readonly signal: AbortSignal;
  /** What the receiver of a direction counted in one interval, as soon as it is known here. */
  readonly onInterval?: (direction: 'up' | 'down', interval: PumpInterval) => void;
}

export type StreamTestResult =
  | { readonly outcome: 'ok'; readonly directions: readonly DirectionResult[]; readonly elapsedMs: number }
  | ControlFailure;

/** One direction as seen from both ends. What the server did not come to tell is missing. */
export interface DirectionResult {
  readonly direction: 'up' | 'down';
  /** The receiver's own intervals; for `up` those that the server sent in time. */
  readonly intervals: readonly PumpInterval[];
  /** The sender's TCP_INFO at each of its intervals. */
  readonly senderIntervals: readonly PumpInterval[];
  readonly receiver: PumpReport | undefined;
  readonly sender: PumpReport | undefined;
  /** Why the run is not whole, if it is not. */
  readonly cut: string | undefined;
}

interface TestContext {
  readonly ports: Pick<Ports, 'clock' | 'streams'> & Partial<Pick<Ports, 'facts'>>;
  readonly remote: Endpoint;
  readonly channel: FrameChannel;
  readonly timeoutMs: number;
  readonly dscp?: number;
  readonly signal: AbortSignal;
}

/** Streams that are connected at the same time: a server bounds how many strangers it lets in at once. */
const CONNECTING_MAX = 16;
/** A receiver gives up this long after the last byte. */
const IDLE_MS = 5000;
/** How long to wait for receivers to be ready, where the port does not tell. */
const READY_MS = 250;
/** How long to wait for the server's report after our own side has ended; less when a person waits. */
const REPORT_MS = 12_000;
const REPORT_MS_ABORTED = 700;
const REPORT_MS_STALLED = 2000;
/** Intervals kept of what the server sends. */
const INTERVALS_MAX = 100_000;

/** Runs one test on an open control connection. Never rejects for what the network or the server did. */
export async function runStreamTest(context: TestContext, test: StreamTest): Promise<StreamTestResult> {
  const { channel, timeoutMs } = context;
  const { direction, streams, durationMs, bytes, intervalMs, rateBps, copy, signal } = test;
  const odd = (event: ChannelEvent): ControlFailure => oddAnswer(event, { ...context, signal });
  await channel.send({
    type: 'test',
    direction,
    streams,
    intervalMs,
    ...(durationMs === undefined ? {} : { durationMs }),
    ...(bytes === undefined ? {} : { bytes }),
    ...(rateBps === undefined ? {} : { rateBps }),
    ...(copy === undefined ? {} : { copy }),
  });
  const ready = await channel.next({ timeoutMs, signal });
  if (ready.kind !== 'frame' || ready.frame.type !== 'ready') return odd(ready);
  const directions = direction === 'both' ? (['up', 'down'] as const) : [direction];
  const joined = await joinAll(context, { test: ready.frame.test, directions, streams, signal });
  try {
    if (joined.failure) {
      await channel.send({ type: 'stop' });
      return joined.failure;
    }
    return await new StreamRun(context, test, joined.connections).run();
  } finally {
    for (const connection of [...joined.connections.up, ...joined.connections.down]) connection.close();
  }
}

type Joined = Readonly<Record<'up' | 'down', Connection[]>>;

/** Makes and joins all data connections, a few at a time. */
async function joinAll(
  context: TestContext,
  plan: { test: string; directions: readonly ('up' | 'down')[]; streams: number; signal: AbortSignal },
): Promise<{ readonly connections: Joined; readonly failure: ControlFailure | undefined }> {
  const connections: Joined = { up: [], down: [] };
  const places = plan.directions.flatMap((direction) => Array.from({ length: plan.streams }, (_, index) => ({ direction, index })));
  let failure: ControlFailure | undefined;
  const joinNext = async (): Promise<void> => {
    for (let place = places.shift(); place && !failure; place = places.shift()) {
      // A signal of its own: many listeners on one look like a leak.
      const made = await join(context, plan.test, place, AbortSignal.any([plan.signal]));
      if ('outcome' in made) failure ??= made;
      else connections[place.direction].push(made.connection);
    }
  };
  await Promise.all(Array.from({ length: Math.min(CONNECTING_MAX, places.length) }, joinNext));
  return { connections, failure };
}

async function join(
  context: TestContext,
  test: string,
  place: { direction: 'up' | 'down'; index: number },
  signal: AbortSignal,
): Promise<{ connection: Connection } | ControlFailure> {
  const { ports, remote, timeoutMs, dscp } = context;
  const made = await ports.streams.connect({ remote, timeoutMs, signal, ...(dscp === undefined ? {} : { dscp }) });
  if (made.outcome !== 'ok') return signal.aborted ? oddAnswer({ kind: 'ended' }, { ...context, signal }) : connectFailure(made);
  const { connection } = made;
  await open(connection, { type: 'join', test, ...place });
  const answer = await new FrameChannel(connection).next({ timeoutMs, signal });
  if (answer.kind === 'frame' && answer.frame.type === 'joined') return { connection };
  connection.close();
  return oddAnswer(answer, { ...context, signal });
}

/** The part of a test in which bytes move: our pumps, and what the server tells meanwhile. */
class StreamRun {
  readonly #context: TestContext;
  readonly #test: StreamTest;
  readonly #connections: Joined;
  readonly #stop = new AbortController();
  readonly #told: Record<'up' | 'down', PumpInterval[]> = { up: [], down: [] };
  #reports: readonly PumpReport[] | undefined;
  #failure: string | undefined;
  #begin: () => void = () => {};

  constructor(context: TestContext, test: StreamTest, connections: Joined) {
    this.#context = context;
    this.#test = test;
    this.#connections = connections;
  }

  async run(): Promise<StreamTestResult> {
    const { ports, channel } = this.#context;
    const { signal } = this.#test;
    const onAbort = (): void => {
      this.#stop.abort();
      void channel.send({ type: 'stop' });
    };
    const enough = new AbortController();
    const begun = new Promise<void>((resolve) => (this.#begin = resolve));
    const listening = this.#listen(enough.signal);
    try {
      // Receivers first: what comes before they are there would wait in the kernel and count late.
      const { receiving, ready } = this.#receive();
      await Promise.race([ready, ports.clock.sleep(READY_MS, enough.signal)]);
      if (signal.aborted) onAbort();
      else signal.addEventListener('abort', onAbort, { once: true });
      await channel.send({ type: 'start' });
      await begun;
      const startMs = ports.clock.nowMs();
      const logs = await Promise.all([this.#send(), receiving]);
      const elapsedMs = ports.clock.nowMs() - startMs;
      // Where our side stalled, its peer's stalled at the same time: it has its report ready, or nothing gets through.
      const stalled = logs.some((pumped) => (pumped?.log.broken ?? 0) > 0);
      const waitMs = signal.aborted ? REPORT_MS_ABORTED : stalled ? REPORT_MS_STALLED : REPORT_MS;
      await Promise.race([listening, ports.clock.sleep(waitMs, enough.signal)]);
      if (this.#reports === undefined) this.#failure ??= 'the server did not report in time';
      return { outcome: 'ok', directions: this.#results(logs), elapsedMs };
    } finally {
      enough.abort();
      signal.removeEventListener('abort', onAbort);
      this.#stop.abort();
    }
  }

  /** Takes what the server sends until its report, its end, or `enough`. */
  async #listen(enough: AbortSignal): Promise<void> {
    const { channel } = this.#context;
    try {
      for (;;) {
        const event = await channel.next({ signal: enough });
        if (event.kind === 'frame' && event.frame.type === 'started') this.#begin();
        else if (event.kind === 'frame' && event.frame.type === 'interval') this.#onInterval(event.frame);
        else if (event.kind === 'frame' && event.frame.type === 'report') {
          this.#reports = event.frame.pumps;
          return;
        } else {
          this.#failure = failureOf(event);
          // A server that is gone will not read: there is no use in sending on.
          if (!enough.aborted) this.#stop.abort();
          return;
        }
      }
    } finally {
      this.#begin();
    }
  }

  #onInterval(frame: IntervalFrame): void {
    const list = this.#told[frame.direction];
    if (list.length >= INTERVALS_MAX) return;
    const { startMs, endMs, bytes, tcp } = frame;
    list.push({ startMs, endMs, bytes, tcp });
    if (frame.direction === 'up') this.#test.onInterval?.('up', { startMs, endMs, bytes, tcp });
  }

  #receive(): { receiving: Promise<Pumped | undefined>; ready: Promise<void> } {
    const connections = this.#connections.down;
    if (connections.length === 0) return { receiving: Promise.resolve(undefined), ready: Promise.resolve() };
    let onReady: () => void = () => {};
    const ready = new Promise<void>((resolve) => (onReady = resolve));
    const { intervalMs, copy, onInterval } = this.#test;
    const receiving = this.#pump({
      connections,
      role: 'receive',
      idleMs: IDLE_MS,
      intervalMs,
      signal: this.#stop.signal,
      onReady,
      ...(copy === undefined ? {} : { copy }),
      ...(onInterval ? { onInterval: (interval) => onInterval('down', interval) } : {}),
    });
    return { receiving, ready };
  }

  async #send(): Promise<Pumped | undefined> {
    const connections = this.#connections.up;
    if (connections.length === 0) return undefined;
    const { intervalMs, durationMs, bytes, rateBps } = this.#test;
    return await this.#pump({
      connections,
      role: 'send',
      idleMs: IDLE_MS,
      intervalMs,
      signal: this.#stop.signal,
      ...(durationMs === undefined ? {} : { durationMs }),
      ...(bytes === undefined ? {} : { bytes }),
      ...(rateBps === undefined ? {} : { rateBps }),
    });
  }

  /** Moves the bytes, and sees how busy this host is meanwhile. */
  async #pump(plan: PumpPlan): Promise<Pumped> {
    const { streams, facts } = this.#context.ports;
    const busy = async (): Promise<ProcessorTimes | undefined> => facts?.processors().catch(() => undefined);
    const before = busy();
    const log = await streams.pump(plan);
    return { log, load: hostLoad(await before, await busy()) };
  }

  #results([sent, received]: readonly (Pumped | undefined)[]): DirectionResult[] {
    const results: DirectionResult[] = [];
    const theirs = (direction: 'up' | 'down'): PumpReport | undefined => this.#reports?.find((report) => report.direction === direction);
    const cut = (own: PumpLog, their: PumpReport | undefined): string | undefined => {
      if (this.#test.signal.aborted) return 'interrupted';
      if (this.#failure !== undefined) return this.#failure;
      const broken = Math.max(own.broken, their?.broken ?? 0);
      if (broken > 0) return `${broken} of ${own.bytes.length} streams broke off or stalled`;
      return their?.aborted ? 'the server ended the test early: its limits' : undefined;
    };
    if (sent)
      results.push({
        direction: 'up',
        intervals: this.#told.up,
        senderIntervals: sent.log.intervals,
        receiver: theirs('up'),
        sender: ownReport('up', sent),
        cut: cut(sent.log, theirs('up')),
      });
    if (received)
      results.push({
        direction: 'down',
        intervals: received.log.intervals,
        senderIntervals: this.#told.down,
        receiver: ownReport('down', received),
        sender: theirs('down'),
        cut: cut(received.log, theirs('down')),
      });
    return results;
  }
}

/** What a pump of this side did, and what the host did meanwhile. */
interface Pumped {
  readonly log: PumpLog;
  readonly load: HostLoad | undefined;
}

function ownReport(direction: 'up' | 'down', { log, load }: Pumped): PumpReport {
  return { direction, ...log, ...(load ? { host: load } : {}) };
}

function failureOf(event: ChannelEvent): string {
  switch (event.kind) {
    case 'frame':
      return event.frame.type === 'refused'
        ? `the server refused to go on: ${event.frame.message}`
        : `the server sent '${event.frame.type}' out of turn`;
    case 'garbled':
      return `the server sent something garbled (${event.why})`;
    case 'ended':
      return 'the server closed the connection or died';
    case 'timeout':
      return 'the server did not report in time';
  }
}
