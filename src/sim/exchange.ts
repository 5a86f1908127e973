import type { ExchangeLog, ExchangePlan, TooBig } from '../base/index.js';
import type { FlowSocket } from './datagrams.js';
import type { TimelineEvent } from './timeline.js';

/** Replies beyond this many for each datagram sent are not kept: a peer cannot fill the memory. */
const REPLIES_PER_DATAGRAM_MAX = 4;
const REPLIES_SPARE = 1024;
const REPLY_BYTES_DEFAULT = 128;

export function runExchange(socket: FlowSocket, plan: ExchangePlan): Promise<ExchangeLog> {
  return new Exchange(socket, plan).run();
}

class Exchange {
  readonly #socket: FlowSocket;
  readonly #plan: ExchangePlan;
  readonly #startNs: number;
  readonly #startedAt: bigint;
  readonly #stride: number;
  readonly #due: number[] = [];
  readonly #sent: number[] = [];
  readonly #arrived: number[] = [];
  readonly #read: number[] = [];
  readonly #length: number[] = [];
  readonly #heads: Uint8Array[] = [];
  readonly #errors: Record<string, number> = {};
  readonly #tooBig: TooBig[] = [];
  readonly #done;
  #unkept = 0;
  #lastSentNs = 0;
  #lastReadNs = 0;
  #end: TimelineEvent | undefined;

  constructor(socket: FlowSocket, plan: ExchangePlan) {
    this.#socket = socket;
    this.#plan = plan;
    this.#startNs = socket.host.network.timeline.nowNs;
    this.#startedAt = socket.host.clock.nowNs();
    this.#stride = plan.replyBytesMax ?? REPLY_BYTES_DEFAULT;
    this.#done = socket.host.network.timeline.deferred<ExchangeLog>();
  }

  run(): Promise<ExchangeLog> {
    const { signal } = this.#plan;
    if (signal?.aborted) this.#finish(true);
    else {
      signal?.addEventListener('abort', this.#abort);
      this.#socket.listen({ take: (payload, arrivedNs) => this.#take(payload, arrivedNs), fail: (errno, tooBig) => this.#count(errno, tooBig) });
      if (this.#plan.count > 0) this.#schedule();
      else this.#listenOn();
    }
    return this.#done.promise;
  }

  readonly #abort = (): void => this.#finish(true);

  get #now(): number {
    return this.#socket.host.clock.elapsedNs() - this.#socket.host.clock.elapsedNs(this.#startNs);
  }

  #schedule(): void {
    const dueNs = this.#sent.length * this.#plan.intervalNs;
    const { timeline } = this.#socket.host.network;
    const atNs = Math.max(this.#startNs + dueNs + this.#socket.host.sendLatenessNs(), this.#lastSentNs + this.#socket.host.datagramNs);
    timeline.at(atNs, () => this.#send(dueNs));
  }

  #send(dueNs: number): void {
    if (this.#done.settled) return;
    const { sequence, count } = this.#plan;
    const { timeline } = this.#socket.host.network;
    const index = this.#sent.length;
    const payload = this.#plan.payloads?.[index] ?? this.#plan.payload;
    this.#lastSentNs = timeline.nowNs;
    const errno = this.#socket.send(payload.length, () => {
      const bytes = payload.slice();
      const data = new DataView(bytes.buffer);
      if (sequence.width === 2) data.setUint16(sequence.offset, index & 0xffff);
      else data.setUint32(sequence.offset, index);
      return bytes;
    });
    if (errno) this.#count(errno);
    // Without an interval there is no schedule: each is due when the one before has left.
    this.#due.push(this.#plan.intervalNs > 0 ? dueNs : this.#now);
    this.#sent.push(errno ? Number.NaN : this.#now);
    this.#progress();
    if (this.#sent.length < count) this.#schedule();
    else this.#listenOn();
  }

  #listenOn(): void {
    this.#end = this.#socket.host.network.timeline.after(this.#plan.waitNs, () => this.#finish(false));
  }

  #take(payload: Uint8Array, arrivedNs: number): void {
    if (this.#done.settled) return;
    if (this.#arrived.length >= this.#plan.count * REPLIES_PER_DATAGRAM_MAX + REPLIES_SPARE) {
      this.#unkept++;
      return;
    }
    const { clock } = this.#socket.host;
    const arrived = clock.elapsedNs(arrivedNs) - clock.elapsedNs(this.#startNs);
    this.#lastReadNs = Math.max(this.#lastReadNs, Math.round(Math.max(arrived, this.#now) + this.#socket.host.readDelayNs()));
    this.#arrived.push(arrived);
    this.#read.push(this.#lastReadNs);
    this.#length.push(payload.length);
    this.#heads.push(payload.slice(0, this.#stride));
    this.#progress();
    if (this.#arrived.length === this.#plan.stopAfterReplies) this.#finish(false);
  }

  #progress(): void {
    if (!this.#plan.onProgress) return;
    this.#socket.host.network.timeline.wake();
    this.#plan.onProgress(this.#sent.length, this.#arrived.length);
  }

  #count(errno: string, tooBig?: TooBig): void {
    this.#errors[errno] = (this.#errors[errno] ?? 0) + 1;
    if (tooBig) this.#tooBig.push(tooBig);
  }

  #finish(aborted: boolean): void {
    if (this.#done.settled) return;
    if (this.#end) this.#end.cancelled = true;
    this.#plan.signal?.removeEventListener('abort', this.#abort);
    const dropped = this.#socket.unlisten();
    const pathMtuBytes = this.#socket.pathMtu();
    const bytes = new Uint8Array(this.#heads.length * this.#stride);
    this.#heads.forEach((head, i) => bytes.set(head, i * this.#stride));
    this.#done.resolve({
      startNs: this.#startedAt,
      sent: this.#sent.length,
      dueNs: Float64Array.from(this.#due),
      sentNs: Float64Array.from(this.#sent),
      callNs: new Float64Array(this.#sent.length),
      received: this.#arrived.length,
      arrivedNs: Float64Array.from(this.#arrived),
      readNs: Float64Array.from(this.#read),
      length: Uint32Array.from(this.#length),
      bytes,
      stride: this.#stride,
      errors: this.#errors,
      ...(pathMtuBytes === undefined ? {} : { tooBig: this.#tooBig, pathMtuBytes }),
      kernelDrops: dropped + this.#unkept,
      cpuMs: ((this.#sent.length + this.#arrived.length) * this.#socket.host.datagramNs) / 1e6,
      elapsedMs: this.#now / 1e6,
      aborted,
    });
  }
}
