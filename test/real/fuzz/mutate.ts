import type { Random } from '../../../src/base/index.js';

/** Damages a valid message in one of the ways that find bugs in decoders. The original is left as it is. */
export function mutate(original: Uint8Array, random: Random): Uint8Array {
  const bytes = Uint8Array.from(original);
  switch (random.below(8)) {
    case 0:
      return bytes;
    case 1:
      flipBits(bytes, random, 1 + random.below(8));
      return bytes;
    case 2:
      return bytes.subarray(0, random.below(bytes.length + 1));
    case 3:
      return lengthened(bytes, random, random.below(1400));
    case 4:
      splash(bytes, random, 1 + random.below(16));
      return bytes;
    case 5:
      writeExtreme(bytes, random);
      return bytes;
    case 6:
      return shuffled(bytes, random);
    default:
      return noise(random.below(200), random);
  }
}

/** Bytes without any meaning. */
export function noise(length: number, random: Random): Uint8Array {
  return Uint8Array.from({ length }, () => random.below(256));
}

function flipBits(bytes: Uint8Array, random: Random, count: number): void {
  for (let i = 0; i < count && bytes.length > 0; i++) {
    const at = random.below(bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
  }
}

function lengthened(bytes: Uint8Array, random: Random, by: number): Uint8Array {
  const longer = new Uint8Array(bytes.length + by);
  longer.set(bytes);
  longer.set(noise(Math.min(by, 32), random), bytes.length);
  return longer;
}

function splash(bytes: Uint8Array, random: Random, length: number): void {
  const at = random.below(Math.max(1, bytes.length));
  bytes.set(noise(Math.min(length, bytes.length - at), random), at);
}

/** Numbers at their edges: 0, 1, the greatest, the sign bit, in 1, 2, 4 or 8 bytes. */
function writeExtreme(bytes: Uint8Array, random: Random): void {
  const width = [1, 2, 4, 8][random.below(4)] ?? 1;
  if (bytes.length < width) return;
  const at = random.below(bytes.length - width + 1);
  const [head = 0, tail = 0] =
    [
      [0, 0],
      [0, 1],
      [0xff, 0xff],
      [0x80, 0],
      [0x7f, 0xff],
    ][random.below(5)] ?? [];
  bytes.fill(head === 0xff || head === 0x7f ? 0xff : 0, at, at + width);
  bytes[at] = head;
  bytes[at + width - 1] = tail;
}

function shuffled(bytes: Uint8Array, random: Random): Uint8Array {
  const cut = random.below(bytes.length + 1);
  return Uint8Array.from([...bytes.subarray(cut), ...bytes.subarray(0, cut)]);
}
