import type { ProcessorTimes } from '../base/index.js';
import { processorShares } from '../wire/index.js';

/** Events a second between two readings of counters; what did not move or began anew is left out. */
export function ratesPerSecond(
  before: Readonly<Record<string, number>> | undefined,
  after: Readonly<Record<string, number>> | undefined,
  elapsedMs: number,
): Record<string, number> {
  if (!before || !after || elapsedMs <= 0) return {};
  return Object.fromEntries(
    Object.entries(after).flatMap(([name, count]) => {
      const more = count - (before[name] ?? 0);
      return more > 0 && before[name] !== undefined ? [[name, (more * 1000) / elapsedMs]] : [];
    }),
  );
}

/** The share of time that soft interrupts took: of the processor where it is largest, and of all together. */
export function softirqShares(before: ProcessorTimes, after: ProcessorTimes): { busiest: number; mean: number } | undefined {
  const shares = processorShares(before, after).map(({ softirq }) => softirq);
  if (shares.length === 0) return undefined;
  return { busiest: Math.max(...shares), mean: shares.reduce((sum, share) => sum + share, 0) / shares.length };
}
