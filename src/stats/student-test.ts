import { mean, presentSamples, standardDeviation } from './quantile.js';
import { studentTCdf } from './special.js';

export interface StudentTest {
  readonly n: number;
  readonly mean: number;
  /** Of the mean: the samples' standard deviation over the root of their number. */
  readonly standardError: number;
  readonly t: number;
  /** Two-sided. */
  readonly p: number;
}

/**
 * Student's test of whether independent samples scatter around zero (for paired figures: their differences). Samples that
 * are all the same have no scatter to judge by: then p is 0, or 1 where they are all zero, and the caller has to know
 * whether they can be that exact.
 * @returns undefined below two samples
 */
export function studentTest(samples: ArrayLike<number>): StudentTest | undefined {
  const present = presentSamples(samples);
  const n = present.length;
  if (n < 2) return undefined;
  const center = mean(present);
  const standardError = standardDeviation(present) / Math.sqrt(n);
  if (standardError === 0) return { n, mean: center, standardError, t: center === 0 ? 0 : Math.sign(center) * Infinity, p: center === 0 ? 1 : 0 };
  const t = center / standardError;
  return { n, mean: center, standardError, t, p: 2 * studentTCdf(-Math.abs(t), n - 1) };
}
