import { finite } from './path-figures.js';
import type { IntervalDetails, Throughput } from './path-figures.js';

/** Fewer intervals than this show no shape. */
const INTERVALS_MIN = 8;
/** The start, in which slow start and a full token bucket show. */
const START_SHARE = 0.25;
/** What comes after is looked at in so many parts: single intervals jump where a lost segment holds up what came behind it. */
const PARTS = 3;
/** What counts as steady: the parts differ by at most this share. */
const SPREAD_MAX = 0.2;
/** A full token bucket lets so much more through at first than its rate. */
const BURST_FACTOR = 1.5;
/** And puts the sum ahead by at least what its rate moves in this time. */
const BURST_INTERVALS = 0.5;

export interface Plateau {
  readonly bps: number;
  /** By how much the parts of the run differ, over their mean. */
  readonly spread: number;
  /** What came at the beginning before the rate held: a token bucket that was full. */
  readonly burst?: { readonly bytes: number; readonly bps: number };
}

/**
 * Whether a run was held at one rate once it had begun. A token bucket first lets its burst through at the line's rate
 * and then holds its own (Flach et al., "An Internet-Wide Analysis of Traffic Policing", 2016, find policers that way).
 */
export function plateauOf({ details }: Pick<Throughput, 'details'>): Plateau | undefined {
  const intervals = (details.intervals ?? []).filter(({ startMs, endMs, bps }) => endMs > startMs && finite(bps) !== undefined);
  if (intervals.length < INTERVALS_MIN) return undefined;
  const from = Math.ceil(intervals.length * START_SHARE);
  const late = intervals.slice(from);
  const parts = Array.from({ length: PARTS }, (_, i) =>
    meanBps(late.slice(Math.floor((i * late.length) / PARTS), Math.floor(((i + 1) * late.length) / PARTS))),
  );
  const bps = meanBps(late);
  if (!(bps > 0)) return undefined;
  const spread = (Math.max(...parts) - Math.min(...parts)) / bps;
  if (!(spread <= SPREAD_MAX)) return undefined;
  const burst = burstOf(intervals.slice(0, from), bps);
  return { bps, spread, ...(burst ? { burst } : {}) };
}

/**
 * Bytes that arrived ahead of the held rate, counted from the start: what waited for a missing segment and came at once
 * makes one interval full, but never puts the sum ahead.
 */
function burstOf(first: readonly IntervalDetails[], heldBps: number): Plateau['burst'] {
  const from = first[0]?.startMs ?? 0;
  let came = 0;
  let ahead = 0;
  for (const { bps, startMs, endMs } of first) {
    came += (bps * (endMs - startMs)) / 8000;
    ahead = Math.max(ahead, came - (heldBps * (endMs - from)) / 8000);
  }
  const fastest = Math.max(...first.map(({ bps }) => bps));
  const least = (heldBps * BURST_INTERVALS * ((first[0]?.endMs ?? 0) - from)) / 8000;
  return fastest > BURST_FACTOR * heldBps && ahead >= least && ahead > 0 ? { bytes: Math.round(ahead), bps: fastest } : undefined;
}

function meanBps(intervals: readonly IntervalDetails[]): number {
  const ms = intervals.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
  return ms > 0 ? intervals.reduce((sum, { bps, startMs, endMs }) => sum + bps * (endMs - startMs), 0) / ms : Number.NaN;
}
