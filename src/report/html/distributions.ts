import { formatQuantity } from '../../base/index.js';
import type { Distribution, Measurement, ResultDocument } from '../../results/index.js';
import { metricName } from '../../results/index.js';
import { fit } from '../terminal-text.js';
import { ACROSS, type Scale, areaUnder, axisBelow, chart, label, lineThrough, logScale, percent, stretched } from './chart.js';
import { folded, samples, table } from './figure.js';
import { type Markup, NOTHING, html } from './markup.js';
import { type PathView, pathLabel, pathViewsOf } from './path-view.js';

/** How round trips are spread on each path, idle against under load, all on one logarithmic axis so that shapes can be compared. */
export function distributionsSection(document: ResultDocument): Markup {
  const views = pathViewsOf(document);
  const shown = views.map((path) => ({ path, rows: rowsOf(path) })).filter(({ rows }) => rows.length > 0);
  if (shown.length === 0) return NOTHING;
  const scale = sharedScale(shown.flatMap(({ rows }) => rows));
  return html`<section id="latency">
    <h2>Latency</h2>
    <p class="lead">
      How often each round trip took how long. The line marks the median, the tick the 99th percentile; every area is drawn to the same height.
    </p>
    <div class="grid-2">${shown.map(({ path, rows }) => figureOf(pathLabel(path, views), rows, scale))}</div>
  </section>`;
}

interface Row {
  readonly name: string;
  readonly loaded: boolean;
  readonly measurement: Measurement;
  readonly distribution: Distribution;
}

/** Two alike would only make the page longer: echoes stand for pings, and for the idle round trip before a load. */
function rowsOf({ measurements }: PathView): Row[] {
  const spread = measurements.flatMap((measurement): Row[] => {
    const distribution = distributionOf(measurement);
    if (!distribution || !/^(?:rtt|connect)/.test(measurement.metric)) return [];
    return [{ name: metricName(measurement.metric), loaded: measurement.metric.startsWith('rtt.loaded'), measurement, distribution }];
  });
  const rtts = spread.filter(({ measurement }) => measurement.metric === 'rtt' || measurement.metric === 'rtt.idle');
  const idle =
    rtts.find(({ measurement }) => measurement.probe === 'echo') ?? rtts.find(({ measurement }) => measurement.metric === 'rtt') ?? rtts[0];
  const connect = spread.find(({ measurement }) => measurement.metric === 'connect');
  const first = idle ? [{ ...idle, name: 'idle' }] : connect ? [connect] : [];
  const loaded = spread.filter((row) => row.loaded).map((row) => ({ ...row, name: row.name.replace('round trip ', '') }));
  return [...first, ...loaded.filter((row, i) => loaded.findIndex(({ name }) => name === row.name) === i)];
}

/** What a probe kept of its samples, if it is what it should be: documents are read from files too. */
export function distributionOf({ details, summary }: Measurement): Distribution | undefined {
  const kept = details?.['distribution'] as Partial<Distribution> | undefined;
  if (summary?.unit !== 'ms' || !Array.isArray(kept?.values) || !Array.isArray(kept.counts) || kept.values.length !== kept.counts.length)
    return undefined;
  const sound =
    kept.values.every((value) => Number.isFinite(value) && value > 0) && kept.counts.every((count) => Number.isFinite(count) && count >= 0);
  return sound && kept.values.length > 1 ? { values: kept.values, counts: kept.counts } : undefined;
}

/** Room at both ends, so that nothing touches the edge. */
const ROOM = 1.15;

function sharedScale(rows: readonly Row[]): Scale {
  const least = Math.min(...rows.map(({ distribution: { values } }) => values[0] ?? 1));
  const most = Math.max(...rows.map(({ distribution: { values } }) => values[values.length - 1] ?? 1));
  return logScale(least / ROOM, Math.max(most, least * 2) * ROOM);
}

const ROW_HEIGHT = 62;
const AREA_TOP = 22;
const AREA_HEIGHT = 34;

function figureOf(name: string, rows: readonly Row[], scale: Scale): Markup {
  const bottom = rows.length * ROW_HEIGHT;
  const said = rows.map(
    ({ name: row, measurement: { summary } }) =>
      `${row}: median ${formatQuantity(summary?.median ?? 0, 'ms')}, 99th percentile ${formatQuantity(summary?.p99 ?? 0, 'ms')}`,
  );
  return html`<figure>
    <figcaption>${name}</figcaption>
    ${chart({ height: bottom + 20, label: `Round trips on ${name}. ${said.join('. ')}.` }, [
      axisBelow(scale, { top: 4, bottom }, (tick) => tickName(tick)),
      rows.map((row, i) => rowMarkup(row, i * ROW_HEIGHT, scale)),
    ])}${folded('the figures', figuresTable(name, rows))}
  </figure>`;
}

function rowMarkup({ name, loaded, measurement: { summary }, distribution }: Row, top: number, scale: Scale): Markup {
  const median = scale.at(summary?.median ?? 0);
  const p99 = scale.at(summary?.p99 ?? 0);
  const base = top + AREA_TOP + AREA_HEIGHT;
  const points = densityOf(distribution, scale).map((share, i, { length }) => [((i + 0.5) / length) * ACROSS, AREA_HEIGHT * (1 - share)] as const);
  return html`${label(0, top + 15, fit(name, 24), { kind: 'name', anchor: 'start' })}${label(1, top + 15, `${formatQuantity(summary?.median ?? 0, 'ms')}, p99 ${formatQuantity(summary?.p99 ?? 0, 'ms')}`, { kind: 'value', anchor: 'end' })}${stretched(
      { y: top + AREA_TOP, height: AREA_HEIGHT },
      html`<path class="area ${loaded ? 'loaded' : 'idle'}" d="${areaUnder(points, AREA_HEIGHT)}" /><path
          class="line ${loaded ? 'loaded' : 'idle'}"
          d="${lineThrough(points)}"
        />`,
    )}<line class="baseline" x1="0" x2="100%" y1="${base}" y2="${base}" /><line
      class="median ${loaded ? 'loaded' : 'idle'}"
      x1="${percent(median)}"
      x2="${percent(median)}"
      y1="${top + AREA_TOP - 2}"
      y2="${base}"
    /><line class="tail" x1="${percent(p99)}" x2="${percent(p99)}" y1="${base - 7}" y2="${base + 3}" />`;
}

const BINS = 96;
/** Values were rounded to a few digits; without smoothing the gaps between them would show as a comb. */
const KERNEL = [1, 4, 6, 4, 1] as const;

/** Shares of the highest, one for each of equal steps of the logarithmic axis. */
function densityOf({ values, counts }: Distribution, scale: Scale): number[] {
  const bins = Array.from({ length: BINS }, () => 0);
  values.forEach((value, i) => {
    const bin = Math.min(BINS - 1, Math.max(0, Math.floor(scale.at(value) * BINS)));
    bins[bin] = (bins[bin] ?? 0) + (counts[i] ?? 0);
  });
  const smooth = bins.map((_, i) => KERNEL.reduce((sum, weight, k) => sum + weight * (bins[i + k - 2] ?? 0), 0));
  const highest = Math.max(...smooth, Number.MIN_VALUE);
  return smooth.map((each) => each / highest);
}

/** `200 us`, `1 ms`: ticks are round, and need no decimals. */
export function tickName(ms: number): string {
  if (ms >= 1000) return `${Number((ms / 1000).toPrecision(3))} s`;
  return ms >= 1 ? `${Number(ms.toPrecision(3))} ms` : `${Number((ms * 1000).toPrecision(3))} us`;
}

function figuresTable(name: string, rows: readonly Row[]): Markup {
  const ms = (value: number | undefined): string => formatQuantity(value ?? Number.NaN, 'ms');
  return table({
    caption: `Round trips on ${name}`,
    head: ['round trip', 'samples', 'least', 'median', 'p95', 'p99', 'most', 'by'],
    figures: [2, 3, 4, 5, 6],
    rows: rows.map(({ name: row, measurement }) => [
      row,
      samples(measurement),
      ms(measurement.summary?.min),
      ms(measurement.summary?.median),
      ms(measurement.summary?.p95),
      ms(measurement.summary?.p99),
      ms(measurement.summary?.max),
      measurement.probe,
    ]),
  });
}
