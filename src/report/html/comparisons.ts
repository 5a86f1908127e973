import { formatQuantity } from '../../base/index.js';
import { type CheckDocument, type Comparison, metricName } from '../../results/index.js';
import { fit } from '../terminal-text.js';
import { axisBelow, chart, label, logScale, percent } from './chart.js';
import { folded, table } from './figure.js';
import { type Markup, NOTHING, html } from './markup.js';

/** Paths against each other: the ratio with its interval on a logarithmic axis, so that twice and half are as far from one. */
export function comparisonsSection({ comparisons }: CheckDocument): Markup {
  if (!comparisons || comparisons.length === 0) return NOTHING;
  return html`<section id="comparisons">
    <h2>Paths compared</h2>
    <p class="lead">
      Measured in turns, so that drift favours neither. The dot is the ratio, the bar its 95 % interval; where the bar crosses 1 there is no
      measurable difference.
    </p>
    <figure>${ratios(comparisons)}</figure>
    <ul>
      ${comparisons.map(({ sentence }) => html`<li>${sentence}</li>`)}
    </ul>
    ${folded('the figures', figuresTable(comparisons))}
  </section>`;
}

const ROW_HEIGHT = 44;
const ROOM = 1.25;

function ratios(comparisons: readonly Comparison[]): Markup {
  const bounds = comparisons.flatMap(({ ratio, ci95 }) => [ratio, ...(ci95 ?? [])]).filter((value) => value > 0 && Number.isFinite(value));
  const scale = logScale(Math.min(0.8, ...bounds) / ROOM, Math.max(1.25, ...bounds) * ROOM);
  const bottom = comparisons.length * ROW_HEIGHT + 6;
  const one = percent(scale.at(1));
  const said = comparisons.map((each) => `${each.path} over ${each.against}, ${metricName(each.metric)}: ${each.ratio.toPrecision(3)}`);
  return chart({ height: bottom + 20, label: `Ratios of paths. ${said.join('. ')}.` }, [
    axisBelow(scale, { top: 4, bottom }, (tick) => `${Number(tick.toPrecision(3))}×`),
    html`<line class="one" x1="${one}" x2="${one}" y1="0" y2="${bottom}" />`,
    comparisons.map((each, i) => {
      const y = i * ROW_HEIGHT;
      const kind = each.verdict === 'differs' ? 'loaded' : 'idle';
      return html`${label(0, y + 16, fit(`${each.path} / ${each.against}, ${metricName(each.metric)}`, 44), { kind: 'name halo', anchor: 'start' })}${label(1, y + 16, ratioText(each), { kind: 'value halo', anchor: 'end' })}${
          each.ci95 &&
          html`<line
            class="range ${kind}"
            x1="${percent(scale.at(each.ci95[0]))}"
            x2="${percent(scale.at(each.ci95[1]))}"
            y1="${y + 30}"
            y2="${y + 30}"
          />`
        }<circle class="dot ${kind}" cx="${percent(scale.at(each.ratio))}" cy="${y + 30}" r="5" />`;
    }),
  ]);
}

function ratioText({ ratio, verdict }: Comparison): string {
  return `${ratio.toPrecision(3)}× ${verdict === 'differs' ? '' : `(${verdict})`}`.trim();
}

function figuresTable(comparisons: readonly Comparison[]): Markup {
  return table({
    caption: 'Paths compared',
    head: ['path', 'against', 'metric', 'value', 'against value', 'ratio', '95 % interval', 'turns', 'verdict', 'better'],
    figures: [3, 4, 5, 6, 7],
    rows: comparisons.map((each) => [
      each.path,
      each.against,
      metricName(each.metric),
      formatQuantity(each.value, each.unit),
      formatQuantity(each.againstValue, each.unit),
      each.ratio.toPrecision(4),
      each.ci95 ? each.ci95.map((bound) => bound.toPrecision(4)).join('–') : 'too few turns',
      String(each.turns),
      each.verdict,
      each.better ?? '',
    ]),
  });
}
