import type { ProcessorTimes } from '../base/index.js';
import type { HostLoad } from './control.js';

/** Shares of the time of one processor between two readings, 0..1. */
export interface ProcessorShares {
  readonly busy: number;
  /** Part of `busy`. */
  readonly softirq: number;
  readonly steal: number;
}

/** What each processor did between two readings; none where processors came or went, or no time passed. */
export function processorShares(before: ProcessorTimes, after: ProcessorTimes): ProcessorShares[] {
  if (before.cpus.length !== after.cpus.length) return [];
  return after.cpus.flatMap((cpu, i) => {
    const from = before.cpus[i];
    if (!from) return [];
    const busy = cpu.busyMs - from.busyMs;
    const steal = cpu.stealMs - from.stealMs;
    const all = busy + steal + cpu.idleMs - from.idleMs;
    // Counters of idle time may step back by a tick (proc(5)).
    const share = (part: number): number => Math.min(1, Math.max(0, part / all));
    return all > 0 ? [{ busy: share(busy), softirq: share(cpu.softirqMs - from.softirqMs), steal: share(steal) }] : [];
  });
}

/** How busy the host was between two readings; undefined where that cannot be told. `steal` is of all processors together. */
export function hostLoad(before: ProcessorTimes | undefined, after: ProcessorTimes | undefined): HostLoad | undefined {
  if (!before || !after) return undefined;
  const shares = processorShares(before, after);
  const [first] = shares;
  if (!first) return undefined;
  const mean = (of: keyof ProcessorShares): number => shares.reduce((sum, share) => sum + share[of], 0) / shares.length;
  const busiest = shares.reduce((most, share) => (share.busy > most.busy ? share : most), first);
  return { busy: mean('busy'), busiestCpu: busiest.busy, softirq: busiest.softirq, steal: mean('steal') };
}
