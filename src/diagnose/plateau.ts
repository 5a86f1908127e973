import { finite } from './path-figures.js';
import type { IntervalDetails, Throughput } from './path-figures.js';

/** Fewer intervals than this show no shape. */
const INTERVALS_MIN = 6;
/** What counts as steady: the middle half of the intervals lies within this share of the median. */
const SPREAD_MAX = 0.03;
/** A full token bucket lets so much more through at first than its rate. */
const BURST_FACTOR = 1.5;
/** And puts the sum ahead by at least this many intervals. */
const BURST_INTERVALS = 0.5;
/** A burst is at the beginning, and most of a run comes after it. */
const BURST_SHARE_MAX = 0.4;
/** TCP's round trip under load stands so far above its own least when a queue stands before the bottleneck. */
const QUEUE_FACTOR = 1.2;
const QUEUE_MS_MIN = 0.3;

export interface Plateau {
  readonly bps: number;
  /** The middle half's width over the median. */
  readonly spread: number;
  /** By how much the round trip stood above its least meanwhile, where a queue stood. */
  readonly queueMs?: number;
  /** What came at the beginning before the rate held: a token bucket that was full. */
  readonly burst?: { readonly bytes: number; readonly bps: number };
}

/**
 * Whether a run was held at one rate. A token bucket first lets its burst through at the line's rate and then holds
 * exactly its own (Flach et al., "An Internet-Wide Analysis of Traffic Policing", 2016, find policers that way).
 */
export function plateauOf({ details }: Pick<Throughput, 'details'>): Plateau | undefined {
  const intervals = (details.intervals ?? []).filter(({ startMs, endMs, bps }) => endMs > startMs && finite(bps) !== undefined);
  if (intervals.length < INTERVALS_MIN) return undefined;
  const late = intervals.slice(Math.floor(intervals.length * BURST_SHARE_MAX));
  const whole = late.slice(0, -1);
  const rates = whole.map(({ bps }) => bps).sort((a, b) => a - b);
  const median = at(rates, 0.5);
  if (!(median > 0)) return undefined;
  const spread = (at(rates, 0.75) - at(rates, 0.25)) / median;
  if (spread > SPREAD_MAX) return undefined;
  const queueMs = standingQueueMs(whole, details.perStream?.map(({ minRttMs }) => minRttMs) ?? []);
  const burst = burstOf(intervals, median);
  return { bps: median, spread, ...(queueMs === undefined ? {} : { queueMs }), ...(burst ? { burst } : {}) };
}

function standingQueueMs(intervals: readonly IntervalDetails[], least: readonly (number | undefined)[]): number | undefined {
  const rtts = intervals.flatMap(({ rttMs }) => finite(rttMs) ?? []).sort((a, b) => a - b);
  const minMs = Math.min(...least.flatMap((ms) => finite(ms) ?? []));
  if (rtts.length === 0 || !Number.isFinite(minMs)) return undefined;
  const rttMs = at(rtts, 0.5);
  return rttMs > minMs * QUEUE_FACTOR && rttMs - minMs > QUEUE_MS_MIN ? rttMs - minMs : undefined;
}

/**
 * Bytes that arrived ahead of the held rate, counted from the start: what waited for a missing segment and came at once
 * makes one interval full, but never puts the sum ahead.
 */
function burstOf(intervals: readonly IntervalDetails[], medianBps: number): Plateau['burst'] {
  const first = intervals.slice(0, Math.floor(intervals.length * BURST_SHARE_MAX));
  const from = first[0]?.startMs ?? 0;
  let came = 0;
  let ahead = 0;
  for (const { bps, startMs, endMs } of first) {
    came += (bps * (endMs - startMs)) / 8000;
    ahead = Math.max(ahead, came - (medianBps * (endMs - from)) / 8000);
  }
  const fastest = Math.max(...first.map(({ bps }) => bps));
  const least = (medianBps * BURST_INTERVALS * ((first[0]?.endMs ?? 0) - from)) / 8000;
  return fastest > BURST_FACTOR * medianBps && ahead >= least && ahead > 0 ? { bytes: Math.round(ahead), bps: fastest } : undefined;
}

function at(sorted: readonly number[], p: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))] ?? Number.NaN;
}
