import type { ExchangeLog, ExchangePlan } from '../../base/index.js';
import { memory, readPathMtu } from '../libc/index.js';
import type { FlowIo } from './flow-io.js';
import { GrowingDoubles } from './growing.js';
import type { IcmpMessages } from './icmp-messages.js';
import type { Progress } from './messages.js';
import { Pacer } from './pacer.js';
import { SLOT_BYTES } from './receiver.js';
import { Replies } from './replies.js';

/** From the start of an operation to its first datagram: time to get ready. */
const LEAD_NS = 200_000;
/** A kernel stamp may be this much after the reading of it, for the clocks are compared no better. */
const STAMP_SLACK_NS = 2_000;
/** How long one send waits for room in the send buffer. */
const ROOM_NS = 1e6;
/** So often at most in a row an error from the network is taken off the socket before a send. */
const ATTEMPTS = 4;
const REPLY_BYTES_DEFAULT = 128;
const EXPECTED_MAX = 1 << 20;

type Plan = Omit<ExchangePlan, 'signal' | 'onProgress'>;

/** Sends on a fixed schedule and records what comes back. Blocks its thread until the end. */
export class Exchange {
  readonly #io: FlowIo;
  readonly #plan: Plan;
  readonly #progress: Progress;
  readonly #icmp: IcmpMessages | undefined;
  readonly #pacer: Pacer;
  readonly #replies: Replies;
  #payload: Uint8Array<ArrayBuffer>;
  /** Room for the longest, where the datagrams differ. */
  readonly #room: Uint8Array<ArrayBuffer>;
  readonly #dueNs: GrowingDoubles;
  readonly #sentNs: GrowingDoubles;
  readonly #callNs: GrowingDoubles;
  readonly #startNs: number;
  #stampFallbacks = 0;
  #over = false;

  /** @param options.icmp for a flow of ICMP messages: what to do about them */
  constructor(io: FlowIo, plan: Plan, options: { progress: Progress; icmp: IcmpMessages | undefined }) {
    this.#io = io;
    this.#plan = plan;
    this.#progress = options.progress;
    this.#icmp = options.icmp;
    this.#room = memory(Math.max(1, plan.payload.length, ...(plan.payloads ?? []).map(({ length }) => length)));
    this.#payload = this.#room.subarray(0, plan.payload.length);
    this.#payload.set(plan.payload);
    const expected = Math.min(plan.count, EXPECTED_MAX);
    this.#dueNs = new GrowingDoubles(expected);
    this.#sentNs = new GrowingDoubles(expected);
    this.#callNs = new GrowingDoubles(expected);
    this.#replies = new Replies({ expected, replyBytesMax: plan.replyBytesMax ?? REPLY_BYTES_DEFAULT });
    // What came since the last operation is this one's: a long train goes out in several exchanges.
    io.errors.forget();
    this.#startNs = io.now();
    this.#pacer = new Pacer({
      libc: io.libc,
      now: io.now,
      waiter: io.waiter,
      intervalNs: plan.intervalNs,
      onReady: (events) => this.#attend(events),
    });
  }

  run(): ExchangeLog {
    const { count, intervalNs, waitNs } = this.#plan;
    const io = this.#io;
    const cpuMs = io.threadCpuMs();
    const firstNs = this.#startNs + LEAD_NS;
    for (let i = 0; i < count && !this.#over && !this.#progress.aborted; i++) {
      this.#number(i);
      const dueNs = firstNs + i * intervalNs;
      const sentNs = this.#pacer.waitUntil(dueNs);
      if (this.#over) break;
      const taken = this.#send();
      this.#callNs.push(io.now() - sentNs);
      // Without an interval there is no schedule: each is due when the one before has left.
      this.#dueNs.push((intervalNs > 0 ? dueNs : sentNs) - this.#startNs);
      this.#sentNs.push(taken ? sentNs - this.#startNs : Number.NaN);
      this.#progress.sent(i + 1);
      // At high rates nobody sleeps, so nobody would look.
      if (sentNs - dueNs > intervalNs || intervalNs < BUSY_NS) this.#attend(0);
    }
    if (!this.#over && !this.#progress.aborted) this.#pacer.idleUntil(io.now() + waitNs);
    io.errors.collect();
    const kept = this.#replies.taken();
    return {
      startNs: io.originNs + BigInt(Math.round(this.#startNs)),
      sent: this.#sentNs.length,
      dueNs: this.#dueNs.taken(),
      sentNs: this.#sentNs.taken(),
      callNs: this.#callNs.taken(),
      ...kept,
      errors: io.errors.byName(),
      ...this.#sizes(),
      kernelDrops: io.dropsSince(),
      stampFallbacks: this.#stampFallbacks,
      discarded: this.#replies.discarded,
      cpuMs: io.threadCpuMs() - cpuMs,
      elapsedMs: (io.now() - this.#startNs) / 1e6,
      aborted: this.#progress.aborted,
    };
  }

  /** What is known about the path's MTU, on a flow that wants to know. */
  #sizes(): Pick<ExchangeLog, 'tooBig' | 'pathMtuBytes'> {
    const { flow, libc, fd, errors } = this.#io;
    if (!flow.dontFragment) return {};
    const pathMtuBytes = readPathMtu(libc, fd, flow.family);
    return { tooBig: errors.tooBig(), ...(pathMtuBytes === undefined ? {} : { pathMtuBytes }) };
  }

  /** Writes the sequence number, and what an ICMP message needs besides. */
  #number(i: number): void {
    const { offset, width } = this.#plan.sequence;
    const own = this.#plan.payloads?.[i];
    if (own) {
      this.#payload = this.#room.subarray(0, own.length);
      this.#payload.set(own);
    }
    const payload = this.#payload;
    if (width === 4) {
      payload[offset] = i >>> 24;
      payload[offset + 1] = i >>> 16;
    }
    payload[offset + width - 2] = i >>> 8;
    payload[offset + width - 1] = i;
    this.#icmp?.seal(payload);
  }

  #send(): boolean {
    const { libc, fd, errors, waiter } = this.#io;
    const c = libc.constants;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (libc.send(fd, this.#payload, this.#payload.length, c.MSG_DONTWAIT | c.MSG_NOSIGNAL) >= 0) return true;
      const errno = libc.errno();
      if (errno === libc.errors.EAGAIN) {
        if ((waiter.wait(ROOM_NS, c.POLLOUT) & c.POLLOUT) !== 0) continue;
        errors.count(errno);
        return false;
      }
      if (!errors.afterFailure(errno)) return false;
    }
    return false;
  }

  /** Reads what there is. @returns whether to go on */
  #attend(events: number): boolean {
    const { libc, receiver, errors, now } = this.#io;
    // An error that is only in the queue shows in no call, and keeps poll awake until it is read.
    if ((events & libc.constants.POLLERR) !== 0) errors.collect();
    while (!this.#over) {
      const count = receiver.receive(libc.constants.MSG_DONTWAIT);
      if (count < 0) {
        if (receiver.errno === libc.errors.EAGAIN) break;
        // EINTR means to try again, an error from the network is counted; anything else will not end by itself.
        if (receiver.errno !== libc.errors.EINTR && !errors.afterFailure(receiver.errno)) break;
        continue;
      }
      this.#record(count, now());
      if (count < 2) break;
    }
    if (this.#progress.aborted) this.#over = true;
    return !this.#over;
  }

  #record(count: number, readNs: number): void {
    const io = this.#io;
    const { receiver } = io;
    const stepped = io.sampleClocks();
    // All that was read is kept, even beyond the last reply that was waited for: no later exchange would see it.
    for (let i = 0; i < count; i++) {
      let from = i * SLOT_BYTES;
      let length = receiver.length[i] ?? 0;
      if (this.#icmp) {
        const skip = this.#icmp.replyAt(receiver.bytes.subarray(from, from + length));
        if (skip < 0) continue;
        from += skip;
        length -= skip;
      }
      let arrivedNs = readNs;
      if (io.flow.stamps === 'kernel') {
        const stampNs = io.toMonotonicNs(receiver.stampNs[i] ?? Number.NaN);
        // A reply cannot have arrived before the flow was there, nor after it was read: such a stamp is none.
        if (!stepped && stampNs >= 0 && stampNs <= readNs + STAMP_SLACK_NS) arrivedNs = Math.min(stampNs, readNs);
        else this.#stampFallbacks++;
      }
      this.#replies.add({ bytes: receiver.bytes, from, length, arrivedNs: arrivedNs - this.#startNs, readNs: readNs - this.#startNs });
      if (this.#plan.stopAfterReplies !== undefined && this.#replies.count >= this.#plan.stopAfterReplies) this.#over = true;
    }
    this.#progress.received(this.#replies.count);
  }
}

/** Below this interval the schedule leaves no time for sleep. */
const BUSY_NS = 100_000;
