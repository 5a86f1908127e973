import { assert } from '../base/index.js';
import { incompleteBeta } from './special.js';

/** A sorted copy without the NaN entries; the input is left as it is. */
export function sortedSamples(samples: ArrayLike<number>): Float64Array {
  const present = presentSamples(samples);
  return present.sort();
}

/** A copy without the NaN entries, in the given order. */
export function presentSamples(samples: ArrayLike<number>): Float64Array {
  const kept = new Float64Array(samples.length);
  let n = 0;
  for (let i = 0; i < samples.length; i++) {
    const value = samples[i] as number;
    if (!Number.isNaN(value)) kept[n++] = value;
  }
  return kept.slice(0, n);
}

/**
 * Quantile of samples sorted in ascending order, linearly interpolated between the two order statistics
 * around (n - 1) p: type 7 of Hyndman and Fan (The American Statistician 50/4, 1996), the default of R,
 * NumPy and Excel.
 * @returns NaN when there are no samples
 */
export function quantile(sorted: ArrayLike<number>, p: number): number {
  assert(p >= 0 && p <= 1, `quantile of ${p}`);
  const n = sorted.length;
  if (n === 0) return Number.NaN;
  const at = (n - 1) * p;
  const below = Math.floor(at);
  const low = sorted[below] as number;
  if (below + 1 >= n || at === below) return low;
  const high = sorted[below + 1] as number;
  return low + (at - below) * (high - low);
}

/**
 * Quantile as a weighted mean of all order statistics (Harrell and Davis, Biometrika 69/3, 1982): steadier
 * than one order statistic where samples are few, at the price that an outlier has a say.
 * @returns NaN when there are no samples
 */
export function harrellDavisQuantile(sorted: ArrayLike<number>, p: number): number {
  assert(p > 0 && p < 1, `Harrell-Davis quantile of ${p}`);
  const n = sorted.length;
  const a = (n + 1) * p;
  const b = (n + 1) * (1 - p);
  let sum = n === 0 ? Number.NaN : 0;
  let before = 0;
  for (let i = 1; i <= n; i++) {
    const upTo = incompleteBeta(i / n, a, b);
    sum += (upTo - before) * (sorted[i - 1] as number);
    before = upTo;
  }
  return sum;
}

/** Arithmetic mean of the samples that are present; NaN when there are none. */
export function mean(samples: ArrayLike<number>): number {
  let sum = 0;
  let n = 0;
  for (let i = 0; i < samples.length; i++) {
    const value = samples[i] as number;
    if (Number.isNaN(value)) continue;
    sum += value;
    n++;
  }
  return n === 0 ? Number.NaN : sum / n;
}

/** Standard deviation with n - 1 in the denominator, in two passes; 0 for a single sample, NaN for none. */
export function standardDeviation(samples: ArrayLike<number>): number {
  const center = mean(samples);
  let squares = 0;
  let n = 0;
  for (let i = 0; i < samples.length; i++) {
    const value = samples[i] as number;
    if (Number.isNaN(value)) continue;
    squares += (value - center) ** 2;
    n++;
  }
  if (n === 0) return Number.NaN;
  return n === 1 ? 0 : Math.sqrt(squares / (n - 1));
}

/** Mean after cutting off floor(n x `proportion`) samples at either end, 0 <= proportion < 0.5; NaN when there are no samples. */
export function trimmedMean(samples: ArrayLike<number>, proportion: number): number {
  assert(proportion >= 0 && proportion < 0.5, `cannot trim ${proportion} off each end`);
  const sorted = sortedSamples(samples);
  const cut = Math.floor(sorted.length * proportion);
  return mean(sorted.subarray(cut, sorted.length - cut));
}
