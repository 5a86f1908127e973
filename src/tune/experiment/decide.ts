import { formatQuantity, formatRatio } from '../../base/index.js';
import type { ExperimentDocument, ExperimentFigure } from '../../results/index.js';
import { formatP, ratioWords } from './figures.js';
import { experimentMetric } from './metrics.js';

export type Decision = ExperimentDocument['groups'][number]['decision'];

/**
 * What to do with a group. Harm goes before help: what is lost on one metric may be what somebody needs, and nobody was asked.
 * Nothing found is an answer; nothing measured is not.
 */
export function decide(figures: readonly ExperimentFigure[], alpha: number): { readonly decision: Decision; readonly why: string } {
  const of = (finding: ExperimentFigure['finding']): ExperimentFigure[] => figures.filter((figure) => figure.finding === finding);
  const [helps, harms, unmeasured, nothing] = [of('helps'), of('harms'), of('not measured'), of('no measurable change')];
  const said = (list: readonly ExperimentFigure[]): string => list.map((figure) => figureWords(figure, alpha)).join('; ');
  const beside = unmeasured.length === 0 ? '' : `; not measured: ${unmeasured.map(titleOf).join(', ')} (${unmeasured[0]?.why ?? ''})`;
  if (harms.length > 0) {
    const tradeOff = helps.length === 0 ? '' : `. It also helps, and what is lost was not asked for: ${said(helps)}`;
    return { decision: 'reject', why: `it harms: ${said(harms)}${tradeOff}${beside}` };
  }
  if (helps.length > 0) return { decision: 'keep', why: `it helps: ${said(helps)}; no harm was found on ${nothing.length} other metrics${beside}` };
  if (nothing.length === 0) return { decision: 'not tried', why: `nothing could be measured: ${unmeasured[0]?.why ?? 'no run was made'}` };
  return { decision: 'no measurable change', why: `none of ${nothing.length} metrics changed measurably (${sharpest(nothing)})${beside}` };
}

/** `throughput up 1.20 Mbit/s -> 27.60 Mbit/s, 23 times as much (14 to 38 times at 99.9 %, corrected p 2.0e-6, 6 blocks)`. */
function figureWords(figure: ExperimentFigure, alpha: number): string {
  const { ratio, interval, pCorrected, blocks, unit } = figure;
  if (ratio === undefined || !interval || figure.without === undefined || figure.with === undefined) return `${titleOf(figure)}: ${figure.why ?? ''}`;
  const from = formatQuantity(figure.without, unit);
  const to = formatQuantity(figure.with, unit);
  const bounds = `${interval[0].toPrecision(3)} to ${interval[1].toPrecision(3)} times, ${formatRatio(1 - alpha)} for all comparisons together`;
  return `${titleOf(figure)} ${from} -> ${to}, ${ratioWords(ratio)} (${bounds}, corrected p ${formatP(pCorrected ?? 1)}, ${blocks} blocks)`;
}

/** How small an effect would have been found, where it was measured best: without this, "nothing" says nothing. */
function sharpest(figures: readonly ExperimentFigure[]): string {
  const width = ({ interval }: ExperimentFigure): number => (interval ? Math.log(interval[1] / interval[0]) : Number.POSITIVE_INFINITY);
  const [best] = figures.toSorted((a, b) => width(a) - width(b));
  if (!best?.interval) return 'no interval';
  return `most sharply known: ${titleOf(best)}, ${best.interval.map((bound) => bound.toPrecision(3)).join(' to ')} times`;
}

function titleOf({ metric }: ExperimentFigure): string {
  return experimentMetric(metric)?.title ?? metric;
}
