import type { NotDone, PlanDocument, Planned } from '../../results/index.js';
import { commands, contextOf, head, labelWidth, pairLines, prose, quiet, section, toned } from './lines.js';
import type { TuneContext, TuneRenderOptions } from './lines.js';
import {
  REASONS,
  byGroup,
  counted,
  environmentLine,
  groupTitle,
  labelOf,
  listed,
  notDoneRows,
  tagsOf,
  tuneCommand,
  valuesOf,
  firstSentence,
  sourceLine,
} from './words.js';
import type { PlannedRow } from './words.js';

/** What would be changed and why, what would not, who else sets the same, and what to type next. */
export function planText(document: PlanDocument, options: TuneRenderOptions): string[] {
  const context = contextOf(options);
  return [
    ...head(document, `tautline tune plan: ${document.profile.name}`, context),
    ...quiet(`This host is ${environmentLine(document)}.`, context, ''),
    '',
    ...summary(document, context),
    ...profileLines(document, context),
    ...standing(document, context),
    ...changes(document, context),
    ...notDoneLines(document.notDone, context),
    ...managers(document, context),
    ...advice(document, context),
    ...next(document, context),
  ];
}

function summary({ host, changes: planned, notDone }: PlanDocument, context: TuneContext): string[] {
  const risky = planned.filter(({ effect }) => effect === 'risky').length;
  const forRoot = planned.filter((change) => lacksRoot(change, host.root)).length;
  const impossible = planned.filter(({ possible }) => !possible).length - forRoot;
  const satisfied = planned.length === 0 && notDone.every(({ reason }) => reason === 'already' || reason === 'would-lower');
  const parts = [
    planned.length > 0
      ? `${counted(planned.length, 'change')} proposed`
      : satisfied
        ? 'Nothing to change, since everything is as the profile wants it or better'
        : 'Nothing to change',
    ...(risky > 0 ? [`${risky} of them risky`] : []),
    ...(forRoot > 0 ? [`${forRoot === planned.length ? 'all' : forRoot} only as root`] : []),
    ...(impossible > 0 ? [`${impossible} not possible now`] : []),
    ...(satisfied ? [] : [`${notDone.length} not done`]),
  ];
  const calm = context.options.asking === true ? '' : ' This is a plan: nothing has been changed.';
  const [first = '', ...rest] = prose(`${parts.join(', ')}.${calm}`, context, '');
  return [context.paint('strong', first), ...rest.map((line) => context.paint('strong', line))];
}

/** That root is missing is told once for all of them. */
function lacksRoot({ possible, needsRoot }: Planned, root: boolean): boolean {
  return !possible && needsRoot && !root;
}

function profileLines({ profile }: PlanDocument, context: TuneContext): string[] {
  const { name, title, risk, exact, lineage, chosen, why } = profile;
  const over = lineage.slice(1);
  const text = [
    `Profile ${name} (${title.toLowerCase() === name.toLowerCase() ? '' : `${title}; `}risk ${risk}${over.length > 0 ? `; extends ${over.join(', ')}` : ''}${exact ? '; exact: it lowers values too' : ''})`,
    chosen === 'asked' ? '' : `, advised for this host: ${why}`,
  ].join('');
  return prose(/[.!?]$/.test(text) ? text : `${text}.`, context, '');
}

function standing({ standing: change }: PlanDocument, context: TuneContext): string[] {
  if (!change) return [];
  const text = `Change ${change.id} (profile ${change.profile}) is ${stateWords(change.state)}${change.advice === undefined ? '' : `; ${change.advice}`}.`;
  return ['', ...toned('fair', text, context, '')];
}

/** As people say it. */
export function stateWords(state: string): string {
  const words: Readonly<Record<string, string>> = {
    planned: 'planned, and nothing of it is done',
    applying: 'half applied: it was interrupted',
    'awaiting-confirmation': 'applied, and waits to be confirmed',
    applied: 'in force',
    'rolling-back': 'half rolled back: that was interrupted',
    'rolled-back': 'rolled back',
    conflicted: 'rolled back but for what somebody else has changed since',
    'nothing-to-do': 'not needed',
    damaged: 'told by a journal that cannot be believed',
  };
  return Object.hasOwn(words, state) ? (words[state] ?? state) : state;
}

// --- What would be changed ---------------------------------------------------------------------

function changes(document: PlanDocument, context: TuneContext): string[] {
  const groups = byGroup(document.changes);
  const all = context.options.all === true;
  const column = labelWidth(groups.flatMap(({ rows }) => rows.map(({ planned, instances }) => labelOf(planned.setting, instances, all))));
  return groups.flatMap(({ group, rows }) =>
    section(
      groupTitle(group),
      rows.flatMap((row) => changeLines(row, { column, profile: document.profile.name, root: document.host.root, context })),
      context,
    ),
  );
}

/** Also used where an experiment tells what it tried. */
export function changeLines(
  { planned, instances }: PlannedRow,
  { column, profile, root, context }: { column: number; profile: string; root: boolean; context: TuneContext },
): string[] {
  const all = context.options.all === true;
  const label = labelOf(planned.setting, instances, all);
  const source = sourceLine(planned, profile);
  return [
    ...pairLines({ label, from: planned.now, to: planned.proposed }, column, context),
    ...prose(all ? planned.why : firstSentence(planned.why), context, '      '),
    ...(planned.effect === 'risky' ? toned('poor', 'Risky: it may cost more than it gains.', context, '      ') : []),
    ...(planned.possible || lacksRoot(planned, root)
      ? []
      : toned('fair', `Not possible now: ${planned.hindrance ?? 'no reason was told'}`, context, '      ')),
    ...(planned.takesEffect === undefined ? [] : prose(`To take effect: ${planned.takesEffect}`, context, '      ')),
    ...(planned.notes ?? []).flatMap((note) => quiet(note, context, '      ')),
    ...quiet(tagsOf(planned).join(' · '), context, '      '),
    ...(source === '' ? [] : quiet(`source: ${source}`, context, '      ')),
  ];
}

// --- What would not ----------------------------------------------------------------------------

/** `brief`: after a plan, only what a person might not expect is told again, and the rest is counted. */
export function notDoneLines(notDone: readonly NotDone[], context: TuneContext, how: 'whole' | 'brief' = 'whole'): string[] {
  const counts: string[] = [];
  const lines = REASONS.flatMap(({ reason, title, told, expected }) => {
    const entries = notDone.filter((entry) => entry.reason === reason);
    if (entries.length === 0) return [];
    if (how === 'whole' || context.options.all === true || !expected) return reasonLines(title, entries, { told, context });
    counts.push(`${title.toLowerCase()} (${entries.length})`);
    return [];
  });
  const rest = counts.length === 0 ? [] : quiet(`${counts.join(', ')}; tautline tune plan tells why`, context, '  ', '    ');
  return section(`Not done (${notDone.length})`, [...lines, ...rest], context);
}

const NAMED_MAX = 5;

function reasonLines(title: string, entries: readonly NotDone[], { told, context }: { told: number; context: TuneContext }): string[] {
  const all = context.options.all === true;
  if (told === 0 && !all) {
    const names = [...new Set(entries.map(({ setting }) => setting))];
    return prose(`${title} (${entries.length}): ${listed(names, NAMED_MAX)}; --all lists them`, context, '  ', '    ');
  }
  const rows = notDoneRows(entries, all);
  const shown = all || rows.length <= told + 1 ? rows : rows.slice(0, told);
  const left = rows.slice(shown.length).reduce((sum, { labels }) => sum + labels.length, 0);
  return [
    `  ${title} (${entries.length})`,
    ...shown.flatMap(({ labels, ...row }) => {
      const values = valuesOf(row);
      const names = listed(labels, all ? Number.POSITIVE_INFINITY : NAMED_MAX);
      return quiet(`${names}${values === '' ? '' : ` (${values})`}${row.why === '' ? '' : `: ${row.why}`}`, context, '    ', '      ');
    }),
    ...(left > 0 ? quiet(`and ${left} more; --all lists them`, context, '    ') : []),
  ];
}

// --- Others, advice, and what is next ------------------------------------------------------------

function managers({ managers: all }: PlanDocument, context: TuneContext): string[] {
  return section(
    'Others that set the same',
    all.flatMap(({ who, what, advice: then }) => [...prose(`${who}: ${what}`, context, '  ', '    '), ...quiet(then, context, '    ')]),
    context,
  );
}

function advice({ advice: all }: PlanDocument, context: TuneContext): string[] {
  return section(
    'To know about this host',
    all.flatMap(({ text, source }) => [
      ...prose(`- ${text}`, context, '  ', '    '),
      ...(source ? quiet(`source: ${source.title}`, context, '    ') : []),
    ]),
    context,
  );
}

function next(document: PlanDocument, context: TuneContext): string[] {
  const { host, profile } = document;
  const wanted = document.changes.filter(({ possible, needsRoot }) => possible || (needsRoot && !host.root));
  if (wanted.length === 0 || context.options.asking === true) return [];
  const { repeat, sudo: bySudo = false } = context.options;
  const sudo = bySudo || (!host.root && wanted.some(({ needsRoot }) => needsRoot));
  const name = repeat?.profile ?? profile.name;
  const line = (words: readonly string[], after = '', asRoot = sudo): string =>
    tuneCommand(words, { sudo: asRoot, ...(repeat ? { repeat } : {}), after });
  return section(
    'Next',
    commands(
      [
        { line: line(['apply', name, '--confirm-within', '60s']), why: 'then tune confirm' },
        { line: line(['plan', name, '--script'], '', false), why: 'as a shell script' },
        { line: line(['try', name], ' --target HOST'), why: 'what of it helps' },
      ],
      context,
    ),
    context,
  );
}
