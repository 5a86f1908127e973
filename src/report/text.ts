import type { MtuDetails, ResultDocument, Verdict } from '../results/index.js';
import { detailsNote } from './details.js';
import { layerLines, shortLines } from './layers-text.js';
import { foundLines, limitNotes, openLines } from './expert-text.js';
import { type Paint, painter, stars } from './paint.js';
import { type Group, type Row, ceilingNote, dateLine, groupsOf, hostLine, titleOf, tookLine, verdictOf } from './rows.js';
import { type Cell, type Column, type Layout, headLine, layoutOf, line, tableWidth } from './table.js';
import { displayWidth, fit, printable, wrap } from './terminal-text.js';

const COLUMNS: readonly Column[] = [
  { head: '', align: 'left', flexible: true },
  { head: 'median', align: 'right' },
  { head: '±', align: 'right', drop: 2 },
  { head: '95 % interval', align: 'right', drop: 4 },
  { head: 'p99', align: 'right', drop: 3 },
  { head: 'lost/n', align: 'right' },
  { head: 'rating', align: 'left' },
  { head: '', align: 'left', drop: 1 },
];
const WIDTH_MIN = 40;
/** Longer lines are hard to read, however wide the terminal is. */
const PROSE_WIDTH_MAX = 100;
const INDENT = '  ';

/** The report for a terminal; see `Report`. */
export function renderText(document: ResultDocument, options: { readonly color: boolean; readonly width: number }): string {
  const width = Math.max(WIDTH_MIN, Math.floor(options.width));
  const context: Context = { width, prose: Math.min(width, PROSE_WIDTH_MAX), paint: painter(options.color), kind: document.schema };
  const groups = groupsOf(document).map((group) =>
    document.schema === 'tautline.check/1' ? withoutTold(group, (document.findings ?? []).length > 0) : group,
  );
  const layout = layoutOf(
    COLUMNS,
    groups.flatMap(({ rows }) => rows.map((row) => cells(row, context))),
    width - INDENT.length,
  );
  const figures = groups.flatMap((group) => ['', ...section(group, layout, context)]);
  const verdict = verdictOf(document);
  const shown = groups.flatMap(({ rows }) => rows.flatMap(({ problem }) => (problem === undefined ? [] : [problem])));
  const said = verdict ? ['', ...conclusion(document.schema === 'tautline.measure/1' ? withoutReasons(verdict, shown) : verdict, context)] : [];
  const lines =
    document.schema === 'tautline.check/1'
      ? [...head(document, context), ...said, ...foundLines(document, context), ...figures, ...openLines(document, context)]
      : [...head(document, context), ...figures, ...said];
  return `${lines.join('\n')}\n`;
}

interface Context {
  readonly width: number;
  readonly prose: number;
  readonly paint: Paint;
  readonly kind: ResultDocument['schema'];
}

/** What stands under a figure right above need not be said again. */
function withoutReasons(verdict: Verdict, reasons: readonly string[]): Verdict {
  const longest = reasons.filter((reason) => verdict.sentence.includes(`: ${reason}`)).sort((a, b) => b.length - a.length)[0];
  return longest === undefined ? verdict : { ...verdict, sentence: verdict.sentence.replace(`: ${longest}`, '') };
}

/** In a check the line of layers tells what these rows would, unless there is something to say about them. */
function withoutTold(group: Group, explained: boolean): Group {
  const told = ({ measurement: { probe, outcome, rating, reason, details } }: Row): boolean => {
    if (outcome !== 'ok' || rating !== undefined) return false;
    // The line says that there is a black hole, and a finding what to do about it.
    const inFinding = explained && (details as Partial<MtuDetails> | undefined)?.blackHole === true;
    return probe === 'trace' || (LINE_PROBES.includes(probe) && (reason === undefined || inFinding));
  };
  const rows = group.rows.filter((row) => !told(row) || !group.layers.some(({ of }) => of.includes(row.measurement)));
  return { ...group, rows, nothing: rows.length < group.rows.length ? '' : group.nothing };
}

const LINE_PROBES: readonly string[] = ['mtu', 'link'];

function head(document: ResultDocument, { prose, paint }: Context): string[] {
  const title = printable(`tautline ${titleOf(document)}`);
  const when = printable(`${dateLine(document.startedAt)}, ${tookLine(document.durationMs)}, version ${document.tool.version}`);
  const interrupted =
    document.interrupted === true
      ? wrap('Interrupted: this is what had been measured until then.', { width: prose }).map((text) => paint('bad', text))
      : [];
  return [
    ...wrap(title, { width: prose }).map((text) => paint('strong', text)),
    ...wrap(printable(hostLine(document.host)), { width: prose }).map((text) => paint('quiet', text)),
    ...wrap(when, { width: prose }).map((text) => paint('quiet', text)),
    ...interrupted,
  ];
}

function section(group: Group, layout: Layout, context: Context): string[] {
  const { paint, prose } = context;
  const lines = title(group, context);
  const facts = group.facts.map(([key, value]) => `${printable(key)} ${printable(value)}`).join(', ');
  if (facts !== '') lines.push(...wrap(facts, { width: prose, first: INDENT }).map((text) => paint('quiet', text)));
  if (context.kind === 'tautline.check/1') lines.push(...shortLines(group.layers, context));
  if (group.rows.length === 0) return group.nothing === '' ? lines : [...lines, INDENT + group.nothing];
  lines.push(INDENT + paint('quiet', headLine(layout)), INDENT + paint('quiet', '─'.repeat(tableWidth(layout))));
  for (const row of group.rows) lines.push(...rowLines(row, layout, context));
  lines.push(...notes(group, layout, context));
  return context.kind === 'tautline.measure/1' ? [...lines, ...group.layers.flatMap((layer) => layerLines(layer, context))] : lines;
}

function title(group: Group, { paint, prose }: Context): string[] {
  const name = fit(printable(group.title), prose);
  const subtitle = printable(group.subtitle);
  if (subtitle === '') return [paint('strong', name)];
  const oneLine = displayWidth(name) + 3 + displayWidth(subtitle) <= prose;
  return oneLine
    ? [`${paint('strong', name)} ${paint('quiet', `(${subtitle})`)}`]
    : [paint('strong', name), ...wrap(subtitle, { width: prose, first: INDENT }).map((text) => paint('quiet', text))];
}

function rowLines(row: Row, layout: Layout, context: Context): string[] {
  const { paint, prose } = context;
  const own = INDENT + line(layout, cells(row, context));
  const { problem } = row;
  if (problem === undefined || problem === row.measurement.outcome) return [own];
  return [own, ...wrap(printable(problem), { width: prose, first: INDENT + INDENT }).map((text) => paint('quiet', text))];
}

/** What does not fit into a row: the errors of measuring with their causes, shares of a ceiling, and details of a single probe. */
function notes(group: Group, layout: Layout, { paint, prose, kind }: Context): string[] {
  const errorShown = layout.shown.includes(COLUMNS.findIndex(({ head: name }) => name === '±'));
  const lines: string[] = [];
  const note = (text: string): void => {
    const indent = INDENT + (/^ */.exec(text)?.[0] ?? '');
    lines.push(...wrap(printable(text), { width: prose, first: indent, rest: `${indent}${INDENT}` }).map((each) => paint('quiet', each)));
  };
  const inCheck = kind === 'tautline.check/1';
  const withError = group.rows.filter((row) => row.error !== '' && (row.measurement.error?.value ?? 0) > 0);
  const named = inCheck ? tellingRows(withError) : withError;
  if (!errorShown && named.length > 0) note(`± ${largestErrors(named).join(', ')}`);
  const causes = inCheck ? fewest(causesOf(named)) : causesOf(named);
  if (causes.length > 0) note(`± comes from${causes.length === 1 ? ` ${causes[0]}` : ''}`);
  if (causes.length > 1) for (const cause of causes) note(`  - ${cause}`);
  for (const row of group.rows) {
    const share = ceilingNote(row.measurement);
    if (share !== undefined) note(`${row.name}: ${share}`);
  }
  for (const limit of limitNotes(group.limits)) note(limit);
  if (kind === 'tautline.measure/1') {
    for (const row of group.rows) {
      const details = group.layers.some(({ of }) => of.includes(row.measurement)) ? '' : detailsNote(row.measurement.details);
      if (details !== '') note(`${row.name}: ${details}`);
    }
  }
  return lines;
}

/** Each name once, with the largest of its errors: a check may take the same figure several times. */
function largestErrors(rows: readonly Row[]): string[] {
  const largest = new Map<string, Row>();
  for (const row of rows) {
    const known = largest.get(row.name);
    if (!known || (row.measurement.error?.value ?? 0) > (known.measurement.error?.value ?? 0)) largest.set(row.name, row);
  }
  return [...largest.values()].map((row) => `${row.name} ${row.error.replace('±', '')}`);
}

/** In a check an error below this share of its figure changes nothing, and is left to the document. */
const TELLING_SHARE = 0.1;
const CAUSES_MAX = 3;
const ERRORS_MAX = 6;

/** What is off by much, the worst first, and no more than a person reads. */
function tellingRows(rows: readonly Row[]): Row[] {
  const share = ({ measurement: { error, summary } }: Row): number => (error && summary ? error.value / Math.abs(summary.median) : 0);
  return rows
    .filter((row) => share(row) > TELLING_SHARE)
    .sort((a, b) => share(b) - share(a))
    .slice(0, ERRORS_MAX);
}

function fewest(causes: readonly string[]): readonly string[] {
  const left = causes.length - CAUSES_MAX;
  return left <= 1 ? causes : [...causes.slice(0, CAUSES_MAX), `${left} more: --json lists them all`];
}

/** So many rows are named with a cause; one of more rows is told without. */
const NAMED_ROWS_MAX = 3;

/**
 * The causes of the errors, each once. Causes that differ only in their figures are one, told as it is where
 * the error is largest.
 */
function causesOf(rows: readonly Row[]): string[] {
  const causes = new Map<string, { text: string; largest: number; varies: boolean; names: Set<string> }>();
  for (const row of rows) {
    for (const text of row.measurement.error?.from ?? []) {
      const kind = text.replace(/\d+(?:\.\d+)?/g, '#');
      const size = row.measurement.error?.value ?? 0;
      const known = causes.get(kind) ?? { text, largest: size, varies: false, names: new Set<string>() };
      known.varies ||= known.text !== text;
      if (size > known.largest) Object.assign(known, { text, largest: size });
      known.names.add(row.name);
      causes.set(kind, known);
    }
  }
  return [...causes.values()].map(({ text, varies, names }) => {
    const everywhere = names.size === new Set(rows.map((row) => row.name)).size || names.size > NAMED_ROWS_MAX;
    return `${text}${varies ? ' at worst' : ''}${everywhere ? '' : ` (${[...names].join(', ')})`}`;
  });
}

function conclusion(verdict: Verdict, { prose, paint, kind }: Context): string[] {
  // What settles nothing has no colour of a band, whatever the figures are.
  const tone =
    verdict.outcome === 'fail' || verdict.outcome === 'unmeasured' ? 'bad' : verdict.outcome === 'pass' ? (verdict.band ?? 'strong') : 'strong';
  // Passing or failing is a check's business; a single probe is only rated.
  const rated = verdict.band !== undefined && (verdict.outcome === 'pass' || (verdict.outcome === 'fail' && kind === 'tautline.measure/1'));
  const mark = rated && verdict.band ? verdict.band : verdict.outcome;
  const [first = '', ...rest] = wrap(`${mark.toUpperCase()}: ${printable(verdict.sentence)}`, { width: prose });
  return [first.replace(mark.toUpperCase(), (found) => paint(tone, found)), ...rest];
}

function cells(row: Row, { paint }: Context): Cell[] {
  const { rating } = row;
  const failed = row.impossible || NO_ANSWER.includes(row.measurement.outcome);
  const inBand = (text: string): string => (failed ? paint('bad', text) : rating ? paint(rating.band, text) : text);
  return [
    { text: `${row.child ? INDENT : ''}${printable(row.label)}` },
    { text: row.value, style: inBand },
    { text: row.error },
    { text: row.interval },
    { text: row.p99 },
    { text: row.count },
    { text: row.impossible ? 'error' : rating ? stars(rating.stars) : '', style: inBand },
    { text: rating?.band ?? '', style: inBand },
  ];
}

const NO_ANSWER: readonly string[] = ['lost', 'refused', 'timeout'];
