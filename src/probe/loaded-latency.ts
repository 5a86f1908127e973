import type { Endpoint } from '../base/index.js';
import { lossOf, summarize } from '../stats/index.js';
import type { Measurement } from '../results/index.js';
import type { EchoRun } from './echo-run.js';
import { openEchoSession } from './echo-session.js';
import type { EchoSession } from './echo-session.js';
import type { Make } from './measuring.js';
import { sampledMs } from './measuring.js';
import { overTimeOf } from './over-time.js';
import { trainError } from './own-error.js';
import type { CommonOptions, ProbeRequest } from './probe.js';

/** The idle round trip takes a tenth of the load's time, within these bounds. */
const IDLE_SHARE = 0.1;
const IDLE_MS_MIN = 200;
const IDLE_MS_MAX = 1000;
const IDLE_INTERVAL_MS = 5;
/** About this many echoes run beside a load, neither so many that they load the path nor so few that they say nothing. */
const LOADED_ECHOES = 400;
const LOADED_INTERVAL_MS_MIN = 5;
const LOADED_INTERVAL_MS_MAX = 20;
/** Where a load has no set end, echoes go on for at most so many. */
const ECHOES_MAX = 60_000;

export interface LoadTimes {
  readonly durationMs?: number;
  /** The start of the load that does not count. */
  readonly omitMs: number;
  /** How long the load has been running. */
  readonly sinceMs: number;
  /** Aborts when the load is over. */
  readonly ended: AbortSignal;
}

interface Train {
  readonly echoes: EchoRun;
  readonly intervalMs: number;
  /** From the start of the load. */
  readonly startMs: number;
}

/** The round trip of UDP echoes before and during loads, in a session beside them. `close` may be called twice. */
export class LoadedLatency {
  readonly #request: ProbeRequest<CommonOptions & { readonly dscp?: number }>;
  readonly #remote: Endpoint;
  readonly #make: Make;
  #session: EchoSession | undefined;
  #failure: { readonly outcome: Exclude<Measurement['outcome'], 'ok'>; readonly reason: string } | undefined;
  #idleMs: { readonly median: number; readonly p95: number } | undefined;
  #run: Train | undefined;

  constructor(request: ProbeRequest<CommonOptions & { readonly dscp?: number }>, remote: Endpoint, make: Make) {
    this.#request = request;
    this.#remote = remote;
    this.#make = make;
  }

  /** Opens the session and measures without load. A load without echoes is still worth measuring, so a failure is only noted. */
  async idle(loadMs: number): Promise<Measurement | undefined> {
    const { ports, options, key, signal } = this.#request;
    const opened = await openEchoSession({
      ports,
      remote: this.#remote,
      timeoutMs: options.timeoutMs,
      signal,
      ...(key ? { key } : {}),
      ...(options.dscp === undefined ? {} : { dscp: options.dscp }),
    });
    if (opened.outcome !== 'ok') {
      this.#failure = { outcome: opened.outcome, reason: opened.reason };
      return this.#make('rtt.idle', this.#failure);
    }
    this.#session = opened.session;
    const idleMs = Math.min(IDLE_MS_MAX, Math.max(IDLE_MS_MIN, loadMs * IDLE_SHARE));
    const echoes = await opened.session.run({
      count: Math.ceil(idleMs / IDLE_INTERVAL_MS),
      intervalMs: IDLE_INTERVAL_MS,
      waitMs: options.timeoutMs,
      signal,
    });
    if (echoes.sent === 0) return undefined;
    const summary = summarize(echoes.rttMs, { seed: this.#request.seed });
    if (summary) this.#idleMs = { median: summary.median, p95: summary.p95 };
    return this.#measurement('rtt.idle', { echoes, intervalMs: IDLE_INTERVAL_MS, startMs: 0 }, {});
  }

  /** To be called before a load, so that its echoes need not wait for a handshake in its queues. */
  async prepare(): Promise<void> {
    const failure = await this.#session?.prepare(this.#request.signal);
    if (failure) this.#failure = failure;
  }

  /** To be called when a load begins; `take` has the result once the returned promise has resolved. */
  async during({ durationMs, omitMs, sinceMs, ended }: LoadTimes): Promise<void> {
    this.#run = undefined;
    const session = this.#session;
    if (!session) return;
    const { ports, options, signal } = this.#request;
    const stop = AbortSignal.any([signal, ended]);
    const startMs = Math.max(omitMs, sinceMs);
    await ports.clock.sleep(startMs - sinceMs, stop);
    if (stop.aborted) return;
    const intervalMs =
      durationMs === undefined
        ? LOADED_INTERVAL_MS_MAX
        : Math.min(LOADED_INTERVAL_MS_MAX, Math.max(LOADED_INTERVAL_MS_MIN, (durationMs - startMs) / LOADED_ECHOES));
    const count = durationMs === undefined ? ECHOES_MAX : Math.max(1, Math.floor((durationMs - startMs) / intervalMs));
    this.#run = { echoes: await session.run({ count, intervalMs, waitMs: options.timeoutMs, signal: stop }), intervalMs, startMs };
  }

  /** The round trip during the last load. `tcp` is what the senders' kernels saw themselves. */
  take(metric: string, tcp: readonly { readonly direction: string; readonly rttMs: number | undefined }[]): Measurement | undefined {
    if (this.#failure) return this.#make(metric, this.#failure);
    if (!this.#run || this.#run.echoes.sent === 0) return undefined;
    const tcpRttMs = Object.fromEntries(tcp.flatMap(({ direction, rttMs }) => (rttMs === undefined ? [] : [[direction, rttMs]])));
    return this.#measurement(metric, this.#run, Object.keys(tcpRttMs).length === 0 ? {} : { tcpRttMs });
  }

  async close(): Promise<void> {
    await this.#session?.close();
  }

  #measurement(metric: string, { echoes, intervalMs, startMs }: Train, details: Record<string, unknown>): Measurement {
    const session = this.#session as EchoSession;
    const { distribution, summary } = sampledMs(metric, echoes.rttMs, this.#request);
    const idle = metric === 'rtt.idle' ? undefined : this.#idleMs;
    const increase = summary && idle ? { increaseMs: { median: summary.median - idle.median, p95: summary.p95 - idle.p95 } } : {};
    return this.#make(metric, {
      ...(summary ? { outcome: 'ok' as const, summary } : { outcome: 'lost' as const, reason: `none of ${echoes.sent} echoes was answered` }),
      loss: lossOf(settled(echoes), echoes.received),
      error: trainError({
        flow: session.flow,
        latenessMs: echoes.latenessMs,
        callMs: echoes.callMs,
        intervalMs,
        kernelDrops: echoes.kernelDrops,
        cpuMs: echoes.cpuMs,
        elapsedMs: echoes.elapsedMs,
      }),
      ...(this.#request.signal.aborted ? { partial: true } : {}),
      details: { intervalMs, lost: echoes.lost, ...increase, ...details, ...distribution, ...overTimeOf(echoes.rttMs, echoes.sentMs, startMs) },
    });
  }
}

/** Echoes whose fate is known: those under way when a run is ended early are not lost. */
function settled(echoes: EchoRun): number {
  if (!echoes.aborted || !echoes.lastAnswer) return echoes.sent;
  return Math.max(echoes.received, Math.min(echoes.sent, echoes.lastAnswer.sequence + 1));
}
