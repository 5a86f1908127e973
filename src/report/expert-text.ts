import { formatQuantity, formatRate } from '../base/index.js';
import { metricName } from '../results/index.js';
import type { CheckDocument, Comparison, Finding, Limit, PathChoice } from '../results/index.js';
import type { Paint, Tone } from './paint.js';
import { usedOf } from './rows.js';
import { type Cell, type Column, headLine, layoutOf, line } from './table.js';
import { fit, printable, wrap } from './terminal-text.js';

/** What the expert's part of a check needs of its surroundings. */
export interface ExpertContext {
  readonly width: number;
  readonly prose: number;
  readonly paint: Paint;
}

const INDENT = '  ';
const TONES: Readonly<Record<Finding['severity'], Tone>> = { critical: 'bad', warning: 'fair', notice: 'good' };
/** More belongs into a page: a terminal is for the start of the work. */
const STEPS_MAX = 2;
const FINDINGS_MAX = 8;
/** Of what speaks for a finding; the rest is in the page and in the JSON. */
const EVIDENCE_LINES_MAX = 3;
const STEP_LINES_MAX = 3;

/** Before the figures: what was found, which path to use, and how the paths compare. Each part begins with an empty line. */
export function foundLines(document: CheckDocument, context: ExpertContext): string[] {
  return [...findingLines(document, context), ...choiceLines(document, context)];
}

/** After the figures: what could not be looked at, and whether a faster link would help. */
export function openLines({ unchecked = [], advice }: CheckDocument, { prose, paint }: ExpertContext): string[] {
  const lines: string[] = [];
  if (unchecked.length > 0) lines.push('', paint('strong', 'not checked'));
  for (const { what, why, hint } of unchecked)
    lines.push(...block(`${what}: ${why}${hint === undefined ? '' : `; ${hint}`}`, { prose, first: INDENT, rest: INDENT + INDENT }));
  if (advice) {
    lines.push('', paint('strong', 'a faster link'), ...block(advice.sentence, { prose, first: INDENT }));
    for (const { title, verdict, now, after } of advice.workloads)
      lines.push(
        ...block(`${title}: ${verdict}, ${now.text} now, ${after.text} after (then limited by ${after.limitedBy})`, {
          prose,
          first: INDENT + INDENT,
          rest: INDENT.repeat(3),
        }),
      );
    const [cheapest] = advice.options;
    if (cheapest)
      lines.push(
        ...block(`cheapest: ${cheapest.title}, ${cheapest.usd.join(' to ')} US dollars (prices of ${advice.pricesAsOf})`, {
          prose,
          first: INDENT + INDENT,
          rest: INDENT.repeat(3),
        }),
      );
  }
  return lines;
}

/** Of a bound, as measured. */
const REACHED_MIN = 0.1;

/** The lowest bound of each direction, in words. */
export function limitNotes(all: readonly Limit[]): string[] {
  // A bound that nothing came near to, or that nothing was measured against, explains nothing.
  const limits = all.filter(({ reached }) => reached !== undefined && reached >= REACHED_MIN);
  const [first] = limits;
  if (first?.direction === 'both') return [limitNote('limit', first)];
  return (['up', 'down'] as const).flatMap((direction) => {
    const lowest = limits.find((limit) => limit.direction === direction || limit.direction === 'both');
    return lowest ? [limitNote(`limit ${direction}`, lowest)] : [];
  });
}

function limitNote(name: string, { bps, why, kind, reached }: Limit): string {
  const used = reached === undefined ? '' : `, ${usedOf({ kind }, reached)}`;
  return `${name} ${formatRate(bps)}: ${why} (${kind}${used})`;
}

function findingLines({ findings }: CheckDocument, { prose, paint }: ExpertContext): string[] {
  if (!findings) return [];
  if (findings.length === 0) return ['', `${paint('strong', 'findings')}: none`];
  const lines = ['', paint('strong', 'findings')];
  findings.slice(0, FINDINGS_MAX).forEach((finding, i) => lines.push(...findingBlock(finding, i + 1, { prose, paint })));
  const left = findings.length - FINDINGS_MAX;
  if (left > 0) lines.push(`${INDENT}${left} more: --html report.html shows them all`);
  return lines;
}

function findingBlock(
  { severity, confidence, title, subject, path, evidence, next }: Finding,
  number: number,
  { prose, paint }: Pick<ExpertContext, 'prose' | 'paint'>,
): string[] {
  const inner = INDENT.repeat(3);
  const word = severity.toUpperCase();
  const about = path === undefined || path === subject ? subject : `${subject}, path ${path}`;
  const [first = '', ...rest] = block(`${number}. ${word} ${title} (${about}; ${confidence})`, { prose, first: INDENT, rest: inner });
  const lines = [first.replace(word, (found) => paint(TONES[severity], found)), ...rest];
  const [strongest] = evidence;
  if (strongest) lines.push(...atMost(EVIDENCE_LINES_MAX, prose, block(strongest.text, { prose, first: inner })).map((text) => paint('quiet', text)));
  for (const { text, command } of next.slice(0, STEPS_MAX)) {
    lines.push(
      ...atMost(STEP_LINES_MAX, prose, block(`-> ${text}${command === undefined ? '' : ':'}`, { prose, first: inner, rest: `${inner}   ` })),
    );
    if (command !== undefined) lines.push(...commandLines(command, prose, `${inner}   `));
  }
  return lines;
}

const PURPOSES: Readonly<Record<PathChoice['purpose'], string>> = { latency: 'for latency', bulk: 'for bulk', overall: 'overall' };

function choiceLines({ choices = [], comparisons = [] }: CheckDocument, context: ExpertContext): string[] {
  if (choices.length === 0 && comparisons.length === 0) return [];
  const { prose, paint } = context;
  const peers = new Set(choices.map(({ peer }) => peer));
  const lines = ['', paint('strong', 'which path')];
  for (const choice of choices) {
    const { peer, purpose, path } = choice;
    const why = choiceWords(choice, comparisons);
    const said = path === undefined ? why : why === '' ? path : `${path}. ${why}`;
    const [first = '', ...rest] = block(`${PURPOSES[purpose]}${peers.size > 1 ? ` to ${peer}` : ''}: ${said}`, {
      prose,
      first: INDENT,
      rest: INDENT + INDENT,
    });
    lines.push(path === undefined ? first : first.replace(printable(path), (found) => paint('strong', found)), ...rest);
  }
  return [...lines, ...comparisonLines(comparisons, context)];
}

/** Why a path was chosen, without the comparison that proves it and stands in the table, and without saying the choice twice. */
export function choiceWords({ path, purpose, sentence }: PathChoice, comparisons: readonly Comparison[]): string {
  const bare = comparisons.reduce((text, { sentence: proof }) => text.replace(`: ${proof}`, ''), sentence);
  return path !== undefined && [`${path} is best for ${purpose}`, `use ${path}`].includes(bare) ? '' : bare;
}

const COMPARISON_COLUMNS: readonly Column[] = [
  { head: '', align: 'left', flexible: true },
  { head: 'path', align: 'left' },
  { head: 'median', align: 'right', drop: 3 },
  { head: 'vs', align: 'left' },
  { head: 'median', align: 'right', drop: 2 },
  { head: 'ratio', align: 'right' },
  { head: '95 % interval', align: 'right', drop: 4 },
  { head: 'turns', align: 'right', drop: 1 },
  { head: '', align: 'left' },
];

function comparisonLines(comparisons: readonly Comparison[], { width, paint }: ExpertContext): string[] {
  if (comparisons.length === 0) return [];
  const peers = new Set(comparisons.map(({ peer }) => peer));
  const rows = comparisons.map(({ peer, metric, path, against, unit, value, againstValue, ratio, ci95, turns, verdict, better }): Cell[] => [
    { text: printable(`${metricName(metric)}${peers.size > 1 ? `, ${peer}` : ''}`) },
    { text: printable(path), ...(better === path ? { style: (text: string) => paint('strong', text) } : {}) },
    { text: formatQuantity(value, unit) },
    { text: printable(against), ...(better === against ? { style: (text: string) => paint('strong', text) } : {}) },
    { text: formatQuantity(againstValue, unit) },
    { text: `${ratioIn(unitOf(ratio), ratio)} ${unitOf(ratio)}` },
    { text: ci95 ? ci95.map((bound) => ratioIn(unitOf(ratio), bound)).join('–') : '' },
    { text: String(turns) },
    { text: verdict === 'differs' && better === undefined ? 'differs little' : verdict },
  ]);
  const layout = layoutOf(COMPARISON_COLUMNS, rows, width - INDENT.length);
  return [INDENT + paint('quiet', headLine(layout)), ...rows.map((row) => INDENT + line(layout, row))];
}

/** What is less is read as a share, and what is more as a factor. */
function unitOf(ratio: number): '%' | 'x' {
  return ratio < 1 ? '%' : 'x';
}

/** Three digits are what turns allow. */
function ratioIn(unit: '%' | 'x', ratio: number): string {
  const figure = unit === '%' ? 100 * ratio : ratio;
  return figure >= 100 ? figure.toFixed(0) : figure.toPrecision(3);
}

function atMost(count: number, width: number, lines: readonly string[]): string[] {
  return lines.length <= count ? [...lines] : [...lines.slice(0, count - 1), fit(`${(lines[count - 1] ?? '').replace(/[ ,;:.]+$/, '')} …`, width)];
}

/** A command that a shell takes as it stands, over several lines too; what is quoted must not be broken so. */
function commandLines(command: string, prose: number, first: string): string[] {
  if (/['"\\]/.test(command)) return block(command, { prose, first });
  const lines = block(command, { prose: prose - 2, first, rest: `${first}  ` });
  return lines.map((line, i) => (i < lines.length - 1 ? `${line} \\` : line));
}

function block(text: string, { prose, first, rest = first }: { prose: number; first: string; rest?: string }): string[] {
  return wrap(printable(text), { width: prose, first, rest });
}
