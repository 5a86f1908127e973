import { type Content, type Markup, html } from './markup.js';

/*
 * Charts without a script and without a fixed width. An SVG that has no viewBox is as wide as its place, texts keep
 * their size, and positions across are percentages; lines and areas, which take no percentages, are drawn in a nested
 * SVG that is stretched. So one drawing fits a phone, a wide screen and paper.
 */

/** Positions across in the stretched drawings. */
export const ACROSS = 1000;

export interface Scale {
  /** 0 at the left (or bottom), 1 at the right (or top); outside of it beyond the domain. */
  at(value: number): number;
  readonly ticks: readonly number[];
}

/** From zero to a round number above `most`, in about `count` steps of 1, 2 or 5. */
export function linearScale(most: number, count = 4): Scale {
  const step = roundStep(Math.max(most, Number.MIN_VALUE) / count);
  const steps = Math.max(1, Math.ceil(most / step - 1e-9));
  const ticks = Array.from({ length: steps + 1 }, (_, i) => i * step);
  return { at: (value) => value / (steps * step), ticks };
}

/** Ends where `most` does: for time, where nothing comes after. */
export function timeScale(most: number, count = 5): Scale {
  const step = roundStep(Math.max(most, Number.MIN_VALUE) / count);
  return { at: (value) => value / most, ticks: Array.from({ length: Math.floor(most / step + 1e-9) + 1 }, (_, i) => i * step) };
}

/** Decades, with 2 and 5 between where there are few. Both bounds above zero. */
export function logScale(least: number, most: number): Scale {
  const low = Math.log10(least);
  const span = Math.max(Math.log10(most) - low, 1e-6);
  const parts = span > 2.2 ? [1] : span > 0.8 ? [1, 2, 5] : [1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9];
  const ticks: number[] = [];
  for (let decade = Math.floor(low); decade <= Math.ceil(low + span); decade++) {
    for (const part of parts) {
      const tick = Number((part * 10 ** decade).toPrecision(6));
      if (tick >= least * 0.999 && tick <= most * 1.001) ticks.push(tick);
    }
  }
  return { at: (value) => (Math.log10(Math.max(value, Number.MIN_VALUE)) - low) / span, ticks: thinned(ticks) };
}

const TICKS_MAX = 7;

function thinned(ticks: readonly number[]): number[] {
  const every = Math.ceil(ticks.length / TICKS_MAX);
  return ticks.filter((_, i) => i % every === 0);
}

function roundStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  const part = rough / power;
  // A little more than was asked for is better than half as many.
  return power * (part <= 1.1 ? 1 : part <= 2.2 ? 2 : part <= 5.5 ? 5 : 10);
}

/** A whole chart. `label` says in a sentence what it shows; the figures stand in a table beside it. */
export function chart(options: { readonly height: number; readonly label: string }, body: Content): Markup {
  return html`<svg class="chart" role="img" aria-label="${options.label}" width="100%" height="${options.height}" focusable="false">${body}</svg>`;
}

/** Drawn in `ACROSS` by `height` units and stretched to the whole width. */
export function stretched(place: { readonly y: number; readonly height: number }, body: Content): Markup {
  return html`<svg x="0" y="${place.y}" width="100%" height="${place.height}" viewBox="0 0 ${ACROSS} ${place.height}" preserveAspectRatio="none">
    ${body}
  </svg>`;
}

export function percent(share: number): string {
  return `${Math.round(Math.min(1, Math.max(0, share)) * 10_000) / 100}%`;
}

/** A text at a share of the width; near an edge it stays inside. */
export function label(
  share: number,
  y: number,
  text: Content,
  options: { readonly kind?: string; readonly anchor?: 'start' | 'middle' | 'end' } = {},
): Markup {
  const anchor = options.anchor ?? (share < 0.06 ? 'start' : share > 0.94 ? 'end' : 'middle');
  return html`<text x="${percent(share)}" y="${y}" text-anchor="${anchor}" class="${options.kind ?? 'tick'}">${text}</text>`;
}

/** Lines up from the ticks of a horizontal axis, and what they mean below. */
export function axisBelow(scale: Scale, place: { readonly top: number; readonly bottom: number }, name: (tick: number) => string): Content {
  return scale.ticks
    .filter((tick) => scale.at(tick) <= 1.0001)
    .map((tick) => [
      html`<line class="grid" x1="${percent(scale.at(tick))}" x2="${percent(scale.at(tick))}" y1="${place.top}" y2="${place.bottom}" />`,
      label(scale.at(tick), place.bottom + 15, name(tick)),
    ]);
}

/** Lines across from the ticks of a vertical axis, each with its figure on top of it at the left. */
export function axisLeft(scale: Scale, place: { readonly top: number; readonly bottom: number }, name: (tick: number) => string): Content {
  const y = (tick: number): number => place.bottom - scale.at(tick) * (place.bottom - place.top);
  return scale.ticks.map((tick) => [
    html`<line class="grid" x1="0" x2="100%" y1="${y(tick)}" y2="${y(tick)}" />`,
    tick > 0 && label(0, y(tick) - 3, name(tick)),
  ]);
}

/** The `d` of a line through points; a gap where one is missing. */
export function lineThrough(points: readonly (readonly [x: number, y: number] | undefined)[]): string {
  let d = '';
  let down = false;
  for (const point of points) {
    if (point) d += `${down ? 'L' : 'M'}${coordinate(point[0])} ${coordinate(point[1])}`;
    down = point !== undefined;
  }
  return d;
}

/** The `d` of the area between a line and what lies under it. */
export function areaUnder(points: readonly (readonly [x: number, y: number])[], base: number): string {
  const [first] = points;
  const last = points[points.length - 1];
  if (!first || !last) return '';
  return `M${coordinate(first[0])} ${coordinate(base)}${points.map(([x, y]) => `L${coordinate(x)} ${coordinate(y)}`).join('')}L${coordinate(last[0])} ${coordinate(base)}Z`;
}

function coordinate(value: number): string {
  return String(Math.round(value * 10) / 10);
}
