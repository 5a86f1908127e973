import { formatQuantity, inScale } from '../base/index.js';

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
const UNITS: readonly (readonly [ending: string, unit: string])[] = [
  ['Ms', 'ms'],
  ['Bps', 'bps'],
  ['Bytes', 'bytes'],
  ['Ratio', 'ratio'],
  ['Pps', 'pps'],
  ['Rpm', 'rpm'],
];

function valueText(key: string, value: unknown): string | undefined {
  if (typeof value === 'string') return value === '' ? undefined : `${words(key)} ${value}`;
  if (typeof value === 'boolean') return `${words(key)} ${value ? 'yes' : 'no'}`;
  // What did not happen (no duplicates, nothing unsent) is not worth a word.
  if (typeof value !== 'number' || !Number.isFinite(value) || value === 0) return undefined;
  if (key === 'bytes') return formatQuantity(value, 'bytes');
  const [ending = '', unit = ''] = UNITS.find(([name]) => key.endsWith(name)) ?? [];
  const figure = unit !== '' ? formatQuantity(value, unit) : Number.isInteger(value) ? String(value) : inScale(value, { factor: 1, name: '' });
  return `${words(key.slice(0, key.length - ending.length))} ${figure}`;
}

/** `minRtt` to `min rtt`. */
function words(key: string): string {
  return key.replace(/([a-z0-9])([A-Z])/g, '$1 $2').toLowerCase();
}
