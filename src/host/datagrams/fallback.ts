import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { TautlineError, assert, formatEndpoint } from '../../base/index.js';
import type {
  Clock,
  DatagramFlow,
  Endpoint,
  ExchangeLog,
  ExchangePlan,
  FloodLog,
  FloodPlan,
  FlowOptions,
  SinkLog,
  SinkPlan,
} from '../../base/index.js';
import { FloodCounter } from '../../wire/index.js';
import { GrowingDoubles } from './growing.js';
import { checkExchange } from './messages.js';
import { Replies } from './replies.js';

const REPLY_BYTES_DEFAULT = 128;
const REQUEST_MS = 200;
const REQUEST_MS_BEGUN = 500;
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;
/** A turn of the event loop may send this many; then what has arrived gets its turn. */
const TURN_DATAGRAMS_MAX = 64;
/** Sends that the socket has not finished with; more wait. */
const PENDING_MAX = 256;
const MISS_NS = 1e6;
const CATCH_UP_NS = 20e6;
/** How soon waiting ends after an abort or the last reply. */
const TICK_MS = 20;
/** Datagrams that wait between two operations; more are lost, as in a socket's buffer. */
const WAITING_MAX = 4096;

type Listener = (bytes: Uint8Array, nowNs: number) => void;

/** A flow on Node's own sockets and timers, for where the system's functions cannot be reached. Times are a process's, to about a millisecond. */
export class FallbackFlow implements DatagramFlow {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly stamps = 'user';
  readonly fallbacks: readonly string[];
  readonly dontFragment = false;
  readonly #clock: Clock;
  readonly #socket: Socket;
  readonly #originNs: bigint;
  #errors: Record<string, number> = {};
  #listener: Listener | undefined;
  #waiting: { readonly bytes: Uint8Array; readonly nowNs: number }[] = [];
  #busy: Promise<unknown> | undefined;
  #closed = false;

  private constructor(clock: Clock, socket: Socket, remote: Endpoint, fallbacks: readonly string[]) {
    this.#clock = clock;
    this.#socket = socket;
    this.#originNs = clock.nowNs();
    this.remote = remote;
    this.fallbacks = fallbacks;
    const { address, port, family } = socket.address();
    this.local = { host: address, port, family: family === 'IPv6' ? 6 : 4 };
    socket.on('message', (bytes) => {
      const nowNs = this.#nowNs();
      if (this.#listener) this.#listener(bytes, nowNs);
      else if (this.#waiting.length < WAITING_MAX) this.#waiting.push({ bytes, nowNs });
    });
    // Not an exception: an ICMP error for a connected socket comes this way.
    socket.on('error', (error) => this.#count(error));
  }

  /** @throws TautlineError `io` */
  static async open(clock: Clock, options: FlowOptions, why: string): Promise<FallbackFlow> {
    const { remote } = options;
    const socket = createSocket({ type: remote.family === 4 ? 'udp4' : 'udp6', recvBufferSize: RECEIVE_BUFFER_BYTES });
    try {
      await connected(socket, remote);
      const fallbacks = [`${why}: times are this process's own, without kernel timestamps`];
      if (options.dscp !== undefined) fallbacks.push(`DSCP ${options.dscp} cannot be set without the system's functions`);
      if (options.dontFragment === true) fallbacks.push("don't-fragment cannot be set without the system's functions");
      if (options.ttl !== undefined) socket.setTTL(options.ttl);
      return new FallbackFlow(clock, socket, remote, fallbacks);
    } catch (cause) {
      socket.close();
      const reason = codeOf(cause);
      throw new TautlineError('io', `cannot reach ${formatEndpoint(remote)}: ${reason}`, { cause });
    }
  }

  async exchange(plan: ExchangePlan): Promise<ExchangeLog> {
    checkExchange(plan);
    return this.#alone(() => this.#exchange(plan));
  }

  flood(plan: FloodPlan): Promise<FloodLog> {
    return this.#alone(() => this.#flood(plan));
  }

  sink(plan: SinkPlan): Promise<SinkLog> {
    return this.#alone(() => this.#sink(plan));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#busy?.catch(() => undefined);
    await new Promise<void>((resolve) => {
      this.#socket.close(() => resolve());
    });
  }

  async #exchange(plan: ExchangePlan): Promise<ExchangeLog> {
    const { count, intervalNs, payload, payloads, sequence } = plan;
    const cpu = process.cpuUsage();
    const startNs = this.#nowNs();
    const dueNs = new GrowingDoubles(Math.min(count, 4096));
    const sentNs = new GrowingDoubles(Math.min(count, 4096));
    const callNs = new GrowingDoubles(Math.min(count, 4096));
    const replies = new Replies({ expected: Math.min(count, 4096), replyBytesMax: plan.replyBytesMax ?? REPLY_BYTES_DEFAULT });
    const over = (): boolean => this.#stopped(plan.signal) || (plan.stopAfterReplies !== undefined && replies.count >= plan.stopAfterReplies);
    this.#listener = (bytes, nowNs) => {
      if (over()) return;
      replies.add({ bytes, from: 0, length: bytes.length, arrivedNs: nowNs - startNs, readNs: nowNs - startNs });
    };
    for (const { bytes, nowNs } of this.#waiting.splice(0)) this.#listener(bytes, nowNs);
    for (let i = 0; i < count && !over(); i++) {
      const dueAtNs = startNs + i * intervalNs;
      await this.#until(dueAtNs, over);
      if (over()) break;
      if (i % TURN_DATAGRAMS_MAX === TURN_DATAGRAMS_MAX - 1) await turn();
      const bytes = Buffer.from(payloads?.[i] ?? payload);
      if (sequence.width === 4) bytes.writeUInt32BE(i >>> 0, sequence.offset);
      else bytes.writeUInt16BE(i & 0xffff, sequence.offset);
      const nowNs = this.#nowNs();
      dueNs.push((intervalNs > 0 ? dueAtNs : nowNs) - startNs);
      sentNs.push(nowNs - startNs);
      this.#socket.send(bytes, (error) => error && this.#count(error));
      callNs.push(this.#nowNs() - nowNs);
      plan.onProgress?.(i + 1, replies.count);
    }
    await this.#until(this.#nowNs() + plan.waitNs, over);
    plan.onProgress?.(sentNs.length, replies.count);
    return {
      startNs: this.#originNs + BigInt(Math.round(startNs)),
      sent: sentNs.length,
      dueNs: dueNs.taken(),
      sentNs: sentNs.taken(),
      callNs: callNs.taken(),
      ...replies.taken(),
      errors: this.#errors,
      kernelDrops: 0,
      discarded: replies.discarded,
      cpuMs: cpuMs(cpu),
      elapsedMs: (this.#nowNs() - startNs) / 1e6,
      aborted: plan.signal?.aborted === true || this.#closed,
    };
  }

  async #flood(plan: FloodPlan): Promise<FloodLog> {
    const sizeBytes = plan.payload.length;
    const intervalNs = plan.rateBps === undefined ? 0 : (sizeBytes * 8e9) / plan.rateBps;
    const cpu = process.cpuUsage();
    const startNs = this.#nowNs();
    const endNs = startNs + plan.durationNs;
    let scheduleNs = startNs;
    let sent = 0;
    let pending = 0;
    let misses = 0;
    const over = (): boolean => this.#stopped(plan.signal) || this.#nowNs() >= endNs;
    while (!over() && scheduleNs < endNs) {
      if (intervalNs > 0) await this.#until(scheduleNs, over);
      const nowNs = this.#nowNs();
      if (intervalNs > 0 && nowNs - scheduleNs > MISS_NS) misses++;
      if (intervalNs > 0 && nowNs - scheduleNs > CATCH_UP_NS) scheduleNs = nowNs - CATCH_UP_NS;
      for (let n = 0; n < TURN_DATAGRAMS_MAX && pending < PENDING_MAX && (intervalNs === 0 || scheduleNs <= nowNs) && scheduleNs < endNs; n++) {
        const bytes = Buffer.from(plan.payload);
        bytes.writeUInt32BE(sent >>> 0, plan.sequenceOffset);
        bytes.writeBigUInt64BE(this.#clock.nowNs(), plan.stampOffset);
        pending++;
        this.#socket.send(bytes, (error) => {
          pending--;
          if (error) this.#count(error);
        });
        sent++;
        scheduleNs += intervalNs;
      }
      plan.onProgress?.(sent);
      await turn();
    }
    while (pending > 0 && !this.#closed) await turn();
    return {
      sent,
      bytes: sent * sizeBytes,
      elapsedMs: (this.#nowNs() - startNs) / 1e6,
      errors: this.#errors,
      batching: 'none',
      misses,
      cpuMs: cpuMs(cpu),
      aborted: plan.signal?.aborted === true || this.#closed,
    };
  }

  async #sink(plan: SinkPlan): Promise<SinkLog> {
    const cpu = process.cpuUsage();
    const counter = new FloodCounter({ intervalMs: plan.intervalNs / 1e6 });
    const bytesMin = Math.max(plan.match.length, plan.sequenceOffset + 4, plan.stampOffset + 8);
    const startNs = this.#nowNs();
    let lastNs = Number.NaN;
    this.#listener = (bytes, nowNs) => {
      if (bytes.length < bytesMin || !plan.match.every((byte, i) => bytes[i] === byte)) return;
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const stampNs = view.getUint32(plan.stampOffset) * 4294967296 + view.getUint32(plan.stampOffset + 4);
      counter.add(view.getUint32(plan.sequenceOffset), stampNs, nowNs, bytes.length);
      lastNs = nowNs;
    };
    const endNs = startNs + plan.durationNs;
    let requestNs = startNs;
    while (!this.#stopped(plan.signal)) {
      const nowNs = this.#nowNs();
      if (nowNs >= endNs || nowNs - lastNs >= plan.idleNs) break;
      if (plan.request && nowNs >= requestNs) {
        this.#socket.send(plan.request, (error) => error && this.#count(error));
        requestNs = nowNs + (Number.isNaN(lastNs) ? REQUEST_MS : REQUEST_MS_BEGUN) * 1e6;
      }
      await this.#clock.sleep(Math.min(TICK_MS, (endNs - nowNs) / 1e6), plan.signal);
      plan.onProgress?.(counter.received);
    }
    return {
      count: counter.count(),
      kernelDrops: 0,
      cpuMs: cpuMs(cpu),
      errors: this.#errors,
      aborted: plan.signal?.aborted === true || this.#closed,
    };
  }

  async #alone<L>(operation: () => Promise<L>): Promise<L> {
    assert(!this.#busy, 'a flow has one operation at a time');
    assert(!this.#closed, 'a closed flow has no operations');
    this.#errors = {};
    const running = operation();
    this.#busy = running;
    try {
      return await running;
    } finally {
      this.#listener = undefined;
      this.#busy = undefined;
    }
  }

  /** Nanoseconds since the flow was opened. */
  #nowNs(): number {
    return Number(this.#clock.nowNs() - this.#originNs);
  }

  #stopped(signal: AbortSignal | undefined): boolean {
    return this.#closed || signal?.aborted === true;
  }

  async #until(dueNs: number, over: () => boolean): Promise<void> {
    for (;;) {
      const leftMs = (dueNs - this.#nowNs()) / 1e6;
      if (leftMs <= 0 || over()) return;
      await this.#clock.sleep(Math.min(leftMs, TICK_MS));
    }
  }

  #count(error: Error): void {
    const code = codeOf(error);
    this.#errors[code] = (this.#errors[code] ?? 0) + 1;
  }
}

function connected(socket: Socket, remote: Endpoint): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => reject(error);
    socket.once('error', failed);
    socket.connect(remote.port, remote.host, () => {
      socket.off('error', failed);
      resolve();
    });
  });
}

/** Lets what is waiting in the event loop have its turn. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

function cpuMs(since: NodeJS.CpuUsage): number {
  const used = process.cpuUsage(since);
  return (used.user + used.system) / 1e3;
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
