import { shownValue } from './given-value.js';

/** Values of several names at once: names with on and off, names with numbers or words. */
export type ParsedMap<T> = { readonly value: Readonly<Record<string, T>> } | { readonly problem: string };

/** `{ gro: on, tso: off }` or `gro on tso off`. `nameOf` gives the full name, or undefined for one that is not known. */
export function parseSwitches(value: unknown, nameOf: (name: string) => string | undefined): ParsedMap<boolean> {
  return parsePairs(value, nameOf, 'on or off', switchOf);
}

/** on, yes, true and 1; YAML 1.2 reads `on` and `yes` as words. */
export function switchOf(value: unknown): boolean | undefined {
  const text = String(value).toLowerCase();
  if (['on', 'yes', 'true', '1'].includes(text)) return true;
  return ['off', 'no', 'false', '0'].includes(text) ? false : undefined;
}

/** A whole number from `min` on. */
export function countOf(value: unknown, min: number): number | undefined {
  const number = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= min && number < 2 ** 31 ? number : undefined;
}

export function parsePairs<T>(
  value: unknown,
  nameOf: (name: string) => string | undefined,
  wanted: string,
  valueOf: (value: unknown, name: string) => T | undefined,
): ParsedMap<T> {
  const pairs = pairsOf(value);
  if (!pairs || pairs.length === 0) return { problem: `names with ${wanted} are wanted, not ${shownValue(value)}` };
  const found: [string, T][] = [];
  for (const [key, one] of pairs) {
    const name = nameOf(key);
    if (name === undefined) return { problem: `there is no '${key}' among them` };
    const parsed = valueOf(one, name);
    if (parsed === undefined) return { problem: `${key}: ${wanted} is wanted, not ${shownValue(one)}` };
    found.push([name, parsed]);
  }
  return { value: Object.fromEntries(found) };
}

function pairsOf(value: unknown): readonly (readonly [string, unknown])[] | undefined {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return Object.entries(value);
  if (typeof value !== 'string') return undefined;
  const words = value.split(/[\s,]+/).filter(Boolean);
  if (words.length % 2 !== 0) return undefined;
  return words.flatMap((word, index) => (index % 2 === 0 ? [[word, words[index + 1]] as const] : []));
}
