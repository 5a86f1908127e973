import { formatMs } from '../base/index.js';
import type { DatagramFlow } from '../base/index.js';
import { quantile, sortedSamples } from '../stats/index.js';
import type { MeasurementError } from '../results/index.js';

/** Above this share of a core the measuring thread itself may be what is slow. */
const CPU_SHARE_HIGH = 0.9;

export interface TrainTiming {
  readonly flow: Pick<DatagramFlow, 'stamps' | 'fallbacks'>;
  readonly latenessMs: Float64Array;
  readonly intervalMs: number;
  readonly kernelDrops: number;
  readonly cpuMs: number;
  readonly elapsedMs: number;
  /** Further causes, in words for a person. */
  readonly also?: readonly string[];
}

/**
 * How far a round-trip time may be off by the measuring. A thread that the scheduler delays before a
 * send by so much can as well be delayed between reading the clock and sending, and, where this
 * process stamps arrivals itself, before it gets to read: the 99th percentile of the sends' lateness
 * bounds either, and counts twice in the second case.
 */
export function trainError(timing: TrainTiming): MeasurementError {
  const late = sortedSamples(timing.latenessMs);
  const p99 = late.length === 0 ? 0 : Math.max(0, quantile(late, 0.99));
  const misses = late.length - countBelow(late, Math.max(1, timing.intervalMs));
  const kernel = timing.flow.stamps === 'kernel';
  const from = [
    kernel ? 'arrivals stamped by the kernel, departures by this process' : 'arrivals and departures stamped by this process, not by the kernel',
    `timer: 99 % of the sends left at most ${formatMs(p99)} late`,
  ];
  if (misses > 0) from.push(`timer: ${misses} of ${late.length} sends were late by more than ${formatMs(Math.max(1, timing.intervalMs))}`);
  if (timing.elapsedMs > 0 && timing.cpuMs / timing.elapsedMs > CPU_SHARE_HIGH) {
    from.push(`processor: the measuring threads were busy ${Math.round((100 * timing.cpuMs) / timing.elapsedMs)} % of the time`);
  }
  if (timing.kernelDrops > 0) from.push(`socket buffer: this host dropped ${timing.kernelDrops} datagrams after they had arrived; they count as lost`);
  return { value: kernel ? p99 : 2 * p99, unit: 'ms', from: [...from, ...timing.flow.fallbacks, ...(timing.also ?? [])] };
}

function countBelow(sorted: Float64Array, bound: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as number) <= bound) low = middle + 1;
    else high = middle;
  }
  return low;
}
