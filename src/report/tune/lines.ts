import type { TuneDocument } from '../../results/index.js';
import { painter } from '../paint.js';
import type { Paint, Tone } from '../paint.js';
import { dateLine, hostLine } from '../rows.js';
import { displayWidth, printable, wrap } from '../terminal-text.js';

/** How a document of `tune` is written; `text` looks at all of it, the others at what is no matter of the terminal. */
export interface TuneRenderOptions {
  readonly color: boolean;
  readonly width: number;
  /** Also every setting that is already so, and every entry of a long list. */
  readonly all?: boolean;
  /** A question follows: what to type next is no matter yet. */
  readonly asking?: boolean;
  /** Of a status only what no longer holds: `tune verify`. */
  readonly driftOnly?: boolean;
  /** Whether this runs by sudo, so that a next command must too. */
  readonly sudo?: boolean;
  /** How the person named the profile and what else a next command must repeat, such as `--interface eth1`. */
  readonly repeat?: { readonly profile?: string; readonly flags: readonly string[] };
}

export interface TuneContext {
  readonly width: number;
  /** Longer lines are hard to read, however wide the terminal is. */
  readonly prose: number;
  readonly paint: Paint;
  readonly options: TuneRenderOptions;
}

const WIDTH_MIN = 40;
const PROSE_WIDTH_MAX = 100;

export function contextOf(options: TuneRenderOptions): TuneContext {
  const width = Math.max(WIDTH_MIN, Math.floor(options.width));
  return { width, prose: Math.min(width, PROSE_WIDTH_MAX), paint: painter(options.color), options };
}

export function head(document: TuneDocument, title: string, context: TuneContext): string[] {
  return [
    ...prose(title, context, '').map((line) => context.paint('strong', line)),
    ...quiet(`${hostLine(document.host)}; ${dateLine(document.startedAt)}, version ${document.tool.version}`, context, ''),
  ];
}

export function prose(text: string, { prose: width }: Pick<TuneContext, 'prose'>, first: string, rest = first): string[] {
  return wrap(printable(text), { width, first, rest });
}

export function quiet(text: string, context: TuneContext, first: string, rest = first): string[] {
  return prose(text, context, first, rest).map((line) => context.paint('quiet', line));
}

export function toned(tone: Tone, text: string, context: TuneContext, first: string, rest = first): string[] {
  return prose(text, context, first, rest).map((line) => context.paint(tone, line));
}

/** Nothing at all where there is nothing to say. */
export function section(title: string, lines: readonly string[], context: TuneContext): string[] {
  return lines.length === 0 ? [] : ['', ...toned('strong', title, context, ''), ...lines];
}

/**
 * Commands to type: never broken, so that they can be copied. What they are for stands beside them where there is room for
 * all of them, else above each.
 */
export function commands(all: readonly { readonly line: string; readonly why?: string }[], { width, paint }: TuneContext): string[] {
  const shown = all.map(({ line, why }) => ({ line: printable(line), why: why === undefined ? '' : printable(why) }));
  const widest = Math.max(0, ...shown.map(({ line }) => displayWidth(line)));
  const beside = shown.every(({ why }) => 4 + widest + 4 + displayWidth(why) <= width);
  return shown.flatMap(({ line, why }) => {
    if (why === '') return [`  $ ${line}`];
    if (beside) return [`  $ ${line}${' '.repeat(widest - displayWidth(line))}  ${paint('quiet', `# ${why}`)}`];
    return [...wrap(why, { width, first: '  # ', rest: '  # ' }).map((each) => paint('quiet', each)), `  $ ${line}`];
  });
}

const ISO_TIME = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g;

/** The outcome in capitals, and the sentence, which does not say it again. */
export function verdictLines(verdict: { readonly outcome: string; readonly sentence: string }, word: string, context: TuneContext): string[] {
  const tone: Tone = verdict.outcome === 'pass' ? 'excellent' : verdict.outcome === 'inconclusive' ? 'fair' : 'bad';
  const again = `${word}: `;
  const told = verdict.sentence.replace(ISO_TIME, dateLine);
  const sentence = told.toUpperCase().startsWith(again) ? told.slice(again.length) : told;
  const [first = '', ...rest] = prose(`${word}: ${sentence}`, context, '');
  return [first.replace(word, (found) => context.paint(tone, found)), ...rest];
}

export interface Pair {
  readonly label: string;
  readonly from: string;
  readonly to: string;
  /** Between them: `->`. */
  readonly tone?: Tone;
}

const LABEL_MAX = 36;

/** How wide the column of labels is, over all that stand under each other. */
export function labelWidth(labels: readonly string[]): number {
  return Math.max(0, ...labels.map((label) => displayWidth(printable(label))).filter((width) => width <= LABEL_MAX));
}

/** `label  from -> to` on one line; where that is too wide, the values below their label, and each on its own line where need be. */
export function pairLines({ label, from, to, tone = 'good' }: Pair, column: number, { width, paint }: TuneContext, indent = '  '): string[] {
  const [name, before, after] = [printable(label), printable(from), printable(to)];
  const values = `${paint('quiet', before)} -> ${paint(tone, after)}`;
  const valuesWidth = displayWidth(before) + 4 + displayWidth(after);
  for (const gap of [Math.max(column - displayWidth(name), 0) + 2, 2])
    if (indent.length + displayWidth(name) + gap + valuesWidth <= width) return [`${indent}${name}${' '.repeat(gap)}${values}`];
  const inner = `${indent}    `;
  const heading = wrap(name, { width, first: indent, rest: inner });
  if (inner.length + valuesWidth <= width) return [...heading, `${inner}${values}`];
  return [
    ...heading,
    ...wrap(before, { width, first: inner }).map((line) => paint('quiet', line)),
    ...wrap(after, { width, first: `${inner}-> `, rest: `${inner}   ` }).map((line) => paint(tone, line)),
  ];
}
