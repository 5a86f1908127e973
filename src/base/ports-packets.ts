import type { Endpoint } from './target.js';

/**
 * Single packets, each with its own TTL and size, and what became of each: for finding the routers of a path
 * and the largest packet that it carries.
 */
export interface Packets {
  /** Never rejects for what the network does. @throws TautlineError `permission`, `unsupported`, `io` */
  probe(plan: PacketPlan): Promise<PacketLog>;
}

export interface PacketPlan {
  readonly protocol: 'udp' | 'icmp' | 'tcp';
  /** For icmp the port is 0. */
  readonly remote: Endpoint;
  readonly packets: readonly PacketSpec[];
  /** Time from one packet to the next. */
  readonly intervalMs: number;
  /** How long to wait for an answer to each packet. */
  readonly timeoutMs: number;
  /** At most this many packets are out without an answer; default 64. */
  readonly outstandingMax?: number;
  /** Differentiated services code point, 0..63. */
  readonly dscp?: number;
  /** Source ports (ICMP: identifiers) by flow number, from an earlier plan's log: both plans' packets then take the same way. */
  readonly flowPorts?: Readonly<Record<number, number>>;
  /** On abort the plan ends and resolves with what it has. */
  readonly signal?: AbortSignal;
  readonly onOutcome?: (index: number, outcome: PacketOutcome) => void;
}

export interface PacketSpec {
  /** Default: the system's. */
  readonly ttl?: number;
  /** The whole IP packet with its headers; default: the smallest whose answer can be told from others'. TCP has no choice. */
  readonly sizeBytes?: number;
  /** Sets DF and ignores what the kernel believes of the path's MTU (IP_PMTUDISC_PROBE). Default true. */
  readonly dontFragment?: boolean;
  /** Packets of the same flow share addresses, ports and checksum, so that equal-cost routers send them the same way (Paris traceroute). Default 0. */
  readonly flow?: number;
  /** The head of a UDP payload. After it come 8 bytes, where there is room, by which answers are told apart; the rest is zeros. */
  readonly payload?: Uint8Array;
}

/** `rttMs` is from the send call to the kernel's receive stamp where it has one. `from` is who answered. */
export type PacketOutcome =
  | {
      readonly outcome: 'reply';
      readonly rttMs: number;
      readonly from: string;
      readonly kind: 'echo-reply' | 'datagram' | 'syn-ack' | 'reset' | 'port-unreachable';
      /** Length of what came back, IP header included, where it is known. */
      readonly sizeBytes?: number;
    }
  | {
      readonly outcome: 'error';
      readonly rttMs: number;
      readonly from: string;
      readonly what: 'ttl-exceeded' | 'too-big' | 'unreachable' | 'prohibited';
      readonly type: number;
      readonly code: number;
      /** The next hop's MTU, of `too-big` (RFC 1191, RFC 4443), where the router tells. */
      readonly mtuBytes?: number;
    }
  | { readonly outcome: 'silent' }
  /** The kernel did not send it: EMSGSIZE for a packet larger than the interface takes. */
  | { readonly outcome: 'unsent'; readonly errno: string; readonly mtuBytes?: number }
  /** The plan was aborted before its turn, or before its answer could be awaited. */
  | { readonly outcome: 'unasked' };

export interface PacketLog {
  readonly local?: Endpoint;
  /** One a packet, in the plan's order. */
  readonly outcomes: readonly PacketOutcome[];
  readonly stamps: 'kernel' | 'user';
  /** Why this is not as precise or complete as it could be, in words for a person. */
  readonly fallbacks: readonly string[];
  /** What the kernel believes of the path (IP_MTU), where it tells. */
  readonly kernelMtuBytes?: number;
  /** The source port (ICMP: the identifier) of each flow. */
  readonly flowPorts: Readonly<Record<number, number>>;
  /** How long a send call took (median): a departure is stamped before it. */
  readonly callMs?: number;
  readonly aborted: boolean;
}
