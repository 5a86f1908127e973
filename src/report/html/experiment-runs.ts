import { formatQuantity } from '../../base/index.js';
import { metricName } from '../../results/index.js';
import type { ExperimentFigure } from '../../results/index.js';
import { axisLeft, chart, label, percent } from './chart.js';
import type { Scale } from './chart.js';
import { type Content, NOTHING, html } from './markup.js';

const HEIGHT = 150;
const TOP = 14;
/** Of the width, at the left, for the figures of the axis. */
const LEFT = 0.2;

/** Every run as a dot, by block and in the order in which they were made: hollow without, full with. */
export function runsChart({ metric, unit, runs }: ExperimentFigure): Content {
  const measured = runs.flatMap(({ value, ...run }) => (value === undefined || !Number.isFinite(value) ? [] : [{ ...run, value }]));
  if (measured.length === 0) return NOTHING;
  const blocks = [...new Set(runs.map(({ block }) => block))].sort((a, b) => a - b);
  const scale = spread(measured.map(({ value }) => value));
  const y = (value: number): number => HEIGHT - scale.at(value) * (HEIGHT - TOP);
  const wide = (1 - LEFT) / blocks.length;
  const missing = runs.length - measured.length;
  const said = `${metricName(metric)}, ${measured.length} runs in ${blocks.length} blocks, from ${formatQuantity(Math.min(...measured.map(({ value }) => value)), unit)} to ${formatQuantity(Math.max(...measured.map(({ value }) => value)), unit)}`;
  return html`<figure>
    <figcaption>${metricName(metric)}: every run${missing > 0 && ` (${missing} more could not be measured)`}</figcaption>
    ${chart({ height: HEIGHT + 22, label: `${said}. The table of every run has the figures.` }, [
      axisLeft(scale, { top: TOP, bottom: HEIGHT }, (tick) => formatQuantity(tick, unit)),
      blocks.map((block, i) => {
        const own = measured.filter((run) => run.block === block);
        const places = runs.filter((run) => run.block === block).map(({ at }) => at);
        const first = Math.min(...places);
        const count = Math.max(1, Math.max(...places) - first + 1);
        const left = LEFT + i * wide;
        return [
          i > 0 && html`<line class="turn" x1="${percent(left)}" x2="${percent(left)}" y1="${TOP}" y2="${HEIGHT}" />`,
          own.map(({ at, arm, value }) => {
            const x = percent(left + ((at - first + 0.5) / count) * wide);
            return html`<circle class="dot ${arm === 'with' ? 'loaded' : 'configured'}" cx="${x}" cy="${y(value)}" r="4" />`;
          }),
          blocks.length <= MARKED_MAX && label(left + wide / 2, HEIGHT + 16, String(block), { anchor: 'middle' }),
        ];
      }),
    ])}
  </figure>`;
}

const MARKED_MAX = 16;
const TICKS = 4;

/** From a little below the least to a little above the most: differences of a few per cent are what this is about. */
function spread(values: readonly number[]): Scale {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const room = (most - least) * 0.1 || Math.abs(most) * 0.05 || 1;
  const [low, high] = [least - room, most + room];
  const ticks = Array.from({ length: TICKS }, (_, i) => least + ((most - least) * i) / (TICKS - 1));
  return { at: (value) => (value - low) / (high - low), ticks: most > least ? ticks : [least] };
}
