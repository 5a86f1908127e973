import { presentSamples } from './quantile.js';

/** How many samples lie around each value: for pictures, and for documents that cannot hold every sample. */
export interface Distribution {
  /** Ascending, in the samples' unit, each rounded to a few significant digits. */
  readonly values: number[];
  readonly counts: number[];
}

/** A picture needs no more, and a document must stay small. */
const VALUES_MAX = 256;
const DIGITS = [4, 3, 2] as const;

/** Rounds samples to as many significant digits (4, 3 or 2) as leave at most 256 different values; undefined without samples. */
export function distributionOf(samples: ArrayLike<number>): Distribution | undefined {
  const present = presentSamples(samples);
  if (present.length === 0) return undefined;
  for (const digits of DIGITS) {
    const counts = new Map<number, number>();
    for (const sample of present) {
      const value = Number(sample.toPrecision(digits));
      counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    if (counts.size > VALUES_MAX && digits !== DIGITS[DIGITS.length - 1]) continue;
    const sorted = [...counts].sort(([a], [b]) => a - b);
    return { values: sorted.map(([value]) => value), counts: sorted.map(([, count]) => count) };
  }
  return undefined;
}
