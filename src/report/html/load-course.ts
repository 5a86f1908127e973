import type { Measurement, OverTime, TurnDetails } from '../../results/index.js';
import type { LoadView } from './path-view.js';

/*
 * What the details of a load say about its course, on one time axis. A load that was measured in several turns has
 * them one after the other, as if there had been nothing between. Documents are read from files too: what is not
 * what it should be is left out.
 */

export interface Interval {
  readonly startMs: number;
  readonly endMs: number;
  readonly bps: number;
}

export interface Rate {
  readonly measurement: Measurement;
  readonly direction: 'up' | 'down';
  readonly intervals: readonly Interval[];
  /** What does not count, from and to. */
  readonly omitted: readonly (readonly [fromMs: number, toMs: number])[];
  /** Where each turn begins, by its number; one at 0 where nothing was joined. */
  readonly offsetsMs: ReadonlyMap<number, number>;
}

export interface Course extends LoadView {
  readonly series: readonly Rate[];
  /** The round trip over time, one for each turn. */
  readonly roundTrips: readonly OverTime[];
  /** Where the second and further turns begin. */
  readonly turnsMs: readonly number[];
  readonly endMs: number;
}

export function courseOf(load: LoadView): Course | undefined {
  const series = load.rates.map(rateOf).filter((rate) => rate.intervals.length > 1);
  const [first] = series;
  if (!first) return undefined;
  const roundTrips = roundTripsOf(load.latency, first.offsetsMs);
  const endMs = Math.max(
    ...series.flatMap(({ intervals }) => intervals.map((each) => each.endMs)),
    ...roundTrips.map(({ startMs, stepMs, medians }) => startMs + stepMs * medians.length),
  );
  return endMs > 0 ? { ...load, series, roundTrips, turnsMs: [...first.offsetsMs.values()].filter((ms) => ms > 0), endMs } : undefined;
}

/** The rate at a moment; undefined between and after the intervals. */
export function rateAt({ intervals }: Rate, ms: number): number | undefined {
  return intervals.find(({ startMs, endMs }) => startMs <= ms && ms < endMs)?.bps;
}

export function roundTripAt(roundTrips: readonly OverTime[], ms: number): number | undefined {
  for (const { startMs, stepMs, medians } of roundTrips) {
    const median = medians[Math.floor((ms - startMs) / stepMs)];
    if (ms >= startMs && typeof median === 'number') return median;
  }
  return undefined;
}

function rateOf(measurement: Measurement): Rate {
  const { details = {}, metric } = measurement;
  const kept = details['intervals'] as unknown;
  const intervals = (Array.isArray(kept) ? kept : []).flatMap(({ startMs, endMs, bps }: Partial<Interval>) =>
    isNumber(startMs) && isNumber(endMs) && isNumber(bps) && endMs > startMs ? [{ startMs, endMs, bps }] : [],
  );
  const turns = turnsOf(measurement).filter(({ offsetMs }) => isNumber(offsetMs));
  const omittedMs: unknown = details['omittedMs'];
  return {
    measurement,
    direction: metric.endsWith('.up') ? 'up' : 'down',
    intervals: merged(whole(intervals)),
    omitted:
      turns.length > 0
        ? turns.map(({ offsetMs = 0, omittedMs: own = 0 }) => [offsetMs, offsetMs + own] as const)
        : isNumber(omittedMs) && omittedMs > 0
          ? [[0, omittedMs]]
          : [],
    offsetsMs: new Map(turns.length > 0 ? turns.map(({ turn, offsetMs = 0 }) => [turn, offsetMs]) : [[0, 0]]),
  };
}

function roundTripsOf(measurement: Measurement | undefined, offsetsMs: ReadonlyMap<number, number>): OverTime[] {
  if (!measurement) return [];
  const turns = turnsOf(measurement);
  const own =
    turns.length > 0 ? turns : [{ turn: [...offsetsMs.keys()][0] ?? 0, overTime: measurement.details?.['overTime'] as OverTime | undefined }];
  return own.flatMap(({ turn, overTime }) => {
    const offsetMs = offsetsMs.get(turn);
    return offsetMs !== undefined && isSound(overTime) ? [{ ...overTime, startMs: overTime.startMs + offsetMs }] : [];
  });
}

type Turn = Pick<TurnDetails, 'turn'> & Partial<TurnDetails>;

function turnsOf({ details }: Measurement): Turn[] {
  const kept = details?.['turns'] as unknown;
  const turns: readonly (Partial<TurnDetails> | null)[] = Array.isArray(kept) ? kept : [];
  return turns.flatMap((each) => (isNumber(each?.turn) ? [{ ...each, turn: each.turn }] : []));
}

function isSound(kept: Partial<OverTime> | undefined): kept is OverTime {
  if (!Array.isArray(kept?.medians) || !Array.isArray(kept.maxima) || !isNumber(kept.startMs) || !isNumber(kept.stepMs) || kept.stepMs <= 0)
    return false;
  return [...kept.medians, ...kept.maxima].every((value) => value === null || isNumber(value));
}

/** Of the usual length at least half: the last interval of a run may be a moment in which a held-back burst arrived. */
const WHOLE_SHARE = 0.5;

function whole(intervals: readonly Interval[]): Interval[] {
  const lengths = intervals.map(({ startMs, endMs }) => endMs - startMs).sort((a, b) => a - b);
  const usualMs = lengths[Math.floor(lengths.length / 2)] ?? 0;
  return intervals.filter(({ startMs, endMs }) => endMs - startMs >= usualMs * WHOLE_SHARE);
}

/** A long test with short intervals has more of them than a picture has points. */
const INTERVALS_MAX = 300;

function merged(intervals: readonly Interval[]): Interval[] {
  const every = Math.ceil(intervals.length / INTERVALS_MAX);
  if (every <= 1) return [...intervals];
  return Array.from({ length: Math.ceil(intervals.length / every) }, (_, i) => {
    const part = intervals.slice(i * every, (i + 1) * every);
    const startMs = part[0]?.startMs ?? 0;
    const endMs = part[part.length - 1]?.endMs ?? 0;
    const bits = part.reduce((sum, each) => sum + each.bps * (each.endMs - each.startMs), 0);
    return { startMs, endMs, bps: bits / (endMs - startMs) };
  });
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
