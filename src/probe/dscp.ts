import { TautlineError } from '../base/index.js';

/** The names of RFC 2474 (CS), 2597 (AF), 3246 (EF), 5865 (VA) and 8622 (LE). */
const NAMES: Readonly<Record<string, number>> = {
  BE: 0,
  DF: 0,
  LE: 1,
  VA: 44,
  EF: 46,
  CS0: 0,
  CS1: 8,
  CS2: 16,
  CS3: 24,
  CS4: 32,
  CS5: 40,
  CS6: 48,
  CS7: 56,
  AF11: 10,
  AF12: 12,
  AF13: 14,
  AF21: 18,
  AF22: 20,
  AF23: 22,
  AF31: 26,
  AF32: 28,
  AF33: 30,
  AF41: 34,
  AF42: 36,
  AF43: 38,
};

/**
 * Reads a differentiated services code point: 0..63, or a name such as EF, AF41, CS1.
 * @throws TautlineError `usage`
 */
export function parseDscp(text: string): number {
  const name = NAMES[text.trim().toUpperCase()];
  if (name !== undefined) return name;
  const value = /^(\d{1,2}|0x[0-9a-fA-F]{1,2})$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (!(value >= 0 && value <= 63)) {
    throw new TautlineError('usage', `'${text}' is not a DSCP`, { hint: `write 0 to 63 or one of ${Object.keys(NAMES).join(', ')}` });
  }
  return value;
}

/** `46 (EF)`. */
export function formatDscp(dscp: number): string {
  const name = Object.entries(NAMES).find(([, value]) => value === dscp)?.[0];
  return name === undefined ? String(dscp) : `${dscp} (${name})`;
}
