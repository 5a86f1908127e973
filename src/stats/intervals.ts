import { assert } from '../base/index.js';
import { bootstrapInterval } from './bootstrap.js';
import { inflationAt } from './dependence.js';
import { mean, presentSamples, quantile, sortedSamples, standardDeviation } from './quantile.js';
import { binomialCdf, normalQuantile, studentTQuantile } from './special.js';

/** Lower and upper bound. */
export type Interval = [number, number];

export interface QuantileIntervalOptions {
  /** Confidence, 0.95 unless told. */
  readonly level?: number;
  /**
   * `order` (default) reads the bounds off the order statistics: exact for independent samples of any
   * distribution, and nothing is drawn. `bootstrap` resamples, seeded; it also gives bounds where samples
   * are too few for `order`, and they are then too narrow.
   */
  readonly method?: 'order' | 'bootstrap';
  /** For `bootstrap`. */
  readonly seed?: number;
  /** For `bootstrap`, 2000 unless told. */
  readonly resamples?: number;
}

/**
 * Wilson's score interval of a proportion (Wilson, JASA 22, 1927): stays inside [0, 1] and holds its level
 * near 0, where loss ratios live. [0, 1] when nothing was tried.
 */
export function wilson(successes: number, n: number, level = 0.95): Interval {
  assert(successes >= 0 && successes <= n, `${successes} of ${n}`);
  if (n === 0) return [0, 1];
  const z = normalQuantile(0.5 + level / 2);
  const p = successes / n;
  const denominator = 1 + (z * z) / n;
  const center = (p + (z * z) / (2 * n)) / denominator;
  const half = (z / denominator) * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n));
  // At the ends the bound is exact; rounding must not move it off.
  return [successes === 0 ? 0 : Math.max(0, center - half), successes === n ? 1 : Math.min(1, center + half)];
}

/** Student's t interval of the mean of independent samples; undefined below two samples. */
export function meanInterval(samples: ArrayLike<number>, level = 0.95): Interval | undefined {
  const present = presentSamples(samples);
  if (present.length < 2) return undefined;
  const center = mean(present);
  const half = (studentTQuantile(0.5 + level / 2, present.length - 1) * standardDeviation(present)) / Math.sqrt(present.length);
  return [center - half, center + half];
}

/** Interval of the median; see `quantileInterval`. At 95 % it needs six samples. */
export function medianInterval(samples: ArrayLike<number>, options: QuantileIntervalOptions = {}): Interval | undefined {
  return quantileInterval(samples, 0.5, options);
}

/**
 * Interval of a quantile. The number of samples below the true quantile is binomial, so two order
 * statistics bound it whatever the distribution (David and Nagaraja, Order Statistics, 7.1). Where
 * neighbouring samples resemble each other, that count varies more than the binomial says; the ranks
 * then move apart by the square root of the inflation (see `dependence.ts`).
 * @returns undefined when there are too few samples for such bounds to exist
 */
export function quantileInterval(samples: ArrayLike<number>, p: number, options: QuantileIntervalOptions = {}): Interval | undefined {
  const { level = 0.95, method = 'order', seed = 1, resamples } = options;
  if (method === 'bootstrap') {
    return bootstrapInterval(samples, (resample) => quantile(resample.sort(), p), { seed, level, ...(resamples === undefined ? {} : { resamples }) });
  }
  const sorted = sortedSamples(samples);
  return orderInterval(sorted, p, level, inflationAt(samples, quantile(sorted, p)));
}

/** As `quantileInterval`, for samples already sorted and an inflation already known. */
export function orderInterval(sorted: ArrayLike<number>, p: number, level: number, inflation: number): Interval | undefined {
  const ranks = orderRanks(sorted.length, p, level);
  if (!ranks) return undefined;
  const widen = Math.sqrt(Math.max(1, inflation));
  const center = sorted.length * p + 0.5;
  const low = Math.floor(center - (center - ranks[0]) * widen);
  const high = Math.ceil(center + (ranks[1] - center) * widen);
  if (low < 1 || high > sorted.length) return undefined;
  return [sorted[low - 1] as number, sorted[high - 1] as number];
}

/**
 * The innermost ranks (from 1) with P(Bin(n, p) < low) and P(Bin(n, p) >= high) each at most half of what
 * the level leaves over; undefined when no rank does.
 */
export function orderRanks(n: number, p: number, level: number): Interval | undefined {
  const tail = (1 - level) / 2;
  if (binomialCdf(0, n, p) > tail || 1 - binomialCdf(n - 1, n, p) > tail) return undefined;
  // Largest low in [1, n] whose tail still fits; the tail grows with low.
  let low = 1;
  for (let above = n + 1; above - low > 1;) {
    const middle = (low + above) >> 1;
    if (binomialCdf(middle - 1, n, p) <= tail) low = middle;
    else above = middle;
  }
  let high = n;
  for (let below = 0; high - below > 1;) {
    const middle = (high + below) >> 1;
    if (1 - binomialCdf(middle - 1, n, p) <= tail) high = middle;
    else below = middle;
  }
  return [low, high];
}
