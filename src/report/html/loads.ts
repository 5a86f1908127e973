import { formatQuantity, formatRate } from '../../base/index.js';
import type { Limit, Measurement, OverTime, ResultDocument } from '../../results/index.js';
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
import { type LoadView, type PathView, loadsOf, pathLabel, pathViewsOf } from './path-view.js';

/** Throughput and the round trip during it on one time axis: what a full path does to whoever shares it. */
export function loadsSection(document: ResultDocument): Markup {
  const views = pathViewsOf(document);
  const loads = views
    .flatMap((path) => loadsOf(path))
    .map(drawnOf)
    .filter((load) => load !== undefined);
  if (loads.length === 0) return NOTHING;
  return html`<section id="load">
    <h2>Under load</h2>
    <p class="lead">
      Throughput above, the round trip at the same moment below. A round trip that rises with the throughput is waiting in a queue. Shaded: the start
      that does not count.
    </p>
    <div class="grid-2">${loads.map((load) => figureOf(load, views))}</div>
  </section>`;
}

interface Interval {
  readonly startMs: number;
  readonly endMs: number;
  readonly bps: number;
}

interface Rate {
  readonly measurement: Measurement;
  readonly direction: 'up' | 'down';
  readonly intervals: readonly Interval[];
  readonly omittedMs: number;
}

interface Drawn extends LoadView {
  readonly series: readonly Rate[];
  readonly overTime: OverTime | undefined;
  readonly endMs: number;
}

function drawnOf(load: LoadView): Drawn | undefined {
  const series = load.rates.map(rateOf).filter((rate) => rate.intervals.length > 1);
  const overTime = overTimeOf(load.latency);
  if (series.length === 0) return undefined;
  const endMs = Math.max(
    ...series.flatMap(({ intervals }) => intervals.map((each) => each.endMs)),
    overTime ? overTime.startMs + overTime.stepMs * overTime.medians.length : 0,
  );
  return endMs > 0 ? { ...load, series, overTime, endMs } : undefined;
}

function rateOf(measurement: Measurement): Rate {
  const kept = measurement.details?.['intervals'] as readonly Partial<Interval>[] | undefined;
  const omitted = measurement.details?.['omittedMs'] as number | undefined;
  const intervals = (Array.isArray(kept) ? kept : []).flatMap(({ startMs, endMs, bps }: Partial<Interval>) =>
    Number.isFinite(startMs) && Number.isFinite(endMs) && Number.isFinite(bps) ? [{ startMs: startMs ?? 0, endMs: endMs ?? 0, bps: bps ?? 0 }] : [],
  );
  return {
    measurement,
    direction: measurement.metric.endsWith('.up') ? 'up' : 'down',
    intervals: merged(intervals),
    omittedMs: Number.isFinite(omitted) ? (omitted ?? 0) : 0,
  };
}

/** A long test with short intervals has more of them than a picture has points. */
const INTERVALS_MAX = 300;

function merged(intervals: readonly Interval[]): Interval[] {
  const every = Math.ceil(intervals.length / INTERVALS_MAX);
  if (every <= 1) return [...intervals];
  return Array.from({ length: Math.ceil(intervals.length / every) }, (_, i) => {
    const part = intervals.slice(i * every, (i + 1) * every);
    const startMs = part[0]?.startMs ?? 0;
    const endMs = part[part.length - 1]?.endMs ?? 0;
    const bits = part.reduce((sum, each) => sum + each.bps * (each.endMs - each.startMs), 0);
    return { startMs, endMs, bps: endMs > startMs ? bits / (endMs - startMs) : 0 };
  });
}

function overTimeOf(measurement: Measurement | undefined): OverTime | undefined {
  const kept = measurement?.details?.['overTime'] as Partial<OverTime> | undefined;
  if (!kept || !Array.isArray(kept.medians) || !Array.isArray(kept.maxima) || !Number.isFinite(kept.startMs) || !((kept.stepMs ?? 0) > 0))
    return undefined;
  const sound = [...kept.medians, ...kept.maxima].every((value) => value === null || Number.isFinite(value));
  return sound ? (kept as OverTime) : undefined;
}

const RATES = { top: 36, bottom: 142 };
const ROUND_TRIPS = { top: 196, bottom: 292 };
const NAMES = { up: 'upload', down: 'download', both: 'both ways' };

function figureOf(load: Drawn, views: readonly PathView[]): Markup {
  const { series, overTime, endMs } = load;
  const time = timeScale(endMs);
  const way = series.length > 1 ? 'both' : (series[0]?.direction ?? 'up');
  const name = [load.path.name === '' && views.length === 1 ? '' : pathLabel(load.path, views), NAMES[way]].filter((part) => part !== '').join(', ');
  const bottom = overTime ? ROUND_TRIPS.bottom : RATES.bottom;
  return html`<figure>
    <figcaption>${name}</figcaption>
    ${chart({ height: bottom + 20, label: said(load, name) }, [
      axisBelow(time, { top: RATES.top, bottom }, (tick) => `${Number((tick / 1000).toPrecision(3))} s`),
      ratesPanel(load, time),
      overTime && roundTripsPanel(load, overTime, time),
    ])}${folded('the figures', figuresTable(load, name))}
  </figure>`;
}

function said({ series, latency, idle }: Drawn, name: string): string {
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

function ratesPanel({ series, path, endMs }: Drawn, time: Scale): Content {
  const most = Math.max(...series.flatMap(({ intervals }) => intervals.map(({ bps }) => bps)), 1);
  const limits = series.flatMap(({ direction }) => path.limits.find((limit) => limit.direction === direction || limit.direction === 'both') ?? []);
  const limit: Limit | undefined = limits.find(({ bps }) => bps <= most * LIMIT_SHOWN);
  const scale = linearScale(Math.max(most, limit?.bps ?? 0), 3);
  const height = RATES.bottom - RATES.top;
  const omitted = Math.max(...series.map(({ omittedMs }) => omittedMs));
  return [
    label(0, 12, '↑ throughput', { kind: 'axis', anchor: 'start' }),
    axisLeft(scale, RATES, (tick) => rateTick(tick)),
    omitted > 0 && html`<rect class="omitted" x="0" y="${RATES.top}" width="${percent(omitted / endMs)}" height="${height}" />`,
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

function roundTripsPanel({ idle }: Drawn, overTime: OverTime, time: Scale): Content {
  const { startMs, stepMs, medians, maxima } = overTime;
  const idleMs = idle?.summary?.unit === 'ms' ? idle.summary.median : undefined;
  const worst = Math.max(...maxima.map((value) => value ?? 0), idleMs ?? 0, 1e-3);
  const scale = linearScale(worst, 3);
  const height = ROUND_TRIPS.bottom - ROUND_TRIPS.top;
  const y = (ms: number): number => height * (1 - scale.at(ms));
  const points = (values: readonly (number | null)[]) =>
    values.map((value, i) => (value === null ? undefined : ([time.at(startMs + (i + 0.5) * stepMs) * ACROSS, y(value)] as const)));
  const idleY = ROUND_TRIPS.top + y(idleMs ?? 0);
  return [
    label(0, ROUND_TRIPS.top - 24, '↑ round trip, median and worst', { kind: 'axis', anchor: 'start' }),
    axisLeft(scale, ROUND_TRIPS, tickName),
    stretched(
      { y: ROUND_TRIPS.top, height },
      html`<path class="line worst" d="${lineThrough(points(maxima))}" /><path class="line loaded" d="${lineThrough(points(medians))}" />`,
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

function figuresTable({ series, overTime }: Drawn, name: string): Markup {
  const [first] = series;
  const intervals = first?.intervals ?? [];
  const every = Math.ceil(intervals.length / ROWS_MAX);
  const rows = intervals.filter((_, i) => i % every === 0);
  const rttAt = (ms: number): string => {
    const value = overTime?.medians[Math.floor((ms - overTime.startMs) / overTime.stepMs)];
    return typeof value === 'number' ? formatQuantity(value, 'ms') : '';
  };
  return table({
    caption: `${name}, over time`,
    head: ['from', ...series.map(({ direction }) => `throughput ${direction}`), 'round trip (median)'],
    figures: [1, 2, 3],
    rows: rows.map((row) => [
      `${(row.startMs / 1000).toFixed(2)} s`,
      ...series.map(({ intervals: own }) => {
        const same = own.find(({ endMs }) => endMs > (row.startMs + row.endMs) / 2);
        return same ? formatRate(same.bps) : '';
      }),
      rttAt((row.startMs + row.endMs) / 2),
    ]),
  });
}
