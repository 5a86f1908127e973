import { formatQuantity } from '../../base/index.js';
import type { Measurement, Rating } from '../../results/index.js';
import { aboveCeiling } from '../../results/index.js';
import { stars } from '../paint.js';
import { countOf, intervalOf, medianOf } from '../rows.js';
import { type Content, type Markup, html, written } from './markup.js';

/** A figure as it stands in prose and tiles: the median, and in small print how many samples and how sure. */
export function figure(measurement: Measurement | undefined): Markup {
  if (!measurement) return html`<span class="quiet">not measured</span>`;
  const { summary, ceiling, outcome } = measurement;
  if (!summary) return html`<span class="problem">${outcome}</span>`;
  const interval = intervalOf(measurement);
  const sure = interval !== '' && [', ', html`<span class="together">95 %: ${interval}</span>`];
  const unsure = [`n ${summary.n}`, sure, measurement.provenance !== 'measured' && `, ${measurement.provenance}`];
  if (aboveCeiling(measurement) !== undefined && ceiling)
    return html`<s>${formatQuantity(summary.median, summary.unit)}</s>
      <span class="problem">measuring error: nothing above ${formatQuantity(ceiling.value, ceiling.unit)} is possible</span>`;
  return html`<b>${medianOf(measurement, summary)}</b> <small>${unsure}</small>`;
}

export function rating(value: Rating | undefined): Content {
  return value && html`<span class="rating ${value.band}"><span aria-hidden="true">${stars(value.stars)}</span> ${value.band}</span>`;
}

/** `12 of 400 lost`, or the number of samples. */
export function samples(measurement: Measurement): string {
  const { loss } = measurement;
  return loss && loss.sent > 0 ? `${loss.sent - loss.received} of ${loss.sent} lost` : `n ${countOf(measurement)}`;
}

/** A small word in a box. */
export function badge(kind: string, text: string): Markup {
  return html`<span class="badge ${kind}">${text}</span>`;
}

/** Something to open: closed it costs one line. */
export function folded(summary: Content, body: Content): Markup {
  return html`<details>
    <summary>${summary}</summary>
    <div class="folded">${body}</div>
  </details>`;
}

/** A table that scrolls inside its own box where it is wider than the page; with the keyboard too. A column that no row fills is left out. */
export function table(options: {
  readonly caption: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly Content[])[];
  readonly figures?: readonly number[];
  /** Long words are broken rather than scrolled to. */
  readonly breaks?: boolean;
}): Markup {
  const { caption, figures = [] } = options;
  const shown = options.head.map((_, column) => column).filter((column) => column === 0 || options.rows.some((row) => written(row[column]) !== ''));
  const head = shown.map((column) => options.head[column] ?? '');
  const rows = options.rows.map((row) => shown.map((column) => row[column]));
  const kind = (column: number): Content => figures.includes(shown[column] ?? -1) && html` class="figure"`;
  return html`<div class="scroll" role="group" aria-label="${caption}" tabindex="0">
    <table${options.breaks === true && html` class="breaks"`}>
      <caption>
        ${caption}
      </caption>
      <thead>
        <tr>
          ${head.map((name, column) => html`<th scope="col" ${kind(column)}>${name}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          ([first, ...others]) =>
            html`<tr>
              <th scope="row">${first}</th>
              ${others.map((cell, i) => html`<td${kind(i + 1)}>${cell}</td>`)}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** A command as it is typed. The page's script puts a button beside it; without one a click marks the whole line. */
export function command(text: string): Markup {
  return html`<span class="command"><code>${text}</code></span>`;
}
