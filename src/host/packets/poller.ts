import { memory } from '../libc/index.js';
import type { Libc } from '../libc/index.js';

/** Waits for any of several sockets, for a time with nanoseconds where the system has ppoll. */
export class Poller {
  readonly #libc: Libc;
  readonly #fds: Int32Array<ArrayBuffer>;
  readonly #time = new Uint32Array(memory(16).buffer);

  constructor(libc: Libc, socketsMax: number) {
    this.#libc = libc;
    this.#fds = new Int32Array(memory(8 * socketsMax).buffer);
  }

  /** Waits until one of the sockets has something, or the time is over. */
  wait(sockets: readonly { readonly fd: number; readonly events: number }[], timeoutNs: number): void {
    sockets.forEach(({ fd, events }, i) => {
      this.#fds[2 * i] = fd;
      this.#fds[2 * i + 1] = events;
    });
    const ns = Math.max(0, Math.floor(timeoutNs));
    const libc = this.#libc;
    if (!libc.ppoll) {
      libc.poll(this.#fds, sockets.length, Math.ceil(ns / 1e6));
      return;
    }
    const seconds = Math.floor(ns / 1e9);
    this.#time[0] = seconds;
    this.#time[2] = ns - seconds * 1e9;
    libc.ppoll(this.#fds, sockets.length, this.#time, null);
  }
}
