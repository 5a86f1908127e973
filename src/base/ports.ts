import type { Endpoint } from './target.js';

/** Time. Durations everywhere are milliseconds as `number` unless the name ends in `Ns`. */
export interface Clock {
  /** Monotonic nanoseconds from an arbitrary origin. */
  nowNs(): bigint;
  /** The same clock in milliseconds, with a fraction. */
  nowMs(): number;
  /** Wall-clock milliseconds since 1970, only for stamping documents. */
  wallMs(): number;
  /** Resolves after `ms`, or at once when `signal` aborts; it never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** What the host is, for the head of every document and for choosing what can be measured. */
export interface HostIdentity {
  readonly name: string;
  readonly os: string;
  readonly kernel: string;
  readonly arch: string;
  readonly cpus: number;
  readonly cpuModel: string;
  readonly memoryBytes: number;
  readonly node: string;
  readonly root: boolean;
}

export interface NetworkInterface {
  readonly name: string;
  readonly addresses: readonly {
    readonly address: string;
    readonly family: 4 | 6;
    readonly prefix: number;
    readonly scope: 'host' | 'link' | 'global';
  }[];
  readonly mac?: string;
  readonly mtu?: number;
  readonly up: boolean;
  readonly loopback: boolean;
  /** Negotiated link speed in bits per second, where the driver tells. */
  readonly speedBps?: number;
}

export interface Route {
  readonly gateway: string;
  readonly family: 4 | 6;
  readonly interfaceName: string;
}

/** Reads facts about this host; changes nothing. A fact that cannot be read is left out, never invented. */
export interface HostFacts {
  identity(): Promise<HostIdentity>;
  interfaces(): Promise<readonly NetworkInterface[]>;
  defaultRoutes(): Promise<readonly Route[]>;
  /** The resolvers in use, as addresses. */
  resolvers(): Promise<readonly string[]>;
}

export interface Files {
  /** The file's text, or undefined when there is none. @throws TautlineError `io` or `permission` otherwise */
  readText(path: string): Promise<string | undefined>;
  /** Writes whole and atomically (temporary file, fsync, rename). @throws TautlineError `io` or `permission` */
  writeText(path: string, text: string): Promise<void>;
}

export type CommandResult =
  | { readonly outcome: 'exited'; readonly code: number; readonly stdout: string; readonly stderr: string }
  | { readonly outcome: 'missing' }
  | { readonly outcome: 'timeout'; readonly stdout: string; readonly stderr: string };

export interface Commands {
  /** Runs a program without a shell. Output beyond 4 MiB is cut. */
  run(program: string, args: readonly string[], options: { timeoutMs: number; signal?: AbortSignal }): Promise<CommandResult>;
}

export interface Log {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
}

// --- Names -----------------------------------------------------------------------------------

export type Resolution =
  | { readonly outcome: 'ok'; readonly addresses: readonly { readonly host: string; readonly family: 4 | 6 }[]; readonly elapsedMs: number }
  | { readonly outcome: 'unknown' | 'timeout' | 'failed'; readonly reason: string; readonly elapsedMs: number };

export interface Names {
  /** Resolves as the system's programs do (getaddrinfo: hosts file, mDNS, DNS). IP literals resolve to themselves. */
  lookup(host: string, options: { family?: 4 | 6; timeoutMs: number; signal?: AbortSignal }): Promise<Resolution>;
}

// --- Datagrams -------------------------------------------------------------------------------

export interface FlowOptions {
  readonly protocol: 'udp' | 'icmp';
  /** For icmp the port is 0. */
  readonly remote: Endpoint;
  /** Differentiated services code point, 0..63. */
  readonly dscp?: number;
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
  exchange(plan: ExchangePlan): Promise<ExchangeLog>;
  flood(plan: FloodPlan): Promise<FloodLog>;
  sink(plan: SinkPlan): Promise<SinkLog>;
  close(): Promise<void>;
}

/** Sends `count` copies of `payload` on a fixed schedule and records every datagram that comes back. */
export interface ExchangePlan {
  readonly payload: Uint8Array;
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

// --- Streams ---------------------------------------------------------------------------------

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

// --- TLS and HTTP ----------------------------------------------------------------------------

export type TlsOutcome =
  | {
      readonly outcome: 'ok';
      readonly connectMs: number;
      readonly handshakeMs: number;
      readonly protocol: string;
      readonly cipher: string;
      readonly alpn?: string;
      readonly resumed: boolean;
      /** How much of the time this process was busy rather than waiting: an upper bound of what it added itself. */
      readonly ownMs?: number;
      /** Whether the certificate chain and name are trusted; the handshake is timed either way. */
      readonly authorized: boolean;
      readonly authorizationError?: string;
      readonly certificate?: {
        readonly subject: string;
        readonly issuer: string;
        readonly validTo: string;
        readonly validFrom?: string;
        readonly names?: string;
      };
    }
  | { readonly outcome: 'refused' | 'timeout' | 'unreachable' | 'failed'; readonly reason: string };

export interface HttpRequest {
  readonly url: string;
  /** The address to use, so that the name is not resolved again. */
  readonly remote?: Endpoint;
  readonly method: 'GET' | 'HEAD' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** Goes on although the certificate is not trusted. */
  readonly insecure?: boolean;
  /** How much of the answer's body is handed over; default none. All of it is counted. */
  readonly keepBytesMax?: number;
  readonly signal?: AbortSignal;
}

/**
 * Phase durations in milliseconds; a phase that did not happen (no TLS, reused connection) is undefined.
 * The phases follow each other without a gap, so `totalMs` less dns, connect and tls is the time from
 * writing the request to the end of the answer.
 */
export type HttpOutcome =
  | {
      readonly outcome: 'ok';
      readonly status: number;
      readonly version: string;
      readonly bytes: number;
      readonly dnsMs?: number;
      readonly connectMs?: number;
      readonly tlsMs?: number;
      /** Request written to first byte of the answer. */
      readonly ttfbMs: number;
      readonly totalMs: number;
      readonly reused: boolean;
      /** `TLSv1.3` and the like, on a fresh connection with TLS. */
      readonly tlsProtocol?: string;
      /** Where a redirect points; it is not followed. */
      readonly location?: string;
      /** The body went on beyond what the client takes, and was cut there. */
      readonly cut?: boolean;
      /** The body's head, as far as `keepBytesMax` asked for it. */
      readonly body?: Uint8Array;
      /** How much of the time this process was busy rather than waiting: an upper bound of what it added itself. */
      readonly ownMs?: number;
    }
  | { readonly outcome: 'refused' | 'timeout' | 'unreachable' | 'failed'; readonly reason: string };

/** A keep-alive HTTP client: one connection, used again while the server lets it. */
export interface HttpClient {
  request(request: HttpRequest): Promise<HttpOutcome>;
  close(): void;
}

/** A connection that carries bulk HTTP traffic and small requests beside it, for responsiveness under load. */
export interface HttpLoad {
  /** Payload bytes moved so far. */
  bytes(): number;
  /** One small GET on this same connection; milliseconds, or undefined when it failed or the connection cannot multiplex. */
  selfProbeMs(url: string): Promise<number | undefined>;
  readonly multiplexed: boolean;
  /** Set when the load ended by itself. */
  readonly failure: string | undefined;
  close(): void;
}

export interface Web {
  client(): HttpClient;
  /**
   * Starts a load-generating connection: HTTP/2 where the server speaks it (h2c by prior knowledge without
   * TLS), else HTTP/1.1. It never rejects: a load that could not start has its `failure` set. `remote` is
   * the address to use, so that the name is not resolved again.
   */
  load(options: {
    url: string;
    remote?: Endpoint;
    direction: 'down' | 'up';
    headers?: Readonly<Record<string, string>>;
    insecure?: boolean;
    timeoutMs: number;
    signal?: AbortSignal;
  }): Promise<HttpLoad>;
  tls(options: { remote: Endpoint; serverName: string; timeoutMs: number; session?: 'fresh'; signal?: AbortSignal }): Promise<TlsOutcome>;
}

// --- All of them -----------------------------------------------------------------------------

/** Everything a probe may touch. `host/` makes the real one, `sim/` the simulated one. */
export interface Ports {
  readonly clock: Clock;
  readonly names: Names;
  readonly datagrams: Datagrams;
  readonly streams: Streams;
  readonly web: Web;
  readonly facts: HostFacts;
  readonly files: Files;
  readonly commands: Commands;
  readonly log: Log;
  /** Where figures that are made over these ports come from; measured unless it says otherwise. */
  readonly provenance?: 'measured' | 'simulated';
}
