import type { Libc } from '../libc/index.js';
import { SpinWindow } from './spin-window.js';
import type { Now, Waiter } from './waiter.js';

/** The longest wait in one go: how soon an abort is noticed. */
const WAIT_NS_MAX = 20e6;
/** Waits shorter than this are not worth a call. */
const SLEEP_NS_MIN = 5_000;

export interface PacerOptions {
  readonly libc: Libc;
  readonly now: Now;
  readonly waiter: Waiter;
  readonly intervalNs: number;
  /** Called when the socket has something (POLLIN, POLLERR), and with 0 every 20 ms. @returns false to stop waiting */
  readonly onReady: (events: number) => boolean;
}

/** Waits for due times: sleeps in poll on the socket until shortly before, and spins the rest. */
export class Pacer {
  readonly #options: PacerOptions;
  readonly #spin: SpinWindow;
  readonly #events: number;

  constructor(options: PacerOptions) {
    this.#options = options;
    this.#spin = new SpinWindow(options.intervalNs);
    this.#events = options.libc.constants.POLLIN;
  }

  /** @returns the time it is then, not before `dueNs` unless `onReady` stopped it */
  waitUntil(dueNs: number): number {
    const { now, waiter, onReady } = this.#options;
    for (;;) {
      let nowNs = now();
      const leftNs = dueNs - nowNs;
      if (leftNs <= 0) return nowNs;
      const sleepNs = leftNs - this.#spin.windowNs;
      if (sleepNs < SLEEP_NS_MIN) {
        while (nowNs < dueNs) nowNs = now();
        return nowNs;
      }
      const waitNs = Math.min(sleepNs, WAIT_NS_MAX);
      const ready = waiter.wait(waitNs, this.#events);
      if (ready === 0) this.#spin.learn(now() - nowNs - waitNs);
      if ((ready !== 0 || waitNs === WAIT_NS_MAX) && !onReady(ready)) return now();
    }
  }

  /** Sleeps through without spinning: for when nothing is due at the end. */
  idleUntil(endNs: number): void {
    const { now, waiter, onReady } = this.#options;
    for (;;) {
      const leftNs = endNs - now();
      if (leftNs <= 0) return;
      if (!onReady(waiter.wait(Math.min(leftNs, WAIT_NS_MAX), this.#events))) return;
    }
  }
}
