/** A congestion window in bytes and how it changes. `nowMs` is virtual time. */
export interface Congestion {
  readonly name: string;
  readonly windowBytes: number;
  readonly slowStart: boolean;
  /** New data was acknowledged while the window was in use. */
  acknowledged(bytes: number, nowMs: number, rttMs: number): void;
  /** Packets were lost, at most once a round trip. */
  lost(nowMs: number): void;
  /** Nothing was acknowledged for a whole retransmission timeout. */
  timedOut(): void;
}

/** Segments at the start (RFC 6928). */
const INITIAL_SEGMENTS = 10;
const WINDOW_SEGMENTS_MIN = 2;
/** RFC 9438, section 5: C in segments per second cubed, and the decrease. */
const CUBIC_C = 0.4;
const CUBIC_BETA = 0.7;
const RENO_BETA = 0.5;

export function createCongestion(name: 'cubic' | 'reno', mssBytes: number): Congestion {
  return name === 'reno' ? new Reno(mssBytes) : new Cubic(mssBytes);
}

/** NewReno: RFC 5681 with the byte counting of RFC 3465. */
class Reno implements Congestion {
  readonly name: string = 'reno';
  windowBytes: number;
  protected readonly mssBytes: number;
  protected threshold = Number.POSITIVE_INFINITY;

  constructor(mssBytes: number) {
    this.mssBytes = mssBytes;
    this.windowBytes = INITIAL_SEGMENTS * mssBytes;
  }

  get slowStart(): boolean {
    return this.windowBytes < this.threshold;
  }

  acknowledged(bytes: number, _nowMs: number, _rttMs: number): void {
    this.windowBytes += this.slowStart ? bytes : (this.mssBytes * bytes) / this.windowBytes;
  }

  lost(_nowMs: number): void {
    this.threshold = this.windowBytes = this.reduced(RENO_BETA);
  }

  timedOut(): void {
    this.threshold = this.reduced(RENO_BETA);
    this.windowBytes = this.mssBytes;
  }

  protected reduced(beta: number): number {
    return Math.max(WINDOW_SEGMENTS_MIN * this.mssBytes, this.windowBytes * beta);
  }
}

/**
 * CUBIC (RFC 9438): after a loss the window follows a cubic that is flat where the loss was. Slow start
 * goes on until the first loss, without HyStart, so the queue fills within a few round trips.
 */
class Cubic extends Reno {
  override readonly name = 'cubic';
  #maxSegments = 0;
  #epochMs: number | undefined;
  #kSeconds = 0;
  #renoSegments = 0;

  override acknowledged(bytes: number, nowMs: number, rttMs: number): void {
    if (this.slowStart) return super.acknowledged(bytes, nowMs, rttMs);
    const segments = this.windowBytes / this.mssBytes;
    if (this.#epochMs === undefined) {
      this.#epochMs = nowMs;
      this.#renoSegments = segments;
      if (this.#maxSegments < segments) this.#maxSegments = segments;
      this.#kSeconds = Math.cbrt((this.#maxSegments - segments) / CUBIC_C);
    }
    // Section 4.3: no slower than Reno would be with this decrease.
    this.#renoSegments += (((3 * (1 - CUBIC_BETA)) / (1 + CUBIC_BETA)) * bytes) / this.windowBytes;
    const seconds = (nowMs - this.#epochMs + rttMs) / 1e3 - this.#kSeconds;
    const wanted = Math.min(1.5 * segments, Math.max(this.#renoSegments, CUBIC_C * seconds ** 3 + this.#maxSegments));
    if (wanted > segments) this.windowBytes += ((wanted - segments) / segments) * bytes;
  }

  override lost(_nowMs: number): void {
    const segments = this.windowBytes / this.mssBytes;
    // Section 4.7: fast convergence leaves room for newcomers.
    this.#maxSegments = segments < this.#maxSegments ? (segments * (1 + CUBIC_BETA)) / 2 : segments;
    this.#epochMs = undefined;
    this.threshold = this.windowBytes = this.reduced(CUBIC_BETA);
  }

  override timedOut(): void {
    this.#maxSegments = this.windowBytes / this.mssBytes;
    this.#epochMs = undefined;
    this.threshold = this.reduced(CUBIC_BETA);
    this.windowBytes = this.mssBytes;
  }
}
