import { DEFAULT_PORT, TautlineError, formatEndpoint, formatRate, parseDurationMs, parseRateBps, parseSizeBytes } from '../base/index.js';
import type { Endpoint } from '../base/index.js';
import type { Measurement } from '../results/index.js';
import { TEST_STREAMS_MAX } from '../wire/index.js';
import { candidatesOf } from './candidates.js';
import type { Control, ControlOutcome } from './control-client.js';
import { openControl } from './control-client.js';
import { parseDscp } from './dscp.js';
import { LoadedLatency } from './loaded-latency.js';
import { makerOf } from './measuring.js';
import type { CommonOptions, Probe, ProbeRequest } from './probe.js';
import { intervalFlags, intervalsOf } from './sampling.js';
import type { DirectionResult, StreamTest } from './stream-test.js';
import { tcpRttMs, throughputMeasurement } from './throughput-figures.js';
import { UDP_SIZE_BYTES_DEFAULT, measureUdpThroughput } from './udp-throughput.js';

export interface ThroughputOptions extends CommonOptions {
  readonly streams: number;
  /** Left out: up, then down. */
  readonly direction?: 'up' | 'down' | 'both';
  /** Bytes to move in each direction, instead of a duration. */
  readonly bytes?: number;
  /** The start of the run that does not count; left out: a fifth of it, at most a second. */
  readonly omitMs?: number;
  readonly rateBps?: number;
  readonly copy?: boolean;
  readonly dscp?: number;
  readonly udp?: boolean;
  /** Payload bytes of each datagram, with `udp`. */
  readonly sizeBytes?: number;
}

const DURATION_MS = 5000;
const OMIT_SHARE = 0.2;
const OMIT_MS_MAX = 1000;
/** Enough figures for a summary, none so short that it says more about scheduling than about the path. */
const INTERVALS = 20;
const INTERVAL_MS_MIN = 50;
const INTERVAL_MS_MAX = 1000;
/** A load that took less than this part of its time ended early. */
const EARLY_SHARE = 0.9;

/**
 * Bulk rate to, from, or both ways with a `tautline serve`, timed by the receiver, and the
 * distribution of the round trip before and during it.
 */
export const throughputProbe: Probe<ThroughputOptions> = {
  name: 'throughput',
  summary: 'bulk rate over TCP or UDP with the latency under that load, against a tautline serve',
  flags: [
    { key: 'streams', flag: '--streams <n>', help: `TCP connections at once, 1 to ${TEST_STREAMS_MAX}`, parse: parseStreams },
    {
      key: 'direction',
      flag: '--direction <way>',
      help: 'up (to the server), down, or both at once; left out: up, then down',
      parse: parseDirection,
    },
    { key: 'bytes', flag: '--bytes <size>', help: 'move this much in each direction, instead of --duration', parse: parseBytes },
    {
      key: 'omitMs',
      flag: '--omit <time>',
      help: 'start of the run that does not count (default: a fifth of it, at most 1s)',
      parse: parseDurationMs,
    },
    {
      key: 'rateBps',
      flag: '--rate <rate>',
      help: 'bits per second in each direction, such as 50M (default: as fast as it goes)',
      parse: parseRateBps,
    },
    {
      key: 'copy',
      flag: '--copy',
      help: 'receivers copy the bytes as an application would, instead of letting the kernel discard them',
      parse: () => true,
      boolean: true,
    },
    {
      key: 'dscp',
      flag: '--dscp <n>',
      help: 'differentiated services code point of what is sent from here: 0 to 63, or a name such as EF',
      parse: parseDscp,
    },
    { key: 'udp', flag: '--udp', help: 'UDP instead of TCP, with loss and jitter', parse: () => true, boolean: true },
    {
      key: 'sizeBytes',
      flag: '--size <bytes>',
      help: `payload bytes of each datagram, with --udp (default ${UDP_SIZE_BYTES_DEFAULT})`,
      parse: parseSizeBytes,
    },
    ...intervalFlags('how long to measure in each direction (default: 5s)'),
  ],
  defaults: { timeoutMs: 3000, streams: 1 },
  expectedMs: (options) => intervalsOf(options, { durationMs: DURATION_MS }).durationMs * (options.direction === undefined ? 2 : 1) + 700,
  run: (request) => (request.options.udp ? runUdp(request) : runTcp(request)),
};

// --- Options ---------------------------------------------------------------------------------

/** @throws TautlineError `usage` */
function parseStreams(text: string): number {
  return checkedStreams(/^\d+$/.test(text) ? Number(text) : Number.NaN, text);
}

function checkedStreams(streams: number, text = String(streams)): number {
  if (Number.isInteger(streams) && streams >= 1 && streams <= TEST_STREAMS_MAX) return streams;
  throw new TautlineError('usage', `'${text}' is not a number of streams`, {
    hint: `--streams takes a whole number from 1 to ${TEST_STREAMS_MAX}`,
  });
}

function parseDirection(text: string): 'up' | 'down' | 'both' {
  if (text === 'up' || text === 'down' || text === 'both') return text;
  throw new TautlineError('usage', `'${text}' is not a direction`, {
    hint: '--direction takes up (to the server), down (from it), or both (at once)',
  });
}

function parseBytes(text: string): number {
  return checkedBytes(parseSizeBytes(text));
}

function checkedBytes(bytes: number): number {
  if (Number.isSafeInteger(bytes) && bytes >= 1) return bytes;
  throw new TautlineError('usage', `${bytes} bytes cannot be moved`, { hint: 'write for example --bytes 100M' });
}

interface Schedule {
  readonly durationMs?: number;
  readonly bytes?: number;
  readonly omitMs: number;
  readonly intervalMs: number;
}

/** @throws TautlineError `usage` for what cannot be */
function scheduleOf(options: ThroughputOptions): Schedule {
  const bad = (what: string, hint: string): TautlineError => new TautlineError('usage', what, { hint });
  checkedStreams(options.streams);
  if (options.bytes !== undefined) checkedBytes(options.bytes);
  if (options.bytes !== undefined && options.durationMs !== undefined) throw bad('--bytes and --duration exclude each other', 'give one of them');
  if (options.sizeBytes !== undefined) throw bad('--size is for datagrams', 'add --udp, or leave it out');
  if (options.bytes !== undefined && options.count !== undefined) throw bad('--bytes and --count exclude each other', 'give one of them');
  const asked = intervalsOf(options, { durationMs: DURATION_MS });
  const { durationMs } = asked;
  if (durationMs < 1) throw bad(`--duration cannot be ${durationMs} ms`, 'write for example --duration 5s');
  const intervalMs = asked.intervalMs ?? Math.min(INTERVAL_MS_MAX, Math.max(INTERVAL_MS_MIN, durationMs / INTERVALS));
  if (!(intervalMs >= 10 && intervalMs <= 60_000))
    throw bad(`--interval cannot be ${intervalMs} ms here`, 'an interval of a throughput is 10ms to 60s long');
  const omitMs = options.omitMs ?? (options.bytes === undefined ? Math.min(OMIT_MS_MAX, durationMs * OMIT_SHARE) : 0);
  if (options.bytes === undefined && omitMs >= durationMs)
    throw bad(`--omit ${omitMs} ms leaves nothing of ${durationMs} ms`, 'choose a longer --duration or a shorter --omit');
  return { omitMs, intervalMs, ...(options.bytes === undefined ? { durationMs } : { bytes: options.bytes }) };
}

// --- Runs ------------------------------------------------------------------------------------

/** UDP takes one way, or both at once; left out, one after the other as with TCP. */
async function runUdp(request: ProbeRequest<ThroughputOptions>): Promise<Measurement[]> {
  const { options } = request;
  if (options.bytes !== undefined) throw new TautlineError('usage', '--bytes is for TCP', { hint: 'use --duration with --udp' });
  if (options.copy) throw new TautlineError('usage', '--copy is for TCP', { hint: 'datagrams are always copied; leave it out' });
  if (options.streams !== 1) throw new TautlineError('usage', '--streams is for TCP', { hint: 'UDP sends one flow in each direction; leave it out' });
  if (options.omitMs !== undefined) throw new TautlineError('usage', '--omit is for TCP', { hint: 'UDP has no slow start to leave out' });
  const measurements: Measurement[] = [];
  for (const direction of options.direction === undefined ? (['up', 'down'] as const) : [options.direction]) {
    if (measurements.length > 0 && request.signal.aborted) break;
    const { durationMs, intervalMs } = intervalsOf(options, { durationMs: DURATION_MS });
    measurements.push(
      ...(await measureUdpThroughput({
        ...request,
        options: {
          ...options,
          direction,
          durationMs,
          sizeBytes: options.sizeBytes ?? UDP_SIZE_BYTES_DEFAULT,
          ...(intervalMs === undefined ? {} : { intervalMs }),
        },
      })),
    );
  }
  return measurements;
}

async function runTcp(request: ProbeRequest<ThroughputOptions>): Promise<Measurement[]> {
  const { options, signal } = request;
  const schedule = scheduleOf(options);
  const make = makerOf('throughput', request);
  const rounds = options.direction === undefined ? (['up', 'down'] as const) : [options.direction];
  const metrics = (round: 'up' | 'down' | 'both'): string[] => (round === 'both' ? ['throughput.up', 'throughput.down'] : [`throughput.${round}`]);
  const failed = (failure: { outcome: Measurement['outcome']; reason: string }): Measurement[] =>
    rounds.flatMap(metrics).map((metric) => make(metric, failure));
  const found = await candidatesOf(request, { host: request.target.host, port: request.target.port ?? DEFAULT_PORT });
  if (found.outcome !== 'ok') return failed(found);
  request.onProgress(`connecting to ${formatEndpoint(found.remotes[0] as Endpoint)}`, 0);
  const opened = await openFirstControl(found.remotes, request);
  if (opened.outcome !== 'ok') return failed(opened);
  const { control, remote } = opened;
  const { schedule: allowed, also } = within(control, options, schedule);
  const latency = new LoadedLatency(request, remote, make);
  try {
    request.onProgress('measuring the idle round trip', 0);
    const idle = await latency.idle(schedule.durationMs ?? 0);
    const measurements: Measurement[] = [];
    for (const [i, round] of rounds.entries()) {
      if (signal.aborted && i > 0) break;
      const scope: Scope = { request, control, latency, schedule: allowed, done: i / rounds.length, share: 1 / rounds.length };
      const { results, failure, loaded } = await load(round, scope);
      if (failure) measurements.push(...metrics(round).map((metric) => make(metric, failure)));
      const figures = {
        make,
        seed: request.seed,
        streams: options.streams,
        omitMs: schedule.omitMs,
        intervalMs: schedule.intervalMs,
        ...(allowed.durationMs === undefined ? {} : { durationMs: allowed.durationMs }),
        copy: options.copy ?? false,
        ...(request.onSamples ? { onSamples: request.onSamples } : {}),
        also,
        ...(allowed.rateBps === undefined ? {} : { rateBps: allowed.rateBps }),
      };
      measurements.push(...results.map((result) => throughputMeasurement(result, figures)));
      if (loaded) measurements.push(loaded);
    }
    return idle ? [...measurements, idle] : measurements;
  } finally {
    control.close();
    await latency.close();
  }
}

/** The first address that gives a control connection; else what the first one said. */
async function openFirstControl(
  remotes: readonly Endpoint[],
  { ports, options, key, signal }: ProbeRequest<ThroughputOptions>,
): Promise<{ outcome: 'ok'; control: Control; remote: Endpoint } | Exclude<ControlOutcome, { outcome: 'ok' }>> {
  let first: Exclude<ControlOutcome, { outcome: 'ok' }> | undefined;
  for (const remote of remotes) {
    const opened = await openControl({
      ports,
      remote,
      timeoutMs: options.timeoutMs,
      signal,
      ...(key ? { key } : {}),
      ...(options.dscp === undefined ? {} : { dscp: options.dscp }),
    });
    if (opened.outcome === 'ok') return { ...opened, remote };
    first ??= opened;
    if (opened.outcome === 'unchecked') break;
  }
  return first ?? { outcome: 'lost', reason: 'the target has no address' };
}

type Allowed = Schedule & { readonly rateBps?: number };

/** Keeps to the server's limits where that only makes the run shorter or slower, and says so. */
function within(control: Control, options: ThroughputOptions, schedule: Schedule): { schedule: Allowed; also: string[] } {
  const also: string[] = [];
  let { durationMs } = schedule;
  let { rateBps } = options;
  const { durationMsMax, rateBpsMax = Number.POSITIVE_INFINITY } = control.limits;
  if (durationMs !== undefined && durationMs > durationMsMax) {
    also.push(`limit: the server allows ${durationMsMax} ms, ${durationMs} were asked for`);
    durationMs = durationMsMax;
  }
  if (rateBpsMax < UNBOUNDED_BPS && (rateBps ?? Number.POSITIVE_INFINITY) > rateBpsMax) {
    also.push(`limit: the server allows ${formatRate(rateBpsMax)}`);
    rateBps = rateBpsMax;
  }
  return {
    schedule: { ...schedule, ...(durationMs === undefined ? {} : { durationMs }), ...(rateBps === undefined ? {} : { rateBps }) },
    also,
  };
}

/** What a server says that sets no bound. */
const UNBOUNDED_BPS = 1e12;

interface Scope {
  readonly request: ProbeRequest<ThroughputOptions>;
  readonly control: Control;
  readonly latency: LoadedLatency;
  readonly schedule: Allowed;
  /** How far along the whole is when this begins, and this load's part of it. */
  readonly done: number;
  readonly share: number;
}

interface Loaded {
  readonly results: readonly DirectionResult[];
  readonly failure: { outcome: Measurement['outcome']; reason: string } | undefined;
  readonly loaded: Measurement | undefined;
}

/** One load, and the round trip during it. */
async function load(round: 'up' | 'down' | 'both', { request, control, latency, schedule, done, share }: Scope): Promise<Loaded> {
  const { options, signal, onProgress } = request;
  const { durationMs, bytes, omitMs, intervalMs, rateBps } = schedule;
  await latency.prepare();
  const ended = new AbortController();
  let echoes: Promise<unknown> | undefined;
  let moved = 0;
  const test: StreamTest = {
    direction: round,
    streams: options.streams,
    intervalMs,
    signal,
    ...(durationMs === undefined ? {} : { durationMs }),
    ...(bytes === undefined ? {} : { bytes }),
    ...(rateBps === undefined ? {} : { rateBps }),
    ...(options.copy === undefined ? {} : { copy: options.copy }),
    onInterval: (_, interval) => {
      moved += interval.bytes.reduce((sum, part) => sum + part, 0);
      // Not before bytes arrive: between the order to begin and the first of them a busy host may take its time.
      if (moved > 0)
        echoes ??= latency.during({ omitMs, sinceMs: interval.endMs, ended: ended.signal, ...(durationMs === undefined ? {} : { durationMs }) });
      const fraction = durationMs === undefined ? moved / ((bytes ?? 1) * (round === 'both' ? 2 : 1)) : interval.endMs / durationMs;
      onProgress(
        `loading the path ${round === 'both' ? 'both ways' : round} with ${options.streams} stream${options.streams === 1 ? '' : 's'}`,
        done + share * Math.min(1, fraction),
      );
    },
  };
  const result = await control.test(test);
  // Echoes end by themselves with a load that took its time; the last answers are still worth waiting for.
  const early = result.outcome !== 'ok' || durationMs === undefined || result.elapsedMs < durationMs * EARLY_SHARE;
  if (early) ended.abort();
  await echoes;
  if (result.outcome !== 'ok') return { results: [], failure: result, loaded: undefined };
  const tcpMs = result.directions.map((direction) => ({ direction: direction.direction, rttMs: tcpRttMs(direction, omitMs) }));
  return { results: result.directions, failure: undefined, loaded: latency.take(`rtt.loaded.${round}`, tcpMs) };
}
