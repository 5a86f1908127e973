import type { Endpoint } from './target.js';

/** The part of Linux's `struct tcp_info` (include/uapi/linux/tcp.h) that says something about a path. */
export interface TcpInfo {
  readonly retransmits: number;
  readonly cwndSegments?: number;
  readonly mssBytes?: number;
  readonly rttMs: number;
  readonly rttVarMs: number;
  readonly minRttMs?: number;
  readonly deliveryRateBps?: number;
  readonly pacingRateBps?: number;
  readonly busyMs?: number;
  readonly receiverLimitedMs?: number;
  readonly senderLimitedMs?: number;
  readonly congestion?: string;
}

export type ConnectOutcome =
  | { readonly outcome: 'ok'; readonly connection: Connection; readonly connectMs: number }
  | { readonly outcome: 'refused' | 'timeout' | 'unreachable' | 'failed'; readonly reason: string; readonly connectMs: number };

export interface ConnectOptions {
  readonly remote: Endpoint;
  readonly timeoutMs: number;
  readonly dscp?: number;
  readonly signal?: AbortSignal;
}

export interface Streams {
  connect(options: ConnectOptions): Promise<ConnectOutcome>;
  /** Sends or receives as fast as the path lets it, over connections that have no unread bytes. */
  pump(plan: PumpPlan): Promise<PumpLog>;
}

export interface Connection {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** Resolves once the bytes are accepted for sending. @throws TautlineError `io` when the peer is gone */
  write(bytes: Uint8Array): Promise<void>;
  /** The next bytes, or undefined when the peer ended, died, or `timeoutMs` passed. */
  read(options?: { timeoutMs?: number; signal?: AbortSignal }): Promise<Uint8Array | undefined>;
  /** Why the connection ended, once it has. */
  readonly ended: 'open' | 'end' | 'reset' | 'closed';
  tcpInfo(): TcpInfo | undefined;
  close(): void;
}

export interface PumpPlan {
  readonly connections: readonly Connection[];
  readonly role: 'send' | 'receive';
  /** Senders stop after this and end their direction; receivers stop when every peer has ended. */
  readonly durationMs?: number;
  /** Total over all connections, instead of a duration. */
  readonly bytes?: number;
  /** A receiver's bound: give up this long after the last byte. */
  readonly idleMs: number;
  readonly intervalMs: number;
  /** Total pacing rate (SO_MAX_PACING_RATE, or paced writes where that is missing). */
  readonly rateBps?: number;
  /** Receivers copy bytes into this process as an application would, instead of letting the kernel discard them. */
  readonly copy?: boolean;
  /** On abort senders end their direction, receivers stop, and the pump resolves with what it has. */
  readonly signal?: AbortSignal;
  /** Called once, when every stream is being read or written: the moment to tell the peer to begin. */
  readonly onReady?: () => void;
  readonly onInterval?: (interval: PumpInterval) => void;
}

export interface PumpInterval {
  /** From the pump's first byte, by this side's monotonic clock. */
  readonly startMs: number;
  readonly endMs: number;
  /** One figure a stream. */
  readonly bytes: readonly number[];
  readonly tcp: readonly (TcpInfo | undefined)[];
}

export interface PumpLog {
  readonly intervals: readonly PumpInterval[];
  readonly bytes: readonly number[];
  /** First byte to last byte. */
  readonly elapsedMs: number;
  readonly tcp: readonly (TcpInfo | undefined)[];
  readonly method: 'native' | 'node';
  readonly fallbacks: readonly string[];
  readonly cpuMs: number;
  /** Share of the elapsed time that the busiest thread was computing, 0..1, where the platform tells. */
  readonly busiest?: number;
  /** Streams whose peer went away before its time. */
  readonly broken: number;
  readonly aborted: boolean;
}
