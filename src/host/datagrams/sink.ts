import type { SinkLog, SinkPlan } from '../../base/index.js';
import { FloodCounter } from '../../wire/index.js';
import { memory, setInt } from '../libc/index.js';
import type { FlowIo } from './flow-io.js';
import type { Progress } from './messages.js';
import { SLOT_BYTES } from './receiver.js';

/** A request datagram may get lost, so it is repeated until the flood comes; from then on it keeps the flood alive. */
const REQUEST_NS = 200e6;
const REQUEST_NS_BEGUN = 500e6;
/** How soon an abort or the end is noticed. */
const WAIT_NS_MAX = 20e6;
/** A flood that never pauses must not keep the end from being noticed. */
const READS_MAX = 64;

type Plan = Omit<SinkPlan, 'signal' | 'onProgress'>;

/** Counts a flood that comes in. Blocks its thread until the end. */
export class Sink {
  readonly #io: FlowIo;
  readonly #plan: Plan;
  readonly #progress: Progress;
  readonly #counter: FloodCounter;
  readonly #bytesMin: number;
  #lastNs = Number.NaN;

  constructor(io: FlowIo, plan: Plan, progress: Progress) {
    this.#io = io;
    this.#plan = plan;
    this.#progress = progress;
    this.#counter = new FloodCounter({ intervalMs: plan.intervalNs / 1e6 });
    this.#bytesMin = Math.max(plan.match.length, plan.sequenceOffset + 4, plan.stampOffset + 8);
  }

  run(): SinkLog {
    const io = this.#io;
    const c = io.libc.constants;
    io.errors.reset();
    // Joined datagrams come in one read. It is for this operation only: an exchange wants each datagram's own stamp.
    const joined = setInt(io.libc, io.fd, c.IPPROTO_UDP, c.UDP_GRO, 1);
    const cpuMs = io.threadCpuMs();
    io.dropsSince();
    try {
      this.#receive();
    } finally {
      if (joined) setInt(io.libc, io.fd, c.IPPROTO_UDP, c.UDP_GRO, 0);
      // What is still queued may be joined, and the next operation would take it for one datagram.
      for (let reads = 0; reads < READS_MAX && io.receiver.receive(c.MSG_DONTWAIT) > 0; reads++);
    }
    io.errors.collect();
    return {
      count: this.#counter.count(),
      kernelDrops: io.dropsSince(),
      cpuMs: io.threadCpuMs() - cpuMs,
      errors: io.errors.byName(),
      aborted: this.#progress.aborted,
    };
  }

  #receive(): void {
    const { now, waiter, libc, errors } = this.#io;
    const request = this.#request();
    const endNs = now() + this.#plan.durationNs;
    let requestNs = now();
    for (;;) {
      const nowNs = now();
      const begun = !Number.isNaN(this.#lastNs);
      if (nowNs >= endNs || this.#progress.aborted) return;
      if (begun && nowNs - this.#lastNs >= this.#plan.idleNs) return;
      if (request && nowNs >= requestNs) {
        this.#ask(request);
        requestNs = nowNs + (begun ? REQUEST_NS_BEGUN : REQUEST_NS);
      }
      const nextNs = Math.min(endNs, begun ? this.#lastNs + this.#plan.idleNs : endNs, request ? requestNs : endNs);
      if (!this.#read()) {
        const events = waiter.wait(Math.min(WAIT_NS_MAX, nextNs - nowNs), libc.constants.POLLIN);
        if ((events & libc.constants.POLLERR) !== 0) errors.collect();
      }
      this.#progress.received(this.#counter.received);
    }
  }

  #request(): Uint8Array<ArrayBuffer> | undefined {
    if (!this.#plan.request) return undefined;
    const bytes = memory(this.#plan.request.length);
    bytes.set(this.#plan.request);
    return bytes;
  }

  #ask(request: Uint8Array): void {
    const { libc, fd, errors } = this.#io;
    const c = libc.constants;
    for (let attempt = 0; attempt < 2; attempt++) {
      if (libc.send(fd, request, request.length, c.MSG_DONTWAIT | c.MSG_NOSIGNAL) >= 0) return;
      if (!errors.afterFailure(libc.errno())) return;
    }
  }

  /** @returns whether there was anything to read */
  #read(): boolean {
    const { libc, receiver, errors, now } = this.#io;
    for (let reads = 0; reads < READS_MAX; reads++) {
      const count = receiver.receive(libc.constants.MSG_DONTWAIT);
      if (count < 0) {
        if (receiver.errno === libc.errors.EAGAIN) return reads > 0;
        if (receiver.errno !== libc.errors.EINTR) errors.afterFailure(receiver.errno);
        return true;
      }
      this.#count(count, now());
    }
    return true;
  }

  #count(slots: number, readNs: number): void {
    const io = this.#io;
    const { receiver } = io;
    const { sequenceOffset, stampOffset } = this.#plan;
    const view = receiver.view;
    const stepped = io.flow.stamps === 'kernel' && io.sampleClocks();
    for (let i = 0; i < slots; i++) {
      const stampedNs = io.toMonotonicNs(receiver.stampNs[i] ?? Number.NaN);
      const arrivedNs = stepped || !(stampedNs <= readNs) ? readNs : stampedNs;
      const length = receiver.length[i] ?? 0;
      const segment = receiver.segment[i] ?? 0;
      const step = segment > 0 ? segment : length;
      for (let at = 0; at < length; at += step) {
        const size = Math.min(step, length - at);
        const from = i * SLOT_BYTES + at;
        if (size < this.#bytesMin || !this.#matches(from)) continue;
        const stampNs = view.getUint32(from + stampOffset) * 4294967296 + view.getUint32(from + stampOffset + 4);
        this.#counter.add(view.getUint32(from + sequenceOffset), stampNs, arrivedNs, size);
        this.#lastNs = readNs;
      }
    }
  }

  #matches(from: number): boolean {
    const { match } = this.#plan;
    const { bytes } = this.#io.receiver;
    for (let i = 0; i < match.length; i++) if (bytes[from + i] !== match[i]) return false;
    return true;
  }
}
