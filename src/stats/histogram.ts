import { TautlineError } from '../base/index.js';

export interface HistogramOptions {
  /** Largest value that is told apart; larger ones are counted as this one and in `clipped`. Up to 2^53 - 1. */
  readonly highest: number;
  /** Decimal digits that survive, 1..5; default 3 (a quantile is within 0.1 % of a recorded value). */
  readonly significantDigits?: number;
}

/**
 * Counts of whole non-negative values (nanoseconds, bytes) in buckets of constant relative width: linear
 * buckets inside each power of two, as in Gil Tene's HdrHistogram. Memory depends on the range and the
 * digits and never on the number of values: at 3 digits 138 kB for up to a minute in microseconds.
 * Fractions are rounded to the nearest whole number. What cannot be recorded (negative, NaN) is counted in
 * `rejected`, so that a figure from a peer cannot throw.
 */
export class Histogram {
  readonly highest: number;
  readonly significantDigits: number;
  /** Width of the linear part: values below it have a bucket each. */
  readonly #linear: number;
  readonly #counts: Float64Array;
  #total = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;
  #clipped = 0;
  #rejected = 0;

  /** @throws TautlineError `usage` for a range or precision that is none */
  constructor(options: HistogramOptions) {
    const { highest, significantDigits = 3 } = options;
    const why = impossible(highest, significantDigits);
    if (why !== undefined) throw new TautlineError('usage', `no such histogram: ${why}`);
    this.highest = highest;
    this.significantDigits = significantDigits;
    // A bucket of width w starts at w x linear / 2 at the least, so the relative width is at most 2 / linear.
    this.#linear = 2 ** Math.ceil(Math.log2(2 * 10 ** significantDigits));
    this.#counts = new Float64Array(this.#indexOf(highest) + 1);
  }

  /** Values recorded, those clipped included. */
  get count(): number {
    return this.#total;
  }
  /** Smallest and largest value recorded, exactly (after clipping); NaN when empty. */
  get min(): number {
    return this.#total === 0 ? Number.NaN : this.#min;
  }
  get max(): number {
    return this.#total === 0 ? Number.NaN : this.#max;
  }
  /** Values above `highest`, which count as `highest`. */
  get clipped(): number {
    return this.#clipped;
  }
  /** Values that were negative or no number, which count as nothing. */
  get rejected(): number {
    return this.#rejected;
  }
  get memoryBytes(): number {
    return this.#counts.byteLength;
  }

  /** Records `value` `times` times (a whole number >= 0). */
  record(value: number, times = 1): void {
    if (!(value >= 0)) {
      this.#rejected += times;
      return;
    }
    if (times <= 0) return;
    let whole = Math.round(value);
    if (whole > this.highest) {
      whole = this.highest;
      this.#clipped += times;
    }
    const index = this.#indexOf(whole);
    this.#counts[index] = (this.#counts[index] as number) + times;
    this.#total += times;
    if (whole < this.#min) this.#min = whole;
    if (whole > this.#max) this.#max = whole;
  }

  /**
   * Adds what `other` counted; without loss where range and digits are the same. Otherwise each bucket of
   * `other` counts as its middle, which then also stands for its smallest and largest value.
   */
  merge(other: Histogram): void {
    if (other.highest === this.highest && other.significantDigits === this.significantDigits) {
      for (let i = 0; i < this.#counts.length; i++) this.#counts[i] = (this.#counts[i] as number) + (other.#counts[i] as number);
      this.#total += other.#total;
      this.#min = Math.min(this.#min, other.#min);
      this.#max = Math.max(this.#max, other.#max);
    } else {
      for (const { middle, count } of other.buckets()) this.record(middle, count);
    }
    this.#clipped += other.#clipped;
    this.#rejected += other.#rejected;
  }

  /**
   * The value that a share `p` of all values does not exceed: the middle of the bucket that holds the
   * ceil(n p)-th smallest value, inside [min, max]. NaN when empty.
   */
  quantile(p: number): number {
    if (this.#total === 0) return Number.NaN;
    if (p <= 0) return this.#min;
    const rank = Math.ceil(this.#total * p);
    if (rank >= this.#total) return this.#max;
    let seen = 0;
    for (let i = 0; i < this.#counts.length; i++) {
      seen += this.#counts[i] as number;
      if (seen >= rank) return Math.min(this.#max, Math.max(this.#min, this.#middleOf(i)));
    }
    return this.#max;
  }

  /** Mean of the bucket middles, within half a bucket's relative width of the values' mean. NaN when empty. */
  mean(): number {
    let sum = 0;
    for (const { middle, count } of this.buckets()) sum += middle * count;
    return this.#total === 0 ? Number.NaN : sum / this.#total;
  }

  /** How many values lie in the buckets up to the one that holds `value`. */
  countUpTo(value: number): number {
    if (!(value >= 0)) return 0;
    const last = this.#indexOf(Math.min(Math.round(value), this.highest));
    let seen = 0;
    for (let i = 0; i <= last; i++) seen += this.#counts[i] as number;
    return seen;
  }

  /** The buckets that hold anything, ascending; `low` and `high` are the smallest and largest value of each. */
  *buckets(): Generator<{ readonly index: number; readonly low: number; readonly high: number; readonly middle: number; readonly count: number }> {
    for (let index = 0; index < this.#counts.length; index++) {
      const count = this.#counts[index] as number;
      if (count === 0) continue;
      const low = this.#lowOf(index);
      yield { index, low, high: low + this.#widthOf(index) - 1, middle: this.#middleOf(index), count };
    }
  }

  /** The whole state as plain data; `restore` is its inverse. */
  snapshot(): HistogramState {
    const counts: [number, number][] = [];
    for (const { index, count } of this.buckets()) counts.push([index, count]);
    const { highest, significantDigits } = this;
    return { highest, significantDigits, clipped: this.#clipped, rejected: this.#rejected, min: this.min, max: this.max, counts };
  }

  /** @returns undefined when the state is not one that a histogram can be in */
  static restore(state: HistogramState): Histogram | undefined {
    if (impossible(state.highest, state.significantDigits) !== undefined) return undefined;
    const histogram = new Histogram(state);
    for (const [index, count] of state.counts) {
      if (!isCount(index) || index >= histogram.#counts.length || !isCount(count) || count === 0) return undefined;
      if (histogram.#counts[index] !== 0) return undefined;
      histogram.#counts[index] = count;
      histogram.#total += count;
    }
    if (!isCount(state.clipped) || !isCount(state.rejected) || !Number.isSafeInteger(histogram.#total)) return undefined;
    histogram.#clipped = state.clipped;
    histogram.#rejected = state.rejected;
    if (histogram.#total === 0) return state.clipped === 0 ? histogram : undefined;
    histogram.#min = state.min;
    histogram.#max = state.max;
    return histogram.#boundsFit() && state.clipped <= histogram.#total ? histogram : undefined;
  }

  /** Whether min and max lie in the first and last bucket that hold anything. */
  #boundsFit(): boolean {
    if (!isCount(this.#min) || !isCount(this.#max) || this.#max > this.highest || this.#min > this.#max) return false;
    const first = this.#counts.findIndex((count) => count > 0);
    const last = this.#counts.findLastIndex((count) => count > 0);
    return this.#indexOf(this.#min) === first && this.#indexOf(this.#max) === last;
  }

  /** Bucket b > 0 covers [linear x 2^(b-1), linear x 2^b) in linear / 2 steps of 2^b. */
  #indexOf(whole: number): number {
    if (whole < this.#linear) return whole;
    const bucket = exponentOf(whole) - exponentOf(this.#linear) + 1;
    const half = this.#linear / 2;
    return this.#linear + (bucket - 1) * half + (Math.floor(whole / 2 ** bucket) - half);
  }

  #lowOf(index: number): number {
    if (index < this.#linear) return index;
    const half = this.#linear / 2;
    const bucket = Math.floor((index - this.#linear) / half) + 1;
    return (half + ((index - this.#linear) % half)) * 2 ** bucket;
  }

  #widthOf(index: number): number {
    return index < this.#linear ? 1 : 2 ** (Math.floor((index - this.#linear) / (this.#linear / 2)) + 1);
  }

  #middleOf(index: number): number {
    return this.#lowOf(index) + Math.floor((this.#widthOf(index) - 1) / 2);
  }
}

/** What a histogram consists of. `counts` are pairs of bucket index and count, ascending, without empty buckets. */
export interface HistogramState extends HistogramOptions {
  readonly significantDigits: number;
  readonly clipped: number;
  readonly rejected: number;
  /** NaN when empty. */
  readonly min: number;
  readonly max: number;
  readonly counts: readonly (readonly [number, number])[];
}

function impossible(highest: number, significantDigits: number): string | undefined {
  if (!Number.isSafeInteger(highest) || highest < 1) return `the highest value must be a whole number from 1 to 2^53 - 1, not ${highest}`;
  if (!Number.isInteger(significantDigits) || significantDigits < 1 || significantDigits > 5)
    return `it keeps 1 to 5 significant digits, not ${significantDigits}`;
  return undefined;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/** floor(log2(whole)) for 1 <= whole < 2^53, exact where Math.log2 rounds up just below a power of two. */
function exponentOf(whole: number): number {
  return whole < 4294967296 ? 31 - Math.clz32(whole) : 63 - Math.clz32(Math.floor(whole / 4294967296));
}
