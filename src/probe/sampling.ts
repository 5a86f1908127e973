import { TautlineError } from '../base/index.js';
import type { CommonOptions } from './probe.js';

/** One figure a sample is kept until the end; more would be memory without more knowledge. */
export const SAMPLES_MAX = 5_000_000;

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
  if (options.count !== undefined && !(Number.isInteger(options.count) && options.count > 0)) throw impossible('--count', options.count, 'write for example --count 100');
  const fitting = options.durationMs === undefined ? undefined : Math.max(1, Math.floor(options.durationMs / intervalMs + 1e-9));
  const count = Math.min(options.count ?? fitting ?? defaults.count, fitting ?? Number.POSITIVE_INFINITY);
  if (count > SAMPLES_MAX) {
    throw new TautlineError('usage', `${count} samples are more than one run keeps (${SAMPLES_MAX})`, { hint: 'choose a longer --interval, or a smaller --count or --duration' });
  }
  return { count, intervalMs };
}

function impossible(flag: string, value: number, hint: string): TautlineError {
  return new TautlineError('usage', `${flag} cannot be ${value}`, { hint });
}
