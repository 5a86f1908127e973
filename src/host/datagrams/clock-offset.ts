/**
 * The distance between two clocks that run at the same rate: CLOCK_REALTIME, which stamps arrivals,
 * and CLOCK_MONOTONIC, which times everything else. Both are steered alike, so their distance is a
 * constant until somebody sets the wall clock.
 *
 * 1. Reading the one clock between two readings of the other bounds the distance from both sides.
 * 2. All bounds hold at once, so their intersection gets narrower with every sample.
 * 3. An empty intersection means that the wall clock was set in between: start again.
 */
export class ClockOffset {
  #low = Number.NEGATIVE_INFINITY;
  #high = Number.POSITIVE_INFINITY;
  #atNs = 0;
  readonly #driftPpm: number;

  /** @param driftPpm how fast the two may drift apart (0 on Linux; where one of them is slewed alone, the bounds widen by it) */
  constructor(driftPpm = 0) {
    this.#driftPpm = driftPpm;
  }

  /**
   * `realNs` was read between `beforeNs` and `afterNs`; all are nanoseconds, each clock from an origin of its own.
   * @returns whether the wall clock was set since the last sample, so that stamps from in between mean nothing
   */
  sample(beforeNs: number, realNs: number, afterNs: number): boolean {
    const widened = ((afterNs - this.#atNs) * this.#driftPpm) / 1e6;
    this.#atNs = afterNs;
    const low = Math.max(this.#low - widened, realNs - afterNs - RESOLUTION_NS);
    const high = Math.min(this.#high + widened, realNs - beforeNs + RESOLUTION_NS);
    if (low <= high) {
      this.#low = low;
      this.#high = high;
      return false;
    }
    this.#low = realNs - afterNs - RESOLUTION_NS;
    this.#high = realNs - beforeNs + RESOLUTION_NS;
    return true;
  }

  /** A wall-clock time on the monotonic clock. */
  toMonotonicNs(realNs: number): number {
    return realNs - (this.#low + this.#high) / 2;
  }

  /** How far `toMonotonicNs` may be off, in either direction. */
  get uncertaintyNs(): number {
    return (this.#high - this.#low) / 2;
  }
}

/** Readings are whole nanoseconds. */
const RESOLUTION_NS = 1;
