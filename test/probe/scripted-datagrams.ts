import { TautlineError } from '../../src/base/index.js';
import type {
  Clock,
  DatagramFlow,
  Datagrams,
  Endpoint,
  ExchangeLog,
  ExchangePlan,
  FloodLog,
  FloodPlan,
  FlowOptions,
  SinkLog,
  SinkPlan,
} from '../../src/base/index.js';
import { FloodCounter, KIND, encodeAddress } from '../../src/wire/index.js';
import type { DatagramResponder } from '../../src/wire/index.js';

/** What happens to one datagram: one delay in milliseconds for each copy that arrives; empty = lost. */
export type Fate = (datagram: { readonly kind: number; readonly sequence: number; readonly atMs: number }) => readonly number[];

export interface Script {
  /** Undefined = nothing answers there. */
  readonly responder?: DatagramResponder;
  readonly up?: Fate;
  readonly down?: Fate;
  /** How long the responder holds an echo. */
  readonly holdMs?: number;
  /** The peer's clock minus ours, at the start, and how much faster it runs. */
  readonly peerOffsetMs?: number;
  readonly peerSkew?: number;
  /** From then on sends come back as ECONNREFUSED. */
  readonly refusedFromMs?: number;
  readonly openError?: TautlineError;
  /** Changes answers on the way. */
  readonly mangle?: (bytes: Uint8Array) => Uint8Array;
  readonly sendErrno?: (sequence: number) => string | undefined;
  /** The flood port cannot keep more than this. */
  readonly floodBpsMax?: number;
}

/** A network of one path that does exactly as scripted, in no time at all. */
export class ScriptedNetwork {
  nowMs = 1000;
  readonly clock: Clock = {
    nowNs: () => BigInt(Math.round(this.nowMs * 1e6)),
    nowMs: () => this.nowMs,
    wallMs: () => 1.8e12 + this.nowMs,
    sleep: (ms) => {
      this.nowMs += ms;
      return Promise.resolve();
    },
  };
  readonly datagrams: Datagrams;
  readonly opened: FlowOptions[] = [];
  flowsOpen = 0;
  readonly #script: Script;

  constructor(script: Script) {
    this.#script = script;
    this.datagrams = {
      open: (options) => {
        if (script.openError) return Promise.reject(script.openError);
        this.opened.push(options);
        this.flowsOpen++;
        return Promise.resolve(new ScriptedFlow(this, script, options, 40_000 + this.opened.length));
      },
    };
  }

  peerNs(atMs: number): bigint {
    const { peerOffsetMs = 5e5, peerSkew = 0 } = this.#script;
    return 1_800_000_000_000_000_000n + BigInt(Math.round((peerOffsetMs + atMs * (1 + peerSkew)) * 1e6));
  }
}

type Event = { readonly atMs: number; readonly order: number; readonly run: () => void };

/** A binary heap: what is next, in the order of adding where times are equal. */
class Agenda {
  readonly #heap: Event[] = [];
  #order = 0;

  add(atMs: number, run: () => void): void {
    const heap = this.#heap;
    heap.push({ atMs, order: this.#order++, run });
    for (let i = heap.length - 1; i > 0;) {
      const parent = (i - 1) >> 1;
      if (!before(heap[i], heap[parent])) break;
      [heap[i], heap[parent]] = [heap[parent] as Event, heap[i] as Event];
      i = parent;
    }
  }

  takeUntil(endMs: number): Event | undefined {
    const heap = this.#heap;
    const top = heap[0];
    if (!top || top.atMs > endMs) return undefined;
    const last = heap.pop() as Event;
    if (heap.length > 0) heap[0] = last;
    for (let i = 0; ;) {
      const [left, right] = [2 * i + 1, 2 * i + 2];
      let least = i;
      if (before(heap[left], heap[least])) least = left;
      if (before(heap[right], heap[least])) least = right;
      if (least === i) return top;
      [heap[i], heap[least]] = [heap[least] as Event, heap[i] as Event];
      i = least;
    }
  }
}

function before(a: Event | undefined, b: Event | undefined): boolean {
  return a !== undefined && b !== undefined && (a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order));
}

class ScriptedFlow implements DatagramFlow {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly stamps = 'kernel';
  readonly fallbacks = [];
  readonly #network: ScriptedNetwork;
  readonly #script: Script;
  readonly #address: Uint8Array;
  readonly #events = new Agenda();
  /** Which operation is under way: sends of an earlier one that ended are not made. */
  #operation = 0;
  #inbox: { readonly bytes: Uint8Array; readonly atMs: number }[] = [];
  #errors: Record<string, number> = {};

  constructor(network: ScriptedNetwork, script: Script, options: FlowOptions, port: number) {
    this.#network = network;
    this.#script = script;
    this.local = { host: '192.0.2.1', port, family: 4 };
    this.remote = options.remote;
    this.#address = encodeAddress(this.local);
  }

  exchange(plan: ExchangePlan): Promise<ExchangeLog> {
    const operation = ++this.#operation;
    const startMs = this.#network.nowMs;
    const dueNs: number[] = [];
    const sentNs: number[] = [];
    for (let i = 0; i < plan.count; i++) {
      const atMs = startMs + (i * plan.intervalNs) / 1e6;
      const bytes = plan.payload.slice();
      const data = new DataView(bytes.buffer);
      if (plan.sequence.width === 2) data.setUint16(plan.sequence.offset, i);
      else data.setUint32(plan.sequence.offset, i);
      this.#at(atMs, () => {
        if (operation !== this.#operation || plan.signal?.aborted || this.#enough(plan)) return;
        const errno = this.#script.sendErrno?.(i);
        if (errno !== undefined) this.#errors[errno] = (this.#errors[errno] ?? 0) + 1;
        dueNs.push((atMs - startMs) * 1e6);
        sentNs.push(errno === undefined ? (atMs - startMs) * 1e6 : Number.NaN);
        if (errno === undefined) this.#send(bytes, atMs);
        plan.onProgress?.(dueNs.length, this.#inbox.length);
      });
    }
    const lastMs = startMs + (Math.max(0, plan.count - 1) * plan.intervalNs) / 1e6;
    this.#runUntil(lastMs + plan.waitNs / 1e6, () => plan.signal?.aborted === true || this.#enough(plan));
    this.#operation++;
    const taken = this.#inbox;
    const errors = this.#errors;
    this.#inbox = [];
    this.#errors = {};
    const stride = plan.replyBytesMax ?? 128;
    const bytes = new Uint8Array(taken.length * stride);
    taken.forEach((reply, k) => bytes.set(reply.bytes.subarray(0, stride), k * stride));
    const arrivedNs = Float64Array.from(taken, (reply) => (reply.atMs - startMs) * 1e6);
    return Promise.resolve({
      startNs: BigInt(Math.round(startMs * 1e6)),
      sent: dueNs.length,
      dueNs: Float64Array.from(dueNs),
      sentNs: Float64Array.from(sentNs),
      callNs: new Float64Array(sentNs.length),
      received: taken.length,
      arrivedNs,
      readNs: arrivedNs,
      length: Uint32Array.from(taken, (reply) => reply.bytes.length),
      bytes,
      stride,
      errors,
      kernelDrops: 0,
      cpuMs: 0,
      elapsedMs: this.#network.nowMs - startMs,
      aborted: plan.signal?.aborted === true,
    });
  }

  flood(plan: FloodPlan): Promise<FloodLog> {
    const operation = ++this.#operation;
    const startMs = this.#network.nowMs;
    const durationMs = plan.durationNs / 1e6;
    const rateBps = Math.min(plan.rateBps ?? 8e6, this.#script.floodBpsMax ?? Number.POSITIVE_INFINITY);
    const count = Math.floor(((rateBps / 8) * durationMs) / 1000 / plan.payload.length);
    let sent = 0;
    for (let i = 0; i < count; i++) {
      const atMs = startMs + (i * durationMs) / count;
      const bytes = plan.payload.slice();
      new DataView(bytes.buffer).setUint32(plan.sequenceOffset, i);
      new DataView(bytes.buffer).setBigUint64(plan.stampOffset, BigInt(Math.round(atMs * 1e6)));
      this.#at(atMs, () => {
        if (operation !== this.#operation) return;
        sent++;
        this.#send(bytes, atMs);
      });
    }
    this.#runUntil(startMs + durationMs, () => plan.signal?.aborted === true);
    this.#operation++;
    const errors = this.#errors;
    this.#errors = {};
    return Promise.resolve({
      sent,
      bytes: sent * plan.payload.length,
      elapsedMs: durationMs,
      errors,
      batching: 'none',
      misses: 0,
      cpuMs: 0,
      aborted: plan.signal?.aborted === true,
    });
  }

  sink(plan: SinkPlan): Promise<SinkLog> {
    const operation = ++this.#operation;
    const startMs = this.#network.nowMs;
    const counter = new FloodCounter({ intervalMs: plan.intervalNs / 1e6 });
    const { request } = plan;
    const ask = (atMs: number): void => {
      if (operation !== this.#operation || !request) return;
      this.#send(request.slice(), atMs);
      const nextMs = atMs + (counter.received > 0 ? 500 : 200);
      this.#at(nextMs, () => ask(nextMs));
    };
    this.#at(startMs, () => ask(startMs));
    const tick = (atMs: number): void => {
      const responder = this.#script.responder;
      if (!responder || operation !== this.#operation) return;
      const { floods } = responder.due(this.#network.peerNs(atMs));
      for (const flood of floods) {
        for (let i = 0; i < flood.count; i++) {
          const bytes = flood.template.slice();
          const data = new DataView(bytes.buffer);
          data.setUint32(flood.sequenceOffset, flood.sequenceStart + i);
          data.setBigUint64(flood.stampOffset, this.#network.peerNs(atMs));
          this.#deliver(bytes, atMs);
        }
      }
      this.#at(atMs + 1, () => tick(atMs + 1));
    };
    this.#at(startMs, () => tick(startMs));
    let lastMs = Number.POSITIVE_INFINITY;
    this.#runUntil(startMs + plan.durationNs / 1e6, () => {
      for (const { bytes, atMs } of this.#inbox.splice(0)) {
        if (!plan.match.every((byte, i) => byte === bytes[i])) continue;
        const data = new DataView(bytes.buffer);
        counter.add(data.getUint32(plan.sequenceOffset), Number(data.getBigUint64(plan.stampOffset)), atMs * 1e6, bytes.length);
        lastMs = atMs;
      }
      return plan.signal?.aborted === true || this.#network.nowMs - lastMs > plan.idleNs / 1e6;
    });
    this.#operation++;
    return Promise.resolve({ count: counter.count(), kernelDrops: 0, cpuMs: 0, errors: this.#errors, aborted: plan.signal?.aborted === true });
  }

  close(): Promise<void> {
    this.#network.flowsOpen--;
    return Promise.resolve();
  }

  #enough(plan: ExchangePlan): boolean {
    return plan.stopAfterReplies !== undefined && this.#inbox.length >= plan.stopAfterReplies;
  }

  #send(bytes: Uint8Array, atMs: number): void {
    if (atMs >= (this.#script.refusedFromMs ?? Number.POSITIVE_INFINITY)) {
      this.#errors['ECONNREFUSED'] = (this.#errors['ECONNREFUSED'] ?? 0) + 1;
      return;
    }
    const { responder, up = () => [0], holdMs = 0 } = this.#script;
    if (!responder) return;
    for (const delayMs of up(described(bytes, atMs))) {
      const rxMs = atMs + delayMs;
      this.#at(rxMs, () => {
        const answer = responder.receive(bytes.slice(), this.#address, this.#network.peerNs(rxMs), this.#network.peerNs(rxMs + holdMs));
        if (answer) this.#deliver(answer.slice(), rxMs + holdMs);
      });
    }
  }

  #deliver(bytes: Uint8Array, atMs: number): void {
    const { down = () => [0], mangle = (same: Uint8Array) => same } = this.#script;
    for (const delayMs of down(described(bytes, atMs))) {
      const arrivedMs = atMs + delayMs;
      this.#at(arrivedMs, () => this.#inbox.push({ bytes: mangle(bytes.slice()), atMs: arrivedMs }));
    }
  }

  #at(atMs: number, run: () => void): void {
    this.#events.add(atMs, run);
  }

  /** What is later than the end stays under way and is met by the next operation. */
  #runUntil(endMs: number, stop: () => boolean): void {
    for (;;) {
      if (stop()) return;
      const next = this.#events.takeUntil(endMs);
      if (!next) {
        this.#network.nowMs = Math.max(this.#network.nowMs, endMs);
        return;
      }
      this.#network.nowMs = Math.max(this.#network.nowMs, next.atMs);
      next.run();
    }
  }
}

function described(bytes: Uint8Array, atMs: number): Parameters<Fate>[0] {
  const kind = bytes[5] ?? 0;
  const counted = kind === KIND.echo || kind === KIND.echoReply || kind === KIND.data;
  return { kind, sequence: counted && bytes.length >= 20 ? new DataView(bytes.buffer, bytes.byteOffset).getUint32(16) : -1, atMs };
}
