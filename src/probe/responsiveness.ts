import { TautlineError, formatEndpoint, formatMs, seededRandom } from '../base/index.js';
import type { Measurement, MeasurementError, Summary } from '../results/index.js';
import { makerOf } from './measuring.js';
import type { Make } from './measuring.js';
import type { Probe, ProbeRequest } from './probe.js';
import { RESPONSIVENESS_PARAMETERS, lowest, medianOf, scoreInterval, scoreOf } from './responsiveness-algorithm.js';
import type { Confidence, ResponsivenessParameters, ResponsivenessSample, ResponsivenessScore } from './responsiveness-algorithm.js';
import { foreignProbe, runResponsiveness } from './responsiveness-run.js';
import type { ResponsivenessLog } from './responsiveness-run.js';
import { findService } from './responsiveness-service.js';
import type { ResponsivenessService, ServiceOptions } from './responsiveness-service.js';
import { intervalFlags, intervalsOf } from './sampling.js';
import type { Intervals } from './sampling.js';

export interface ResponsivenessOptions extends ServiceOptions {
  /** For both directions together; left out: 24 s, or what `count` and `intervalMs` come to. */
  readonly durationMs?: number;
}

const DIRECTIONS = ['down', 'up'] as const;
/** Shorter intervals than this see the bursts of single segments. */
const INTERVAL_MS_MIN = 250;
const IDLE_PROBES = 10;
/** The idle comparison may take this share of the time. */
const IDLE_SHARE = 0.1;
/** A process that wakes so late was too busy to be sure of its times. */
const LATE_MS = 20;
/** Above this share of a probe's time, this process itself is most of what was measured. */
const OWN_SHARE_MAX = 0.5;
/** A request takes one round trip as the handshake does, and a little for the server. */
const HANDSHAKE_FACTOR = 3;
const HANDSHAKE_MS = 5;

/** Round trips a minute while the path is full, in each direction, after draft-ietf-ippm-responsiveness. */
export const responsivenessProbe: Probe<ResponsivenessOptions> = {
  name: 'responsiveness',
  summary: 'round trips per minute under load (RPM), after the IETF draft, against a tautline serve or an nq server',
  flags: [
    { key: 'insecure', flag: '--insecure', help: 'go on although the certificate is not trusted', parse: () => true, boolean: true },
    ...intervalFlags('how long to measure, both directions together (default: 24s)'),
  ],
  defaults: { timeoutMs: 5000 },
  expectedMs: (options) => timeOf(options).durationMs,
  run: runProbe,
};

/** Twelve intervals a direction: eight until the averages have forgotten slow start, four of probes. */
const DURATION_MS = 24_000;

/**
 * `--count` intervals in each direction.
 * @throws TautlineError `usage`
 */
function timeOf(options: ResponsivenessOptions): Intervals {
  const { durationMs, ...each } = options;
  const ways = DIRECTIONS.length;
  const time = intervalsOf({ ...each, ...(durationMs === undefined ? {} : { durationMs: durationMs / ways }) }, { durationMs: DURATION_MS / ways });
  if (time.intervalMs !== undefined && time.intervalMs < INTERVAL_MS_MIN) {
    throw new TautlineError('usage', `an interval of ${formatMs(time.intervalMs)} is too short`, {
      hint: `below ${INTERVAL_MS_MIN}ms it sees the bursts of single segments: write for example --interval 500ms`,
    });
  }
  return { durationMs: time.durationMs * ways, intervalMs: time.intervalMs };
}

async function runProbe(request: ProbeRequest<ResponsivenessOptions>): Promise<Measurement[]> {
  const { options, ports, signal, seed } = request;
  const { durationMs, intervalMs } = timeOf(options);
  const make = makerOf('responsiveness', request);
  const found = await findService(request);
  if (found.outcome !== 'ok') return DIRECTIONS.map((direction) => make(`responsiveness.${direction}`, signal.aborted ? INTERRUPTED : found));
  const { service } = found;
  const insecure = options.insecure === true;
  const common = { ports, service, timeoutMs: options.timeoutMs, insecure, signal };
  try {
    request.onProgress(`idle round trips to ${formatEndpoint(service.remote)}`, 0);
    const startedMs = ports.clock.nowMs();
    const idle = await idleScore(common, durationMs * IDLE_SHARE);
    const measurements: Measurement[] = [];
    for (const [i, direction] of DIRECTIONS.entries()) {
      if (signal.aborted) {
        measurements.push(make(`responsiveness.${direction}`, INTERRUPTED));
        continue;
      }
      // What one direction did not need, the next one has.
      const directionMs = (durationMs - (ports.clock.nowMs() - startedMs)) / (DIRECTIONS.length - i);
      const parameters = { ...parametersFor(durationMs / DIRECTIONS.length), ...(intervalMs === undefined ? {} : { intervalMs }) };
      const log = await runResponsiveness({
        ...common,
        direction,
        parameters,
        budgetMs: directionMs,
        random: seededRandom(seed + i),
        onProgress: (stage, elapsedMs) =>
          request.onProgress(
            stage === 'goodput' ? `filling the path ${direction}` : `probing the full path ${direction}`,
            (i + Math.min(1, elapsedMs / directionMs)) / DIRECTIONS.length,
          ),
      });
      measurements.push(measurementOf(log, { make, direction, service, parameters, idle, seed, aborted: signal.aborted }));
    }
    return measurements;
  } finally {
    service.close();
  }
}

const INTERRUPTED = { outcome: 'unchecked', reason: 'interrupted before anything was measured', partial: true } as const;

/**
 * Both stages need MAD intervals, and goodput as many again until its averages have forgotten slow
 * start: where time is short, the intervals are.
 */
export function parametersFor(directionMs: number): ResponsivenessParameters {
  const { movingIntervals, intervalMs } = RESPONSIVENESS_PARAMETERS;
  const fitting = directionMs / (3 * movingIntervals);
  return { ...RESPONSIVENESS_PARAMETERS, intervalMs: Math.round(Math.max(INTERVAL_MS_MIN, Math.min(intervalMs, fitting))) };
}

/** The same probes without load, on connections of their own. */
async function idleScore(common: Parameters<typeof foreignProbe>[0], budgetMs: number): Promise<ResponsivenessScore | undefined> {
  const { clock } = common.ports;
  const startMs = clock.nowMs();
  const samples: ResponsivenessSample[] = [];
  for (let i = 0; i < IDLE_PROBES && !common.signal.aborted && clock.nowMs() - startMs < budgetMs; i++) {
    const { sample } = await foreignProbe(common);
    if (sample) samples.push(sample);
  }
  return scoreOf(samples, { trimmedShare: RESPONSIVENESS_PARAMETERS.trimmedShare, multiplexed: false });
}

interface Context {
  readonly make: Make;
  readonly direction: 'down' | 'up';
  readonly service: ResponsivenessService;
  readonly parameters: ResponsivenessParameters;
  readonly idle: ResponsivenessScore | undefined;
  readonly seed: number;
  readonly aborted: boolean;
}

function measurementOf(log: ResponsivenessLog, context: Context): Measurement {
  const { make, direction, parameters, seed, aborted } = context;
  const metric = `responsiveness.${direction}`;
  const details = detailsOf(log, context);
  const { score } = log;
  const cut = log.died ? `the load ended before its time: ${log.failures.join('; ')}` : aborted ? 'interrupted' : undefined;
  if (score === undefined) {
    const reason =
      cut ?? `no round trip could be timed under load (${log.probes.failed} of ${log.probes.sent} probes failed): give it more time with --duration`;
    const outcome = aborted ? 'unchecked' : 'lost';
    return make(metric, {
      outcome,
      reason: aborted ? 'interrupted before responsiveness could be measured' : reason,
      details,
      ...(cut === undefined ? {} : { partial: true }),
    });
  }
  const interval = scoreInterval(log.samples, { trimmedShare: parameters.trimmedShare, multiplexed: log.multiplexed, seed });
  const { rpm } = score;
  // One run gives one figure; how sure it is comes from the probes behind it.
  const summary: Summary = {
    unit: 'rpm',
    n: 1,
    min: rpm,
    median: rpm,
    mean: rpm,
    p95: rpm,
    p99: rpm,
    max: rpm,
    stddev: 0,
    ...(interval ? { ci95: interval } : {}),
  };
  return make(metric, {
    outcome: log.died ? 'lost' : 'ok',
    ...(cut === undefined ? {} : { reason: cut, partial: true }),
    summary,
    error: errorOf(log, { score, interval, parameters, idle: context.idle }),
    details,
  });
}

function errorOf(
  log: ResponsivenessLog,
  found: {
    score: ResponsivenessScore;
    interval: [number, number] | undefined;
    parameters: ResponsivenessParameters;
    idle: ResponsivenessScore | undefined;
  },
): MeasurementError {
  const { score, interval, parameters, idle } = found;
  const { rpm } = score;
  const confidence = confidenceOf(log, parameters);
  const lateMs = medianOf(log.latenessMs);
  const ownMs = medianOf(log.ownMs);
  const from = [
    `confidence ${confidence}: goodput ${STABILITY[log.confidence.goodput]}, responsiveness ${STABILITY[log.confidence.responsiveness]}`,
    interval ? `how far the probes scatter (${log.samples.length} of them)` : 'too few probes to say how far they scatter',
  ];
  if (!log.multiplexed)
    from.push('no HTTP/2: load and probes could not share a connection, so the figure knows only separate connections, and confidence stays low');
  if (parameters.intervalMs < RESPONSIVENESS_PARAMETERS.intervalMs)
    from.push(`intervals of ${parameters.intervalMs} ms instead of ${RESPONSIVENESS_PARAMETERS.intervalMs} ms: confidence is medium at most`);
  if (ownMs !== undefined) from.push(`this process was itself busy for ${formatMs(ownMs)} in each separate probe (median)`);
  const slowEnds = slowEndsOf(score, ownMs);
  if (slowEnds !== undefined) from.push(`${slowEnds}; the path itself may be as responsive as when it is idle`);
  if (lateMs !== undefined && lateMs > LATE_MS)
    from.push(`processor: this process woke ${formatMs(lateMs)} late (median), so it may be what is slow`);
  if (log.probes.failed > 0) from.push(`${log.probes.failed} of ${log.probes.sent} probes were not answered and do not count`);
  if (!log.died && log.failures.length > 0) from.push(`fewer connections than wanted: ${log.failures.join('; ')}`);
  const scatter = interval ? (interval[1] - interval[0]) / 2 : rpm;
  return { value: slowEnds === undefined ? scatter : Math.max(scatter, (idle?.rpm ?? 2 * rpm) - rpm), unit: 'rpm', from };
}

/**
 * On a path faster than the programs at its ends, the queue that probes wait in is theirs. Two signs:
 * this process was busy for most of a probe; or TCP's handshake, which the kernels do between
 * themselves over the same full path, took far less than the request that followed it.
 */
function slowEndsOf({ foreign }: ResponsivenessScore, ownMs: number | undefined): string | undefined {
  const foreignMs = foreign.tcpMs + (foreign.tlsMs ?? 0) + foreign.httpMs;
  if (ownMs !== undefined && ownMs > OWN_SHARE_MAX * foreignMs) return 'processor: this process was busy for most of that time';
  if (foreign.httpMs > HANDSHAKE_FACTOR * foreign.tcpMs && foreign.httpMs - foreign.tcpMs > HANDSHAKE_MS) {
    return `processor: requests took ${formatMs(foreign.httpMs)} where the kernels' own handshake over the same full path took ${formatMs(foreign.tcpMs)}, so the programs at the ends are what is slow`;
  }
  return undefined;
}

/** Intervals shorter than the draft's prove less. */
function confidenceOf(log: ResponsivenessLog, parameters: ResponsivenessParameters): Confidence {
  return lowest(log.confidence.overall, parameters.intervalMs < RESPONSIVENESS_PARAMETERS.intervalMs ? 'medium' : 'high');
}

const STABILITY: Readonly<Record<Confidence, string>> = {
  high: 'became stable',
  medium: 'did not become stable in time',
  low: 'was not watched for long enough',
};

function detailsOf(log: ResponsivenessLog, { service, parameters, idle }: Context): Record<string, unknown> {
  const { score } = log;
  return {
    confidence: confidenceOf(log, parameters),
    goodputBps: log.goodputBps,
    ...(idle ? { idleRpm: idle.rpm } : {}),
    ...(score ? { foreignRpm: score.foreignRpm, ...(score.selfRpm === undefined ? {} : { selfRpm: score.selfRpm }) } : {}),
    connections: log.connections,
    http: log.multiplexed ? (service.tls ? 'HTTP/2 over TLS' : 'HTTP/2 without TLS') : 'HTTP/1.1',
    remote: formatEndpoint(service.remote),
    service: service.source,
    ...(score ? { foreign: score.foreign, ...(score.self ? { self: score.self } : {}) } : {}),
    ...(idle ? { idle: idle.foreign } : {}),
    confidenceOf: { goodput: log.confidence.goodput, responsiveness: log.confidence.responsiveness },
    probes: log.probes,
    intervals: log.intervals,
    parameters,
    ...(log.failures.length > 0 ? { failures: log.failures } : {}),
  };
}
