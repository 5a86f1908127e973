import { formatEndpoint } from '../base/index.js';
import type { Endpoint } from '../base/index.js';
import type { HttpReply } from '../wire/index.js';
import { SimConnection } from './connection.js';
import type { SimHost } from './host.js';
import { NOTE_BYTES } from './http-server.js';
import type { HttpNote } from './http-server.js';
import type { TlsSpec } from './scenario.js';
import { connect, connectToSocket } from './streams.js';
import type { Deferred } from './timeline.js';

export interface Failure {
  readonly outcome: 'refused' | 'timeout' | 'unreachable' | 'failed';
  readonly reason: string;
  readonly errno?: string;
}

export interface Secured {
  readonly tls: TlsSpec;
  readonly alpn: string;
}

export interface Answer {
  readonly reply: HttpReply;
  readonly headMs: number;
  readonly endMs: number;
  readonly bytes: number;
  readonly body: Uint8Array;
}

export type Opened =
  | { readonly outcome: 'ok'; readonly session: HttpSession; readonly connectMs: number; readonly tlsMs: number | undefined }
  | Failure;

/** A client's connection to a web server, perhaps with TLS on it, that carries one request after the other or many at once. */
export class HttpSession {
  readonly connection: SimConnection;
  readonly place: string;
  /** Payload that belongs to no request in particular: the load of a load-generating connection. */
  bulkBytes = 0;
  secured: Secured | undefined;
  reusable = true;
  #nextId = 1;
  readonly #asked = new Map<number, { readonly done: Deferred<Answer | undefined>; reply?: HttpReply; headMs: number; bytes: number }>();
  #handshake: Deferred<Secured | undefined> | undefined;

  constructor(connection: SimConnection, place = formatEndpoint(connection.remote)) {
    this.connection = connection;
    this.place = place;
    connection.onBroken = () => this.#over();
    connection.inbox.onReadable = () => connection.inbox.ended && this.#over();
    connection.inbox.consume((chunk) => {
      if (chunk.note) this.#hear(chunk.note as HttpNote);
      else this.#count(chunk.length);
    });
  }

  /** @returns undefined when the connection ended first */
  secure(): Promise<Secured | undefined> {
    this.#handshake = this.#timeline.deferred<Secured | undefined>();
    this.say(NOTE_BYTES.clientHello, { kind: 'client-hello' });
    return this.#handshake.promise;
  }

  /** Asks for something. @returns undefined when the connection ended first */
  ask(request: {
    method: string;
    url: URL;
    headers?: Readonly<Record<string, string>>;
    uploads?: boolean;
    body?: string;
  }): Promise<Answer | undefined> {
    const id = this.#nextId++;
    const done = this.#timeline.deferred<Answer | undefined>();
    if (this.connection.ended !== 'open') done.resolve(undefined);
    else {
      this.#asked.set(id, { done, headMs: 0, bytes: 0 });
      const { method, url, headers = {}, uploads = false, body } = request;
      this.say(NOTE_BYTES.request + (body?.length ?? 0), {
        kind: 'request',
        id,
        method,
        target: url.pathname + url.search,
        authority: url.host,
        headers,
        uploads,
        ...(body === undefined ? {} : { body }),
      });
      // A body of no length at all ends at once.
      if (method === 'POST' && !uploads) this.say(NOTE_BYTES.end, { kind: 'upload-end', id });
    }
    return done.promise;
  }

  say(length: number, note: HttpNote): void {
    this.connection.out.write({ length, bytes: undefined, note });
  }

  close(): void {
    this.reusable = false;
    this.connection.close();
    this.#over();
  }

  get #timeline(): SimHost['network']['timeline'] {
    return this.connection.host.network.timeline;
  }

  #hear(note: HttpNote): void {
    const nowMs = this.#timeline.nowNs / 1e6;
    switch (note.kind) {
      case 'server-hello':
        this.secured = { tls: note.tls, alpn: note.alpn };
        this.say(NOTE_BYTES.finished, { kind: 'client-finished' });
        // TLS 1.3 is done after one round trip (RFC 8446, section 2), 1.2 after two (RFC 5246, section 7.3).
        if (note.tls.protocol !== 'TLSv1.2') this.#handshake?.resolve(this.secured);
        return;
      case 'server-finished':
        this.#handshake?.resolve(this.secured);
        return;
      case 'head': {
        const asked = this.#asked.get(note.id);
        if (asked) {
          asked.reply = note.reply;
          asked.headMs = nowMs;
        }
        if (note.closes) this.reusable = false;
        return;
      }
      case 'end': {
        const asked = this.#asked.get(note.id);
        this.#asked.delete(note.id);
        if (asked?.reply)
          asked.done.resolve({
            reply: asked.reply,
            headMs: asked.headMs,
            endMs: nowMs,
            bytes: asked.bytes + note.body.length,
            body: note.body,
          });
        return;
      }
      default:
    }
  }

  #count(bytes: number): void {
    this.bulkBytes += bytes;
    // One at a time answers with plain bytes: multiplexed ones are small enough to come with their note.
    for (const asked of this.#asked.values()) {
      if (!asked.reply) continue;
      asked.bytes += bytes;
      return;
    }
  }

  #over(): void {
    this.reusable = false;
    if (this.#handshake && !this.#handshake.settled) this.#handshake.resolve(undefined);
    for (const { done } of this.#asked.values()) done.resolve(undefined);
    this.#asked.clear();
  }
}

/** Connects to a Unix socket, which has no TLS. */
export function openSocketSession(host: SimHost, path: string): Opened {
  const connected = connectToSocket(host, path);
  if (connected.outcome !== 'ok') return connected;
  return { outcome: 'ok', session: new HttpSession(connected.connection, path), connectMs: 0, tlsMs: undefined };
}

/** Connects, and secures the connection where the scheme wants it, all within `timeoutMs`. */
export async function openSession(
  host: SimHost,
  options: { remote: Endpoint; tls: boolean; insecure: boolean; timeoutMs: number; signal?: AbortSignal },
): Promise<Opened> {
  const { remote, timeoutMs, signal } = options;
  const { timeline } = host.network;
  const startNs = timeline.nowNs;
  const connected = await connect(host, { remote, timeoutMs, ...(signal ? { signal } : {}) }, 'http');
  if (connected.outcome !== 'ok') return connected;
  const connection = connected.connection;
  if (!(connection instanceof SimConnection)) throw new Error('broken invariant: a simulated connection');
  const session = new HttpSession(connection);
  const { connectMs } = connected;
  if (!options.tls) return { outcome: 'ok', session, connectMs, tlsMs: undefined };
  const place = session.place;
  const cut = cutAfter(host, { afterMs: timeoutMs - connectMs, ...(signal ? { signal } : {}), onCut: () => session.close() });
  const secured = await session.secure();
  const why = cut.end();
  if (secured === undefined) {
    session.close();
    if (why === 'timeout')
      return {
        outcome: 'timeout',
        reason: `${place} accepted the connection, but the TLS handshake did not finish within ${timeoutMs} ms`,
      };
    return {
      outcome: 'failed',
      reason: why === 'abort' ? `the handshake with ${place} was interrupted` : `${place} closed the connection during the TLS handshake`,
    };
  }
  if (secured.tls.authorizationError !== undefined && !options.insecure) {
    session.close();
    return { outcome: 'failed', reason: `the certificate of ${place} is not trusted (${secured.tls.authorizationError})` };
  }
  return { outcome: 'ok', session, connectMs, tlsMs: (timeline.nowNs - startNs) / 1e6 - connectMs };
}

/** Calls `onCut` when the time is up or `signal` aborts, unless `end` came first. `end` says what happened. */
export function cutAfter(
  host: SimHost,
  options: { afterMs: number; signal?: AbortSignal; onCut: () => void },
): { end(): 'timeout' | 'abort' | undefined } {
  let why: 'timeout' | 'abort' | undefined;
  let over = false;
  const { signal } = options;
  const cut = (cause: 'timeout' | 'abort'): void => {
    if (over || why) return;
    why = cause;
    options.onCut();
  };
  const abort = (): void => cut('abort');
  const timer = host.network.timeline.after(Math.max(0, options.afterMs) * 1e6, () => cut('timeout'));
  if (signal?.aborted) abort();
  signal?.addEventListener('abort', abort);
  return {
    end() {
      over = true;
      timer.cancelled = true;
      signal?.removeEventListener('abort', abort);
      return why;
    },
  };
}
