import { Histogram, type HistogramState } from './histogram.js';

/**
 * A histogram as bytes, without loss: "TLH", version 1, then unsigned LEB128 numbers: digits, highest,
 * clipped, rejected, number of buckets that follow, min, max (0 when empty), and per bucket the distance of
 * its index from the last one's (from -1 for the first) and its count.
 */
export function encodeHistogram(histogram: Histogram): Uint8Array {
  const state = histogram.snapshot();
  const empty = state.counts.length === 0;
  const out: number[] = [...MAGIC];
  const fields = [
    state.significantDigits,
    state.highest,
    state.clipped,
    state.rejected,
    state.counts.length,
    empty ? 0 : state.min,
    empty ? 0 : state.max,
  ];
  for (const field of fields) append(out, field);
  let last = -1;
  for (const [index, count] of state.counts) {
    append(out, index - last);
    append(out, count);
    last = index;
  }
  return Uint8Array.from(out);
}

/** The inverse; bytes that are no histogram come back as `garbled`, never as an exception. */
export function decodeHistogram(
  bytes: Uint8Array,
): { readonly kind: 'histogram'; readonly histogram: Histogram } | { readonly kind: 'garbled'; readonly why: string } {
  if (MAGIC.some((byte, i) => bytes[i] !== byte)) return garbled('not a histogram of version 1');
  const reader = { bytes, at: MAGIC.length };
  const head = Array.from({ length: 7 }, () => take(reader));
  if (head.some(Number.isNaN)) return garbled('cut short');
  const [significantDigits, highest, clipped, rejected, buckets, min, max] = head as [number, number, number, number, number, number, number];
  // Each bucket takes two bytes at the least: a count of buckets beyond that is a lie, and would cost memory.
  if (buckets > (bytes.length - reader.at) / 2) return garbled('cut short');
  const counts: [number, number][] = [];
  let index = -1;
  for (let i = 0; i < buckets; i++) {
    index += take(reader);
    const count = take(reader);
    if (Number.isNaN(index) || Number.isNaN(count)) return garbled('cut short');
    counts.push([index, count]);
  }
  if (reader.at !== bytes.length) return garbled('bytes left over');
  const state: HistogramState = { significantDigits, highest, clipped, rejected, min, max, counts };
  const histogram = Histogram.restore(state);
  return histogram ? { kind: 'histogram', histogram } : garbled('its figures contradict each other');
}

const MAGIC = [0x54, 0x4c, 0x48, 1];

/** LEB128 by arithmetic, since shifts end at 32 bits. */
function append(out: number[], value: number): void {
  let rest = value;
  while (rest >= 128) {
    out.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  out.push(rest);
}

/** NaN where the bytes end or the number is no safe integer. */
function take(reader: { readonly bytes: Uint8Array; at: number }): number {
  let value = 0;
  for (let factor = 1; factor <= 2 ** 49; factor *= 128) {
    const byte = reader.bytes[reader.at++];
    if (byte === undefined) return Number.NaN;
    value += (byte & 127) * factor;
    if (byte < 128) return Number.isSafeInteger(value) ? value : Number.NaN;
  }
  return Number.NaN;
}

function garbled(why: string): { readonly kind: 'garbled'; readonly why: string } {
  return { kind: 'garbled', why };
}
