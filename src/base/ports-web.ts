import type { Endpoint } from './target.js';

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
  /** A Unix socket to speak to instead; the URL's host is then only a name. */
  readonly socketPath?: string;
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PATCH';
  readonly headers?: Readonly<Record<string, string>>;
  /** Text that goes with a POST or PATCH; its kind is told with a `content-type` in `headers`. */
  readonly body?: string;
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
  | {
      readonly outcome: 'refused' | 'timeout' | 'unreachable' | 'failed';
      readonly reason: string;
      /** The system's name of the failure, of a Unix socket: `ENOENT` there is none, `EACCES` it may not be opened. */
      readonly errno?: string;
    };

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
