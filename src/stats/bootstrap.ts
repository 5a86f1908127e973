import { assert, seededRandom } from '../base/index.js';
import { presentSamples, quantile } from './quantile.js';

export interface BootstrapOptions {
  readonly seed: number;
  /** 2000 unless told. */
  readonly resamples?: number;
  readonly level?: number;
}

/** At most this many draws in one call; a larger sample gets fewer resamples, never fewer than RESAMPLES_MIN. */
const DRAWS_MAX = 50_000_000;
const RESAMPLES_MIN = 200;

/**
 * Percentile bootstrap interval of any statistic of independent samples (Efron, Annals of Statistics 7/1,
 * 1979). Percentile and not BCa: BCa takes its acceleration from the jackknife, which is inconsistent for
 * quantiles (Efron and Tibshirani, An Introduction to the Bootstrap, 11.6), and quantiles are what this
 * is used for. `statistic` gets a buffer that it may reorder and must not keep.
 * @returns undefined below two samples
 */
export function bootstrapInterval(
  samples: ArrayLike<number>,
  statistic: (resample: Float64Array) => number,
  options: BootstrapOptions,
): [number, number] | undefined {
  const { seed, resamples = 2000, level = 0.95 } = options;
  assert(level > 0 && level < 1 && resamples >= 1, `bootstrap of ${resamples} resamples at level ${level}`);
  const present = presentSamples(samples);
  const n = present.length;
  if (n < 2) return undefined;
  const rounds = Math.max(Math.min(resamples, RESAMPLES_MIN), Math.min(resamples, Math.floor(DRAWS_MAX / n)));
  const random = seededRandom(seed);
  const resample = new Float64Array(n);
  const figures = new Float64Array(rounds);
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < n; i++) resample[i] = present[random.below(n)] as number;
    figures[round] = statistic(resample);
  }
  figures.sort();
  return [quantile(figures, (1 - level) / 2), quantile(figures, (1 + level) / 2)];
}
