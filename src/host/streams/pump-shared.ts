/**
 * The memory that a pump's threads share. Every field has one writer: the main thread sets `stop`,
 * each stream's figures belong to the thread that moves it, and the origin is set by whoever sees the
 * pump's first byte. Times are milliseconds of the monotonic clock, as doubles.
 */
export class PumpMemory {
  readonly buffer: SharedArrayBuffer;
  readonly streams: number;
  /** [stop, origin (1 = being set, 2 = set), then one state a stream]. */
  readonly #flags: Int32Array;
  /** [origin, then bytes, first and last time a stream]. */
  readonly #figures: Float64Array;

  constructor(streams: number, buffer: SharedArrayBuffer = new SharedArrayBuffer(8 * (1 + 3 * streams) + 4 * (FLAGS + streams))) {
    this.buffer = buffer;
    this.streams = streams;
    this.#figures = new Float64Array(buffer, 0, 1 + 3 * streams);
    this.#flags = new Int32Array(buffer, 8 * (1 + 3 * streams), FLAGS + streams);
  }

  get stopped(): boolean {
    return Atomics.load(this.#flags, 0) === 1;
  }

  stop(): void {
    Atomics.store(this.#flags, 0, 1);
  }

  /** When the pump's first byte moved, once it has. */
  get originMs(): number | undefined {
    const origin = this.#figures[0] ?? 0;
    return Atomics.load(this.#flags, 1) === 2 ? origin : undefined;
  }

  /** @returns whether this call was the first */
  takeOrigin(nowMs: number): boolean {
    if (Atomics.compareExchange(this.#flags, 1, 0, 1) !== 0) return false;
    this.#figures[0] = nowMs;
    Atomics.store(this.#flags, 1, 2);
    return true;
  }

  state(stream: number): StreamState {
    return (Atomics.load(this.#flags, FLAGS + stream) as StreamState | undefined) ?? STATE.running;
  }

  setState(stream: number, state: StreamState): void {
    Atomics.store(this.#flags, FLAGS + stream, state);
  }

  bytes(stream: number): number {
    return this.#figures[1 + 3 * stream] ?? 0;
  }

  firstMs(stream: number): number {
    return this.#figures[2 + 3 * stream] ?? 0;
  }

  lastMs(stream: number): number {
    return this.#figures[3 + 3 * stream] ?? 0;
  }

  /** Adds bytes that moved just now. @returns whether they were the pump's first */
  add(stream: number, bytes: number, nowMs: number): boolean {
    const at = 1 + 3 * stream;
    const before = this.#figures[at] ?? 0;
    const first = before === 0 && this.takeOrigin(nowMs);
    if (before === 0) this.#figures[at + 1] = nowMs;
    this.#figures[at + 2] = nowMs;
    this.#figures[at] = before + bytes;
    return first;
  }
}

const FLAGS = 2;

/** `done`: ended as it should. `broken`: the peer went away before its time. */
export const STATE = { running: 0, done: 1, broken: 2 } as const;
export type StreamState = (typeof STATE)[keyof typeof STATE];
