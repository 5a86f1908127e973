import { formatMs, formatRate } from '../src/base/index.js';
import { compare } from './rounds.js';
import type { Comparison, RoundsOf } from './rounds.js';

/** A row of the table: which figure of ours beside which of whose, and what it has to reach. */
export interface Row {
  readonly contest: string;
  readonly figure: string;
  readonly where: string;
  readonly unit: 'bps' | 'pps' | 'ms' | 'share' | 'MiB';
  readonly ours: string;
  /** Who of us, where there are several; default `tautline`. */
  readonly participant?: string;
  readonly anchor?: { readonly participant: string; readonly label: string; readonly figure?: string };
  /** `ratio` bounds ours / anchor, `value` bounds ours alone; without a goal the row only informs. */
  readonly goal?: { readonly of: 'ratio' | 'value'; readonly atLeast?: number; readonly atMost?: number };
}

export interface FilledRow extends Row {
  readonly comparison: Comparison | undefined;
  readonly met: boolean | undefined;
  readonly failures: readonly string[];
}

export function fillRow(row: Row, records: readonly RoundsOf[]): FilledRow {
  const ours = records.find(({ participant }) => participant === (row.participant ?? 'tautline'));
  const anchor = records.find(({ participant }) => participant === row.anchor?.participant);
  const comparison = ours && (!row.anchor || anchor) ? compare(ours, row.ours, anchor, row.anchor?.figure ?? row.ours) : undefined;
  const failures = [ours, anchor].flatMap((record) => (record ? record.failures.map((why) => `${record.participant}: ${why}`) : []));
  return { ...row, comparison, met: met(row, comparison), failures };
}

function met({ goal }: Row, comparison: Comparison | undefined): boolean | undefined {
  if (!goal) return undefined;
  const value = goal.of === 'ratio' ? comparison?.ratio?.median : comparison?.ours.median;
  if (value === undefined) return false;
  return (goal.atLeast === undefined || value >= goal.atLeast) && (goal.atMost === undefined || value <= goal.atMost);
}

/** The table for the README: one row a figure, with the ratio of medians and its spread over the rounds. */
export function markdownTable(rows: readonly FilledRow[]): string {
  const lines = rows.map((row) => {
    const { ours, anchor, ratio } = row.comparison ?? {};
    const cells = [
      row.figure,
      row.where,
      row.anchor?.label ?? '-',
      ours ? format(ours.median, row.unit) : 'failed',
      anchor ? format(anchor.median, row.unit) : '-',
      ratio ? `${ratio.median.toFixed(2)} (${ratio.min.toFixed(2)} to ${ratio.max.toFixed(2)})` : '-',
      goalText(row),
      row.met === undefined ? '' : row.met ? 'yes' : 'no',
      String(ratio?.n ?? ours?.n ?? 0),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return [
    '| figure | where | anchor | tautline | anchor | ratio (rounds) | goal | met | n |',
    '|---|---|---|---:|---:|---:|---:|---|---:|',
    ...lines,
    '',
  ].join('\n');
}

function goalText({ goal, unit }: Row): string {
  if (!goal) return '';
  const bound = goal.atLeast ?? goal.atMost ?? 0;
  const text = goal.of === 'ratio' ? String(bound) : format(bound, unit);
  return `${goal.atLeast === undefined ? '<=' : '>='} ${text}`;
}

export function format(value: number, unit: Row['unit']): string {
  switch (unit) {
    case 'bps':
      return formatRate(value);
    case 'pps':
      return `${Math.round(value / 1000)} k/s`;
    case 'ms':
      return formatMs(value);
    case 'share':
      return `${(100 * value).toFixed(1)} %`;
    case 'MiB':
      return `${value.toFixed(0)} MiB`;
  }
}

const BEGIN = '<!-- bench:begin -->';
const END = '<!-- bench:end -->';

/** Puts the table between the README's markers. @throws when the markers are missing */
export function insertTable(readme: string, table: string): string {
  const from = readme.indexOf(BEGIN);
  const to = readme.indexOf(END);
  if (from < 0 || to < from) throw new Error(`README.md has no ${BEGIN} ... ${END}`);
  return `${readme.slice(0, from)}${BEGIN}\n${table}${readme.slice(to)}`;
}
