import { formatMs } from '../base/index.js';
import type { DatagramFlow } from '../base/index.js';
import { quantile, sortedSamples } from '../stats/index.js';
import type { MeasurementError } from '../results/index.js';

/** Above this share of a core the measuring thread itself may be what is slow. */
const CPU_SHARE_HIGH = 0.9;

export interface TrainTiming {
  readonly flow: Pick<DatagramFlow, 'stamps' | 'fallbacks'>;
  /** Sent minus due. */
  readonly latenessMs: Float64Array;
  /** How long each send call took. */
  readonly callMs: Float64Array;
  readonly intervalMs: number;
  readonly kernelDrops: number;
  readonly cpuMs: number;
  readonly elapsedMs: number;
  /** Further causes, in words for a person. */
  readonly also?: readonly string[];
}

/**
 * How far a median round-trip time may be off by the measuring. The departure is stamped just before the
 * datagram is handed to the kernel, so it left within the time that this call took. Where this process
 * stamps arrivals too, it may read one as late as it sends one. Both are medians, as the figure is one; what
 * happens at worst is told beside them.
 */
export function trainError(timing: TrainTiming): MeasurementError {
  const late = sortedSamples(timing.latenessMs);
  const call = sortedSamples(timing.callMs);
  const kernel = timing.flow.stamps === 'kernel';
  const misses = late.length - countBelow(late, Math.max(1, timing.intervalMs));
  const from = [
    kernel ? 'arrivals stamped by the kernel' : 'arrivals stamped by this process when it read them, not by the kernel',
    `departures stamped before the send call, which took ${formatMs(percentile(call, 0.5))} (median), ${formatMs(percentile(call, 0.99))} (p99)`,
    `timer: 99 % left at most ${formatMs(percentile(late, 0.99))} late`,
  ];
  if (misses > 0) from.push(`timer: ${misses} of ${late.length} sends were late by more than ${formatMs(Math.max(1, timing.intervalMs))}`);
  if (timing.elapsedMs > 0 && timing.cpuMs / timing.elapsedMs > CPU_SHARE_HIGH) {
    from.push(`processor: the measuring threads were busy ${Math.round((100 * timing.cpuMs) / timing.elapsedMs)} % of the time`);
  }
  if (timing.kernelDrops > 0)
    from.push(`socket buffer: this host dropped ${timing.kernelDrops} datagrams after they had arrived; they count as lost`);
  const value = percentile(call, 0.5) + (kernel ? 0 : percentile(late, 0.5));
  return { value, unit: 'ms', from: [...from, ...timing.flow.fallbacks, ...(timing.also ?? [])] };
}

function percentile(sorted: Float64Array, p: number): number {
  return sorted.length === 0 ? 0 : Math.max(0, quantile(sorted, p));
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
