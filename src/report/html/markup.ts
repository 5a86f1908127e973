import { printable } from '../terminal-text.js';

/** What no document can have: JSON has no symbols, so that an object of a kept or foreign file never passes for markup. */
const MADE_HERE: unique symbol = Symbol('markup');

/** Text that is HTML or SVG already. Only `html` and `verbatim` make it, so nothing else gets into a page unescaped. */
export interface Markup {
  readonly [MADE_HERE]: true;
  readonly markup: string;
}

/** What may stand in a template: strings are escaped; `undefined` and `false` leave nothing. */
export type Content = Markup | string | number | undefined | false | readonly Content[];

/**
 * A template for HTML and for SVG inside it. Every value is escaped unless it is markup itself; attributes
 * must be quoted in the template. Names and reasons come from peers and are never trusted.
 */
export function html(parts: TemplateStringsArray, ...values: readonly Content[]): Markup {
  const [first = '', ...rest] = parts.map((part) => part.replace(INDENT, '\n'));
  return verbatim(values.reduce<string>((markup, value, i) => markup + written(value) + (rest[i] ?? ''), first));
}

/** Templates are indented for those who read them here; a browser needs none of it. */
const INDENT = /\n\s+/g;

/** For the style sheet, the script and the embedded document, which have other rules than HTML. */
export function verbatim(markup: string): Markup {
  return { [MADE_HERE]: true, markup };
}

export const NOTHING: Markup = verbatim('');

export function written(value: Content): string {
  if (value === undefined || value === false) return '';
  if (typeof value === 'number') return short(value);
  if (typeof value === 'string') return escaped(value);
  if (Array.isArray(value)) return value.map(written).join('');
  // A document that another program wrote may hold anything where text belongs.
  return isMarkup(value) ? value.markup : escaped(JSON.stringify(value));
}

function isMarkup(value: unknown): value is Markup {
  return typeof value === 'object' && value !== null && MADE_HERE in value;
}

/** Control and reordering characters are written out, then HTML's own characters escaped; right for text and for quoted attributes. */
function escaped(text: string): string {
  return printable(text).replace(/[&<>"'`]/g, (character) => ENTITIES[character] ?? '');
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;', '`': '&#96;' };

/** Coordinates to a hundredth, which no screen shows; others as they are. */
function short(value: number): string {
  return Number.isFinite(value) ? String(Math.round(value * 100) / 100) : '0';
}
