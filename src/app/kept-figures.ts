import { aboveCeiling } from '../results/index.js';
import type { Environment, HistoryEntry, Measurement, ResultDocument } from '../results/index.js';
import { environmentChanges } from '../store/index.js';

/** What a person may call the run's target: as it was typed, and the peers and subjects in it. */
export function targetsOf(document: ResultDocument): string[] {
  if (document.schema === 'tautline.measure/1') return [document.target];
  const asked = document.target === undefined ? [] : [document.target];
  return [...new Set([...asked, ...document.subjects.flatMap(({ name, peer }) => [name, ...(peer === undefined ? [] : [peer])])])];
}

export interface Placed {
  readonly subject: string;
  readonly measurement: Measurement;
}

export function measurementsOf(document: ResultDocument): Placed[] {
  if (document.schema === 'tautline.measure/1') return document.measurements.map((measurement) => ({ subject: document.target, measurement }));
  return document.subjects.flatMap(({ name, peer, measurements }) => measurements.map((measurement) => ({ subject: peer ?? name, measurement })));
}

/** Figures that hold: measured, and not above what is possible. */
export function figuresOf(document: ResultDocument): HistoryEntry['figures'] {
  return measurementsOf(document).flatMap(({ subject, measurement }) => {
    const { summary, metric, path } = measurement;
    if (measurement.outcome !== 'ok' || !summary || aboveCeiling(measurement) !== undefined) return [];
    return [{ subject, path, metric, unit: summary.unit, median: summary.median, ...(summary.n > 1 ? { p99: summary.p99 } : {}) }];
  });
}

/** What differs between two environments; nothing where either is not known. */
export function changesBetween(before: Environment | undefined, after: Environment | undefined): string[] {
  if (!before || !after || before.fingerprint === after.fingerprint) return [];
  return environmentChanges(before, after);
}
