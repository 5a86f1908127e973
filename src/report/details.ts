import { inScale } from '../base/index.js';

/** More than this in one note helps nobody; the rest is in the JSON. */
const DETAILS_MAX = 12;

/** The plain values among a probe's details, in words: `streams 4, congestion cubic, server time 12.30 us`. */
export function detailsNote(details: Readonly<Record<string, unknown>> | undefined): string {
  const plain = Object.entries(details ?? {}).flatMap(([key, value]) => {
    const text = valueText(key, value);
    return text === undefined ? [] : [text];
  });
  return plain.slice(0, DETAILS_MAX).join(', ');
}

/** The unit that a name ends in, by the rule that the unit comes last. */
const UNITS: readonly (readonly [ending: string, factor: number, name: string])[] = [
  ['Ms', 1, ' ms'],
  ['Bps', 1e6, ' Mbit/s'],
  ['Bytes', 1, ' B'],
  ['Ratio', 0.01, ' %'],
  ['Pps', 1, ' pkt/s'],
];

function valueText(key: string, value: unknown): string | undefined {
  if (typeof value === 'string') return value === '' ? undefined : `${words(key)} ${value}`;
  if (typeof value === 'boolean') return value ? words(key) : `not ${words(key)}`;
  if (typeof value !== 'number' || !Number.isFinite(value)) return undefined;
  const [ending = '', factor = 1, name = ''] = UNITS.find(([unit]) => key.endsWith(unit)) ?? [];
  const figure = Number.isInteger(value) && factor === 1 ? String(value) : inScale(value, { factor, name: name.trim() });
  return `${words(ending === '' ? key : key.slice(0, -ending.length))} ${figure}${name}`;
}

/** `minRtt` to `min rtt`. */
function words(key: string): string {
  return key.replace(/([a-z0-9])([A-Z])/g, '$1 $2').toLowerCase();
}
