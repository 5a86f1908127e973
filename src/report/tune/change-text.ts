import type { ChangeDocument, ChangeStep } from '../../results/index.js';
import { dateLine } from '../rows.js';
import { commands, contextOf, head, labelWidth, pairLines, prose, quiet, section, toned, verdictLines } from './lines.js';
import type { TuneContext, TuneRenderOptions } from './lines.js';
import { notDoneLines, stateWords } from './plan-text.js';
import { counted, listed, tuneCommand } from './words.js';

type Outcome = ChangeStep['outcome'];

/** What was done to the host, what was not, and what is left to do. */
export function changeText(document: ChangeDocument, options: TuneRenderOptions): string[] {
  const context = contextOf(options);
  const { action, profile, state, steps } = document;
  const told = OUTCOMES.filter(({ outcome }) => steps.some((step) => step.outcome === outcome));
  return [
    ...head(document, `tautline tune ${action}${profile === undefined ? '' : `: ${profile}`}`, context),
    '',
    ...verdictLines(document.verdict, wordOf(document), context),
    ...(document.change === undefined ? [] : prose(`Change ${document.change} is ${stateWords(state)}.${persistence(document)}`, context, '')),
    ...confirmLines(document, context),
    ...told.flatMap((part) => outcomeLines(part, document, context)),
    ...section(
      'Still to do by hand',
      document.takesEffect.flatMap((each) => prose(`- ${each}`, context, '  ', '    ')),
      context,
    ),
    ...section(
      'To know',
      (document.notes ?? []).flatMap((each) => prose(`- ${each}`, context, '  ', '    ')),
      context,
    ),
    ...(document.notDone.length === 0 ? [] : notDoneLines(document.notDone, context, 'brief')),
    ...next(document, context),
  ];
}

const WORDS: Readonly<Record<ChangeDocument['state'], string>> = {
  planned: 'NOT APPLIED',
  applying: 'HALF APPLIED',
  'awaiting-confirmation': 'APPLIED',
  applied: 'APPLIED',
  'rolling-back': 'HALF ROLLED BACK',
  'rolled-back': 'ROLLED BACK',
  conflicted: 'CONFLICT',
  'nothing-to-do': 'NOTHING TO DO',
};

export function wordOf({ state, action }: Pick<ChangeDocument, 'state' | 'action'>): string {
  if (action === 'apply' && state === 'rolled-back') return 'NOT APPLIED';
  return action === 'confirm' && state === 'applied' ? 'CONFIRMED' : WORDS[state];
}

function persistence({ persisted, state, action, steps }: ChangeDocument): string {
  if (action === 'rollback') return '';
  if (state === 'awaiting-confirmation') return persisted ? ' Once it is confirmed it outlives a boot.' : '';
  if (state !== 'applied') return '';
  const inFiles = steps.filter(({ place }) => FILE.test(place)).length;
  if (persisted || inFiles === steps.length) return ' It outlives a boot.';
  return ` A boot ends ${inFiles > 0 ? 'what is not in files' : 'it'}: with --persist it would stay.`;
}

/** A place that is on the disk, as `/etc/ssh/ssh_config` is and `/sys/...` is not. */
const FILE = /^\/(?!proc\/|sys\/|dev\/)/;

/** The one thing that cannot wait. */
function confirmLines({ confirmBefore, state, change, verdict }: ChangeDocument, context: TuneContext): string[] {
  if (confirmBefore === undefined || state !== 'awaiting-confirmation') return [];
  const undone = verdict.sentence.includes(confirmBefore) ? '' : `Everything is undone at ${dateLine(confirmBefore)} unless you confirm it before. `;
  return [
    '',
    ...toned('fair', `${undone}If you can still reach this host, keep it with:`, context, ''),
    ...commands([{ line: tuneCommand(['confirm', ...(change === undefined ? [] : [change])], { sudo: context.options.sudo === true }) }], context),
  ];
}

interface OutcomePart {
  readonly outcome: Outcome;
  readonly title: string;
  /** So many are told without `--all`. */
  readonly told: number;
}

/** What went wrong first: it is what a person must act on. */
const OUTCOMES: readonly OutcomePart[] = [
  { outcome: 'failed', title: 'Failed', told: Number.POSITIVE_INFINITY },
  { outcome: 'conflict', title: 'Conflicts: somebody else has changed these since, so they were kept', told: Number.POSITIVE_INFINITY },
  { outcome: 'gone', title: 'No longer there', told: 8 },
  { outcome: 'applied', title: 'Applied', told: 40 },
  { outcome: 'undone', title: 'Set back', told: 40 },
  { outcome: 'waiting', title: 'Done once confirmed', told: 8 },
  { outcome: 'left-out', title: 'Left out', told: 8 },
  { outcome: 'already', title: 'Was so already', told: 4 },
];

export interface StepRow {
  readonly step: ChangeStep;
  readonly places: readonly string[];
}

/** Places of one setting that took the same course are one to a reader: sixteen queues, one value. */
export function stepRows(steps: readonly ChangeStep[]): StepRow[] {
  const rows = new Map<string, { step: ChangeStep; places: string[] }>();
  for (const step of steps) {
    const { place, ...same } = step;
    const key = JSON.stringify(same);
    const row = rows.get(key) ?? { step, places: [] };
    row.places.push(place);
    rows.set(key, row);
  }
  return [...rows.values()];
}

const PLACES_MAX = 2;

export function placesText(places: readonly string[], all: boolean): string {
  if (all || places.length <= PLACES_MAX) return listed(places, Number.POSITIVE_INFINITY);
  return `${places[0] ?? ''} and ${counted(places.length - 1, 'more place')}`;
}

function outcomeLines({ outcome, title, told }: OutcomePart, { action, steps: every }: ChangeDocument, context: TuneContext): string[] {
  const steps = every.filter((step) => step.outcome === outcome);
  const all = context.options.all === true;
  const rows = stepRows(steps);
  const shown = all || rows.length <= told + 1 ? rows : rows.slice(0, told);
  const column = labelWidth(shown.map(({ places }) => placesText(places, all)));
  const left = rows.length - shown.length;
  return section(
    `${title} (${steps.length})`,
    [
      ...shown.flatMap((row) => rowLines(row, { back: action === 'rollback', column, context })),
      ...(left > 0 ? quiet(`and ${left} more; --all lists them`, context, '  ') : []),
    ],
    context,
  );
}

function rowLines({ step, places }: StepRow, { back, column, context }: { back: boolean; column: number; context: TuneContext }): string[] {
  const { original, desired, found, outcome, why } = step;
  const label = placesText(places, context.options.all === true);
  const meant = back || outcome === 'undone' ? original : desired;
  // `found` is what applying left there; what a conflict holds now is told by its reason.
  const differs = outcome === 'applied' && found !== undefined && found !== meant;
  // What waits is told by its title.
  const told = why === undefined || outcome === 'waiting' ? [] : [why];
  const notes =
    outcome === 'conflict'
      ? [...told, `applied ${found ?? desired}, originally ${original}`]
      : differs
        ? [`it holds ${found}${why === undefined ? '' : `: ${why}`}`]
        : told;
  const tone = outcome === 'failed' ? 'bad' : outcome === 'conflict' ? 'fair' : 'good';
  const pair =
    outcome === 'conflict' || outcome === 'already' || original === desired
      ? prose(label, context, '  ', '    ')
      : pairLines({ label, from: back || outcome === 'undone' ? desired : original, to: meant, tone }, column, context);
  return [...pair, ...notes.flatMap((note) => (tone === 'good' ? quiet(note, context, '      ') : prose(note, context, '      ')))];
}

function next(document: ChangeDocument, context: TuneContext): string[] {
  const { change, state, action, steps, host } = document;
  if (change === undefined) return [];
  const { sudo, repeat } = context.options;
  const line = (words: readonly string[]): string => tuneCommand(words, { sudo: sudo === true });
  const interrupted = state === 'applying' || state === 'planned';
  const conflicts = steps.some(({ outcome }) => outcome === 'conflict');
  const forRoot = !host.root && document.notDone.some(({ reason }) => reason === 'needs-root');
  const all = [
    ...(interrupted ? [{ line: line(['apply', '--continue', change]), why: 'finishes it' }] : []),
    ...(state === 'rolling-back' ? [{ line: line(['rollback', change]), why: 'finishes it' }] : []),
    ...(conflicts && action === 'rollback' ? [{ line: line(['rollback', change, '--force']), why: 'sets these back too' }] : []),
    ...(state === 'applied' ? [{ line: line(['status']), why: 'whether it still holds' }] : []),
    ...(state === 'applied' || interrupted ? [{ line: line(['rollback', change]), why: 'undoes it' }] : []),
    ...(forRoot && document.profile !== undefined
      ? [{ line: tuneCommand(['apply', repeat?.profile ?? document.profile], { sudo: true, ...(repeat ? { repeat } : {}) }), why: 'what needs root' }]
      : []),
  ];
  return section('Next', commands(all, context), context);
}
