import { formatQuantity, formatRate } from '../../base/index.js';
import type { Limit, OverTime, ResultDocument } from '../../results/index.js';
import {
  ACROSS,
  type Scale,
  areaUnder,
  axisBelow,
  axisLeft,
  chart,
  label,
  lineThrough,
  linearScale,
  percent,
  stretched,
  timeScale,
} from './chart.js';
import { tickName } from './distributions.js';
import { folded, table } from './figure.js';
import { type Content, type Markup, NOTHING, html } from './markup.js';
import { type Course, type Rate, courseOf, rateAt, roundTripAt } from './load-course.js';
import { type PathView, loadsOf, pathLabel, pathViewsOf } from './path-view.js';

/** Throughput and the round trip during it on one time axis: what a full path does to whoever shares it. */
export function loadsSection(document: ResultDocument): Markup {
  const views = pathViewsOf(document);
  const loads = views
    .flatMap((path) => loadsOf(path))
    .map(courseOf)
    .filter((load) => load !== undefined);
  if (loads.length === 0) return NOTHING;
  const joined = loads.some(({ turnsMs }) => turnsMs.length > 0);
  return html`<section id="load">
    <h2>Under load</h2>
    <p class="lead">
      Throughput above, the round trip at the same moment below. A round trip that rises with the throughput is waiting in a queue. Shaded: the start
      that does not count. ${joined && 'Dotted: where one turn ends and the next begins.'}
    </p>
    <div class="grid-2">${loads.map((load) => figureOf(load, views))}</div>
  </section>`;
}

const RATES = { top: 36, bottom: 142 };
const ROUND_TRIPS = { top: 196, bottom: 292 };
const NAMES = { up: 'upload', down: 'download', both: 'both ways' };

function figureOf(load: Course, views: readonly PathView[]): Markup {
  const { series, roundTrips, endMs } = load;
  const time = timeScale(endMs);
  const way = series.length > 1 ? 'both' : (series[0]?.direction ?? 'up');
  const name = [load.path.name === '' && views.length === 1 ? '' : pathLabel(load.path, views), NAMES[way]].filter((part) => part !== '').join(', ');
  const bottom = roundTrips.length > 0 ? ROUND_TRIPS.bottom : RATES.bottom;
  return html`<figure>
    <figcaption>${name}</figcaption>
    ${chart({ height: bottom + 20, label: said(load, name) }, [
      axisBelow(time, { top: RATES.top, bottom }, (tick) => `${Number((tick / 1000).toPrecision(3))} s`),
      ratesPanel(load, time),
      roundTrips.length > 0 && roundTripsPanel(load, time),
      load.turnsMs.map((ms) => html`<line class="turn" x1="${percent(ms / endMs)}" x2="${percent(ms / endMs)}" y1="${RATES.top}" y2="${bottom}" />`),
    ])}${folded('the figures', figuresTable(load, name))}
  </figure>`;
}

function said({ series, latency, idle }: Course, name: string): string {
  const rates = series.map(
    ({ direction, measurement: { summary } }) => `throughput ${direction} ${formatQuantity(summary?.median ?? Number.NaN, 'bps')} median`,
  );
  const rtt = latency?.summary
    ? [
        `round trip ${formatQuantity(latency.summary.median, 'ms')} median under load${idle?.summary ? `, ${formatQuantity(idle.summary.median, 'ms')} without` : ''}`,
      ]
    : [];
  return `${name}: ${[...rates, ...rtt].join('; ')}.`;
}

/** A limit this far above what was reached would flatten the picture. */
const LIMIT_SHOWN = 1.6;

function ratesPanel({ series, path, endMs }: Course, time: Scale): Content {
  const most = Math.max(...series.flatMap(({ intervals }) => intervals.map(({ bps }) => bps)), 1);
  const limits = series.flatMap(({ direction }) => path.limits.find((limit) => limit.direction === direction || limit.direction === 'both') ?? []);
  const limit: Limit | undefined = limits.find(({ bps }) => bps <= most * LIMIT_SHOWN);
  const scale = linearScale(Math.max(most, limit?.bps ?? 0), 3);
  const height = RATES.bottom - RATES.top;
  return [
    label(0, 12, '↑ throughput', { kind: 'axis', anchor: 'start' }),
    axisLeft(scale, RATES, (tick) => rateTick(tick)),
    series[0]?.omitted.map(
      ([fromMs, toMs]) =>
        html`<rect class="omitted" x="${percent(fromMs / endMs)}" y="${RATES.top}" width="${percent((toMs - fromMs) / endMs)}" height="${height}" />`,
    ),
    stretched(
      { y: RATES.top, height },
      series.map(({ intervals, direction }) => {
        const points = intervals.flatMap(({ startMs, endMs: to, bps }) =>
          [startMs, to].map((ms) => [time.at(ms) * ACROSS, height * (1 - scale.at(bps))] as const),
        );
        return html`<path class="area rate ${direction}${series.length === 1 && ' only'}" d="${areaUnder(points, height)}" /><path
            class="line rate ${direction}${series.length === 1 && ' only'}"
            d="${lineThrough(points)}"
          />`;
      }),
    ),
    limit &&
      html`<line
          class="limit"
          x1="0"
          x2="100%"
          y1="${yOf(scale, limit.bps)}"
          y2="${yOf(scale, limit.bps)}"
        />${label(1, Math.max(12, yOf(scale, limit.bps) - 4), `${limit.kind} limit ${formatRate(limit.bps)}`, { kind: 'limit-name', anchor: 'end' })}`,
    series.length > 1 &&
      [...series]
        .sort((a, b) => middleOf(b) - middleOf(a))
        .map((rate, i) =>
          // The faster one is named above its line, the other below.
          label(0.5, yOf(scale, middleOf(rate)) + (i === 0 ? -6 : 17), rate.direction, { kind: 'name halo' }),
        ),
  ];
}

function middleOf({ intervals }: Rate): number {
  return intervals[Math.floor(intervals.length / 2)]?.bps ?? 0;
}

function yOf(scale: Scale, value: number): number {
  return RATES.bottom - scale.at(value) * (RATES.bottom - RATES.top);
}

function rateTick(bps: number): string {
  for (const [size, name] of [
    [1e9, 'Gbit/s'],
    [1e6, 'Mbit/s'],
    [1e3, 'kbit/s'],
  ] as const)
    if (bps >= size) return `${Number((bps / size).toPrecision(3))} ${name}`;
  return `${bps} bit/s`;
}

function roundTripsPanel({ idle, roundTrips }: Course, time: Scale): Content {
  const idleMs = idle?.summary?.unit === 'ms' ? idle.summary.median : undefined;
  const worst = Math.max(...roundTrips.flatMap(({ maxima }) => maxima.map((value) => value ?? 0)), idleMs ?? 0, 1e-3);
  const scale = linearScale(worst, 3);
  const height = ROUND_TRIPS.bottom - ROUND_TRIPS.top;
  const y = (ms: number): number => height * (1 - scale.at(ms));
  const line = (pick: (course: OverTime) => readonly (number | null)[]): string =>
    roundTrips
      .map((course) => {
        const at = (i: number): number => time.at(course.startMs + (i + 0.5) * course.stepMs) * ACROSS;
        return lineThrough(pick(course).map((value, i) => (value === null ? undefined : ([at(i), y(value)] as const))));
      })
      .join('');
  const idleY = ROUND_TRIPS.top + y(idleMs ?? 0);
  return [
    label(0, ROUND_TRIPS.top - 24, '↑ round trip, median and worst', { kind: 'axis', anchor: 'start' }),
    axisLeft(scale, ROUND_TRIPS, tickName),
    stretched(
      { y: ROUND_TRIPS.top, height },
      html`<path class="line worst" d="${line(({ maxima }) => maxima)}" /><path class="line loaded" d="${line(({ medians }) => medians)}" />`,
    ),
    idleMs !== undefined &&
      html`<line
          class="idle-line"
          x1="0"
          x2="100%"
          y1="${idleY}"
          y2="${idleY}"
        />${label(1, Math.min(ROUND_TRIPS.bottom - 4, idleY - 4), `idle ${formatQuantity(idleMs, 'ms')}`, { kind: 'name halo', anchor: 'end' })}`,
  ];
}

/** Seconds, or fewer rows than that: what a reader of a table can use. */
const ROWS_MAX = 24;

function figuresTable({ series, roundTrips }: Course, name: string): Markup {
  const intervals = series[0]?.intervals ?? [];
  const every = Math.ceil(intervals.length / ROWS_MAX);
  const moments = intervals.filter((_, i) => i % every === 0);
  const written = (value: number | undefined, unit: string): string => (value === undefined ? '' : formatQuantity(value, unit));
  return table({
    caption: `${name}, over time`,
    head: ['from', ...series.map(({ direction }) => `throughput ${direction}`), 'round trip (median)'],
    figures: [1, 2, 3],
    rows: moments.map(({ startMs, endMs }) => {
      const middleMs = (startMs + endMs) / 2;
      return [
        `${(startMs / 1000).toFixed(2)} s`,
        ...series.map((rate) => written(rateAt(rate, middleMs), 'bps')),
        written(roundTripAt(roundTrips, middleMs), 'ms'),
      ];
    }),
  });
}
