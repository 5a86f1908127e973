import { inflationAt } from './dependence.js';
import { type Interval, medianInterval, orderInterval, type QuantileIntervalOptions } from './intervals.js';
import { mean, presentSamples, quantile, standardDeviation } from './quantile.js';

/** Samples in short, in the samples' own unit. `ci95` bounds the median and is left out where samples are too few. */
export interface SampleSummary {
  n: number;
  min: number;
  median: number;
  mean: number;
  p95: number;
  p99: number;
  max: number;
  stddev: number;
  ci95?: Interval;
}

/**
 * Summarizes samples given in the order in which they were taken; NaN entries are left out. The seed is
 * used only with `method: 'bootstrap'`.
 * @returns undefined when there is no sample
 */
export function summarize(samples: ArrayLike<number>, options: Omit<QuantileIntervalOptions, 'level'> = {}): SampleSummary | undefined {
  const present = presentSamples(samples);
  if (present.length === 0) return undefined;
  const sorted = present.slice().sort();
  const median = quantile(sorted, 0.5);
  const ci95 = options.method === 'bootstrap' ? medianInterval(present, options) : orderInterval(sorted, 0.5, 0.95, inflationAt(present, median));
  return {
    n: sorted.length,
    min: sorted[0] as number,
    median,
    mean: mean(sorted),
    p95: quantile(sorted, 0.95),
    p99: quantile(sorted, 0.99),
    max: sorted[sorted.length - 1] as number,
    stddev: standardDeviation(sorted),
    ...(ci95 ? { ci95 } : {}),
  };
}
