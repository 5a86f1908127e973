import type { StatusDocument } from '../../results/index.js';
import type { Tone } from '../paint.js';
import { dateLine } from '../rows.js';
import { headLine, layoutOf, line } from '../table.js';
import type { Cell, Column } from '../table.js';
import { displayWidth, printable, wrap } from '../terminal-text.js';
import { commands, contextOf, head, labelWidth, pairLines, prose, quiet, section, toned, verdictLines } from './lines.js';
import type { TuneContext, TuneRenderOptions } from './lines.js';
import { environmentLine, tuneCommand } from './words.js';

/** What is in force, whether it still holds, and what people look at on a tuned host. */
export function statusText(document: StatusDocument, options: TuneRenderOptions): string[] {
  const context = contextOf(options);
  const all = options.driftOnly !== true;
  return [
    ...head(document, all ? 'tautline tune status' : 'tautline tune verify', context),
    ...(all ? quiet(`This host is ${environmentLine(document)}.`, context, '') : []),
    '',
    ...verdictLines(document.verdict, wordOfStatus(document), context),
    ...resembles(document, context),
    ...(document.notes ?? []).flatMap((note) => prose(`${note}.`, context, '')),
    ...damagedLines(document, context),
    ...inForce(document, context),
    ...drift(document, context),
    ...(all ? checks(document, context) : []),
    ...next(document, context),
  ];
}

export function wordOfStatus({ verdict, drift: found, changes, damaged = [] }: StatusDocument): string {
  if (found.length > 0) return 'DRIFT';
  if (verdict.outcome === 'unmeasured' && damaged.length > 0) return 'DAMAGED JOURNAL';
  if (verdict.outcome === 'fail') return 'FAIL';
  if (verdict.outcome !== 'pass') return verdict.outcome.toUpperCase();
  return changes.length === 0 ? 'UNTOUCHED' : 'HOLDS';
}

const RESEMBLED_MAX = 3;

function resembles({ resembles: all }: StatusDocument, context: TuneContext): string[] {
  if (all.length === 0 || context.options.driftOnly === true) return [];
  const shown = context.options.all === true ? all : all.slice(0, RESEMBLED_MAX);
  const text = shown.map(({ profile, holding, of }) => `${profile} (${holding} of ${of})`).join(', ');
  return prose(`So much of each profile holds here: ${text}.`, context, '');
}

function damagedLines({ damaged: all = [] }: StatusDocument, context: TuneContext): string[] {
  return section(
    'Journals that cannot be believed',
    all.flatMap(({ id, why, advice }) => [
      ...toned('bad', `${id}: ${why}`, context, '  ', '    '),
      ...(advice === undefined ? [] : prose(advice, context, '    ')),
    ]),
    context,
  );
}

const CHANGE_COLUMNS: readonly Column[] = [
  { head: 'change', align: 'left' },
  { head: 'profile', align: 'left', flexible: true },
  { head: 'state', align: 'left' },
  { head: 'since (UTC)', align: 'left', drop: 3 },
  { head: 'places', align: 'right', drop: 2 },
  { head: 'boot', align: 'left', drop: 1 },
];

const SHORT_STATES: Readonly<Record<StatusDocument['changes'][number]['state'], string>> = {
  planned: 'not begun',
  applying: 'half applied',
  'awaiting-confirmation': 'to confirm',
  applied: 'in force',
  'rolling-back': 'half undone',
  'rolled-back': 'undone',
  conflicted: 'conflicts',
};

function inForce({ changes }: StatusDocument, context: TuneContext): string[] {
  if (changes.length === 0) return [];
  const rows = changes.map(({ id, profile, state, appliedAt, persisted, places }): Cell[] => {
    const tone: Tone = state === 'applied' ? 'excellent' : state === 'awaiting-confirmation' ? 'fair' : 'bad';
    return [
      { text: printable(id) },
      { text: printable(profile) },
      { text: SHORT_STATES[state], style: (text) => context.paint(tone, text) },
      { text: printable(appliedAt.slice(0, 16).replace('T', ' ')) },
      { text: String(places) },
      { text: persisted ? 'outlives it' : 'ends it' },
    ];
  });
  const layout = layoutOf(CHANGE_COLUMNS, rows, context.width - 2);
  const waiting = changes.flatMap(({ id, state, confirmBefore }) =>
    state === 'awaiting-confirmation' && confirmBefore !== undefined
      ? toned('fair', `${id} is undone at ${dateLine(confirmBefore)} unless confirmed.`, context, '  ')
      : [],
  );
  return section(
    'Changes in force',
    [`  ${context.paint('quiet', headLine(layout))}`, ...rows.map((row) => `  ${line(layout, row)}`), ...waiting],
    context,
  );
}

function drift({ drift: all }: StatusDocument, context: TuneContext): string[] {
  const column = labelWidth(all.map(({ place }) => place));
  return section(
    `Drift: no longer as applied (${all.length})`,
    all.flatMap(({ place, applied, found, why }) => [
      ...pairLines({ label: place, from: applied, to: found, tone: 'bad' }, column, context),
      ...(why === '' ? [] : prose(why, context, '      ')),
    ]),
    context,
  );
}

const MARKS: Readonly<Record<StatusDocument['checks'][number]['state'], { readonly word: string; readonly tone: Tone }>> = {
  good: { word: 'good', tone: 'excellent' },
  off: { word: 'off', tone: 'fair' },
  'no-effect': { word: 'no effect', tone: 'quiet' },
  absent: { word: 'absent', tone: 'quiet' },
  unreadable: { word: 'unreadable', tone: 'poor' },
  info: { word: 'info', tone: 'strong' },
};

const TITLE_MAX = 30;

function checks({ checks: all }: StatusDocument, context: TuneContext): string[] {
  const marks = Math.max(0, ...all.map(({ state }) => MARKS[state].word.length));
  const titles = Math.min(TITLE_MAX, Math.max(0, ...all.map(({ title }) => displayWidth(printable(title)))));
  const lines = all.flatMap(({ title, state, found, note }) => {
    const { word, tone } = MARKS[state];
    const name = printable(title);
    const mark = context.paint(tone, word) + ' '.repeat(marks - word.length);
    const start = 2 + marks + 2 + Math.max(titles, displayWidth(name)) + 2;
    const beside = start + displayWidth(printable(found)) <= context.width;
    const gap = ' '.repeat(Math.max(0, titles - displayWidth(name)) + 2);
    const heading = wrap(name, { width: context.width - 4 - marks });
    return [
      ...(beside ? [`  ${mark}  ${name}${gap}${printable(found)}`] : heading.map((part, i) => `  ${i === 0 ? mark : ' '.repeat(marks)}  ${part}`)),
      ...(beside ? [] : prose(found, context, ' '.repeat(marks + 6))),
      ...(note === '' ? [] : quiet(note, context, ' '.repeat(marks + 6))),
    ];
  });
  return section('Checks', lines, context);
}

function next({ changes, drift: drifted }: StatusDocument, context: TuneContext): string[] {
  const command = (words: readonly string[]): string => tuneCommand(words, { sudo: context.options.sudo === true });
  const inState = (...states: StatusDocument['changes'][number]['state'][]): StatusDocument['changes'] =>
    changes.filter(({ state }) => states.includes(state));
  const half = inState('applying', 'planned');
  const [whole] = drifted.length > 0 ? inState('applied', 'awaiting-confirmation') : [];
  const all = [
    ...inState('awaiting-confirmation').map(({ id }) => ({ line: command(['confirm', id]), why: 'keeps it' })),
    ...half.map(({ id }) => ({ line: command(['apply', '--continue', id]), why: 'finishes it' })),
    ...inState('rolling-back').map(({ id }) => ({ line: command(['rollback', id]), why: 'finishes it' })),
    ...inState('conflicted').map(({ id }) => ({ line: command(['rollback', id, '--force']), why: 'all the same' })),
    ...(whole ? [{ line: command(['plan', whole.profile]), why: 'to set it again' }] : []),
    ...[...half, ...(whole ? [whole] : [])].map(({ id }) => ({ line: command(['rollback', id]), why: 'undoes it' })),
    ...(changes.length === 0 && context.options.driftOnly !== true ? [{ line: command(['plan']), why: 'what could be changed' }] : []),
  ];
  return section('Next', commands(all, context), context);
}
