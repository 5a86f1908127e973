import { ClockOffset } from '../datagrams/clock-offset.js';
import { SystemClocks, startClock } from '../datagrams/waiter.js';
import type { Now } from '../datagrams/waiter.js';
import type { Libc } from '../libc/index.js';

const FIRST_SAMPLES = 16;
/** A kernel stamp may be this much after the reading of it, for the clocks are compared no better. */
const SLACK_NS = 2_000;
const DARWIN_DRIFT_PPM = 500;

/** The thread's clock, and the kernel's wall-clock stamps on it. */
export class Stamps {
  readonly now: Now;
  readonly baseSeconds: number;
  readonly #clocks: SystemClocks;
  readonly #offset: ClockOffset;

  constructor(libc: Libc) {
    this.now = startClock().now;
    this.#clocks = new SystemClocks(libc);
    this.baseSeconds = this.#clocks.baseSeconds;
    this.#offset = new ClockOffset(libc.platform === 'darwin' ? DARWIN_DRIFT_PPM : 0);
    for (let i = 0; i < FIRST_SAMPLES; i++) this.#sample();
  }

  /**
   * When a packet arrived: by the kernel's stamp (nanoseconds from `baseSeconds`, NaN for none), else now.
   * One that the wall clock's being set has made meaningless is none either.
   */
  arrivedNs(stampNs: number, sentNs: number): number {
    const stepped = this.#sample();
    const readNs = this.now();
    if (stepped || Number.isNaN(stampNs)) return readNs;
    const arrivedNs = this.#offset.toMonotonicNs(stampNs);
    return arrivedNs >= sentNs - SLACK_NS && arrivedNs <= readNs + SLACK_NS ? Math.max(sentNs, Math.min(arrivedNs, readNs)) : readNs;
  }

  #sample(): boolean {
    const beforeNs = this.now();
    const realNs = this.#clocks.realNs();
    return this.#offset.sample(beforeNs, realNs, this.now());
  }
}
