import { presentSamples } from './quantile.js';

/** Below this many samples the correlation cannot be told from noise, and none is assumed. */
const SAMPLES_MIN = 20;
/** Longer series are added up in batches first, so the work stays linear. */
const BATCHES_MAX = 65_536;
const LAGS_MAX = 256;

/**
 * By how much the number of samples at or below `pivot` varies more than for independent samples: the
 * integrated autocorrelation time 1 + 2 (r1 + r2 + ...) of the series "at or below the pivot", with Sokal's
 * self-consistent window (Monte Carlo Methods in Statistical Mechanics, 1997, 3.3: stop at the first lag
 * that is at least five times the time found so far). A train of RTTs taken every millisecond sees the
 * same queue many times over; without this an interval from it would be far too narrow.
 * @returns at least 1; n divided by it is the effective number of samples
 */
export function inflationAt(samples: ArrayLike<number>, pivot: number): number {
  const series = presentSamples(samples);
  if (series.length < SAMPLES_MIN) return 1;
  for (let i = 0; i < series.length; i++) series[i] = (series[i] as number) <= pivot ? 1 : 0;
  center(series);
  const independent = autocovariance(series, 0);
  if (independent === 0) return 1;
  const size = Math.ceil(series.length / BATCHES_MAX);
  const batches = size === 1 ? series : batchSums(series, size);
  return Math.max(1, windowedSum(batches) / (independent * size));
}

/** Long-run variance of a centred series: lag 0 plus twice the lags inside the window. */
function windowedSum(series: Float64Array): number {
  const lag0 = autocovariance(series, 0);
  const lags = Math.min(LAGS_MAX, Math.floor(series.length / 4));
  let sum = lag0;
  for (let lag = 1; lag <= lags; lag++) {
    sum += 2 * autocovariance(series, lag);
    if (lag * lag0 >= 5 * sum) break;
  }
  return sum;
}

/** Autocovariance of a centred series, with n in the denominator. */
function autocovariance(series: Float64Array, lag: number): number {
  let products = 0;
  for (let i = lag; i < series.length; i++) products += (series[i] as number) * (series[i - lag] as number);
  return products / series.length;
}

function center(series: Float64Array): void {
  let sum = 0;
  for (let i = 0; i < series.length; i++) sum += series[i] as number;
  const average = sum / series.length;
  for (let i = 0; i < series.length; i++) series[i] = (series[i] as number) - average;
}

function batchSums(series: Float64Array, size: number): Float64Array {
  const sums = new Float64Array(Math.floor(series.length / size));
  for (let i = 0; i < sums.length * size; i++) {
    const batch = Math.floor(i / size);
    sums[batch] = (sums[batch] as number) + (series[i] as number);
  }
  return sums;
}
