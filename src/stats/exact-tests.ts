import { assert } from '../base/index.js';
import { presentSamples } from './quantile.js';
import { logGamma } from './special.js';

/** Two to this many sign patterns are tried at most. */
const SIGNS_MAX = 20;

/**
 * The exact randomisation test for paired figures whose order was drawn by lot (Fisher, The Design of Experiments, 1935,
 * section 21): the share of all sign patterns of the differences whose sum is at least as far from zero. It assumes nothing
 * of the noise, and cannot say less than 2 / 2^n.
 * @returns undefined without samples or above 20
 */
export function signFlipTest(differences: ArrayLike<number>): number | undefined {
  const sizes = presentSamples(differences);
  const n = sizes.length;
  if (n === 0 || n > SIGNS_MAX) return undefined;
  const observed = Math.abs(sizes.reduce((sum, x) => sum + x, 0));
  // Rounding must not make the pattern that was observed less far than itself.
  const enough = observed * (1 - 1e-12);
  let far = 0;
  for (let pattern = 0; pattern < 2 ** n; pattern++) {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += (pattern >> i) & 1 ? (sizes[i] as number) : -(sizes[i] as number);
    if (Math.abs(sum) >= enough) far++;
  }
  return far / 2 ** n;
}

/** `[events, trials]` of one side. */
export type Tally = readonly [number, number];

/**
 * Fisher's exact test of whether two shares differ, two-sided: the probability of all tables with the same margins that are
 * no more likely than the one that was seen.
 */
export function fisherExact(one: Tally, other: Tally): number {
  const [a, n1] = one;
  const [b, n2] = other;
  assert(a >= 0 && a <= n1 && b >= 0 && b <= n2, `${a} of ${n1}, ${b} of ${n2}`);
  const events = a + b;
  const logTable = (x: number): number => logChoose(n1, x) + logChoose(n2, events - x) - logChoose(n1 + n2, events);
  const seen = logTable(a);
  let p = 0;
  for (let x = Math.max(0, events - n2); x <= Math.min(n1, events); x++) if (logTable(x) <= seen + 1e-7) p += Math.exp(logTable(x));
  return Math.min(1, p);
}

function logChoose(n: number, k: number): number {
  return logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1);
}
