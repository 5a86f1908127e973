import { TautlineError, parseDurationMs } from '../base/index.js';
import type { CommonOptions, ProbeFlag } from './probe.js';

/** One figure a sample is kept until the end; more would be memory without more knowledge. */
export const SAMPLES_MAX = 5_000_000;

/** @throws TautlineError `usage` */
export function parseCount(text: string): number {
  if (/^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= SAMPLES_MAX) return Number(text);
  throw new TautlineError('usage', `'${text}' is not a whole number from 1 to ${SAMPLES_MAX}`, { hint: 'write for example 100' });
}

/** The flags of a probe whose samples are the intervals of one run. */
export function intervalFlags(durationHelp: string): readonly ProbeFlag[] {
  return [
    {
      key: 'count',
      flag: '--count <n>',
      help: 'intervals to measure in each direction; each takes --interval, else its part of --duration, else 1s',
      parse: parseCount,
    },
    { key: 'intervalMs', flag: '--interval <time>', help: 'length of an interval', parse: parseDurationMs },
    { key: 'durationMs', flag: '--duration <time>', help: durationHelp, parse: parseDurationMs },
  ];
}

export interface Sampling {
  readonly count: number;
  readonly intervalMs: number;
}

/**
 * How many samples to take and how far apart, from whichever of `--count`, `--interval` and
 * `--duration` were given. With both a count and a duration, the run ends with the first of them.
 * @throws TautlineError `usage` for a count, interval or duration of zero, or more samples than can be kept
 */
export function samplingOf(options: Pick<CommonOptions, 'count' | 'intervalMs' | 'durationMs'>, defaults: Sampling): Sampling {
  const intervalMs = options.intervalMs ?? defaults.intervalMs;
  if (!(intervalMs > 0) || !Number.isFinite(intervalMs)) throw impossible('--interval', intervalMs, 'write for example --interval 10ms');
  if (options.durationMs !== undefined && !(options.durationMs > 0 && Number.isFinite(options.durationMs))) {
    throw impossible('--duration', options.durationMs, 'write for example --duration 5s');
  }
  if (options.count !== undefined && !(Number.isInteger(options.count) && options.count > 0))
    throw impossible('--count', options.count, 'write for example --count 100');
  const fitting = options.durationMs === undefined ? undefined : Math.max(1, Math.floor(options.durationMs / intervalMs + 1e-9));
  const count = Math.min(options.count ?? fitting ?? defaults.count, fitting ?? Number.POSITIVE_INFINITY);
  if (count > SAMPLES_MAX) {
    throw new TautlineError('usage', `${count} samples are more than one run keeps (${SAMPLES_MAX})`, {
      hint: 'choose a longer --interval, or a smaller --count or --duration',
    });
  }
  return { count, intervalMs };
}

export interface Intervals {
  readonly durationMs: number;
  /** Undefined where nobody asked for one: the probe chooses. */
  readonly intervalMs: number | undefined;
}

/**
 * How long a run is that is measured as a whole, and the intervals that it is told in: there a sample
 * is an interval. `--count` of them are `--interval` long each, else they share `--duration`, else
 * each takes a second; with all three, the run ends with the first of both.
 * @throws TautlineError `usage` for a count, interval or duration of zero
 */
export function intervalsOf(
  options: Pick<CommonOptions, 'count' | 'intervalMs' | 'durationMs'>,
  defaults: { readonly durationMs: number },
): Intervals {
  const { count, durationMs } = options;
  samplingOf(options, { count: 1, intervalMs: 1 });
  if (count === undefined) return { durationMs: durationMs ?? defaults.durationMs, intervalMs: options.intervalMs };
  const intervalMs = options.intervalMs ?? (durationMs === undefined ? SECOND_MS : durationMs / count);
  return { durationMs: Math.min(count * intervalMs, durationMs ?? Number.POSITIVE_INFINITY), intervalMs };
}

const SECOND_MS = 1000;

function impossible(flag: string, value: number, hint: string): TautlineError {
  return new TautlineError('usage', `${flag} cannot be ${value}`, { hint });
}
