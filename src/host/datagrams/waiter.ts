import { memory } from '../libc/index.js';
import type { Libc } from '../libc/index.js';

/** Nanoseconds since the timer was made, as a double: exact to the nanosecond for 104 days. */
export type Now = () => number;

/** @returns the clock and the monotonic time of its origin */
export function startClock(): { now: Now; originNs: bigint } {
  const { hrtime } = process;
  const [seconds, nanos] = hrtime();
  return {
    // The array form is the cheapest of Node's clocks: no BigInt to allocate and convert.
    now: () => {
      const time = hrtime();
      return (time[0] - seconds) * 1e9 + (time[1] - nanos);
    },
    originNs: BigInt(seconds) * 1_000_000_000n + BigInt(nanos),
  };
}

/** Waits for a socket, for a time with nanoseconds. */
export class Waiter {
  readonly #libc: Libc;
  readonly #fds = new Int32Array(memory(8).buffer);
  readonly #time = new Uint32Array(memory(16).buffer);

  constructor(libc: Libc, fd: number) {
    this.#libc = libc;
    this.#fds[0] = fd;
  }

  /** @returns what of `events` (or POLLERR) came, 0 when the time is over */
  wait(timeoutNs: number, events: number): number {
    const ns = Math.max(0, Math.floor(timeoutNs));
    this.#fds[1] = events;
    const libc = this.#libc;
    if (libc.ppoll) {
      this.#setTime(ns);
      return libc.ppoll(this.#fds, 1, this.#time, null) > 0 ? this.#events() : 0;
    }
    // Without ppoll: whole milliseconds in poll, what is left in a sleep. Kernel stamps make up for a late read.
    const ms = Math.floor(ns / 1e6);
    const ready = libc.poll(this.#fds, 1, ms);
    if (ready > 0) return this.#events();
    this.#setTime(ns - ms * 1e6);
    libc.nanosleep(this.#time, null);
    return 0;
  }

  #setTime(ns: number): void {
    const seconds = Math.floor(ns / 1e9);
    this.#time[0] = seconds;
    this.#time[2] = ns - seconds * 1e9;
  }

  #events(): number {
    return (this.#fds[1] ?? 0) >>> 16;
  }
}

/** Times in `timespec`s: the wall clock, and this thread's processor time. */
export class SystemClocks {
  readonly #libc: Libc;
  readonly #time = new Uint32Array(memory(16).buffer);
  /** Wall-clock seconds that `realNs` counts from, so that nanoseconds fit a double. */
  readonly baseSeconds: number;

  constructor(libc: Libc) {
    this.#libc = libc;
    libc.clock_gettime(libc.constants.CLOCK_REALTIME, this.#time);
    this.baseSeconds = this.#seconds();
  }

  /** CLOCK_REALTIME since `baseSeconds`. */
  realNs(): number {
    this.#libc.clock_gettime(this.#libc.constants.CLOCK_REALTIME, this.#time);
    return (this.#seconds() - this.baseSeconds) * 1e9 + (this.#time[2] ?? 0);
  }

  threadCpuMs(): number {
    this.#libc.clock_gettime(this.#libc.constants.CLOCK_THREAD_CPUTIME_ID, this.#time);
    return this.#seconds() * 1e3 + (this.#time[2] ?? 0) / 1e6;
  }

  #seconds(): number {
    return (this.#time[1] ?? 0) * 4294967296 + (this.#time[0] ?? 0);
  }
}
