import { formatQuantity, inScale, quantityScale } from '../base/index.js';
import type { HistoryDocument, HistoryEntry, HistorySeries } from '../results/index.js';
import { metricName } from '../results/index.js';
import { painter } from './paint.js';
import type { Paint } from './paint.js';
import { plotLines } from './plot.js';
import { headLine, layoutOf, line } from './table.js';
import type { Cell, Column } from './table.js';
import { fit, printable, wrap } from './terminal-text.js';

export interface HistoryTextOptions {
  readonly color: boolean;
  readonly width: number;
  /** Whether the terminal shows more than ASCII. */
  readonly unicode?: boolean;
}

const WIDTH_MIN = 40;
const PLOT_WIDTH_MAX = 120;
const PLOT_ROWS = 12;

/** What was measured before, a line a run, or one figure over time. */
export function renderHistoryText(document: HistoryDocument, options: HistoryTextOptions): string {
  const context: Context = { width: Math.max(WIDTH_MIN, Math.floor(options.width)), paint: painter(options.color), unicode: options.unicode ?? true };
  const body =
    document.entries.length === 0 ? empty(document, context) : document.plot ? plotted(document, document.plot, context) : listed(document, context);
  return `${[...body, ...skipped(document, context)].join('\n')}\n`;
}

interface Context {
  readonly width: number;
  readonly paint: Paint;
  readonly unicode: boolean;
}

function empty({ folder }: HistoryDocument, { width }: Context): string[] {
  return wrap(
    `No run is kept${folder === undefined ? '' : ` in ${printable(folder)}`}, or none fits what was asked. 'tautline check' and 'tautline measure' keep one each time, unless --no-history or the setting history.enabled turns that off.`,
    { width },
  );
}

// --- The list --------------------------------------------------------------------------------

const COLUMNS: readonly Column[] = [
  { head: 'id', align: 'left', drop: 5 },
  { head: 'time (UTC)', align: 'left' },
  { head: 'target', align: 'left', flexible: true },
  { head: 'verdict', align: 'left' },
  { head: 'rtt', align: 'right', drop: 4 },
  { head: 'down', align: 'right', drop: 2 },
  { head: 'up', align: 'right', drop: 1 },
  { head: 'finding', align: 'left', drop: 3 },
];
/** As many digits of the hash as tell runs of one list apart. */
const ID_DIGITS = 6;

function listed({ entries, more }: HistoryDocument, context: Context): string[] {
  const digits = entries.some((entry, i) => entries.some((other, j) => j < i && shortId(other, ID_DIGITS) === shortId(entry, ID_DIGITS)))
    ? 10
    : ID_DIGITS;
  // The year is told where the runs are of several.
  const from = new Set(entries.map(({ startedAt }) => startedAt.slice(0, 4))).size > 1 ? 0 : 5;
  const rows = entries.map((entry) => cellsOf(entry, { digits, from }, context));
  const layout = layoutOf(COLUMNS, rows, context.width);
  return [
    context.paint('quiet', headLine(layout)),
    ...entries.flatMap((entry, i) => [...changes(entry, context), line(layout, rows[i] ?? [])]),
    '',
    ...wrap(
      `${entries.length} ${entries.length === 1 ? 'run' : 'runs'}${more === true ? ', older ones with --limit' : ''}. tautline history show ID prints one, --plot draws a figure over time.`,
      {
        width: context.width,
      },
    ).map((each) => context.paint('quiet', each)),
  ];
}

/** What changed on this host before the run stands above it: figures on both sides may differ by that alone. */
function changes({ changed = [] }: HistoryEntry, { width, paint, unicode }: Context): string[] {
  if (changed.length === 0) return [];
  const rule = unicode ? '┄┄' : '--';
  return [paint('quiet', fitted(`${rule} changed: ${printable(changed.join('; '))}`, width, unicode))];
}

function cellsOf(entry: HistoryEntry, { digits, from }: { digits: number; from: number }, { paint }: Context): Cell[] {
  const { verdict } = entry;
  const band = verdict?.outcome === 'pass' || verdict?.outcome === 'fail' ? verdict.band : undefined;
  const tone = verdict?.outcome === 'fail' || verdict?.outcome === 'unmeasured' ? 'bad' : band;
  return [
    { text: shortId(entry, digits) },
    { text: printable(entry.startedAt.slice(from, 16).replace('T', ' ')) },
    { text: printable(`${entry.target ?? 'this host'}${entry.probe === undefined ? '' : ` (${entry.probe})`}`) },
    {
      text: `${band ?? verdict?.outcome ?? ''}${entry.interrupted === true ? ', cut' : ''}`,
      ...(tone ? { style: (text: string) => paint(tone, text) } : {}),
    },
    { text: figureOf(entry, RTT) },
    { text: figureOf(entry, ['throughput.down', 'throughput.both', 'udp.down']) },
    { text: figureOf(entry, ['throughput.up', 'udp.up']) },
    { text: printable(entry.findings?.[0] ?? '') },
  ];
}

const RTT: readonly string[] = ['rtt', 'rtt.idle', 'connect', 'http.total', 'dns'];

/** The first of these metrics that the run has. */
function figureOf({ figures }: HistoryEntry, metrics: readonly string[]): string {
  const found = metrics.flatMap((metric) => figures.find((figure) => figure.metric === metric) ?? [])[0];
  return found ? formatQuantity(found.median, found.unit) : '';
}

/** The hash at the end of the id. */
function shortId({ id }: HistoryEntry, digits: number): string {
  return (id.split('-').at(-1) ?? id).slice(0, digits);
}

// --- The plot --------------------------------------------------------------------------------

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';

function plotted(document: HistoryDocument, plot: HistorySeries, context: Context): string[] {
  const { width, paint, unicode } = context;
  const { points } = plot;
  const medians = points.map(({ median }) => median);
  // All labels in one unit, that of the largest value.
  const scale = quantityScale(Math.max(...medians), plot.unit);
  const marks = points.flatMap((point) => (point.changed ? [point] : []));
  const letterOf = (id: string): string | undefined => {
    const at = marks.findIndex((point) => point.id === id);
    return at < 0 ? undefined : (LETTERS[at] ?? '*');
  };
  const path = plot.path === 'default' ? '' : ` over ${plot.path}`;
  const title = `${metricName(plot.metric)} of ${plot.subject}${path}, ${scale.name === '' ? plot.unit : scale.name}`;
  const lines = plotLines(
    points.map(({ id, startedAt, median }) => {
      const mark = letterOf(id);
      return { atMs: Date.parse(startedAt), value: median, ...(mark === undefined ? {} : { mark }) };
    }),
    {
      width: Math.min(width, PLOT_WIDTH_MAX),
      height: PLOT_ROWS,
      unicode,
      label: (value, step) => tickText(value / scale.factor, step / scale.factor),
    },
  );
  const sorted = [...medians].sort((a, b) => a - b);
  const middle = sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
  const told = (value: number): string => `${inScale(value, scale)} ${scale.name}`.trimEnd();
  const summary = `n ${points.length}: least ${told(sorted[0] ?? 0)}, middle ${told(middle)}, most ${told(sorted.at(-1) ?? 0)}, last ${told(medians.at(-1) ?? 0)}. Each point is the median of a run; times in UTC.`;
  return [
    paint('strong', fitted(printable(title), width, unicode)),
    ...lines,
    ...wrap(summary, { width }),
    ...marks.flatMap(({ id, startedAt, changed = [] }) =>
      wrap(`${letterOf(id)}  ${startedAt.slice(0, 16).replace('T', ' ')} the environment changed: ${changesInShort(changed, unicode)}`, {
        width,
        rest: '   ',
      }),
    ),
    ...notes(document, plot).flatMap((note) => wrap(note, { width }).map((each) => paint('quiet', each))),
  ];
}

const CHANGES_MAX = 6;
const CHANGE_WIDTH_MAX = 60;

/** Enough to see what it was about: an interface that came has twenty offloads, and the JSON has them all. */
function changesInShort(changed: readonly string[], unicode: boolean): string {
  const shown = changed.slice(0, CHANGES_MAX).map((change) => {
    const [, what = '', how = ''] = /^(.*?)( \((?:new|gone)\))?$/.exec(printable(change)) ?? [];
    return fitted(what, CHANGE_WIDTH_MAX, unicode) + how;
  });
  const left = changed.length - shown.length;
  return [...shown, ...(left > 0 ? [`and ${left} more (--json has all)`] : [])].join('; ');
}

function notes({ others = [] }: HistoryDocument, { points, leftOut, metric }: HistorySeries): string[] {
  const whys = new Map<string, number>();
  for (const { why } of leftOut) whys.set(why, (whys.get(why) ?? 0) + 1);
  const same = others.filter((other) => other.metric === metric);
  const more = [...new Set(others.map((other) => other.metric).filter((other) => other !== metric))];
  return [
    ...(points.length === 1 ? ['One run shows no course yet: run the same line again.'] : []),
    ...(leftOut.length > 0 ? [`Left out: ${[...whys].map(([why, n]) => `${n} (${printable(why)})`).join(', ')}.`] : []),
    ...(same.length > 0
      ? [
          `Also of this metric: ${same
            .slice(0, OTHERS_MAX)
            .map(({ subject, path, n }) => printable(`${subject}${path === 'default' ? '' : ` over ${path}`} (${n})`))
            .join(', ')}; --target and --path choose.`,
        ]
      : []),
    ...(more.length > 0
      ? [`Other metrics: ${more.slice(0, OTHERS_MAX).map(printable).join(', ')}${more.length > OTHERS_MAX ? ' ...' : ''}; --metric chooses.`]
      : []),
  ];
}

const OTHERS_MAX = 8;

/** As many decimals as tell two ticks apart. */
function tickText(value: number, step: number): string {
  return value.toFixed(Math.max(0, Math.min(6, -Math.floor(Math.log10(step) + 1e-9))));
}

// --- What was passed over ----------------------------------------------------------------------

const SKIPPED_MAX = 5;

function skipped({ skipped: files = [] }: HistoryDocument, { width, paint }: Context): string[] {
  if (files.length === 0) return [];
  const shown = files.slice(0, SKIPPED_MAX).map(({ file, why }) => `${printable(file)}: ${printable(why)}`);
  const rest = files.length > SKIPPED_MAX ? [`and ${files.length - SKIPPED_MAX} more`] : [];
  return ['', ...wrap(`Passed over: ${[...shown, ...rest].join('; ')}.`, { width }).map((each) => paint('quiet', each))];
}

function fitted(text: string, width: number, unicode: boolean): string {
  return unicode ? fit(text, width) : text.length <= width ? text : `${text.slice(0, width - 3)}...`;
}
