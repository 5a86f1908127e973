import { formatQuantity, inScale, quantityScale } from '../../base/index.js';
import { metricName } from '../../results/index.js';
import type { ExperimentDocument, ExperimentFigure } from '../../results/index.js';
import type { Tone } from '../paint.js';
import { headLine, layoutOf, line, tableWidth } from '../table.js';
import type { Cell, Column, Layout } from '../table.js';
import { printable } from '../terminal-text.js';
import { commands, contextOf, head, labelWidth, pairLines, prose, quiet, section, toned, verdictLines } from './lines.js';
import type { TuneContext, TuneRenderOptions } from './lines.js';
import { notDoneLines } from './plan-text.js';
import { groupTitle, labelOf, plannedRows, tuneCommand } from './words.js';

type Tried = ExperimentDocument['groups'][number];

/** What was tried, how, what came of it and why that may be believed. */
export function experimentText(document: ExperimentDocument, options: TuneRenderOptions): string[] {
  const context = contextOf(options);
  const { groups, design, profile, target } = document;
  const layout = layoutOf(
    COLUMNS,
    groups.flatMap(({ figures }) => figures.map((figure) => cellsOf(figure, context))),
    context.width - INDENT.length,
  );
  return [
    ...head(document, `tautline tune try: ${profile.name}, measured to ${target}`, context),
    '',
    ...verdictLines(document.verdict, wordOfExperiment(document), context),
    ...(document.interrupted === true ? toned('bad', 'Interrupted: this is what had been measured until then.', context, '') : []),
    ...quiet(`${designLine(document)}; took ${tookText(document.durationMs)}`, context, ''),
    ...groups.flatMap((group) => groupLines(group, layout, context)),
    ...(document.notDone.length === 0 ? [] : notDoneLines(document.notDone, context, 'brief')),
    ...section('How it was done', quiet(design.sentence, context, INDENT), context),
    ...next(document, context),
  ];
}

const INDENT = '  ';

/** What came of it in a word. */
export function wordOfExperiment({ verdict, groups }: ExperimentDocument): string {
  const some = (decision: Tried['decision']): boolean => groups.some((group) => group.decision === decision);
  if (some('keep')) return 'HELPS';
  if (some('reject')) return 'HARMS';
  return verdict.outcome !== 'unmeasured' && some('no measurable change') ? 'NO MEASURABLE CHANGE' : 'NOT MEASURED';
}

function tookText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 90 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

const ORDERS_MAX = 8;

/** What a sceptic asks first. */
export function designLine({ design }: ExperimentDocument): string {
  const { seed, blocks, orders, alpha, comparisons } = design;
  const shown = orders.length > ORDERS_MAX ? `${orders.slice(0, ORDERS_MAX).join(' ')} ...` : orders.join(' ');
  return `${blocks} blocks a group${shown === '' ? '' : `: ${shown}`} (A without, B with; seed ${seed}); ${comparisons} comparisons, together at ${percentText(alpha)} by Holm's correction`;
}

export function percentText(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`;
}

const DECISIONS: Readonly<Record<Tried['decision'], { readonly word: string; readonly tone: Tone }>> = {
  keep: { word: 'keep', tone: 'excellent' },
  reject: { word: 'reject', tone: 'bad' },
  'no measurable change': { word: 'no measurable change', tone: 'strong' },
  'not tried': { word: 'not tried', tone: 'quiet' },
};

const COLUMNS: readonly Column[] = [
  { head: '', align: 'left', flexible: true },
  { head: 'without -> with', align: 'right', drop: 3 },
  { head: 'ratio', align: 'right' },
  { head: 'interval', align: 'right' },
  { head: 'p', align: 'right', drop: 2 },
  { head: 'n', align: 'right', drop: 1 },
  { head: 'finding', align: 'left' },
];

const FINDINGS: Readonly<Record<ExperimentFigure['finding'], { readonly word: string; readonly tone: Tone }>> = {
  helps: { word: 'helps', tone: 'excellent' },
  harms: { word: 'harms', tone: 'bad' },
  'no measurable change': { word: 'no change', tone: 'quiet' },
  'not measured': { word: 'missing', tone: 'fair' },
};

function cellsOf(figure: ExperimentFigure, { paint }: TuneContext): Cell[] {
  const { word, tone } = FINDINGS[figure.finding];
  return [
    { text: printable(metricName(figure.metric)) },
    { text: bothAmounts(figure) },
    { text: ratioText(figure.ratio) },
    { text: intervalText(figure.interval) },
    { text: figure.ratio === undefined ? '' : pText(figure.pCorrected ?? figure.p) },
    { text: String(figure.blocks) },
    { text: word, style: (text) => paint(tone, text) },
  ];
}

/** Both in one unit, that of the larger. */
function bothAmounts({ without, with: after, unit }: ExperimentFigure): string {
  if (without === undefined || after === undefined) return '';
  const scale = quantityScale(Math.max(Math.abs(without), Math.abs(after)), unit);
  return `${inScale(without, scale)} -> ${inScale(after, scale)} ${scale.name}`.trimEnd();
}

export function amount(value: number | undefined, unit: string): string {
  return value === undefined ? '' : formatQuantity(value, unit);
}

export function ratioText(ratio: number | undefined): string {
  if (ratio === undefined || !Number.isFinite(ratio)) return '';
  return ratio >= 100 ? String(Math.round(ratio)) : ratio.toFixed(ratio >= 10 ? 1 : ratio >= 0.1 ? 3 : 4);
}

export function intervalText(interval: readonly [number, number] | undefined): string {
  return interval === undefined ? '' : `${ratioText(interval[0])}–${ratioText(interval[1])}`;
}

export function pText(p: number | undefined): string {
  if (p === undefined || !Number.isFinite(p)) return '';
  return p < 0.001 ? '<0.001' : p.toFixed(3);
}

function groupLines({ group, changes, decision, why, figures }: Tried, layout: Layout, context: TuneContext): string[] {
  const { word, tone } = DECISIONS[decision];
  const rows = plannedRows(changes);
  const label = (row: (typeof rows)[number]): string => labelOf(row.planned.setting, row.instances, context.options.all === true);
  const column = labelWidth(rows.map(label));
  return [
    '',
    ...prose(`${groupTitle(group)}: ${word}`, context, '').map((part) => {
      const at = part.lastIndexOf(word);
      return at < 0 ? context.paint('strong', part) : context.paint('strong', part.slice(0, at)) + context.paint(tone, word);
    }),
    ...prose(why, context, INDENT),
    ...rows.flatMap((row) => pairLines({ label: label(row), from: row.planned.now, to: row.planned.proposed }, column, context)),
    ...(figures.length === 0
      ? []
      : [INDENT + context.paint('quiet', headLine(layout)), INDENT + context.paint('quiet', '─'.repeat(tableWidth(layout)))]),
    ...figures.flatMap((figure) => [
      INDENT + line(layout, cellsOf(figure, context)),
      ...(figure.why === undefined || figure.why === '' ? [] : quiet(figure.why, context, '      ')),
      ...(context.options.all === true ? quiet(runsText(figure), context, '      ') : []),
    ]),
  ];
}

/** Every run in the order in which it was made: `block 1: A 9.4 Mbit/s, B 31 Mbit/s ...`. */
export function runsText({ runs, unit }: ExperimentFigure): string {
  const blocks = [...new Set(runs.map(({ block }) => block))];
  return blocks
    .map((block) => {
      const own = runs.filter((run) => run.block === block).sort((a, b) => a.at - b.at);
      const told = own.map(
        ({ arm, value, reason }) => `${arm === 'without' ? 'A' : 'B'} ${value === undefined ? (reason ?? 'none') : amount(value, unit)}`,
      );
      return `block ${block}: ${told.join(', ')}`;
    })
    .join('; ');
}

function next({ kept, groups, profile, target }: ExperimentDocument, context: TuneContext): string[] {
  const { repeat, sudo = false } = context.options;
  const helps = groups.filter(({ decision }) => decision === 'keep');
  const line = (words: readonly string[]): string => tuneCommand(words, { sudo });
  if (kept !== undefined)
    return section(
      'Next',
      [
        ...prose(`What helped is left applied as change ${kept}.`, context, INDENT),
        ...commands([{ line: line(['rollback', kept]), why: 'undoes it' }], context),
      ],
      context,
    );
  if (helps.length === 0) return [];
  const again = tuneCommand(
    ['try', repeat?.profile ?? profile.name, '--target', target, '--groups', helps.map(({ group }) => group).join(','), '--keep'],
    {
      sudo,
      ...(repeat ? { repeat } : {}),
    },
  );
  return section(
    'Next',
    [...prose('To try what helped once more, and to keep it:', context, INDENT), ...commands([{ line: again }], context)],
    context,
  );
}
