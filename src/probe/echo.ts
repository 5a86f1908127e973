import { DEFAULT_PORT, TautlineError, formatEndpoint, formatMs, parseSizeBytes } from '../base/index.js';
import type { Endpoint } from '../base/index.js';
import { ipdv, lossOf, quantile, sortedSamples, summarize } from '../stats/index.js';
import type { Measurement, Outcome } from '../results/index.js';
import { DATAGRAM_BYTES_MAX, ECHO_BYTES_MIN } from '../wire/index.js';
import { failureOf } from './ask.js';
import { candidatesOf } from './candidates.js';
import { formatDscp, parseDscp } from './dscp.js';
import type { EchoRun } from './echo-run.js';
import { openFirstSession } from './echo-session.js';
import type { EchoSession } from './echo-session.js';
import { makerOf, sampledMs } from './measuring.js';
import type { Make } from './measuring.js';
import { overTimeOf } from './over-time.js';
import { trainError } from './own-error.js';
import type { CommonOptions, Probe, ProbeRequest } from './probe.js';
import { samplingOf } from './sampling.js';
import type { Sampling } from './sampling.js';

export interface EchoOptions extends CommonOptions {
  /** Payload bytes of each echo. */
  readonly sizeBytes: number;
  readonly dscp?: number;
}

const SAMPLING: Sampling = { count: 300, intervalMs: 10 };
/** Answers that fail to come for this long at the end of a run mean that they stopped, not that some were lost. */
const STOPPED_MS = 1000;
const STOPPED_ECHOES = 20;

/**
 * UDP echoes to a `tautline serve`: round trip without the responder's holding time, and for each
 * direction loss, duplicates, reordering and delay variation.
 */
export const echoProbe: Probe<EchoOptions> = {
  name: 'echo',
  summary: 'round-trip time, jitter and loss by direction, against a tautline serve (UDP)',
  flags: [
    {
      key: 'sizeBytes',
      flag: '--size <bytes>',
      help: `payload bytes of each echo, ${ECHO_BYTES_MIN} to ${DATAGRAM_BYTES_MAX} (default ${ECHO_BYTES_MIN})`,
      parse: parseEchoSize,
    },
    { key: 'dscp', flag: '--dscp <n>', help: 'differentiated services code point: 0 to 63, or a name such as EF, AF41, CS1', parse: parseDscp },
  ],
  defaults: { timeoutMs: 3000, sizeBytes: ECHO_BYTES_MIN },
  expectedMs(options) {
    const { count, intervalMs } = samplingOf(options, SAMPLING);
    return count * intervalMs + 100;
  },
  run: runEcho,
};

/** @throws TautlineError `usage` */
function parseEchoSize(text: string): number {
  return checkedSize(parseSizeBytes(text));
}

function checkedSize(sizeBytes: number): number {
  if (Number.isInteger(sizeBytes) && sizeBytes >= ECHO_BYTES_MIN && sizeBytes <= DATAGRAM_BYTES_MAX) return sizeBytes;
  throw new TautlineError('usage', `an echo cannot have ${sizeBytes} bytes`, {
    hint: `--size takes ${ECHO_BYTES_MIN} (the protocol's own fields) to ${DATAGRAM_BYTES_MAX} (the most that UDP over IPv4 carries)`,
  });
}

async function runEcho(request: ProbeRequest<EchoOptions>): Promise<Measurement[]> {
  const { options, ports, signal } = request;
  const sampling = samplingOf(options, SAMPLING);
  checkedSize(options.sizeBytes);
  const make = makerOf('echo', request);
  const found = await candidatesOf(request, { host: request.target.host, port: request.target.port ?? DEFAULT_PORT });
  if (found.outcome !== 'ok') return [make('rtt', found)];
  request.onProgress(`opening a session at ${formatEndpoint(found.remotes[0] as Endpoint)}`, 0);
  const opened = await openFirstSession(found.remotes, {
    ports,
    timeoutMs: options.timeoutMs,
    signal,
    ...(request.key ? { key: request.key } : {}),
    ...(options.dscp === undefined ? {} : { dscp: options.dscp }),
  });
  if (opened.outcome !== 'ok') return [make('rtt', { outcome: opened.outcome, reason: opened.reason })];
  const { session } = opened;
  try {
    const run = await session.run({
      ...sampling,
      sizeBytes: options.sizeBytes,
      waitMs: options.timeoutMs,
      signal,
      onProgress: (sent) => request.onProgress(`sending ${sampling.count} echoes, one every ${formatMs(sampling.intervalMs)}`, sent / sampling.count),
    });
    return echoMeasurements(run, { make, request, session, sampling });
  } finally {
    await session.close();
  }
}

interface Context {
  readonly make: Make;
  readonly request: ProbeRequest<EchoOptions>;
  readonly session: EchoSession;
  readonly sampling: Sampling;
}

function echoMeasurements(run: EchoRun, context: Context): Measurement[] {
  const { make, request, session, sampling } = context;
  const verdict = verdictOf(run, sampling);
  const { distribution: _, ...variation } = sampledMs('jitter', ipdv(run.rttMs).map(Math.abs), request);
  const error = trainError({
    flow: session.flow,
    latenessMs: run.latenessMs,
    callMs: run.callMs,
    intervalMs: sampling.intervalMs,
    kernelDrops: run.kernelDrops,
    cpuMs: run.cpuMs,
    elapsedMs: run.elapsedMs,
    also: causes(run, context),
  });
  const shared = { ...verdict, loss: lossOf(run.sent, run.received) };
  const { distribution, ...summary } = sampledMs('rtt', run.rttMs, request);
  const measurements = [make('rtt', { ...shared, ...summary, error, details: { ...detailsOf(run, context), ...distribution } })];
  if (variation.summary) {
    // Jitter is a difference of two round trips, each of which may be off.
    measurements.push(make('jitter', { ...verdict, ...variation, error: { ...error, value: 2 * error.value }, details: jitterDetails(run) }));
  }
  return measurements;
}

/** What to call the run, and why: all lost, stopped in the middle, cut short, or fine. */
function verdictOf(run: EchoRun, sampling: Sampling): { outcome: Outcome; reason?: string; partial?: true } {
  const failure = failureOf(run.errors);
  const said = failure ? `: ${failure.why}` : '';
  if (run.sent === 0) {
    if (run.aborted) return { outcome: 'unchecked', reason: 'interrupted before anything was measured', partial: true };
    return {
      outcome: failure?.outcome ?? 'lost',
      reason: failure ? `this host could not send: ${failure.why}` : 'this host could not send: its kernel refused every datagram',
    };
  }
  if (!run.lastAnswer) {
    if (run.aborted) return { outcome: 'lost', reason: `interrupted; none of ${run.sent} echoes was answered until then`, partial: true };
    return { outcome: failure?.outcome ?? 'lost', reason: `a session was opened, but none of ${run.sent} echoes was answered${said}` };
  }
  const unanswered = run.sentMs.length - 1 - run.lastAnswer.sequence;
  const stopped = unanswered >= STOPPED_ECHOES || (unanswered > 1 && unanswered * sampling.intervalMs >= STOPPED_MS);
  if (stopped && !run.report) {
    const reason = `answers stopped ${formatMs(run.lastAnswer.atMs)} after the start, at echo ${run.lastAnswer.sequence + 1} of ${sampling.count}: the responder or the path went away${said}`;
    return { outcome: 'lost', reason, partial: true };
  }
  if (run.aborted) return { outcome: 'ok', reason: `interrupted after ${run.sent} of ${sampling.count} echoes`, partial: true };
  return { outcome: 'ok' };
}

/** What else bears on how far the figures can be trusted. */
function causes(run: EchoRun, { request, session, sampling }: Context): string[] {
  const list: string[] = [];
  const perSecond = 1000 / sampling.intervalMs;
  if (perSecond > session.limits.echoPerSecondMax) {
    list.push(
      `limit: the responder answers at most ${session.limits.echoPerSecondMax} echoes a second, ${Math.round(perSecond)} were sent; what it left out counts as lost on the way back`,
    );
  }
  if (run.unsent > 0) list.push(`this host's kernel refused ${run.unsent} of ${run.sentMs.length} echoes; they do not count as lost`);
  if (run.lost.unknown > 0) list.push(`of ${run.lost.unknown} losses the direction is not known: the responder did not report`);
  if (run.clockSteps > 0) list.push(`clock: the responder's clock stepped; ${run.clockSteps} round trips contain its holding time`);
  if (run.skewPpm !== undefined && Math.abs(run.skewPpm) >= 1)
    list.push(
      `clock: the responder's runs ${Math.abs(run.skewPpm).toFixed(1)} ppm ${run.skewPpm > 0 ? 'faster' : 'slower'}; taken out of the one-way figures`,
    );
  if (request.options.dscp !== undefined)
    list.push(`DSCP ${formatDscp(request.options.dscp)} was set on what was sent; whether it arrived unchanged cannot be known from here`);
  return list;
}

function detailsOf(run: EchoRun, { request, session, sampling }: Context): Record<string, unknown> {
  const raw = summarize(run.rawRttMs, { seed: request.seed });
  const late = sortedSamples(run.latenessMs);
  return {
    remote: formatEndpoint(session.flow.remote),
    sizeBytes: request.options.sizeBytes,
    intervalMs: sampling.intervalMs,
    count: sampling.count,
    handshakeMs: session.handshakeMs,
    ...(raw ? { withHoldingTime: raw } : {}),
    lost: run.lost,
    duplicates: run.duplicates,
    reordered: run.reordered,
    unsent: run.unsent,
    strays: run.strays,
    bursts: run.losses,
    ...jitterDetails(run),
    ...(run.skewPpm === undefined ? {} : { clockSkewPpm: run.skewPpm }),
    ...(run.lastAnswer ? { lastAnswer: run.lastAnswer } : {}),
    ...(request.options.dscp === undefined ? {} : { dscp: request.options.dscp }),
    stamps: session.flow.stamps,
    lateness: late.length === 0 ? {} : { unit: 'ms', median: quantile(late, 0.5), p99: quantile(late, 0.99), max: late[late.length - 1] },
    kernelDrops: run.kernelDrops,
    ...(run.report ? { kernelDropsAtPeer: run.report.kernelDrops } : {}),
    cpuMs: run.cpuMs,
    elapsedMs: run.elapsedMs,
    errors: run.errors,
    ...overTimeOf(run.rttMs, run.sentMs),
  };
}

/** Delay variation of each direction, in milliseconds. Only changes are known: the two clocks differ by an unknown constant. */
function jitterDetails(run: EchoRun): Record<string, unknown> {
  const direction = (transitMs: Float64Array, jitterMs: number | undefined): Record<string, unknown> => ({
    ...(jitterMs === undefined ? {} : { rfc3550JitterMs: jitterMs }),
    ipdvMs: percentiles(sortedSamples(ipdv(transitMs).map(Math.abs))),
    aboveMinimumMs: percentiles(aboveMinimum(transitMs)),
  });
  return { up: direction(run.upMs, run.jitterMs.up), down: direction(run.downMs, run.jitterMs.down) };
}

function aboveMinimum(transitMs: Float64Array): Float64Array {
  const sorted = sortedSamples(transitMs);
  const minimum = sorted[0] ?? 0;
  return sorted.map((transit) => transit - minimum);
}

function percentiles(sorted: Float64Array): Record<string, number> {
  if (sorted.length === 0) return { n: 0 };
  return {
    n: sorted.length,
    median: quantile(sorted, 0.5),
    p90: quantile(sorted, 0.9),
    p95: quantile(sorted, 0.95),
    p99: quantile(sorted, 0.99),
    max: sorted[sorted.length - 1] as number,
  };
}
