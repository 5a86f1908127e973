import { TautlineError } from '../base/index.js';
import type { PumpInterval, PumpLog, PumpPlan, TcpInfo } from '../base/index.js';
import { SimConnection } from './connection.js';
import type { Timeline, TimelineEvent } from './timeline.js';

/** Rough cost of moving a byte, for the processor time that a log reports: 1 s for 2.5 GB. */
const CPU_MS_PER_BYTE = 4e-7;

export function runPump(timeline: Timeline, plan: PumpPlan): Promise<PumpLog> {
  return new Pump(timeline, plan).run();
}

class Pump {
  readonly #timeline: Timeline;
  readonly #plan: PumpPlan;
  readonly #connections: readonly SimConnection[];
  readonly #bytes: number[];
  readonly #lastBytes: number[];
  readonly #open: boolean[];
  readonly #intervals: PumpInterval[] = [];
  readonly #done;
  #left: number;
  #broken = 0;
  #startNs: number | undefined;
  #lastNs: number;
  #intervalStartMs = 0;
  readonly #events: TimelineEvent[] = [];
  #idle: TimelineEvent | undefined;

  constructor(timeline: Timeline, plan: PumpPlan) {
    this.#timeline = timeline;
    this.#plan = plan;
    this.#connections = plan.connections.map((connection) => {
      if (connection instanceof SimConnection) return connection;
      throw new TautlineError('usage', 'a simulated pump needs connections of the same simulation');
    });
    this.#bytes = this.#connections.map(() => 0);
    this.#lastBytes = this.#connections.map(() => 0);
    this.#open = this.#connections.map(() => true);
    this.#left = plan.bytes ?? Number.POSITIVE_INFINITY;
    this.#lastNs = timeline.nowNs;
    this.#done = timeline.deferred<PumpLog>();
  }

  run(): Promise<PumpLog> {
    const { role, durationMs, signal, onReady } = this.#plan;
    if (signal?.aborted) {
      this.#finish(true);
      return this.#done.promise;
    }
    signal?.addEventListener('abort', this.#abort);
    this.#connections.forEach((connection, i) => (role === 'send' ? this.#sendOn(connection, i) : this.#receiveOn(connection, i)));
    if (role === 'send' && durationMs !== undefined) this.#events.push(this.#timeline.after(durationMs * 1e6, () => this.#finish(false)));
    if (role === 'receive') this.#watch();
    if (onReady) {
      this.#timeline.wake();
      onReady();
    }
    this.#check();
    return this.#done.promise;
  }

  readonly #abort = (): void => this.#finish(true);

  #sendOn(connection: SimConnection, i: number): void {
    const { rateBps } = this.#plan;
    if (connection.ended === 'reset' || connection.ended === 'closed') return this.#breaks(i);
    connection.onBroken = () => this.#breaks(i);
    connection.out.onSent = (bytes) => this.#moved(i, bytes);
    connection.out.paceBps = rateBps === undefined ? undefined : rateBps / this.#connections.length;
    connection.out.supply((bytesMax) => {
      const bytes = Math.min(bytesMax, this.#left);
      this.#left -= bytes;
      // What the source gave is on its way only after this returns.
      if (this.#left === 0) this.#timeline.after(0, () => this.#finish(false));
      return bytes;
    });
  }

  #receiveOn(connection: SimConnection, i: number): void {
    if (connection.ended === 'reset' || connection.ended === 'closed') return this.#breaks(i);
    connection.onBroken = () => this.#breaks(i);
    const { inbox } = connection;
    inbox.onReadable = () => {
      if (!inbox.ended) return;
      this.#open[i] = false;
      this.#check();
    };
    inbox.consume((chunk) => this.#moved(i, chunk.length));
    connection.windowOpened();
    if (inbox.ended) this.#open[i] = false;
  }

  #moved(i: number, bytes: number): void {
    if (this.#done.settled) return;
    const { nowNs } = this.#timeline;
    if (this.#startNs === undefined) {
      this.#startNs = nowNs;
      this.#events.push(this.#timeline.at(nowNs + this.#plan.intervalMs * 1e6, () => this.#interval(true)));
    }
    this.#lastNs = nowNs;
    this.#bytes[i] = (this.#bytes[i] ?? 0) + bytes;
  }

  #interval(goOn: boolean): void {
    if (this.#done.settled || this.#startNs === undefined) return;
    const endMs = ((goOn ? this.#timeline.nowNs : this.#lastNs) - this.#startNs) / 1e6;
    const bytes = this.#bytes.map((total, i) => total - (this.#lastBytes[i] ?? 0));
    if (!goOn && (endMs <= this.#intervalStartMs || bytes.every((count) => count === 0))) return;
    const interval: PumpInterval = { startMs: this.#intervalStartMs, endMs, bytes, tcp: this.#tcp() };
    this.#bytes.forEach((total, i) => (this.#lastBytes[i] = total));
    this.#intervalStartMs = endMs;
    this.#intervals.push(interval);
    if (this.#plan.onInterval) {
      this.#timeline.wake();
      this.#plan.onInterval(interval);
    }
    if (goOn) this.#events.push(this.#timeline.after(this.#plan.intervalMs * 1e6, () => this.#interval(true)));
  }

  /** The silence after the last byte belongs to no interval. */
  #upTo(elapsedMs: number): PumpInterval[] {
    const kept = this.#intervals.filter(({ startMs, bytes }) => startMs < elapsedMs || bytes.some((count) => count > 0));
    return kept.map((interval) => (interval.startMs < elapsedMs ? { ...interval, endMs: Math.min(interval.endMs, elapsedMs) } : interval));
  }

  #watch(): void {
    const dueNs = this.#lastNs + this.#plan.idleMs * 1e6;
    this.#idle = this.#timeline.at(dueNs, () =>
      this.#timeline.nowNs >= this.#lastNs + this.#plan.idleMs * 1e6 ? this.#finish(false) : this.#watch(),
    );
  }

  #breaks(i: number): void {
    if (this.#done.settled || !this.#open[i]) return;
    this.#open[i] = false;
    this.#broken++;
    this.#check();
  }

  #check(): void {
    if (this.#open.every((open) => !open)) this.#finish(false);
  }

  #tcp(): (TcpInfo | undefined)[] {
    return this.#connections.map((connection) => connection.tcpInfo());
  }

  #finish(aborted: boolean): void {
    if (this.#done.settled) return;
    this.#interval(false);
    this.#plan.signal?.removeEventListener('abort', this.#abort);
    for (const event of this.#events) event.cancelled = true;
    if (this.#idle) this.#idle.cancelled = true;
    const elapsedMs = this.#startNs === undefined ? 0 : (this.#lastNs - this.#startNs) / 1e6;
    const total = this.#bytes.reduce((sum, bytes) => sum + bytes, 0);
    const log: PumpLog = {
      intervals: this.#upTo(elapsedMs),
      bytes: [...this.#bytes],
      elapsedMs,
      tcp: this.#tcp(),
      method: 'native',
      fallbacks: [],
      cpuMs: total * CPU_MS_PER_BYTE,
      broken: this.#broken,
      aborted,
    };
    this.#done.resolve(log);
    for (const connection of this.#connections) {
      connection.onBroken = undefined;
      connection.listen();
      connection.out.paceBps = undefined;
      if (this.#plan.role === 'send') connection.out.end();
    }
  }
}
