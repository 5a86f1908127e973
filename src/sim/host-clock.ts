import type { Clock } from '../base/index.js';
import { chanceFor } from './chance.js';
import type { HostSpec } from './scenario.js';
import type { Timeline } from './timeline.js';

/**
 * A host's clocks: the monotonic one counts from an origin that differs from host to host, the wall
 * clock may be wrong, and both may drift. Code that compares two hosts' clocks as if they were one
 * gives itself away.
 */
export class HostClock implements Clock {
  readonly #timeline: Timeline;
  readonly #originNs: number;
  readonly #wallStartNs: bigint;
  readonly #pace: number;

  constructor(timeline: Timeline, options: { seed: number; host: string; startedAtMs: number; clock: HostSpec['clock'] }) {
    this.#timeline = timeline;
    this.#originNs = 1e12 + chanceFor(options.seed, `${options.host} clock`).below(1e12);
    this.#wallStartNs = BigInt(options.startedAtMs) * 1_000_000n + BigInt(Math.round((options.clock?.offsetMs ?? 0) * 1e6));
    this.#pace = 1 + (options.clock?.driftPpm ?? 0) * 1e-6;
  }

  nowNs(): bigint {
    return BigInt(this.#originNs + this.elapsedNs());
  }

  nowMs(): number {
    return (this.#originNs + this.elapsedNs()) / 1e6;
  }

  wallMs(): number {
    return Number(this.wallNs() / 1_000_000n);
  }

  /** The wall clock at a moment of virtual time, in nanoseconds since 1970. */
  wallNs(atNs = this.#timeline.nowNs): bigint {
    return this.#wallStartNs + BigInt(this.elapsedNs(atNs));
  }

  /** Virtual time at which the wall clock will show this. */
  atWallNs(wallNs: bigint): number {
    return Number(wallNs - this.#wallStartNs) / this.#pace;
  }

  /** Whole nanoseconds that this host has counted since the simulation began. */
  elapsedNs(atNs = this.#timeline.nowNs): number {
    return Math.round(atNs * this.#pace);
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    const deferred = this.#timeline.deferred<void>();
    const stop = (): void => {
      event.cancelled = true;
      signal?.removeEventListener('abort', stop);
      deferred.resolve();
    };
    const event = this.#timeline.after((Math.max(0, ms) * 1e6) / this.#pace, stop);
    signal?.addEventListener('abort', stop);
    return deferred.promise;
  }
}
