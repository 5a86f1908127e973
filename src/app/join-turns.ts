import { distributionOf, lossOf, summarize } from '../stats/index.js';
import type { Measurement } from '../results/index.js';

/** A measurement of one turn, with the samples that its summary is of. */
export interface TurnFigure {
  readonly turn: number;
  readonly measurement: Measurement;
  readonly samples?: ArrayLike<number>;
}

/**
 * One measurement a metric from the turns that a path had: samples, losses and intervals put together, the
 * largest error of any turn, and in `details.turns` what each turn gave by itself.
 */
export function joinTurns(figures: readonly TurnFigure[], seed: number): Measurement[] {
  const groups = new Map<string, TurnFigure[]>();
  for (const figure of figures) {
    const { probe, metric, target } = figure.measurement;
    const key = `${probe} ${metric} ${target}`;
    groups.set(key, [...(groups.get(key) ?? []), figure]);
  }
  return [...groups.values()].map((group) => joinGroup(group, seed));
}

function joinGroup(group: readonly TurnFigure[], seed: number): Measurement {
  const first = group[0] as TurnFigure;
  if (group.length === 1) return first.measurement;
  const all = group.map(({ measurement }) => measurement);
  const worked = group.filter(({ measurement }) => measurement.outcome === 'ok');
  const failed = all.filter(({ outcome }) => outcome !== 'ok');
  const { measurement: model } = worked[0] ?? first;
  const samples = worked.flatMap((figure) => (figure.samples ? Array.from(figure.samples) : []));
  const summary = model.summary && summarize(samples, { seed });
  const distribution = model.details?.['distribution'] === undefined ? undefined : distributionOf(samples);
  const reason =
    failed.length > 0 && worked.length > 0
      ? `${failed.length} of ${group.length} turns gave nothing: ${failed[0]?.reason ?? failed[0]?.outcome}`
      : model.reason;
  const course = courseOf(worked);
  // One turn's way over time says nothing of the others: each turn has its own below.
  const { overTime: _overTime, ...shared } = model.details ?? {};
  const { reason: _reason, summary: _summary, loss: _loss, error: _error, partial: _partial, rating: _rating, ...rest } = model;
  return {
    ...rest,
    startedAt: first.measurement.startedAt,
    durationMs: all.reduce((sum, { durationMs }) => sum + durationMs, 0),
    ...(reason === undefined ? {} : { reason }),
    ...(summary && model.summary ? { summary: { unit: model.summary.unit, ...summary } } : {}),
    ...lossIn(all),
    ...errorIn(worked.map(({ measurement }) => measurement)),
    ...(all.some(({ partial }) => partial === true) ? { partial: true } : {}),
    details: {
      ...shared,
      ...course.details,
      ...(distribution ? { distribution } : {}),
      turns: group.map(({ turn, measurement }) => ({
        turn,
        startedAt: measurement.startedAt,
        outcome: measurement.outcome,
        ...(measurement.outcome !== 'ok' && measurement.reason !== undefined ? { reason: measurement.reason } : {}),
        ...(measurement.summary ? { n: measurement.summary.n, median: measurement.summary.median } : {}),
        ...course.places.get(turn),
        ...(measurement.details?.['overTime'] === undefined ? {} : { overTime: measurement.details['overTime'] }),
      })),
    },
  };
}

/** What was sent in a turn that got no answer counts as lost, too: it was sent. */
function lossIn(all: readonly Measurement[]): Pick<Measurement, 'loss'> {
  const losses = all.flatMap(({ loss }) => loss ?? []);
  if (losses.length === 0) return {};
  const sum = (pick: (loss: { sent: number; received: number }) => number): number => losses.reduce((total, loss) => total + pick(loss), 0);
  return {
    loss: lossOf(
      sum(({ sent }) => sent),
      sum(({ received }) => received),
    ),
  };
}

function errorIn(worked: readonly Measurement[]): Pick<Measurement, 'error'> {
  const errors = worked.flatMap(({ error }) => error ?? []);
  const largest = errors.toSorted((a, b) => b.value - a.value)[0];
  return largest ? { error: largest } : {};
}

interface JoinedCourse {
  readonly details: Record<string, unknown>;
  /** Where each turn begins in the joined intervals, and what of its start does not count. */
  readonly places: ReadonlyMap<number, { readonly offsetMs: number; readonly omittedMs?: number }>;
}

/** Throughput tells its course; the turns' courses follow each other as if there had been nothing between them. */
function courseOf(worked: readonly TurnFigure[]): JoinedCourse {
  const courses = worked.map(({ measurement }) => measurement.details?.['intervals']);
  if (worked.length === 0 || !courses.every((course): course is Course[] => Array.isArray(course))) return { details: {}, places: new Map() };
  const places = new Map<number, { offsetMs: number; omittedMs?: number }>();
  let offsetMs = 0;
  const intervals = courses.flatMap((course, i) => {
    const figure = worked[i] as TurnFigure;
    const omittedMs: unknown = figure.measurement.details?.['omittedMs'];
    places.set(figure.turn, { offsetMs, ...(typeof omittedMs === 'number' ? { omittedMs } : {}) });
    const shifted = course.map((interval) => ({ ...interval, startMs: interval.startMs + offsetMs, endMs: interval.endMs + offsetMs }));
    offsetMs = shifted.at(-1)?.endMs ?? offsetMs;
    return shifted;
  });
  const sums = Object.fromEntries(
    ['bytes', 'elapsedMs', 'measuredMs', 'retransmits'].flatMap((key) => {
      const values = worked.map(({ measurement }) => measurement.details?.[key]);
      return values.every((value) => typeof value === 'number') ? [[key, values.reduce((sum: number, value) => sum + (value as number), 0)]] : [];
    }),
  );
  return { details: { ...sums, ...goodputIn(worked), intervals }, places };
}

/** The rate over all turns: each weighs as much as it was measured. */
function goodputIn(worked: readonly TurnFigure[]): { readonly goodputBps?: number } {
  const parts = worked.map(({ measurement }) => [measurement.details?.['goodputBps'], measurement.details?.['measuredMs']] as const);
  if (!parts.every((part): part is readonly [number, number] => part.every((value) => typeof value === 'number'))) return {};
  const wholeMs = parts.reduce((sum, [, measuredMs]) => sum + measuredMs, 0);
  return wholeMs > 0 ? { goodputBps: parts.reduce((sum, [bps, measuredMs]) => sum + bps * measuredMs, 0) / wholeMs } : {};
}

interface Course {
  readonly startMs: number;
  readonly endMs: number;
}
