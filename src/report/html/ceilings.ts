import { formatQuantity, formatRate } from '../../base/index.js';
import type { Limit, Measurement, ResultDocument } from '../../results/index.js';
import { aboveCeiling } from '../../results/index.js';
import { usedOf } from '../rows.js';
import { fit } from '../terminal-text.js';
import { type Scale, axisBelow, chart, label, logScale, percent } from './chart.js';
import { folded, table } from './figure.js';
import { type Content, type Markup, NOTHING, html } from './markup.js';
import { type PathView, pathLabel, pathViewsOf } from './path-view.js';

/** What bounds each path, beside what was reached: the lowest bound first, and how much of it was used. */
export function ceilingsSection(document: ResultDocument): Markup {
  const views = pathViewsOf(document);
  const figures = views.flatMap((path) =>
    (['down', 'up'] as const).flatMap((direction) => {
      const limits = path.limits.filter((limit) => limit.direction === direction || limit.direction === 'both');
      return limits.length === 0 ? [] : [{ path, direction, limits, measured: path[direction] }];
    }),
  );
  if (figures.length === 0) return NOTHING;
  const shown = figures.map((each) => ({ ...each, drawn: nearOnes(each) }));
  const values = shown
    .flatMap(({ drawn, measured }) => [...drawn.map(({ bps }) => bps), measured?.summary?.median ?? Number.NaN])
    .filter((bps) => bps > 0);
  const scale = logScale(Math.min(...values) / 1.5, Math.max(...values) * 1.5);
  return html`<section id="ceilings">
    <h2>Ceilings</h2>
    <p class="lead">
      Every bound that is known, against what was measured (the vertical line), on one logarithmic axis: a filled dot is physical, an open one
      configured, a grey one estimated. The nearest one is what limits.
    </p>
    <div class="grid-2">${shown.map((figure) => figureOf(figure, { views, scale }))}</div>
  </section>`;
}

/** A bound this far above the lowest and above what was reached bounds nothing, and would press the rest together. */
const FAR = 50;

function nearOnes({ limits, measured }: Pick<Ceilings, 'limits' | 'measured'>): Limit[] {
  const low = Math.max(limits[0]?.bps ?? 0, measured?.summary?.median ?? 0);
  return limits.filter(({ bps }) => bps <= low * FAR);
}

interface Ceilings {
  readonly path: PathView;
  readonly direction: 'up' | 'down';
  readonly limits: readonly Limit[];
  /** Those in the picture; the table has all. */
  readonly drawn: readonly Limit[];
  readonly measured: Measurement | undefined;
}

const ROW_HEIGHT = 40;
const TOP = 24;

function figureOf({ path, direction, limits, drawn, measured }: Ceilings, { views, scale }: { views: readonly PathView[]; scale: Scale }): Markup {
  const bps = measured?.summary?.median;
  const name = [path.name === '' && views.length === 1 ? '' : pathLabel(path, views), direction === 'up' ? 'upload' : 'download']
    .filter((part) => part !== '')
    .join(', ');
  const bottom = TOP + drawn.length * ROW_HEIGHT;
  const at = bps === undefined ? undefined : scale.at(bps);
  const said = limits.map((limit) => `${limit.id} ${formatRate(limit.bps)}${shareOf(limit, bps)}`);
  const drawing = chart(
    { height: bottom + 20, label: `Ceilings of ${name}${bps === undefined ? '' : `, measured ${formatRate(bps)}`}: ${said.join('; ')}.` },
    [
      axisBelow(scale, { top: TOP, bottom }, rateTick),
      at !== undefined && bps !== undefined && measuredLine(at, bottom, bps),
      drawn.map((limit, i) => rowMarkup(limit, { y: TOP + i * ROW_HEIGHT, scale, bps })),
    ],
  );
  const impossible = measured !== undefined && aboveCeiling(measured) !== undefined;
  return html`<figure>
    <figcaption>${name}</figcaption>
    ${drawing}${impossible && html`<p class="problem">This figure lies above what is possible: a measuring error.</p>`}${folded(drawn.length < limits.length ? `what each ceiling comes from, and ${limits.length - drawn.length} far above` : 'what each ceiling comes from', limitsTable(name, limits, bps))}
  </figure>`;
}

function measuredLine(at: number, bottom: number, bps: number): Content {
  return [
    html`<line class="median loaded" x1="${percent(at)}" x2="${percent(at)}" y1="${TOP - 6}" y2="${bottom}" />`,
    label(at, TOP - 10, `measured ${formatRate(bps)}`, { kind: 'value', anchor: at > 0.5 ? 'end' : 'start' }),
  ];
}

/** The bound as a dot; the bar from what was measured to it is what is left. */
function rowMarkup(limit: Limit, { y, scale, bps }: { y: number; scale: Scale; bps: number | undefined }): Content {
  const at = scale.at(limit.bps);
  const line = y + 28;
  return [
    html`<line class="baseline" x1="0" x2="100%" y1="${line}" y2="${line}" />`,
    bps !== undefined && html`<line class="bar" x1="${percent(scale.at(bps))}" x2="${percent(at)}" y1="${line}" y2="${line}" />`,
    label(0, y + 17, fit(limit.id, 26), { kind: 'name halo', anchor: 'start' }),
    label(1, y + 17, `${formatRate(limit.bps)}${shareOf(limit, bps)}`, { kind: 'value halo', anchor: 'end' }),
    html`<circle class="dot ${limit.kind}" cx="${percent(at)}" cy="${line}" r="5" />`,
  ];
}

function shareOf(limit: Limit, bps: number | undefined): string {
  const reached = limit.reached ?? (bps === undefined ? undefined : bps / limit.bps);
  return reached === undefined ? '' : `, ${usedOf(limit, reached)}`;
}

function rateTick(bps: number): string {
  for (const [size, name] of [
    [1e12, 'T'],
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const)
    if (bps >= size) return `${Number((bps / size).toPrecision(3))} ${name}`;
  return String(bps);
}

function limitsTable(name: string, limits: readonly Limit[], bps: number | undefined): Markup {
  return table({
    caption: `Ceilings of ${name}`,
    head: ['ceiling', 'rate of TCP payload', 'used', 'kind', 'why'],
    figures: [1, 2],
    rows: limits.map((limit) => [
      limit.id,
      formatRate(limit.bps),
      limit.reached === undefined && bps === undefined ? '' : formatQuantity(limit.reached ?? (bps ?? 0) / limit.bps, 'ratio'),
      limit.kind,
      html`<span class="remark">${limit.why}</span>`,
    ]),
  });
}
