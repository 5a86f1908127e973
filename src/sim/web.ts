import { formatEndpoint } from '../base/index.js';
import type { Endpoint, HttpClient, HttpLoad, HttpOutcome, HttpRequest, TlsOutcome, Web } from '../base/index.js';
import type { SimHost } from './host.js';
import { cutAfter, openSession, openSocketSession } from './http-session.js';
import type { Answer, Failure, HttpSession } from './http-session.js';

/** TLS and HTTP over simulated connections: the phases take the round trips that they take, and the server's declared time. */
export class SimWeb implements Web {
  readonly #host: SimHost;

  constructor(host: SimHost) {
    this.#host = host;
  }

  client(): HttpClient {
    return new Client(this.#host);
  }

  async load(options: Parameters<Web['load']>[0]): Promise<HttpLoad> {
    const { direction, timeoutMs, signal } = options;
    const url = new URL(options.url);
    const place = await locate(this.#host, url, options);
    if ('outcome' in place) return failed(place);
    const opened = await openSession(this.#host, {
      remote: place.remote,
      tls: url.protocol === 'https:',
      insecure: options.insecure === true,
      timeoutMs,
      ...(signal ? { signal } : {}),
    });
    if (opened.outcome !== 'ok') return failed(opened);
    return new Load(opened.session, { url, direction, headers: options.headers ?? {}, ...(signal ? { signal } : {}) });
  }

  async tls(options: Parameters<Web['tls']>[0]): Promise<TlsOutcome> {
    const { remote, timeoutMs, signal } = options;
    const opened = await openSession(this.#host, { remote, tls: true, insecure: true, timeoutMs, ...(signal ? { signal } : {}) });
    if (opened.outcome !== 'ok') return opened;
    const { session, connectMs, tlsMs = 0 } = opened;
    session.close();
    const { tls, alpn } = session.secured ?? { tls: {}, alpn: undefined };
    return {
      outcome: 'ok',
      connectMs,
      handshakeMs: tlsMs,
      protocol: tls.protocol ?? 'TLSv1.3',
      cipher: tls.cipher ?? 'TLS_AES_256_GCM_SHA384',
      ...(alpn === undefined ? {} : { alpn }),
      resumed: false,
      authorized: tls.authorizationError === undefined,
      ...(tls.authorizationError === undefined ? {} : { authorizationError: tls.authorizationError }),
      certificate: {
        subject: tls.subject ?? options.serverName,
        issuer: tls.issuer ?? 'Simulated CA',
        validTo: tls.validTo ?? 'Jan  1 00:00:00 2030 GMT',
      },
    };
  }
}

class Client implements HttpClient {
  readonly #host: SimHost;
  #kept: { readonly place: string; readonly session: HttpSession } | undefined;

  constructor(host: SimHost) {
    this.#host = host;
  }

  async request(request: HttpRequest): Promise<HttpOutcome> {
    if (!URL.canParse(request.url)) return { outcome: 'failed', reason: `'${request.url}' is not an http or https URL` };
    const url = new URL(request.url);
    const startMs = this.#host.network.nowMs;
    const reused = this.#kept?.place === placeOf(url, request) && this.#kept.session.reusable && this.#kept.session.connection.ended === 'open';
    const opened =
      reused && this.#kept
        ? { outcome: 'ok' as const, session: this.#kept.session, dnsMs: undefined, connectMs: undefined, tlsMs: undefined }
        : await this.#open(url, request);
    if (opened.outcome !== 'ok') return opened;
    const { session } = opened;
    const readyMs = this.#host.network.nowMs;
    const { signal, timeoutMs } = request;
    const cut = cutAfter(this.#host, {
      afterMs: timeoutMs - (readyMs - startMs),
      ...(signal ? { signal } : {}),
      onCut: () => session.close(),
    });
    const answer = await session.ask({
      method: request.method,
      url,
      ...(request.headers ? { headers: request.headers } : {}),
      ...(request.body === undefined ? {} : { body: request.body }),
    });
    const why = cut.end();
    if (!answer) {
      session.close();
      if (why === 'timeout')
        return {
          outcome: 'timeout',
          reason: `${session.place} accepted the connection, but did not answer the request within ${timeoutMs} ms`,
        };
      return {
        outcome: 'failed',
        reason: why === 'abort' ? `the request to ${session.place} was interrupted` : `${session.place} closed the connection during the request`,
      };
    }
    if (session.reusable) this.#kept = { place: placeOf(url, request), session };
    else session.close();
    const { reply } = answer;
    const kept = answer.body.subarray(0, request.keepBytesMax ?? 0);
    return {
      outcome: 'ok',
      status: reply.status,
      version: 'HTTP/1.1',
      bytes: answer.bytes,
      ...(opened.dnsMs === undefined ? {} : { dnsMs: opened.dnsMs }),
      ...(opened.connectMs === undefined ? {} : { connectMs: opened.connectMs }),
      ...(opened.tlsMs === undefined ? {} : { tlsMs: opened.tlsMs, tlsProtocol: session.secured?.tls.protocol ?? 'TLSv1.3' }),
      ttfbMs: answer.headMs - readyMs,
      totalMs: answer.endMs - startMs,
      reused,
      ...(reply.headers['location'] === undefined ? {} : { location: reply.headers['location'] }),
      ...(kept.length === 0 ? {} : { body: kept }),
    };
  }

  close(): void {
    this.#kept?.session.close();
    this.#kept = undefined;
  }

  async #open(
    url: URL,
    request: HttpRequest,
  ): Promise<Failure | { outcome: 'ok'; session: HttpSession; dnsMs: number | undefined; connectMs: number; tlsMs: number | undefined }> {
    this.close();
    if (request.signal?.aborted === true) return { outcome: 'failed', reason: `the request to ${placeOf(url, request)} was interrupted` };
    if (request.socketPath !== undefined) {
      const opened = openSocketSession(this.#host, request.socketPath);
      return opened.outcome === 'ok' ? { ...opened, dnsMs: undefined } : opened;
    }
    const place = await locate(this.#host, url, request);
    if ('outcome' in place) return place;
    const { signal, timeoutMs, insecure = false } = request;
    const opened = await openSession(this.#host, {
      remote: place.remote,
      tls: url.protocol === 'https:',
      insecure,
      timeoutMs: timeoutMs - (place.dnsMs ?? 0),
      ...(signal ? { signal } : {}),
    });
    return opened.outcome === 'ok' ? { ...opened, dnsMs: place.dnsMs } : opened;
  }
}

/** A request that goes on for as long as it is let, and small ones beside it. */
class Load implements HttpLoad {
  readonly multiplexed: boolean;
  readonly #session: HttpSession;
  readonly #direction: 'down' | 'up';
  readonly #headers: Readonly<Record<string, string>>;
  #sentBytes = 0;
  #failure: string | undefined;
  #closed = false;

  constructor(
    session: HttpSession,
    options: { url: URL; direction: 'down' | 'up'; headers: Readonly<Record<string, string>>; signal?: AbortSignal },
  ) {
    const { url, direction, headers, signal } = options;
    this.#session = session;
    this.#direction = direction;
    this.#headers = headers;
    this.multiplexed = session.connection.speaksH2;
    const up = direction === 'up';
    const ended = session.ask({ method: up ? 'POST' : 'GET', url, headers, uploads: up });
    if (up) {
      session.connection.out.onSent = (bytes) => (this.#sentBytes += bytes);
      session.connection.out.supply((bytesMax) => bytesMax);
    }
    void this.#watch(ended);
    if (signal?.aborted) this.close();
    else signal?.addEventListener('abort', () => this.close(), { once: true });
  }

  async #watch(ended: Promise<Answer | undefined>): Promise<void> {
    const answer = await ended;
    if (this.#closed) return;
    const { place, connection } = this.#session;
    connection.out.supply(undefined);
    if (!answer) this.#failure = `${place} closed the connection`;
    else if (answer.reply.status >= 400) this.#failure = `${place} answered ${answer.reply.status}`;
    else this.#failure = `${place} ended the load after ${this.bytes()} bytes`;
  }

  get failure(): string | undefined {
    return this.#failure;
  }

  bytes(): number {
    return this.#direction === 'up' ? this.#sentBytes : this.#session.bulkBytes;
  }

  async selfProbeMs(url: string): Promise<number | undefined> {
    if (!this.multiplexed || this.#closed || this.#failure !== undefined) return undefined;
    const startMs = this.#session.connection.host.network.nowMs;
    const answer = await this.#session.ask({ method: 'GET', url: new URL(url), headers: this.#headers });
    return answer && answer.reply.status < 400 ? answer.endMs - startMs : undefined;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#session.connection.out.supply(undefined);
    this.#session.close();
  }
}

/** What a kept connection leads to. */
function placeOf(url: URL, request: Pick<HttpRequest, 'socketPath'>): string {
  return request.socketPath ?? url.origin;
}

type Place = { readonly remote: Endpoint; readonly dnsMs: number | undefined } | Failure;

async function locate(host: SimHost, url: URL, options: { remote?: Endpoint; timeoutMs: number; signal?: AbortSignal }): Promise<Place> {
  if (options.remote) return { remote: options.remote, dnsMs: undefined };
  const name = url.hostname.replace(/^\[|\]$/g, '');
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
  const found = await host.ports.names.lookup(name, {
    timeoutMs: options.timeoutMs,
    ...(options.signal ? { signal: options.signal } : {}),
  });
  if (found.outcome === 'timeout') return { outcome: 'timeout', reason: found.reason };
  if (found.outcome !== 'ok') return { outcome: 'failed', reason: found.reason };
  const first = found.addresses[0];
  if (!first) return { outcome: 'failed', reason: `the name of ${formatEndpoint({ host: name, port })} has no address` };
  // A literal was not looked up.
  return { remote: { ...first, port }, dnsMs: first.host === name ? undefined : found.elapsedMs };
}

function failed({ reason }: Failure): HttpLoad {
  return { bytes: () => 0, selfProbeMs: () => Promise.resolve(undefined), multiplexed: false, failure: reason, close() {} };
}
