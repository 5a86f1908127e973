/**
 * What an HTTP server needs of whoever decides the answers. The server owns sockets and timers, the
 * responder decides; neither knows the other.
 */
export interface HttpResponder {
  answer(ask: HttpAsk): HttpReply;
  /** The answer to a request beyond the limits on how many there may be at once: of this client, or of all. */
  refuse(whose: 'client' | 'all'): HttpReply;
  /** What is said at the end of an upload. */
  uploadReceipt(bytes: number): Uint8Array;
  /** What tells clients apart, from the address of a connection. */
  clientOf(address: string): string;
  readonly limits: HttpLimits;
}

/** The limits that the server itself has to keep. */
export interface HttpLimits {
  readonly httpRequestMs: number;
  readonly httpIdleMs: number;
  readonly httpHeadMs: number;
  readonly httpHeadBytesMax: number;
  readonly httpStallMs: number;
  readonly httpRequestsMax: number;
  readonly httpRequestsPerClientMax: number;
  readonly httpRequestsPerConnectionMax: number;
  readonly httpStreamsMax: number;
}

/** What a client asks for, as the transport read it. */
export interface HttpAsk {
  readonly method: string;
  /** The request's target as it came: path and perhaps a query. */
  readonly target: string;
  /** What the client calls this server: `Host` or `:authority`. */
  readonly authority: string | undefined;
  /** A proxy in front took the request over TLS and says so. */
  readonly secure?: boolean;
  readonly ticket: string | undefined;
  /** Who asks, in the words of `clientOf`. */
  readonly client: string;
  /** Length of the body that the client announced, if it did. */
  readonly contentLength?: number;
  /** A short body, where the server has read one before it asked for an answer. */
  readonly body?: string;
}

export type HttpBody =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** That many zeros. */
  | { readonly kind: 'zeros'; readonly bytes: number }
  /** Take in and drop what the client sends, at most that much, then say how much it was. */
  | { readonly kind: 'sink'; readonly bytesMax: number };

export interface HttpReply {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: HttpBody;
}

/** The header of a request that carries a ticket, which a client gets on a control connection. */
export const TICKET_HEADER = 'tautline-ticket';
