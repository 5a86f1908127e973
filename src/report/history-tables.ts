import { formatQuantity } from '../base/index.js';
import type { HistoryDocument } from '../results/index.js';
import { write } from './csv.js';
import { escaped, record } from './markdown-text.js';

export const HISTORY_CSV_HEADER: readonly string[] = [
  'id',
  'kind',
  'started_at',
  'target',
  'fingerprint',
  'verdict',
  'band',
  'first_finding',
  'subject',
  'path',
  'metric',
  'unit',
  'median',
  'p99',
];

/** One record a figure of a run, by RFC 4180; a run without figures has one record that says so by its verdict. */
export function renderHistoryCsv({ entries }: HistoryDocument): string {
  const records = entries.flatMap(({ id, kind, startedAt, target, fingerprint, verdict, findings, figures }) => {
    const run = [id, kind, startedAt, target, fingerprint, verdict?.outcome, verdict?.band, findings?.[0]];
    if (figures.length === 0) return [[...run, ...Array.from({ length: 6 }, () => undefined)]];
    return figures.map(({ subject, path, metric, unit, median, p99 }) => [...run, subject, path, metric, unit, median, p99]);
  });
  return [HISTORY_CSV_HEADER.join(','), ...records.map((fields) => fields.map(write).join(','))].map((each) => `${each}\r\n`).join('');
}

export function renderHistoryMarkdown({ entries, skipped = [] }: HistoryDocument): string {
  const figure = (figures: HistoryDocument['entries'][number]['figures'], metrics: readonly string[]): string => {
    const found = metrics.flatMap((metric) => figures.find((each) => each.metric === metric) ?? [])[0];
    return found ? formatQuantity(found.median, found.unit) : '';
  };
  const lines = [
    '# Tautline history',
    '',
    ...(entries.length === 0
      ? ['No run is kept.', '']
      : [
          record(['time (UTC)', 'target', 'verdict', 'round trip', 'down', 'up', 'first finding', 'changed before', 'id']),
          record(['---', '---', '---', '---:', '---:', '---:', '---', '---', '---']),
        ]),
    ...entries.map(({ id, startedAt, target, verdict, figures, findings, changed = [] }) =>
      record([
        startedAt.slice(0, 16).replace('T', ' '),
        escaped(target ?? 'this host'),
        verdict?.band ?? verdict?.outcome ?? '',
        figure(figures, ['rtt', 'rtt.idle', 'connect']),
        figure(figures, ['throughput.down', 'throughput.both']),
        figure(figures, ['throughput.up']),
        escaped(findings?.[0] ?? ''),
        escaped(changed.join('; ')),
        id,
      ]),
    ),
    ...(skipped.length > 0 ? ['', `Passed over: ${skipped.map(({ file, why }) => escaped(`${file}: ${why}`)).join('; ')}.`] : []),
  ];
  return `${lines.join('\n')}\n`;
}
