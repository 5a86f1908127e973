import { TautlineError } from '../base/index.js';
import { aboveCeiling } from '../results/index.js';
import type { HistoryDocument, HistoryEntry, Measurement } from '../results/index.js';
import type { KeptRun } from '../store/index.js';
import { changesBetween, measurementsOf } from './kept-figures.js';
import type { HistoryRequest } from './history.js';

/** What is drawn where no metric was asked for: the first of these that enough runs have. */
const METRICS: readonly string[] = ['rtt', 'rtt.idle', 'connect', 'throughput.down', 'throughput.up', 'http.total', 'tls', 'dns'];

type Series = Pick<HistoryDocument, 'plot' | 'others'>;

/**
 * One series of the runs: one metric of one path of one target. Where several would fit, the one with the most
 * points is drawn and the others are named; figures of different paths are never joined by a line.
 */
export function plotOf(
  runs: readonly KeptRun[],
  entries: readonly HistoryEntry[],
  request: Pick<HistoryRequest, 'metric' | 'path' | 'target'>,
): Series {
  const found = seriesIn(entries, request);
  const wanted = request.metric ?? METRICS.find((metric) => found.some((series) => series.metric === metric)) ?? found[0]?.metric;
  const chosen = found.filter(({ metric }) => metric === wanted).sort((a, b) => b.n - a.n)[0];
  if (!chosen) {
    if (runs.length > 0 && request.metric !== undefined)
      throw new TautlineError('usage', `no kept run has a figure of '${request.metric}' that can be drawn`, {
        hint: 'tautline history --json lists the figures of each run',
      });
    return {};
  }
  const plot: NonNullable<HistoryDocument['plot']> = {
    subject: chosen.subject,
    path: chosen.path,
    metric: chosen.metric,
    unit: chosen.unit,
    points: [],
    leftOut: [],
  };
  let last: KeptRun | undefined;
  for (const run of runs) {
    const own = measurementsOf(run.document).filter(
      ({ subject, measurement }) => subject === chosen.subject && measurement.path === chosen.path && measurement.metric === chosen.metric,
    );
    const good = own.find(({ measurement }) => isGood(measurement, chosen.unit))?.measurement;
    if (!good?.summary) {
      plot.leftOut.push({ id: run.name.id, why: whyLeftOut(own[0]?.measurement) });
      continue;
    }
    const changed = changesBetween(last?.document.environment, run.document.environment);
    const { median, ci95 } = good.summary;
    plot.points.push({
      id: run.name.id,
      startedAt: run.document.startedAt,
      median,
      ...(ci95 ? { ci95 } : {}),
      ...(changed.length > 0 ? { changed } : {}),
    });
    last = run;
  }
  const others = found.filter((series) => series !== chosen && (request.metric === undefined || series.metric === request.metric));
  return { plot, ...(others.length > 0 ? { others: others.map(({ subject, path, metric, n }) => ({ subject, path, metric, n })) } : {}) };
}

interface Found {
  readonly subject: string;
  readonly path: string;
  readonly metric: string;
  readonly unit: string;
  n: number;
}

/** Every series that the entries have, as far as it was asked for. */
function seriesIn(entries: readonly HistoryEntry[], { metric, path, target }: Pick<HistoryRequest, 'metric' | 'path' | 'target'>): Found[] {
  const found = new Map<string, Found>();
  for (const figure of entries.flatMap(({ figures }) => figures)) {
    if ((metric !== undefined && figure.metric !== metric) || (path !== undefined && figure.path !== path)) continue;
    // A target that names one subject of a check means that subject alone.
    if (target !== undefined && figure.subject !== target && entries.some(({ figures }) => figures.some(({ subject }) => subject === target)))
      continue;
    const key = JSON.stringify([figure.subject, figure.path, figure.metric, figure.unit]);
    const known = found.get(key);
    if (known) known.n += 1;
    else found.set(key, { subject: figure.subject, path: figure.path, metric: figure.metric, unit: figure.unit, n: 1 });
  }
  return [...found.values()];
}

function isGood(measurement: Measurement, unit: string): boolean {
  return measurement.outcome === 'ok' && measurement.summary?.unit === unit && aboveCeiling(measurement) === undefined;
}

function whyLeftOut(measurement: Measurement | undefined): string {
  if (!measurement) return 'it was not measured';
  if (measurement.outcome !== 'ok') return measurement.outcome;
  return aboveCeiling(measurement) === undefined ? 'it has no figure' : 'the figure is above what is possible';
}
