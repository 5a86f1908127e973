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
 * How far a round-trip time may be off by the measuring. A thread that the scheduler holds up before a
 * send can as well be held up between reading the clock and sending, and, where this process stamps
 * arrivals itself, before it gets to read. How long it was held up before 99 % of the sends bounds
 * either; it counts twice in the second case.
 */
export function trainError(timing: TrainTiming): MeasurementError {
  const late = sortedSamples(timing.latenessMs);
  const p99 = percentile99(late);
  const heldMs = percentile99(sortedSamples(heldUp(timing)));
  const misses = late.length - countBelow(late, Math.max(1, timing.intervalMs));
  const kernel = timing.flow.stamps === 'kernel';
  const from = [
    kernel ? 'arrivals stamped by the kernel, departures by this process' : 'arrivals and departures stamped by this process, not by the kernel',
    `timer: this process was held up for at most ${formatMs(heldMs)} before 99 % of the sends; 99 % left at most ${formatMs(p99)} late`,
  ];
  if (misses > 0) from.push(`timer: ${misses} of ${late.length} sends were late by more than ${formatMs(Math.max(1, timing.intervalMs))}`);
  if (timing.elapsedMs > 0 && timing.cpuMs / timing.elapsedMs > CPU_SHARE_HIGH) {
    from.push(`processor: the measuring threads were busy ${Math.round((100 * timing.cpuMs) / timing.elapsedMs)} % of the time`);
  }
  if (timing.kernelDrops > 0) from.push(`socket buffer: this host dropped ${timing.kernelDrops} datagrams after they had arrived; they count as lost`);
  return { value: kernel ? heldMs : 2 * heldMs, unit: 'ms', from: [...from, ...timing.flow.fallbacks, ...(timing.also ?? [])] };
}

/**
 * The part of each lateness that began after the send before: one long pause makes a whole queue of
 * sends late, which then leave one right after the other.
 */
function heldUp({ latenessMs, intervalMs }: TrainTiming): Float64Array {
  return latenessMs.map((late, i) => {
    const before = i === 0 ? 0 : (latenessMs[i - 1] as number);
    return late - Math.max(0, (Number.isNaN(before) ? 0 : before) - intervalMs);
  });
}

function percentile99(sorted: Float64Array): number {
  return sorted.length === 0 ? 0 : Math.max(0, quantile(sorted, 0.99));
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
