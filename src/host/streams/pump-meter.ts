import type { PumpInterval, TcpInfo } from '../../base/index.js';

/** What the meter reads while a pump runs. */
export interface MeterSource {
  readonly streams: number;
  /** Monotonic time of the pump's first byte, once it has moved. */
  originMs(): number | undefined;
  bytes(stream: number): number;
  tcp(stream: number): TcpInfo | undefined;
  nowMs(): number;
  /** Calls back later. @returns what takes that back */
  after(ms: number, call: () => void): () => void;
}

/** Part of an interval by which a timer may be early. */
const EARLY = 0.1;

/**
 * Cuts a running pump into intervals. The timer only says when to look; each interval carries the
 * time of its own reading, so a late timer makes an interval longer and never its rate wrong.
 */
export class PumpMeter {
  readonly #source: MeterSource;
  readonly #intervalMs: number;
  readonly #onInterval: ((interval: PumpInterval) => void) | undefined;
  readonly #intervals: PumpInterval[] = [];
  #before: number[];
  #cancel: () => void = () => {};
  #started = false;

  constructor(source: MeterSource, intervalMs: number, onInterval?: (interval: PumpInterval) => void) {
    this.#source = source;
    this.#intervalMs = intervalMs;
    this.#onInterval = onInterval;
    this.#before = Array<number>(source.streams).fill(0);
  }

  /** To be called when the first byte has moved. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#schedule();
  }

  /** Ends the metering. `elapsedMs` is the time from the first to the last byte. @returns all intervals, none beyond that time */
  finish(elapsedMs: number): PumpInterval[] {
    this.#cancel();
    this.#started = true;
    if (this.#current().some((bytes, i) => bytes > (this.#before[i] ?? 0))) this.#cut(elapsedMs);
    const kept = this.#intervals.filter((interval) => interval.startMs < elapsedMs || interval.bytes.some((bytes) => bytes > 0));
    return kept.map((interval) => (interval.endMs > elapsedMs && interval.startMs < elapsedMs ? { ...interval, endMs: elapsedMs } : interval));
  }

  /** Intervals lie on a grid from the origin, so that a late one does not delay the next. */
  #schedule(): void {
    const origin = this.#source.originMs();
    if (origin === undefined) return;
    const sinceMs = this.#source.nowMs() - origin;
    // Node's timers may fire up to a millisecond early: the line just missed does not count as the next.
    const nextMs = (Math.floor(sinceMs / this.#intervalMs + EARLY) + 1) * this.#intervalMs;
    this.#cancel = this.#source.after(nextMs - sinceMs, () => {
      this.#cut(this.#source.nowMs() - origin);
      this.#schedule();
    });
  }

  #cut(endMs: number): void {
    const bytes = this.#current();
    const startMs = this.#intervals.at(-1)?.endMs ?? 0;
    const interval: PumpInterval = {
      startMs,
      endMs: Math.max(endMs, startMs),
      bytes: bytes.map((total, i) => total - (this.#before[i] ?? 0)),
      tcp: bytes.map((_, i) => this.#source.tcp(i)),
    };
    this.#before = bytes;
    this.#intervals.push(interval);
    this.#onInterval?.(interval);
  }

  #current(): number[] {
    return Array.from({ length: this.#source.streams }, (_, i) => this.#source.bytes(i));
  }
}
