import { assert, formatQuantity, formatRatio } from '../../base/index.js';
import type { ExperimentFigure } from '../../results/index.js';
import { holm, studentTQuantile } from '../../stats/index.js';
import type { HolmStep } from '../../stats/index.js';
import { commonest, compareMetric } from './compare.js';
import type { Compared } from './compare.js';
import { BLOCKS_MIN } from './design.js';
import type { Design } from './design.js';
import { EXPERIMENT_METRICS } from './metrics.js';
import type { ExperimentMetric } from './metrics.js';
import type { GroupRuns } from './runs.js';

/** The randomisation test must not call what the t test found more likely than this to be chance. */
const RANDOMISATION_MAX = 0.05;

/**
 * The figures of every group, corrected for all comparisons that the experiment has planned. Groups that are still to come
 * count as if they had found nothing, so what is reported meanwhile is reported at the end too.
 */
export function experimentFigures(
  groups: readonly GroupRuns[],
  { alpha, comparisons }: Pick<Design, 'alpha' | 'comparisons'>,
  metrics: readonly ExperimentMetric[] = EXPERIMENT_METRICS,
): ReadonlyMap<string, readonly ExperimentFigure[]> {
  const compared = groups.flatMap(({ group, runs }) => metrics.map((metric) => ({ group, found: compareMetric(metric, runs) })));
  const tested = compared.flatMap(({ found }) => (pOf(found) === undefined ? [] : [found]));
  const steps = holm(
    tested.map((found) => pOf(found) ?? 1),
    comparisons,
  );
  const stepOf = new Map(tested.map((found, i) => [found, steps[i] as HolmStep]));
  const figures = new Map<string, ExperimentFigure[]>(groups.map(({ group }) => [group, []]));
  for (const { group, found } of compared) figures.get(group)?.push(figureOf(found, stepOf.get(found), alpha));
  return figures;
}

function pOf({ test, failing }: Compared): number | undefined {
  return test?.p ?? failing?.p;
}

function figureOf(found: Compared, step: HolmStep | undefined, alpha: number): ExperimentFigure {
  const { metric, test } = found;
  const interval = test && step ? intervalOf(found, step, alpha) : undefined;
  return {
    metric: metric.name,
    unit: metric.unit,
    better: metric.better,
    leastRatio: metric.leastRatio,
    blocks: found.blocks,
    ...(found.without === undefined ? {} : { without: found.without }),
    ...(found.with === undefined ? {} : { with: found.with }),
    ...(test ? { ratio: Math.exp(test.mean) } : {}),
    ...(interval ? { interval } : {}),
    ...(step ? { p: step.p, pCorrected: step.corrected } : {}),
    ...judge(found, step, { alpha, interval }),
    runs: found.runs.map(({ block, at, arm, value, reason }) => ({
      block,
      at,
      arm,
      ...(value === undefined ? { reason: reason ?? '' } : { value }),
    })),
  };
}

/** At the level at which Holm's step tested it, so that it leaves 1 out where the test does. */
function intervalOf({ test, blocks }: Compared, { divisor }: HolmStep, alpha: number): [number, number] {
  assert(test !== undefined, 'an interval needs a test');
  const half = studentTQuantile(1 - alpha / divisor / 2, blocks - 1) * test.standardError;
  return [Math.exp(test.mean - half), Math.exp(test.mean + half)];
}

interface Judging {
  readonly alpha: number;
  readonly interval: readonly [number, number] | undefined;
}

function judge(found: Compared, step: HolmStep | undefined, { alpha, interval }: Judging): Pick<ExperimentFigure, 'finding' | 'why'> {
  const { metric, test, failing, blocks } = found;
  if (!test || !step || !interval) return judgeFailing(found, step, alpha);
  const nothing = (why: string): Pick<ExperimentFigure, 'finding' | 'why'> => ({ finding: 'no measurable change', why });
  assert(failing === undefined, 'a metric that was measured does not fail');
  if (step.corrected > alpha)
    return nothing(`the ${blocks} blocks do not agree beyond chance (corrected p ${formatP(step.corrected)}); ${ruledOut(interval)}`);
  if (Math.abs(test.mean) < Math.log(metric.leastRatio))
    return nothing(`${ratioWords(Math.exp(test.mean))} is certain but of no use: below a factor of ${metric.leastRatio}`);
  const least = Math.max(metric.leastChange ?? 0, found.error);
  const change = Math.abs((found.with ?? 0) - (found.without ?? 0));
  if (change < least)
    return nothing(
      `the difference of ${formatQuantity(change, metric.unit)} is smaller than ${formatQuantity(least, metric.unit)}, which the measuring may be off or nobody would notice`,
    );
  if ((found.randomisation ?? 1) > RANDOMISATION_MAX)
    return nothing(`the randomisation test, which assumes nothing of the noise, gives p ${formatP(found.randomisation ?? 1)}: too few blocks agree`);
  const helps = test.mean > 0 === (metric.better === 'higher');
  return { finding: helps ? 'helps' : 'harms' };
}

function judgeFailing(found: Compared, step: HolmStep | undefined, alpha: number): Pick<ExperimentFigure, 'finding' | 'why'> {
  const { failing, blocks, runs } = found;
  const missing = runs.filter(({ value }) => value === undefined);
  if (failing && step && step.corrected <= alpha) {
    const count = (arm: string): string => `${missing.filter((run) => run.arm === arm).length} of ${runs.filter((run) => run.arm === arm).length}`;
    const why = `it could not be measured in ${count('with')} runs with and ${count('without')} runs without (${failing.reason})`;
    return { finding: failing.arm === 'with' ? 'harms' : 'helps', why };
  }
  const why =
    missing.length === 0
      ? `${blocks} blocks are too few: a claim needs ${BLOCKS_MIN}`
      : `only ${blocks} blocks have figures of both sides, and a claim needs ${BLOCKS_MIN}: ${commonest(missing)}`;
  return { finding: 'not measured', why };
}

/** What the interval excludes: nothing was found, but how much would have been. */
function ruledOut([low, high]: readonly [number, number]): string {
  return `what was measured leaves room for ${low.toPrecision(3)} to ${high.toPrecision(3)} times`;
}

export function formatP(p: number): string {
  if (p >= 0.1) return p.toFixed(2);
  return p >= 0.001 ? p.toFixed(4) : p === 0 ? '0' : p.toExponential(1);
}

/** `2.3 times as much`, `4.1 % more`, `3.0 % less`. */
export function ratioWords(ratio: number): string {
  if (ratio >= 2) return `${ratio.toFixed(ratio < 10 ? 1 : 0)} times as much`;
  if (ratio <= 0.5) return `a ${(1 / ratio).toFixed(1 / ratio < 10 ? 1 : 0)}th`;
  return ratio >= 1 ? `${formatRatio(ratio - 1)} more` : `${formatRatio(1 - ratio)} less`;
}
