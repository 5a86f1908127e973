import type { ResultDocument } from '../results/index.js';
import { layerMarkdown } from './layers-markdown.js';
import { foundMarkdown, openMarkdown } from './expert-markdown.js';
import { limitNotes } from './expert-text.js';
import { escaped, record } from './markdown-text.js';
import { stars } from './paint.js';
import { type Group, type Row, ceilingNote, dateLine, groupsOf, hostLine, titleOf, tookLine, verdictOf } from './rows.js';

/** The report as GitHub-flavoured markdown: a section and a table for each subject, the conclusion first. */
export function renderMarkdown(document: ResultDocument): string {
  const lines = [`# Tautline ${escaped(titleOf(document))}`, ''];
  const verdict = verdictOf(document);
  if (verdict) lines.push(`**${verdict.outcome === 'pass' && verdict.band ? verdict.band : verdict.outcome}**: ${escaped(verdict.sentence)}`, '');
  if (document.interrupted === true) lines.push('Interrupted: this is what had been measured until then.', '');
  const check = document.schema === 'tautline.check/1' ? document : undefined;
  if (check) lines.push(...foundMarkdown(check));
  for (const group of groupsOf(document)) lines.push(...section(group, check === undefined));
  if (check) lines.push(...openMarkdown(check));
  lines.push(
    `${escaped(hostLine(document.host))}. ${escaped(dateLine(document.startedAt))}, ${tookLine(document.durationMs)}, tautline ${escaped(document.tool.version)}.`,
  );
  return `${lines.join('\n')}\n`;
}

const HEAD = ['measured', 'median', '±', '95 % interval', 'p99', 'lost/n', 'rating', 'remark'];
const ALIGN = ['---', '---:', '---:', '---:', '---:', '---:', '---', '---'];

function section(group: Group, whole: boolean): string[] {
  const lines = [`## ${escaped(group.title)}${group.subtitle === '' ? '' : ` (${escaped(group.subtitle)})`}`, ''];
  if (group.facts.length > 0) lines.push(group.facts.map(([key, value]) => `${escaped(key)}: ${escaped(value)}`).join(', '), '');
  if (!whole && group.layers.length > 0) lines.push(escaped(group.layers.map(({ short }) => short).join('; ')), '');
  if (group.rows.length === 0) return group.nothing === '' ? lines : [...lines, escaped(group.nothing), ''];
  const limits = limitNotes(group.limits).flatMap((note) => [`- ${escaped(note)}`]);
  return [
    ...lines,
    record(HEAD),
    record(ALIGN),
    ...group.rows.map(rowLine),
    '',
    ...limits,
    ...(limits.length > 0 ? [''] : []),
    ...(whole ? group.layers.flatMap(layerMarkdown) : []),
  ];
}

function rowLine(row: Row): string {
  const { rating, measurement } = row;
  const causes = row.error !== '' && measurement.error && measurement.error.from.length > 0 ? `± by ${measurement.error.from.join('; ')}` : undefined;
  const remarks = [row.problem, ceilingNote(measurement), causes].filter((remark) => remark !== undefined && remark !== measurement.outcome);
  return record([
    `${row.child ? '&nbsp;&nbsp;' : ''}${escaped(row.label)}`,
    escaped(row.value),
    row.error,
    row.interval,
    row.p99,
    row.count,
    rating ? `${stars(rating.stars)} ${rating.band}` : '',
    escaped(remarks.join('. ')),
  ]);
}
