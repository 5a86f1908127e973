import { DEFAULT_PORT, TautlineError, formatEndpoint, formatRate } from '../base/index.js';
import type { Endpoint } from '../base/index.js';
import { lossOf } from '../stats/index.js';
import type { Measurement } from '../results/index.js';
import {
  DATAGRAM_BYTES_MAX,
  DATA_BYTES_MIN,
  DATA_SEQUENCE_OFFSET,
  DATA_STAMP_OFFSET,
  FLOOD_BYTES,
  REFUSAL,
  SESSION_PREFIX_BYTES,
  decodeServerDatagram,
  encodeData,
  encodeFlood,
} from '../wire/index.js';
import { ask, failureOf } from './ask.js';
import { candidatesOf } from './candidates.js';
import { FINISH_BYTES_WITH_INTERVALS, openFirstSession } from './echo-session.js';
import type { EchoSession } from './echo-session.js';
import { makerOf, withSummary } from './measuring.js';
import type { Make } from './measuring.js';
import { trainError } from './own-error.js';
import type { CommonOptions, ProbeRequest } from './probe.js';
import { FLOOD_INTERVAL_MS, countOf, floodMeasurement } from './udp-flood-figures.js';
import type { FloodResult } from './udp-flood-figures.js';

export interface UdpThroughputOptions extends CommonOptions {
  readonly direction: 'up' | 'down' | 'both';
  /** Payload bits per second in each direction; undefined = as fast as it goes. */
  readonly rateBps?: number;
  /** Payload bytes of each datagram. */
  readonly sizeBytes: number;
  readonly durationMs: number;
  readonly dscp?: number;
}

/** Fits any path that carries Ethernet, tunnels included. */
export const UDP_SIZE_BYTES_DEFAULT = 1400;
/** What is still under way when the sender ends gets at least this long to arrive before it counts as lost. */
const SETTLE_MS_MIN = 100;
const SETTLE_MS_MAX = 1000;
/** A flood that pauses for so long has ended. */
const IDLE_MS_MIN = 1000;
const IDLE_DATAGRAMS = 5;
/** Echoes beside the floods. */
const ECHO_INTERVAL_MS = 20;
const IDLE_ECHOES = { count: 50, intervalMs: 10 };

/**
 * UDP throughput as the receiver counts it, up, down or both at once, with the round trip of echoes of
 * another session before and during it.
 * @throws TautlineError `usage` for impossible options
 */
export async function measureUdpThroughput(request: ProbeRequest<UdpThroughputOptions>): Promise<Measurement[]> {
  const { options } = request;
  checked(options);
  const make = makerOf('throughput', request);
  const metrics = options.direction === 'both' ? ['udp.up', 'udp.down'] : [`udp.${options.direction}`];
  const found = await candidatesOf(request, { host: request.target.host, port: request.target.port ?? DEFAULT_PORT });
  if (found.outcome !== 'ok') return metrics.map((metric) => make(metric, found));
  request.onProgress(`opening sessions at ${formatEndpoint(found.remotes[0] as Endpoint)}`, 0);
  const sessions: EchoSession[] = [];
  try {
    // The first session finds the address that answers, the others go there too.
    const first = await open(request, found.remotes);
    if (first.outcome !== 'ok') return metrics.map((metric) => make(metric, { outcome: first.outcome, reason: first.reason }));
    sessions.push(first.session);
    const remotes = [first.session.flow.remote];
    const others = await Promise.all(metrics.map(() => open(request, remotes)));
    sessions.push(...others.flatMap((other) => (other.outcome === 'ok' ? [other.session] : [])));
    const refused = others.find((other) => other.outcome !== 'ok');
    if (refused) return metrics.map((metric) => make(metric, { outcome: refused.outcome, reason: refused.reason }));
    return await underLoad({ request, make, metrics, echo: first.session, floods: sessions.slice(1) });
  } finally {
    await Promise.all(sessions.map((session) => session.close()));
  }
}

function checked(options: UdpThroughputOptions): void {
  const bad = (what: string, hint: string): TautlineError => new TautlineError('usage', what, { hint });
  if (!(options.durationMs > 0 && Number.isFinite(options.durationMs)))
    throw bad(`--duration cannot be ${options.durationMs}`, 'write for example --duration 5s');
  if (options.rateBps !== undefined && !(options.rateBps > 0 && Number.isFinite(options.rateBps)))
    throw bad(`--rate cannot be ${options.rateBps}`, 'write for example --rate 50M');
  const { intervalMs = FLOOD_INTERVAL_MS } = options;
  if (!(intervalMs > 0 && Number.isInteger(intervalMs / FLOOD_INTERVAL_MS)))
    throw bad(
      `--interval cannot be ${intervalMs} ms with --udp`,
      'datagrams are counted every 100ms: write that or a multiple, such as --interval 1s',
    );
  if (!(Number.isInteger(options.sizeBytes) && options.sizeBytes >= DATA_BYTES_MIN && options.sizeBytes <= DATAGRAM_BYTES_MAX)) {
    throw bad(
      `a datagram cannot have ${options.sizeBytes} bytes`,
      `--size takes ${DATA_BYTES_MIN} to ${DATAGRAM_BYTES_MAX}; up to 1472 fit an Ethernet frame`,
    );
  }
}

function open(request: ProbeRequest<UdpThroughputOptions>, remotes: readonly Endpoint[]): ReturnType<typeof openFirstSession> {
  const { ports, options, key, signal } = request;
  return openFirstSession(remotes, {
    ports,
    timeoutMs: options.timeoutMs,
    signal,
    ...(key ? { key } : {}),
    ...(options.dscp === undefined ? {} : { dscp: options.dscp }),
  });
}

interface Load {
  readonly request: ProbeRequest<UdpThroughputOptions>;
  readonly make: Make;
  readonly metrics: readonly string[];
  readonly echo: EchoSession;
  readonly floods: readonly EchoSession[];
}

async function underLoad({ request, make, metrics, echo, floods }: Load): Promise<Measurement[]> {
  const { options, signal, seed } = request;
  const waitMs = options.timeoutMs;
  const loaded = `rtt.loaded.${options.direction}`;
  request.onProgress('measuring the idle round trip', 0);
  const idle = await echo.run({ ...IDLE_ECHOES, waitMs, signal });
  const idleRttMs = withSummary(idle.rttMs, seed).summary?.median ?? waitMs;
  const ended = new AbortController();
  const echoes = echo.run({
    count: Math.max(1, Math.floor(options.durationMs / ECHO_INTERVAL_MS)),
    intervalMs: ECHO_INTERVAL_MS,
    waitMs,
    signal: AbortSignal.any([signal, ended.signal]),
  });
  const results = await Promise.all(
    floods.map((session, i) => {
      const job = { request, session, idleRttMs, quiet: i > 0 };
      return metrics[i] === 'udp.up' ? floodUp(job) : floodDown(job);
    }),
  );
  ended.abort();
  const busy = await echoes;
  const asked = {
    sizeBytes: options.sizeBytes,
    durationMs: options.durationMs,
    intervalMs: options.intervalMs ?? FLOOD_INTERVAL_MS,
    seed,
    aborted: signal.aborted,
  };
  const measurements = results.map((result, i) => floodMeasurement(make, metrics[i] as string, { result, asked }));
  for (const [metric, run, intervalMs] of [
    ['rtt.idle', idle, IDLE_ECHOES.intervalMs],
    [loaded, busy, ECHO_INTERVAL_MS],
  ] as const) {
    if (run.sent === 0) continue;
    const error = trainError({
      flow: echo.flow,
      latenessMs: run.latenessMs,
      callMs: run.callMs,
      intervalMs,
      kernelDrops: run.kernelDrops,
      cpuMs: run.cpuMs,
      elapsedMs: run.elapsedMs,
    });
    const none = run.received === 0 ? { outcome: 'lost' as const, reason: `none of ${run.sent} echoes was answered` } : { outcome: 'ok' as const };
    measurements.push(
      make(metric, {
        ...none,
        ...withSummary(run.rttMs, seed),
        loss: lossOf(run.sent, run.received),
        error,
        ...(signal.aborted ? { partial: true } : {}),
      }),
    );
  }
  return measurements;
}

// --- One direction ---------------------------------------------------------------------------

interface Job {
  readonly request: ProbeRequest<UdpThroughputOptions>;
  readonly session: EchoSession;
  readonly idleRttMs: number;
  /** Another direction shows the progress. */
  readonly quiet: boolean;
}

async function floodUp({ request, session, idleRttMs, quiet }: Job): Promise<FloodResult> {
  const { options, signal } = request;
  await session.renew(signal);
  const log = await session.flow.flood({
    payload: encodeData(session.id, 0, 0n, options.sizeBytes),
    sequenceOffset: DATA_SEQUENCE_OFFSET,
    stampOffset: DATA_STAMP_OFFSET,
    durationNs: Math.round(options.durationMs * 1e6),
    ...(options.rateBps === undefined ? {} : { rateBps: options.rateBps }),
    signal,
    ...(quiet ? {} : { onProgress: progressOf(request, 'sending') }),
  });
  if (!log.aborted) await session.clock.sleep(settleMs(idleRttMs), signal);
  const report = await session.finish({ sizeBytes: FINISH_BYTES_WITH_INTERVALS });
  const said = failureOf(log.errors);
  const refused = Object.values(log.errors).reduce((sum, n) => sum + n, 0);
  const gone = `${log.sent} datagrams were sent, but the responder does not say what it received: ${said?.why ?? 'it or the path went away'}`;
  const failure = report
    ? said && log.sent === 0
      ? { outcome: said.outcome, reason: said.why }
      : undefined
    : { outcome: 'lost' as const, reason: gone };
  return {
    sent: log.sent,
    sentMs: log.elapsedMs,
    count: report && countOf(report),
    kernelDrops: report?.kernelDrops ?? 0,
    askedBps: options.rateBps,
    ...(failure ? { failure } : {}),
    causes: [
      ...session.flow.fallbacks,
      ...(log.batching === 'none' ? ['the sender makes one system call a datagram'] : []),
      ...(log.misses > 0 ? [`timer: ${log.misses} batches left more than 1 ms late`] : []),
      ...(refused > 0 ? [`this host's own kernel refused ${refused} datagrams; they count neither as sent nor as lost`] : []),
    ],
    details: { batching: log.batching, misses: log.misses, cpuMs: log.cpuMs, errors: log.errors },
    aborted: log.aborted,
  };
}

async function floodDown({ request, session, idleRttMs, quiet }: Job): Promise<FloodResult> {
  const { options, signal } = request;
  const { limits } = session;
  await session.renew(signal);
  const durationMs = Math.min(options.durationMs, limits.floodMsMax);
  const rateBps = options.rateBps === undefined ? 0 : Math.min(options.rateBps, limits.floodBpsMax);
  const order = encodeFlood({ session: session.id, nonce: 1, sizeBytes: options.sizeBytes, rateBps, durationMs });
  const gapMs = rateBps === 0 ? 0 : (options.sizeBytes * 8000) / rateBps;
  const idleMs = Math.max(IDLE_MS_MIN, IDLE_DATAGRAMS * gapMs, 3 * idleRttMs);
  const log = await session.flow.sink({
    match: encodeData(session.id, 0, 0n, DATA_BYTES_MIN).subarray(0, SESSION_PREFIX_BYTES),
    sequenceOffset: DATA_SEQUENCE_OFFSET,
    stampOffset: DATA_STAMP_OFFSET,
    request: order,
    durationNs: Math.round((durationMs + options.timeoutMs) * 1e6),
    idleNs: Math.round(idleMs * 1e6),
    intervalNs: FLOOD_INTERVAL_MS * 1e6,
    signal,
    ...(quiet ? {} : { onProgress: progressOf(request, 'receiving') }),
  });
  const refusal = log.count.received === 0 && !log.aborted ? await refusalOf(session, order) : undefined;
  const report = await session.finish();
  const said = failureOf(log.errors);
  const reason =
    refusal ??
    said?.why ??
    (report
      ? report.floodSent > 0
        ? `none of ${report.floodSent} datagrams arrived`
        : 'the responder did not begin to send'
      : 'nothing arrived, and the responder does not answer any more');
  return {
    sent: report?.floodSent,
    sentMs: durationMs,
    count: log.count,
    kernelDrops: log.kernelDrops,
    askedBps: options.rateBps,
    ...(log.count.received === 0 ? { failure: { outcome: refusal ? 'refused' : (said?.outcome ?? 'lost'), reason } } : {}),
    causes: [
      ...session.flow.fallbacks,
      ...(durationMs < options.durationMs ? [`limit: the responder floods for at most ${limits.floodMsMax} ms`] : []),
      ...(options.rateBps !== undefined && rateBps < options.rateBps
        ? [`limit: the responder floods with at most ${formatRate(limits.floodBpsMax)}`]
        : []),
      ...(report ? [] : ['the responder did not report how much it sent: loss is known only between the first and the last datagram']),
    ],
    details: { cpuMs: log.cpuMs, errors: log.errors },
    aborted: log.aborted,
  };
}

/** Why the responder did not begin: it answers a flood that it refuses, and the sink does not see that. */
async function refusalOf(session: EchoSession, order: Uint8Array): Promise<string | undefined> {
  const { answer } = await ask({
    flow: session.flow,
    clock: session.clock,
    payload: order,
    paddingOffset: FLOOD_BYTES - 2,
    timeoutMs: SETTLE_MS_MAX,
    signal: new AbortController().signal,
    accept: (bytes) => {
      const datagram = decodeServerDatagram(bytes);
      return datagram.kind === 'refused' ? datagram : undefined;
    },
  });
  if (!answer) return undefined;
  if (answer.code === REFUSAL.rate)
    return `the responder sends as many floods as its limits allow: try again in ${Math.ceil(answer.retryAfterMs / 1000)} s, or raise floods-max there`;
  return `the responder refused to send (code ${answer.code})`;
}

function progressOf(request: ProbeRequest<UdpThroughputOptions>, doing: string): () => void {
  const { clock } = request.ports;
  const startMs = clock.nowMs();
  return () =>
    request.onProgress(
      `${doing} datagrams of ${request.options.sizeBytes} bytes`,
      Math.min(1, (clock.nowMs() - startMs) / request.options.durationMs),
    );
}

function settleMs(rttMs: number): number {
  return Math.min(SETTLE_MS_MAX, Math.max(SETTLE_MS_MIN, 2 * rttMs));
}
