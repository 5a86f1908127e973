import { assert } from '../base/index.js';

export interface HolmStep {
  readonly p: number;
  /** To be held against the family's error rate itself. */
  readonly corrected: number;
  /** What the family's error rate is divided by at this step: the level of an interval that goes with it is 1 - alpha / divisor. */
  readonly divisor: number;
}

/**
 * Holm's step-down correction (Scandinavian Journal of Statistics 6, 1979): whoever reports what is at most alpha afterwards
 * reports anything false with a probability of at most alpha, however the comparisons depend on each other.
 * @param comparisons how many were planned: those that have no p (yet) count as the largest, so that adding them later can
 *   only make the corrected ones smaller
 * @returns in the order of `ps`
 */
export function holm(ps: readonly number[], comparisons: number = ps.length): HolmStep[] {
  assert(comparisons >= ps.length, `${ps.length} of ${comparisons} comparisons`);
  const order = ps.map((p, i) => ({ p, i })).toSorted((a, b) => a.p - b.p);
  const steps: HolmStep[] = ps.map((p) => ({ p, corrected: 1, divisor: 1 }));
  let corrected = 0;
  for (const [rank, { p, i }] of order.entries()) {
    const divisor = comparisons - rank;
    corrected = Math.min(1, Math.max(corrected, p * divisor));
    steps[i] = { p, corrected, divisor };
  }
  return steps;
}
