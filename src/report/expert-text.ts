import { formatRate } from '../base/index.js';
import type { CheckDocument, Finding, Limit, PathChoice } from '../results/index.js';
import type { Paint, Tone } from './paint.js';
import { usedOf } from './rows.js';
import { printable, wrap } from './terminal-text.js';

/** What the expert's part of a check needs of its surroundings. */
export interface ExpertContext {
  readonly prose: number;
  readonly paint: Paint;
}

const INDENT = '  ';
const TONES: Readonly<Record<Finding['severity'], Tone>> = { critical: 'bad', warning: 'fair', notice: 'good' };
/** More belongs into a page: a terminal is for the start of the work. */
const STEPS_MAX = 2;
const FINDINGS_MAX = 8;

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

/** The lowest bound of each direction, in words. */
export function limitNotes(limits: readonly Limit[]): string[] {
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
  { prose, paint }: ExpertContext,
): string[] {
  const inner = INDENT.repeat(3);
  const word = severity.toUpperCase();
  const about = path === undefined || path === subject ? subject : `${subject}, path ${path}`;
  const [first = '', ...rest] = block(`${number}. ${word} ${title} (${about}; ${confidence})`, { prose, first: INDENT, rest: inner });
  const lines = [first.replace(word, (found) => paint(TONES[severity], found)), ...rest];
  const [strongest] = evidence;
  if (strongest) lines.push(...block(strongest.text, { prose, first: inner }).map((text) => paint('quiet', text)));
  for (const { text, command } of next.slice(0, STEPS_MAX)) {
    lines.push(...block(`-> ${text}${command === undefined ? '' : ':'}`, { prose, first: inner, rest: `${inner}   ` }));
    if (command !== undefined) lines.push(...block(command, { prose, first: `${inner}   ` }));
  }
  return lines;
}

const PURPOSES: Readonly<Record<PathChoice['purpose'], string>> = { latency: 'for latency', bulk: 'for bulk', overall: 'overall' };

function choiceLines({ choices = [], comparisons = [] }: CheckDocument, { prose, paint }: ExpertContext): string[] {
  if (choices.length === 0 && comparisons.length === 0) return [];
  const peers = new Set(choices.map(({ peer }) => peer));
  const lines = ['', paint('strong', 'which path')];
  for (const { peer, purpose, path, sentence } of choices) {
    const best = path === undefined ? 'no difference' : path;
    const [first = '', ...rest] = block(`${PURPOSES[purpose]}${peers.size > 1 ? ` to ${peer}` : ''}: ${best}. ${sentence}`, {
      prose,
      first: INDENT,
      rest: INDENT + INDENT,
    });
    lines.push(
      first.replace(best, (found) => paint('strong', found)),
      ...rest,
    );
  }
  for (const { sentence } of comparisons)
    lines.push(...block(`- ${sentence}`, { prose, first: INDENT, rest: INDENT + INDENT }).map((text) => paint('quiet', text)));
  return lines;
}

function block(text: string, { prose, first, rest = first }: { prose: number; first: string; rest?: string }): string[] {
  return wrap(printable(text), { width: prose, first, rest });
}
