import type { ExperimentDocument } from '../../results/index.js';
import { write } from '../csv.js';

export const EXPERIMENT_CSV_HEADER: readonly string[] = [
  'group',
  'decision',
  'metric',
  'unit',
  'better',
  'finding',
  'block',
  'at',
  'arm',
  'value',
  'reason',
];

/** One record a run, by RFC 4180: all that is needed to compute everything again. */
export function experimentCsv({ groups }: ExperimentDocument): string {
  const records = groups.flatMap(({ group, decision, figures }) =>
    figures.flatMap(({ metric, unit, better, finding, runs }) =>
      runs.map(({ block, at, arm, value, reason }) => [group, decision, metric, unit, better, finding, block, at, arm, value, reason]),
    ),
  );
  return [EXPERIMENT_CSV_HEADER.join(','), ...records.map((fields) => fields.map(write).join(','))].map((each) => `${each}\r\n`).join('');
}
