import { TautlineError } from './errors.js';

/**
 * Reads a duration such as `250us`, `1ms`, `1.5s`, `2m`, `1h`. A bare number is refused: a
 * duration without a unit has misled too many people.
 * @returns milliseconds, finite, >= 0
 * @throws TautlineError `usage`
 */
export function parseDurationMs(text: string): number {
  return parse(text, 'duration', /^(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)$/, DURATION_MS, '250us, 1ms, 5s or 2m');
}

/**
 * Reads a rate such as `64k`, `50M`, `1.5G`, with an optional `bit/s`, `bps` or `bit` after it.
 * Prefixes are decimal (1M = 1,000,000 bit/s), as everywhere in networking.
 * @returns bits per second, finite, > 0
 * @throws TautlineError `usage`
 */
export function parseRateBps(text: string): number {
  const bps = parse(text, 'rate', /^(\d+(?:\.\d+)?)(|k|K|M|G|T)(?:bit\/s|bps|bit)?$/, DECIMAL, '64k, 50M or 1.5G (bits per second)');
  if (bps <= 0) throw new TautlineError('usage', `a rate must be above zero, got '${text}'`, { hint: 'write for example 50M' });
  return bps;
}

/**
 * Reads a size such as `1400`, `64k`, `1M`, `1KiB`, `10MB`. `k`, `M`, `G` are decimal, `Ki`, `Mi`, `Gi` binary.
 * @returns bytes, a whole number >= 0
 * @throws TautlineError `usage`
 */
export function parseSizeBytes(text: string): number {
  return Math.round(parse(text, 'size', /^(\d+(?:\.\d+)?)(|k|K|M|G|T|Ki|Mi|Gi)B?$/, SIZE, '1400, 64k, 1M or 1MiB (bytes)'));
}

/** Writes bits per second for people: `941.5 Mbit/s`. */
export function formatRate(bps: number): string {
  if (!Number.isFinite(bps)) return '-';
  for (const [limit, name] of [
    [1e12, 'Tbit/s'],
    [1e9, 'Gbit/s'],
    [1e6, 'Mbit/s'],
    [1e3, 'kbit/s'],
  ] as const) {
    if (Math.abs(bps) >= limit) return `${significant(bps / limit)} ${name}`;
  }
  return `${significant(bps)} bit/s`;
}

/** Writes milliseconds for people: `38.2 us`, `12.3 ms`, `4.5 s`. */
export function formatMs(ms: number): string {
  if (!Number.isFinite(ms)) return '-';
  const size = Math.abs(ms);
  if (size >= 10_000) return `${significant(ms / 1000)} s`;
  if (size >= 1 || size === 0) return `${significant(ms)} ms`;
  return `${significant(ms * 1000)} us`;
}

/** Writes bytes for people, decimal: `1.25 GB`. */
export function formatBytes(bytes: number): string {
  for (const [limit, name] of [
    [1e12, 'TB'],
    [1e9, 'GB'],
    [1e6, 'MB'],
    [1e3, 'kB'],
  ] as const) {
    if (Math.abs(bytes) >= limit) return `${significant(bytes / limit)} ${name}`;
  }
  return `${bytes} B`;
}

const DURATION_MS: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1e3, m: 60e3, h: 3600e3 };
const DECIMAL: Readonly<Record<string, number>> = { '': 1, k: 1e3, K: 1e3, M: 1e6, G: 1e9, T: 1e12 };
const SIZE: Readonly<Record<string, number>> = { ...DECIMAL, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30 };

function parse(text: string, what: string, shape: RegExp, factors: Readonly<Record<string, number>>, example: string): number {
  const match = shape.exec(text.trim());
  const value = match ? Number(match[1]) * (factors[match[2] ?? ''] ?? Number.NaN) : Number.NaN;
  if (!Number.isFinite(value)) throw new TautlineError('usage', `'${text}' is not a ${what}`, { hint: `write for example ${example}` });
  return value;
}

function significant(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(size >= 1000 || size === 0 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : 3);
}
