import type { TooBig } from '../base/index.js';

/** What became of one packet of a known size. */
export type Fate =
  | 'passed'
  /** Nothing came of it: too large, or lost. */
  | 'silent'
  /** A router said that this one was too big. */
  | 'told'
  /** The sending host's own interface does not take it: it never left. */
  | 'refused'
  /** It did not leave for another reason; nothing is known of the size. */
  | 'unsent';

export interface RoundLog {
  /** One a packet, in the order in which they were sent; fewer when the round was cut short. */
  readonly fates: readonly Fate[];
  /** What routers said meanwhile, of whichever packet. */
  readonly tooBig: readonly TooBig[];
  /** Set when going on is useless: the peer is gone, or will never answer this. */
  readonly over?: { readonly outcome: 'lost' | 'refused' | 'timeout' | 'unsupported'; readonly reason: string };
}

/**
 * One direction of a path, over which packets of any size can be sent whole (don't-fragment). Sizes are those of
 * the whole IP packet.
 */
export interface SizeChannel {
  /** A packet that fits every path: it tells loss from size. */
  readonly controlBytes: number;
  readonly sizeBytesMax: number;
  /** How many sizes are worth trying at once, and each how often at least: answers may be rationed. */
  readonly sizesAtOnce: number;
  readonly copies: number;
  /** The answer may be wrong by chance once in so many times. */
  readonly chance: number;
  /** Sends one packet of each size in this order and waits until what can come back has come back. */
  send(sizes: readonly number[]): Promise<RoundLog>;
}

/** How often a result may be wrong because chance lost every packet of a size. */
export const CHANCE = 1e-6;

/** Headers before a UDP payload or an ICMP message's data. */
export function headersBytes(family: 4 | 6): number {
  return (family === 4 ? 20 : 40) + 8;
}

/** Packets leave no faster than this, so that a thin line is not flooded by what should fit it. */
const RATE_BPS_FIRST = 20e6;
const RATE_BPS_MIN = 100e3;
/** A round trip that grows by this much during a round means that the packets themselves fill a queue. */
const QUEUE_MS = 25;
const SLOWER = 4;
const GAP_MS_MIN = 0.2;
const WAIT_MS_MIN = 40;
const WAIT_RTTS = 4;

/** How fast to send, and how long to wait, from what round trips have shown. */
export class Pace {
  readonly #waitMsMax: number;
  #rateBps = RATE_BPS_FIRST;
  #leastMs = Number.POSITIVE_INFINITY;
  #mostMs = 0;

  /** @param waitMsMax the first wait, while nothing is known, and the longest */
  constructor(waitMsMax: number) {
    this.#waitMsMax = waitMsMax;
  }

  /** From a packet of this size to the next. */
  gapMs(bytes: number): number {
    return Math.max(GAP_MS_MIN, (bytes * 8000) / this.#rateBps);
  }

  /** How long an answer may take before it counts as lost. */
  get waitMs(): number {
    if (this.#mostMs === 0) return this.#waitMsMax;
    return Math.min(this.#waitMsMax, Math.max(WAIT_MS_MIN, WAIT_RTTS * this.#mostMs));
  }

  /** What was overtaken gets this much longer. */
  get reorderMs(): number {
    return Math.min(50, Math.max(2, this.#leastMs === Number.POSITIVE_INFINITY ? 0 : this.#leastMs / 4));
  }

  learn(rttMs: number): void {
    if (this.#leastMs + QUEUE_MS < rttMs) this.#rateBps = Math.max(RATE_BPS_MIN, this.#rateBps / SLOWER);
    this.#leastMs = Math.min(this.#leastMs, rttMs);
    // A slow one is remembered for a while.
    this.#mostMs = Math.max(rttMs, this.#mostMs * 0.9);
  }
}
