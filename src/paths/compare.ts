import { formatQuantity } from '../base/index.js';
import { metricName } from '../results/index.js';
import type { Comparison, Unit } from '../results/index.js';
import { pairedRatio } from '../stats/index.js';

/** What one path gave in its turns for one metric; a turn without a figure is missing from `byTurn`. */
export interface TurnSeries {
  readonly path: string;
  readonly metric: string;
  readonly unit: Unit;
  /** The figure over all turns. */
  readonly value: number;
  /** How far it may be off by the measuring itself. */
  readonly error: number;
  readonly byTurn: ReadonlyMap<number, number>;
}

/** Differences smaller than this matter to nobody; two paths within it do the same. */
const MARGIN = 0.1;
/** Nor do differences in delay below this. */
const MARGIN_MS = 0.05;

/**
 * Compares two paths that were measured in turns. They differ when the 95 % interval of their ratio excludes 1
 * and the difference is larger than what matters and than what the measuring may be off; they are the same when
 * the whole interval lies within what matters; else it is unclear, and more turns would settle it.
 */
export function compareSeries(peer: string, one: TurnSeries, other: TurnSeries): Comparison | undefined {
  const turns = [...one.byTurn.keys()].filter((turn) => other.byTurn.has(turn));
  const figures = (series: TurnSeries): number[] => turns.map((turn) => series.byTurn.get(turn) as number);
  const found = pairedRatio(figures(one), figures(other));
  if (!found) return undefined;
  const { ratio, ci95, n } = found;
  const lower = one.unit === 'ms';
  const marginUp = lower ? Math.max(MARGIN, MARGIN_MS / other.value) : MARGIN;
  const inside = (bound: number): boolean => bound <= 1 + marginUp && bound >= 1 / (1 + marginUp);
  const beyondError = Math.abs(one.value - other.value) > one.error + other.error;
  const agreed = ci95 !== undefined && (ci95[0] > 1 || ci95[1] < 1) && !inside(ratio);
  const verdict = ((): Comparison['verdict'] => {
    if (!ci95) return 'unclear';
    if (ci95.every(inside)) return 'same';
    return agreed && beyondError ? 'differs' : 'unclear';
  })();
  const better = verdict !== 'differs' ? undefined : ratio < 1 === lower ? one.path : other.path;
  return {
    peer,
    metric: one.metric,
    path: one.path,
    against: other.path,
    unit: one.unit,
    value: one.value,
    againstValue: other.value,
    ratio,
    ...(ci95 ? { ci95 } : {}),
    turns: n,
    verdict,
    ...(better === undefined ? {} : { better }),
    // A difference that the turns agree on, and that the measuring itself could make.
    sentence: sentence({ one, other, ratio, ci95, n, verdict, withinError: agreed && !beyondError }),
  };
}

interface Said {
  readonly one: TurnSeries;
  readonly other: TurnSeries;
  readonly ratio: number;
  readonly ci95: readonly [number, number] | undefined;
  readonly n: number;
  readonly verdict: Comparison['verdict'];
  readonly withinError: boolean;
}

function sentence({ one, other, ratio, ci95, n, verdict, withinError }: Said): string {
  const what = one.unit === 'ms' ? 'delay' : metricName(one.metric);
  const interval = ci95 ? ` (95 % interval ${span(ci95)}, ${n} turns each)` : ` (${n} ${n === 1 ? 'turn' : 'turns'} each)`;
  const figures = `${formatQuantity(one.value, one.unit)} against ${formatQuantity(other.value, other.unit)}`;
  if (verdict === 'same') return `${one.path} and ${other.path} do not differ in ${what}: ${figures}${interval}`;
  if (verdict === 'differs') return `${what} of ${one.path} is ${times(ratio)} that of ${other.path}: ${figures}${interval}`;
  const why = !ci95
    ? 'too few turns for an interval'
    : withinError
      ? 'the difference is within what the measuring may be off'
      : 'the turns disagree too much';
  return `whether ${one.path} and ${other.path} differ in ${what} is unclear, ${why}: ${figures}${interval}`;
}

/** Overheads are read as percentages, and orders of magnitude as factors. */
function times(ratio: number): string {
  if (ratio >= 3) return `${ratio.toFixed(ratio < 10 ? 1 : 0)} times`;
  return `${(100 * ratio).toFixed(ratio < 0.1 ? 1 : 0)} % of`;
}

function span([low, high]: readonly [number, number]): string {
  const bare = (ratio: number): string => times(ratio).replace(/ (?:of|times)$/, '');
  const unit = (ratio: number): string => (ratio >= 3 ? ' times' : '');
  return `${bare(low)} to ${bare(high)}${unit(high)}`;
}
