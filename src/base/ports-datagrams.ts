import type { Endpoint } from './target.js';

export interface FlowOptions {
  readonly protocol: 'udp' | 'icmp';
  /** For icmp the port is 0. */
  readonly remote: Endpoint;
  /** Differentiated services code point, 0..63. */
  readonly dscp?: number;
  /** Nobody may fragment what is sent, and what the kernel believes of the path's MTU does not hold it back (IP_PMTUDISC_PROBE). */
  readonly dontFragment?: boolean;
  readonly ttl?: number;
}

export interface Datagrams {
  /** Opens a connected flow. @throws TautlineError `permission` (icmp without the right), `unsupported`, `io` */
  open(options: FlowOptions): Promise<DatagramFlow>;
}

/**
 * One connected datagram socket. One operation at a time. For `icmp` the bytes are the ICMP message
 * from its type byte on; the flow fills in identifier and checksum and hands over only replies to it.
 */
export interface DatagramFlow {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** Where arrival times come from: the kernel's stamp, or this process when it got round to reading. */
  readonly stamps: 'kernel' | 'user';
  /** Why this flow is not as precise as it could be, in words for a person; empty when it is. */
  readonly fallbacks: readonly string[];
  /** Whether don't-fragment is in force, on a flow that was asked for it. */
  readonly dontFragment?: boolean;
  exchange(plan: ExchangePlan): Promise<ExchangeLog>;
  flood(plan: FloodPlan): Promise<FloodLog>;
  sink(plan: SinkPlan): Promise<SinkLog>;
  close(): Promise<void>;
}

/** Sends `count` copies of `payload` on a fixed schedule and records every datagram that comes back. */
export interface ExchangePlan {
  readonly payload: Uint8Array;
  /** Instead of copies of `payload`, `count` datagrams of their own, each with room for the sequence number. */
  readonly payloads?: readonly Uint8Array[];
  /** 0 sends nothing and listens. What arrived since the flow's last operation comes first, with the times when it did. */
  readonly count: number;
  readonly intervalNs: number;
  /** How long to go on listening after the last send. */
  readonly waitNs: number;
  /** Where the sequence number (0, 1, 2 ...) is written into each copy: big endian, 2 or 4 bytes wide. */
  readonly sequence: { readonly offset: number; readonly width: 2 | 4 };
  /** Stop as soon as this many datagrams came back (a handshake wants 1). */
  readonly stopAfterReplies?: number;
  /** How much of each reply is kept; default 128. */
  readonly replyBytesMax?: number;
  /** On abort the exchange ends and resolves with what it has. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (sent: number, received: number) => void;
}

/** All times are nanoseconds from the log's own origin, `startNs` on the flow's monotonic clock. */
export interface ExchangeLog {
  readonly startNs: bigint;
  readonly sent: number;
  /** When datagram i was due, length `sent`. */
  readonly dueNs: Float64Array;
  /** When datagram i was handed to the kernel, length `sent`; NaN where the kernel refused it. */
  readonly sentNs: Float64Array;
  /** How long handing datagram i over took: it left within this time after `sentNs`. Length `sent`. */
  readonly callNs: Float64Array;
  readonly received: number;
  /** Arrival of reply k by `stamps`, length `received`. */
  readonly arrivedNs: Float64Array;
  /** When this process read reply k, length `received`. */
  readonly readNs: Float64Array;
  /** Full length of reply k. */
  readonly length: Uint32Array;
  /** The kept head of reply k at `k * stride`. */
  readonly bytes: Uint8Array;
  readonly stride: number;
  /**
   * Errors the socket reported, by errno name (`ECONNREFUSED` = an ICMP port unreachable came back), and
   * `TTL_EXCEEDED` for an ICMP time exceeded, which has no errno of its own.
   */
  readonly errors: Readonly<Record<string, number>>;
  /** Routers that said "too big" (RFC 1191, RFC 4443), and the MTU that they named; on a flow with `dontFragment`. Each is counted as EMSGSIZE too. */
  readonly tooBig?: readonly TooBig[];
  /** What the kernel believed of the path's MTU at the end, on a flow with `dontFragment`, where it tells. */
  readonly pathMtuBytes?: number;
  /** Datagrams that the receive buffer dropped (SO_RXQ_OVFL) since the flow's last operation, where the kernel tells. */
  readonly kernelDrops: number;
  /** Replies whose kernel stamp could not be true (the wall clock was set meanwhile); their arrival is when they were read. */
  readonly stampFallbacks?: number;
  /** Replies beyond what an exchange keeps; they are not among `received`. */
  readonly discarded?: number;
  /** Processor time of the sending and receiving thread. */
  readonly cpuMs: number;
  readonly elapsedMs: number;
  readonly aborted: boolean;
}

/** An ICMP answer to a datagram that did not fit the next hop. */
export interface TooBig {
  readonly from: string;
  /** Left out where the router does not tell, as before RFC 1191. */
  readonly mtuBytes?: number;
}

/** Sends datagrams one way, at a rate or as fast as it goes. */
export interface FloodPlan {
  /** One datagram; its length is the datagram's size. */
  readonly payload: Uint8Array;
  /** Where a 4-byte big-endian sequence number is written. */
  readonly sequenceOffset: number;
  /** Where an 8-byte big-endian send time (monotonic ns of the sender) is written. */
  readonly stampOffset: number;
  /** Payload bits per second; undefined = as fast as it goes. */
  readonly rateBps?: number;
  readonly durationNs: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (sent: number) => void;
}

export interface FloodLog {
  readonly sent: number;
  readonly bytes: number;
  readonly elapsedMs: number;
  readonly errors: Readonly<Record<string, number>>;
  /** Whether one call carried many datagrams (UDP_SEGMENT or sendmmsg). */
  readonly batching: 'segment' | 'mmsg' | 'none';
  /** Send batches that left more than 1 ms late. */
  readonly misses: number;
  readonly cpuMs: number;
  readonly aborted: boolean;
}

/** Counts a flood that comes in. Only datagrams whose first bytes equal `match` count. */
export interface SinkPlan {
  readonly match: Uint8Array;
  readonly sequenceOffset: number;
  readonly stampOffset: number;
  /** A datagram to send first, again every 200 ms until the flood starts (asks the peer to begin), and every 500 ms from then on (tells it that somebody takes the flood). */
  readonly request?: Uint8Array;
  readonly durationNs: number;
  /** Ends early once nothing has come for this long after the first datagram. */
  readonly idleNs: number;
  readonly intervalNs: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (received: number) => void;
}

export interface SinkLog {
  readonly count: FloodCount;
  readonly kernelDrops: number;
  readonly cpuMs: number;
  readonly errors: Readonly<Record<string, number>>;
  readonly aborted: boolean;
}

/** What a receiver knows of a flood. */
export interface FloodCount {
  readonly received: number;
  readonly bytes: number;
  readonly duplicates: number;
  /** Arrived after one with a higher sequence number. */
  readonly reordered: number;
  /** Highest sequence number + 1, 0 when nothing came. */
  readonly expected: number;
  readonly elapsedMs: number;
  /** RFC 3550 interarrival jitter at the end. */
  readonly jitterMs: number;
  readonly intervals: readonly { readonly endMs: number; readonly received: number; readonly bytes: number }[];
}
