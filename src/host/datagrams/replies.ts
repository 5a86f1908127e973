import { GrowingDoubles } from './growing.js';

/** The most that one exchange keeps of its replies. Those beyond are counted, not kept. */
export const REPLIES_BYTES_MAX = 256 * 1024 * 1024;
/** Times and length of one reply. */
const RECORD_BYTES = 24;
const FIRST_REPLIES = 1024;

/** The replies of one exchange: times, lengths, and the head of each. */
export class Replies {
  readonly stride: number;
  /** How many came after the store was full. */
  discarded = 0;
  readonly #most: number;
  readonly #arrivedNs: GrowingDoubles;
  readonly #readNs: GrowingDoubles;
  readonly #lengths: GrowingDoubles;
  #heads: Uint8Array<ArrayBuffer>;

  constructor(options: { expected: number; replyBytesMax: number; storeBytesMax?: number }) {
    this.stride = options.replyBytesMax;
    this.#most = Math.max(1, Math.floor((options.storeBytesMax ?? REPLIES_BYTES_MAX) / (this.stride + RECORD_BYTES)));
    const first = Math.min(this.#most, FIRST_REPLIES, Math.max(1, options.expected));
    this.#arrivedNs = new GrowingDoubles(first);
    this.#readNs = new GrowingDoubles(first);
    this.#lengths = new GrowingDoubles(first);
    this.#heads = new Uint8Array(first * this.stride);
  }

  get count(): number {
    return this.#arrivedNs.length;
  }

  /** @param bytes the reply lies in these at `from`, `length` long */
  add(reply: { bytes: Uint8Array; from: number; length: number; arrivedNs: number; readNs: number }): void {
    const k = this.count;
    if (k >= this.#most) {
      this.discarded++;
      return;
    }
    this.#arrivedNs.push(reply.arrivedNs);
    this.#readNs.push(reply.readNs);
    this.#lengths.push(reply.length);
    const at = k * this.stride;
    if (at + this.stride > this.#heads.length) {
      const more = new Uint8Array(Math.min(this.#most, Math.max(2 * k, FIRST_REPLIES)) * this.stride);
      more.set(this.#heads);
      this.#heads = more;
    }
    const kept = Math.min(reply.length, this.stride);
    // A loop, since a subarray for `set` costs more than copying a head.
    for (let i = 0; i < kept; i++) this.#heads[at + i] = reply.bytes[reply.from + i] ?? 0;
  }

  taken(): {
    received: number;
    arrivedNs: Float64Array<ArrayBuffer>;
    readNs: Float64Array<ArrayBuffer>;
    length: Uint32Array<ArrayBuffer>;
    bytes: Uint8Array<ArrayBuffer>;
    stride: number;
  } {
    return {
      received: this.count,
      arrivedNs: this.#arrivedNs.taken(),
      readNs: this.#readNs.taken(),
      length: Uint32Array.from(this.#lengths.taken()),
      bytes: this.#heads.slice(0, this.count * this.stride),
      stride: this.stride,
    };
  }
}
