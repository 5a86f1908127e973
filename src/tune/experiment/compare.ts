import { fisherExact, mean, quantile, signFlipTest, sortedSamples, studentTest } from '../../stats/index.js';
import type { StudentTest } from '../../stats/index.js';
import { BLOCKS_MIN } from './design.js';
import type { Arm } from './design.js';
import type { ExperimentMetric } from './metrics.js';
import type { Run } from './runs.js';

/** How one metric compares with and without a group, before the correction for all comparisons. */
export interface Compared {
  readonly metric: ExperimentMetric;
  readonly runs: readonly MetricRun[];
  /** Blocks in which both sides were measured. */
  readonly blocks: number;
  readonly without: number | undefined;
  readonly with: number | undefined;
  /** What the measuring may be off, in the metric's unit: the median over the runs. */
  readonly error: number;
  /** Over the blocks' logarithms of with to without. */
  readonly test: StudentTest | undefined;
  /** The exact randomisation test over the same. */
  readonly randomisation: number | undefined;
  /** Where one side could mostly not be measured and the other mostly could: which one fails, and how unlikely that is by chance. */
  readonly failing: { readonly arm: Arm; readonly p: number; readonly reason: string } | undefined;
}

export interface MetricRun {
  readonly block: number;
  readonly at: number;
  readonly arm: Arm;
  readonly value?: number;
  readonly error?: number;
  readonly reason?: string;
}

/** A side fails when at least this share of its runs could not be measured, and the other side works when at most the rest could not. */
const FAILING_SHARE = 0.75;

/**
 * Student's t over the blocks' log ratios. It counts blocks and neither samples nor runs: what neighbouring runs share is
 * the network's drift and not evidence. The randomisation test alone could not do it: with n blocks it never says less than
 * 2 / 2^n, which no correction for dozens of comparisons lets through; so it is asked beside it, as the check that assumes
 * nothing of the noise, and must not contradict. Outliers make the t test miss effects and not find any: they are in the
 * scatter as well (Efron, JASA 64, 1969, on Student's t of symmetric distributions with long tails).
 */
export function compareMetric(metric: ExperimentMetric, runs: readonly Run[]): Compared {
  const taken = runs.map((run) => metricRun(metric.name, run));
  const measured = taken.filter((run): run is MetricRun & { value: number } => run.value !== undefined);
  const of = (arm: Arm): number[] => measured.flatMap((run) => (run.arm === arm ? [run.value] : []));
  const logs = blockLogs(measured);
  const enough = logs.length >= BLOCKS_MIN;
  return {
    metric,
    runs: taken,
    blocks: logs.length,
    without: medianOf(of('without')),
    with: medianOf(of('with')),
    error: medianOf(measured.map(({ error }) => error ?? 0)) ?? 0,
    test: enough ? studentTest(logs) : undefined,
    randomisation: enough ? signFlipTest(logs) : undefined,
    failing: enough ? undefined : failingSide(taken),
  };
}

function metricRun(name: string, { block, at, arm, figures }: Run): MetricRun {
  const figure = figures[name] ?? { reason: 'not measured' };
  if ('reason' in figure) return { block, at, arm, reason: figure.reason };
  const { value, error } = figure;
  if (!(value > 0) || !Number.isFinite(value)) return { block, at, arm, reason: `${value} has no ratio to anything` };
  return { block, at, arm, value, ...(error === undefined ? {} : { error }) };
}

function blockLogs(measured: readonly (MetricRun & { value: number })[]): number[] {
  const blocks = new Map<number, Record<Arm, number[]>>();
  for (const { block, arm, value } of measured) {
    const logs = blocks.get(block) ?? { without: [], with: [] };
    logs[arm].push(Math.log(value));
    blocks.set(block, logs);
  }
  return [...blocks.values()].flatMap((logs) => (logs.without.length > 0 && logs.with.length > 0 ? [mean(logs.with) - mean(logs.without)] : []));
}

function failingSide(runs: readonly MetricRun[]): Compared['failing'] {
  const tally = (arm: Arm): [number, number] => {
    const all = runs.filter((run) => run.arm === arm);
    return [all.filter(({ value }) => value === undefined).length, all.length];
  };
  const sides = { without: tally('without'), with: tally('with') };
  for (const [arm, other] of [
    ['with', 'without'],
    ['without', 'with'],
  ] as const) {
    const [[failed, all], [otherFailed, otherAll]] = [sides[arm], sides[other]];
    if (failed < FAILING_SHARE * all || otherFailed > (1 - FAILING_SHARE) * otherAll || all === 0 || otherAll === 0) continue;
    return { arm, p: fisherExact([failed, all], [otherFailed, otherAll]), reason: commonest(runs.filter((run) => run.arm === arm)) };
  }
  return undefined;
}

/** The reason that most of the runs without a figure have. */
export function commonest(runs: readonly MetricRun[]): string {
  const counts = new Map<string, number>();
  for (const { reason } of runs) if (reason !== undefined) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts].toSorted((a, b) => b[1] - a[1])[0]?.[0] ?? 'no run was made';
}

function medianOf(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : quantile(sortedSamples(values), 0.5);
}
