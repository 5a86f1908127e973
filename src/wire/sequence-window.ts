/** What became of a sequence number offered to a window. */
export const SEEN = { fresh: 0, late: 1, duplicate: 2 } as const;
export type Seen = (typeof SEEN)[keyof typeof SEEN];

const NUMBERS_DEFAULT = 65536;

/**
 * Which of the last numbers of a 32-bit sequence have been seen: a sliding bitmap of fixed size, so
 * that a peer decides neither the memory nor the time that it costs.
 *
 * 1. A number above the highest is `fresh`; the window moves up to it and forgets what it left behind.
 * 2. A number inside the window is `late` the first time (it was overtaken) and `duplicate` after that.
 * 3. A number below the window can no longer be told from its copy; it counts as `late`.
 */
export class SequenceWindow {
  /** Highest number seen, -1 before the first. */
  highest = -1;
  readonly #bits: Uint32Array;
  readonly #mask: number;

  /** @param numbers how many numbers to remember, a power of two and at least 64 */
  constructor(numbers: number = NUMBERS_DEFAULT) {
    this.#bits = new Uint32Array(numbers / 32);
    this.#mask = numbers - 1;
  }

  mark(sequence: number): Seen {
    const bits = this.#bits;
    const slot = (sequence & this.#mask) >>> 5;
    const bit = 1 << (sequence & 31);
    const ahead = sequence - this.highest;
    if (ahead > 0) {
      if (ahead > 1) this.#forget(ahead);
      this.highest = sequence;
      bits[slot] = (bits[slot] ?? 0) | bit;
      return SEEN.fresh;
    }
    if (-ahead > this.#mask) return SEEN.late;
    const word = bits[slot] ?? 0;
    if ((word & bit) !== 0) return SEEN.duplicate;
    bits[slot] = word | bit;
    return SEEN.late;
  }

  /** Bits of `highest - from` (bit 0) to `highest - from - 31`, as an unsigned number. */
  recent32(from: number): number {
    let word = 0;
    for (let i = 0; i < 32; i++) {
      const sequence = this.highest - from - i;
      if (sequence < 0) break;
      if (((this.#bits[(sequence & this.#mask) >>> 5] ?? 0) & (1 << (sequence & 31))) !== 0) word |= 1 << i;
    }
    return word >>> 0;
  }

  /** Clears the numbers that a jump of `ahead` skips, a word at a time: a peer that jumps with every datagram must not cost much. */
  #forget(ahead: number): void {
    if (ahead > this.#mask) {
      this.#bits.fill(0);
      return;
    }
    const end = this.highest + ahead;
    for (let sequence = this.highest + 1; sequence < end;) {
      const slot = (sequence & this.#mask) >>> 5;
      if ((sequence & 31) === 0 && sequence + 32 <= end) {
        this.#bits[slot] = 0;
        sequence += 32;
      } else {
        this.#bits[slot] = (this.#bits[slot] ?? 0) & ~(1 << (sequence & 31));
        sequence++;
      }
    }
  }
}
