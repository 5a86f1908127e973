import type { Random } from '../base/index.js';
import { chanceFor, jitterMs, lossModel } from './chance.js';
import type { LossModel } from './chance.js';
import { SimRouters, smallestMtu } from './routers.js';
import type { DirectionSpec } from './scenario.js';
import type { Timeline } from './timeline.js';

/** Where a packet that will not arrive ended. */
export const DROPPED = { lost: -1, queue: -2, blackhole: -3 } as const;

/** What TCP gets of a path that declares no rate: the sending host's interface. */
const INTERFACE_BPS = 10e9;
const QUEUE_MS_DEFAULT = 100;
/** How far behind the first a duplicate arrives. */
const DUPLICATE_GAP_NS = 1000;

export interface PathCounters {
  offered: number;
  delivered: number;
  lost: number;
  queueDropped: number;
  blackholed: number;
  duplicated: number;
  reordered: number;
  /** IP bytes of what was offered and delivered. */
  offeredBytes: number;
  deliveredBytes: number;
}

/**
 * One direction of a path: loss, then a drop-tail queue that empties at the rate, then delay and
 * jitter. The queue is kept as the time at which it will be empty, so a packet costs O(1), and all
 * traffic in this direction, datagrams and TCP alike, waits in the same queue.
 */
export class SimPath {
  readonly counters: PathCounters = {
    offered: 0,
    delivered: 0,
    lost: 0,
    queueDropped: 0,
    blackholed: 0,
    duplicated: 0,
    reordered: 0,
    offeredBytes: 0,
    deliveredBytes: 0,
  };
  /** When the last offered packet's duplicate arrives; undefined when it has none. */
  duplicateNs: number | undefined;
  readonly routers: SimRouters;
  readonly #timeline: Timeline;
  readonly #seed: number;
  readonly #name: string;
  readonly #chance: { readonly jitter: Random; readonly duplicate: Random; readonly reorder: Random };
  #spec: DirectionSpec;
  #loss: LossModel;
  #emptyNs = 0;
  #interfaceFreeNs = 0;
  #lastArrivalNs = 0;

  constructor(timeline: Timeline, name: string, seed: number, spec: DirectionSpec) {
    this.#timeline = timeline;
    this.#name = name;
    this.#seed = seed;
    this.#spec = spec;
    this.routers = new SimRouters(timeline, name, seed);
    this.#chance = {
      jitter: chanceFor(seed, `${name} jitter`),
      duplicate: chanceFor(seed, `${name} duplicate`),
      reorder: chanceFor(seed, `${name} reorder`),
    };
    this.#loss = lossModel(chanceFor(seed, `${name} loss`), spec.loss);
  }

  get spec(): DirectionSpec {
    return this.#spec;
  }

  get mtu(): number {
    return smallestMtu(this.#spec);
  }

  /** Bits per second that TCP can have. */
  get streamBps(): number {
    return this.#spec.rateBps ?? INTERFACE_BPS;
  }

  /** How long a packet that came now would wait. */
  get queueMs(): number {
    return Math.max(0, this.#emptyNs - this.#timeline.nowNs) / 1e6;
  }

  /** Changes what the direction does from now on; what is in the queue or on the way stays as it was. */
  change(spec: DirectionSpec): void {
    const waitsBytes = (Math.max(0, this.#emptyNs - this.#timeline.nowNs) * (this.#spec.rateBps ?? 0)) / 8e9;
    this.#spec = { ...this.#spec, ...spec };
    if (spec.rateBps !== undefined) this.#emptyNs = this.#timeline.nowNs + (waitsBytes * 8e9) / spec.rateBps;
    if (spec.loss !== undefined) this.#loss = lossModel(chanceFor(this.#seed, `${this.#name} loss ${this.#timeline.nowNs}`), spec.loss);
  }

  /**
   * One IP packet, in `fragments` pieces of which each can be lost.
   * @returns when it arrives, or one of `DROPPED`
   */
  offer(bytes: number, fragments = 1): number {
    const { counters } = this;
    this.duplicateNs = undefined;
    counters.offered++;
    counters.offeredBytes += bytes;
    if (this.#spec.blackhole) {
      counters.blackholed++;
      return DROPPED.blackhole;
    }
    for (let i = 0; i < fragments; i++) {
      if (!this.#loss.lost()) continue;
      counters.lost++;
      return DROPPED.lost;
    }
    const leavesNs = this.#enqueue(bytes + fragments * (this.#spec.framingBytes ?? 0));
    if (leavesNs < 0) {
      counters.queueDropped++;
      return DROPPED.queue;
    }
    counters.delivered++;
    counters.deliveredBytes += bytes;
    const arrivesNs = this.#arrival(leavesNs);
    if (this.#spec.duplicate && this.#chance.duplicate.next() < this.#spec.duplicate) {
      counters.duplicated++;
      this.duplicateNs = arrivesNs + DUPLICATE_GAP_NS;
    }
    return arrivesNs;
  }

  /**
   * `segments` equal packets in a row, as TCP sends them.
   * @returns how many get through, and when the last of these arrives
   */
  offerBurst(segments: number, bytesEach: number): { readonly passed: number; readonly arrivesNs: number } {
    const { counters } = this;
    let passed = 0;
    let leavesNs = this.#timeline.nowNs;
    counters.offered += segments;
    counters.offeredBytes += segments * bytesEach;
    for (let i = 0; i < segments; i++) {
      if (this.#spec.blackhole) counters.blackholed++;
      else if (this.#loss.lost()) counters.lost++;
      else {
        const ns = this.#spec.rateBps === undefined ? this.#interface(bytesEach) : this.#enqueue(bytesEach + (this.#spec.framingBytes ?? 0));
        if (ns < 0) counters.queueDropped++;
        else {
          passed++;
          leavesNs = ns;
        }
      }
    }
    counters.delivered += passed;
    counters.deliveredBytes += passed * bytesEach;
    return { passed, arrivesNs: passed > 0 ? this.#arrival(leavesNs) : DROPPED.lost };
  }

  /** An acknowledgement: it waits in the queue like everything else, but is never lost by chance or for want of room. */
  offerAcknowledgement(bytes: number): number {
    if (this.#spec.blackhole) return DROPPED.blackhole;
    const now = this.#timeline.nowNs;
    const { rateBps } = this.#spec;
    if (rateBps === undefined) return this.#arrival(now);
    this.#emptyNs = Math.max(now, this.#emptyNs) + ((bytes + (this.#spec.framingBytes ?? 0)) * 8e9) / rateBps;
    return this.#arrival(this.#emptyNs);
  }

  #enqueue(bytes: number): number {
    const now = this.#timeline.nowNs;
    const { rateBps } = this.#spec;
    if (rateBps === undefined) return now;
    const transmitNs = (bytes * 8e9) / rateBps;
    const waitNs = Math.max(0, this.#emptyNs - now);
    // An empty queue always takes one packet: the one on the wire does not need room.
    if (waitNs > 0 && waitNs + transmitNs > (this.#spec.queueMs ?? QUEUE_MS_DEFAULT) * 1e6) return DROPPED.queue;
    this.#emptyNs = now + waitNs + transmitNs;
    return this.#emptyNs;
  }

  #interface(bytes: number): number {
    this.#interfaceFreeNs = Math.max(this.#timeline.nowNs, this.#interfaceFreeNs) + (bytes * 8e9) / INTERFACE_BPS;
    return this.#interfaceFreeNs;
  }

  #arrival(leavesNs: number): number {
    const { delayMs = 0, jitter, reorder, keepsOrder = true } = this.#spec;
    const arrivesNs = Math.round(leavesNs + (delayMs + jitterMs(this.#chance.jitter, jitter, delayMs)) * 1e6);
    if (reorder && this.#chance.reorder.next() < reorder.ratio) {
      this.counters.reordered++;
      return arrivesNs + Math.round(reorder.byMs * 1e6);
    }
    if (!keepsOrder) return arrivesNs;
    this.#lastArrivalNs = Math.max(this.#lastArrivalNs, arrivesNs);
    return this.#lastArrivalNs;
  }
}
