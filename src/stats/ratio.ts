import { meanInterval, type Interval } from './intervals.js';
import { mean } from './quantile.js';

export interface PairedRatio {
  readonly n: number;
  /** Geometric mean of the pairs' ratios. */
  readonly ratio: number;
  /** 95 %; left out below three pairs, where it would say nothing. */
  readonly ci95?: Interval;
}

/** Two pairs bound a mean by 12.7 standard errors: no statement. */
const PAIRS_FOR_INTERVAL = 3;

/**
 * How many times larger the figures of `a` are than those of `b`, each pair taken close together in time. What a
 * pair shares (a slow drift of the network or of this machine) cancels in its ratio, and Student's t over the
 * pairs' log ratios then counts runs and not the samples inside a run, whose spread says nothing about drift
 * (Georges, Buytaert, Eeckhout, OOPSLA 2007, 3.3, for the paired case of their comparison of alternatives).
 * Pairs with a figure that is not above zero are left out.
 * @returns undefined without a usable pair
 */
export function pairedRatio(a: readonly number[], b: readonly number[]): PairedRatio | undefined {
  const logs: number[] = [];
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const [one, other] = [a[i] as number, b[i] as number];
    if (one > 0 && other > 0 && Number.isFinite(one) && Number.isFinite(other)) logs.push(Math.log(one / other));
  }
  if (logs.length === 0) return undefined;
  const bounds = logs.length >= PAIRS_FOR_INTERVAL ? meanInterval(logs) : undefined;
  return {
    n: logs.length,
    ratio: Math.exp(mean(logs)),
    ...(bounds ? { ci95: [Math.exp(bounds[0]), Math.exp(bounds[1])] } : {}),
  };
}
