import type { FloodCount } from '../base/index.js';
import { SEEN, SequenceWindow } from './sequence-window.js';

/** After this many intervals, neighbours are merged and the interval doubles: memory stays the same for a flood of any length. */
const INTERVALS_MAX_DEFAULT = 1024;

export interface FloodCounterOptions {
  readonly intervalMs: number;
  /** Even; default 1024. */
  readonly intervalsMax?: number;
}

/**
 * What the receiver of a flood counts: datagrams, bytes, duplicates, reordering, RFC 3550 jitter and
 * figures per interval. Memory is fixed, `add` allocates nothing.
 *
 * Times are nanoseconds as numbers. The two clocks (`stampNs` the sender's, `arrivedNs` the
 * receiver's) need not agree on an origin: only differences are used.
 */
export class FloodCounter {
  readonly #window = new SequenceWindow();
  readonly #received: Float64Array;
  readonly #bytes: Float64Array;
  #intervalNs: number;
  #intervals = 0;
  #total = 0;
  #totalBytes = 0;
  #duplicates = 0;
  #reordered = 0;
  #firstNs = 0;
  #lastNs = 0;
  #jitterNs = 0;
  #transitNs = Number.NaN;

  constructor(options: FloodCounterOptions) {
    const max = options.intervalsMax ?? INTERVALS_MAX_DEFAULT;
    this.#received = new Float64Array(max);
    this.#bytes = new Float64Array(max);
    this.#intervalNs = options.intervalMs * 1e6;
  }

  /** Highest sequence number seen, -1 before the first. */
  get highest(): number {
    return this.#window.highest;
  }

  /** Datagrams without their copies. */
  get received(): number {
    return this.#total;
  }

  /** Which of the last 32 numbers below `highest - from` came: see SequenceWindow. */
  recent32(from: number): number {
    return this.#window.recent32(from);
  }

  /** How long the figures of one interval are by now. */
  get intervalMs(): number {
    return this.#intervalNs / 1e6;
  }

  /** @param stampNs when the sender sent it; NaN when the datagram does not say, and then it has no part in the jitter */
  add(sequence: number, stampNs: number, arrivedNs: number, bytes: number): void {
    const seen = this.#window.mark(sequence);
    if (seen === SEEN.duplicate) {
      this.#duplicates++;
      return;
    }
    if (seen === SEEN.late) this.#reordered++;
    if (this.#total === 0) this.#firstNs = this.#lastNs = arrivedNs;
    if (arrivedNs > this.#lastNs) this.#lastNs = arrivedNs;
    this.#total++;
    this.#totalBytes += bytes;
    // RFC 3550, 6.4.1 and A.8: J += (|D| - J) / 16, D = the change in transit time between arrivals.
    const transitNs = arrivedNs - stampNs;
    const change = transitNs - this.#transitNs;
    if (change === change) this.#jitterNs += ((change < 0 ? -change : change) - this.#jitterNs) / 16;
    if (transitNs === transitNs) this.#transitNs = transitNs;
    let at = Math.max(0, Math.floor((arrivedNs - this.#firstNs) / this.#intervalNs));
    while (at >= this.#received.length) {
      this.#coarsen();
      at = Math.floor((arrivedNs - this.#firstNs) / this.#intervalNs);
    }
    if (at >= this.#intervals) this.#intervals = at + 1;
    this.#received[at] = (this.#received[at] ?? 0) + 1;
    this.#bytes[at] = (this.#bytes[at] ?? 0) + bytes;
  }

  count(): FloodCount {
    const elapsedMs = (this.#lastNs - this.#firstNs) / 1e6;
    const stepMs = this.#intervalNs / 1e6;
    return {
      received: this.#total,
      bytes: this.#totalBytes,
      duplicates: this.#duplicates,
      reordered: this.#reordered,
      expected: this.#window.highest + 1,
      elapsedMs,
      jitterMs: this.#jitterNs / 1e6,
      intervals: Array.from({ length: this.#intervals }, (_, i) => ({
        // The last interval ends with the last datagram, so that its rate is not diluted.
        endMs: i + 1 === this.#intervals ? elapsedMs : (i + 1) * stepMs,
        received: this.#received[i] ?? 0,
        bytes: this.#bytes[i] ?? 0,
      })),
    };
  }

  #coarsen(): void {
    const half = this.#received.length / 2;
    for (const figures of [this.#received, this.#bytes]) {
      for (let i = 0; i < half; i++) figures[i] = (figures[2 * i] ?? 0) + (figures[2 * i + 1] ?? 0);
      figures.fill(0, half);
    }
    this.#intervals = Math.ceil(this.#intervals / 2);
    this.#intervalNs *= 2;
  }
}
