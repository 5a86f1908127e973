/** What is assumed of the machine before it has been watched. */
const FIRST_NS = 60_000;
const NS_MIN = 8_000;
const NS_MAX = 300_000;
const HISTORY = 128;
const LEARN_EVERY = 16;
/** Wake-ups later than this quantile are left late: chasing them would cost more spinning than they are worth. */
const QUANTILE = 0.98;
/** What spinning may cost, as a share of a core. */
const SHARE_MAX = 0.015;

/**
 * How long before a due time to wake up and spin. The kernel wakes a sleeper some time after it asked to be
 * woken; the window covers nearly all of that, learned from the last wake-ups, as long as the time spent
 * spinning (the window less the usual lateness) stays within a share of the interval.
 */
export class SpinWindow {
  readonly #latenessNs = new Float64Array(HISTORY);
  readonly #budgetNs: number;
  #learned = 0;
  #windowNs = FIRST_NS;

  constructor(intervalNs: number) {
    this.#budgetNs = Math.max(NS_MIN, intervalNs * SHARE_MAX);
    this.#windowNs = Math.min(FIRST_NS, FIRST_NS / 2 + this.#budgetNs);
  }

  get windowNs(): number {
    return this.#windowNs;
  }

  /** Tells how late a wake-up was. */
  learn(latenessNs: number): void {
    this.#latenessNs[this.#learned % HISTORY] = latenessNs;
    this.#learned++;
    if (this.#learned % LEARN_EVERY === 0) this.#adapt();
  }

  #adapt(): void {
    const known = this.#latenessNs.slice(0, Math.min(this.#learned, HISTORY)).sort();
    const quantile = known[Math.floor(QUANTILE * (known.length - 1))] ?? FIRST_NS;
    const median = known[known.length >>> 1] ?? FIRST_NS;
    const wanted = Math.min(quantile + NS_MIN / 2, median + this.#budgetNs);
    this.#windowNs = Math.min(NS_MAX, Math.max(NS_MIN, wanted));
  }
}
