import http from 'node:http';
import https from 'node:https';
import { isIP } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { formatEndpoint } from '../../base/index.js';
import type { Clock, HttpClient, HttpOutcome, HttpRequest } from '../../base/index.js';
import { explainFailure, HEAD_BYTES_MAX } from './failure.js';
import { explainSocketFailure, unusableSocketPath } from './unix-socket.js';

/** A body is drained and counted up to here; what goes on longer is cut. */
export const BODY_BYTES_MAX = 64 * 1024 * 1024;

/** A keep-alive client: one connection a scheme, used again while the server lets it. */
export function createHttpClient(clock: Clock): HttpClient {
  const agents = {
    'http:': new http.Agent({ keepAlive: true, maxSockets: 1 }),
    // No session cache: a resumed handshake is shorter, and would pass for a full one.
    'https:': new https.Agent({ keepAlive: true, maxSockets: 1, maxCachedSessions: 0 }),
  };
  const running = new Set<() => void>();
  let closed = false;
  return {
    async request(request) {
      if (closed) return { outcome: 'failed', reason: 'the client is closed' };
      const url = URL.canParse(request.url) ? new URL(request.url) : undefined;
      if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
        return { outcome: 'failed', reason: `'${request.url}' is not an http or https URL` };
      }
      const unusable = request.socketPath === undefined ? undefined : unusableSocketPath(request.socketPath);
      if (unusable !== undefined) return { outcome: 'failed', reason: unusable };
      const agent = agents[url.protocol];
      const first = await attempt({ clock, request, url, agent, running });
      // The server may close an idle connection just when it is used again: that says nothing about the path.
      if (first.stale) return (await attempt({ clock, request, url, agent, running })).outcome;
      return first.outcome;
    },
    close() {
      closed = true;
      for (const stop of running) stop();
      agents['http:'].destroy();
      agents['https:'].destroy();
    },
  };
}

interface Attempt {
  readonly clock: Clock;
  readonly request: HttpRequest;
  readonly url: URL;
  readonly agent: http.Agent;
  readonly running: Set<() => void>;
}

type Doing = 'the connection' | 'the TLS handshake' | 'the request' | 'the answer';

function attempt({ clock, request, url, agent, running }: Attempt): Promise<{ outcome: HttpOutcome; stale: boolean }> {
  return new Promise((resolve) => {
    const { socketPath } = request;
    const place = socketPath ?? formatEndpoint({ host: hostOf(url), port: portOf(url) });
    const explain = (error: Error): HttpOutcome =>
      (socketPath === undefined ? undefined : explainSocketFailure(error, socketPath)) ?? explainFailure(error, place, doing);
    const startMs = clock.nowMs();
    const startLoad = performance.eventLoopUtilization();
    let doing: Doing = 'the connection';
    let answered = false;
    let settled = false;
    /** When each phase ended, milliseconds from the start. */
    const at: { lookup?: number; connect?: number; tls?: number; head?: number } = {};
    let tlsProtocol: string | undefined;
    const sinceMs = (): number => clock.nowMs() - startMs;

    const settle = (outcome: HttpOutcome, stale = false): void => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      request.signal?.removeEventListener('abort', onAbort);
      running.delete(onAbort);
      if (outcome.outcome !== 'ok') outgoing?.destroy();
      resolve({ outcome, stale });
    };
    const onAbort = (): void => settle({ outcome: 'failed', reason: `the request to ${place} was interrupted` });
    const timer = setTimeout(() => settle({ outcome: 'timeout', reason: timeoutReason(place, doing, request.timeoutMs) }), request.timeoutMs);
    let outgoing: http.ClientRequest | undefined;
    if (request.signal?.aborted) return onAbort();
    request.signal?.addEventListener('abort', onAbort, { once: true });
    running.add(onAbort);

    try {
      outgoing = (url.protocol === 'https:' ? https : http).request(requestOptions(request, url, agent));
    } catch (error) {
      // Node refuses a header or path that HTTP cannot carry.
      return settle({ outcome: 'failed', reason: `the request to ${place} cannot be sent: ${(error as Error).message}` });
    }
    const sent = outgoing;
    sent.on('socket', (socket: Socket) => {
      if (!socket.connecting) {
        doing = 'the request';
        return;
      }
      socket.once('lookup', () => (at.lookup ??= sinceMs()));
      socket.once('connect', () => {
        at.connect = sinceMs();
        doing = url.protocol === 'https:' ? 'the TLS handshake' : 'the request';
      });
      socket.once('secureConnect', () => {
        at.tls = sinceMs();
        tlsProtocol = (socket as TLSSocket).getProtocol() ?? undefined;
        doing = 'the request';
      });
    });
    sent.on('information', () => (at.head ??= sinceMs()));
    sent.on('error', (error: Error) => {
      const stale = sent.reusedSocket && !answered && ['ECONNRESET', 'EPIPE'].includes((error as NodeJS.ErrnoException).code ?? '');
      settle(explain(error), stale);
    });
    sent.on('response', (response) => {
      answered = true;
      at.head ??= sinceMs();
      doing = 'the answer';
      drain(response, request.keepBytesMax ?? 0, (body) => {
        if (body.error) return settle(explain(body.error));
        const totalMs = sinceMs();
        const readyMs = at.tls ?? at.connect ?? 0;
        settle({
          outcome: 'ok',
          status: response.statusCode ?? 0,
          version: `HTTP/${response.httpVersion}`,
          bytes: body.bytes,
          ...(at.lookup === undefined ? {} : { dnsMs: at.lookup }),
          ...(at.connect === undefined ? {} : { connectMs: at.connect - (at.lookup ?? 0) }),
          ...(at.tls === undefined ? {} : { tlsMs: at.tls - (at.connect ?? 0) }),
          ttfbMs: (at.head ?? totalMs) - readyMs,
          totalMs,
          reused: sent.reusedSocket,
          ...(tlsProtocol === undefined ? {} : { tlsProtocol }),
          ...(response.headers.location === undefined ? {} : { location: response.headers.location }),
          ...(body.cut ? { cut: true } : {}),
          ...(body.kept.length > 0 ? { body: body.kept } : {}),
          ownMs: performance.eventLoopUtilization(startLoad).active,
        });
      });
    });
    sent.end(request.body);
  });
}

function requestOptions(request: HttpRequest, url: URL, agent: http.Agent): https.RequestOptions {
  const host = hostOf(url);
  return {
    agent,
    ...(request.socketPath === undefined
      ? { host: request.remote?.host ?? host, port: request.remote?.port ?? portOf(url) }
      : { socketPath: request.socketPath }),
    path: url.pathname + url.search,
    method: request.method,
    // Names get SNI, addresses must not (RFC 6066, section 3).
    servername: isIP(host) === 0 ? host : '',
    rejectUnauthorized: request.insecure !== true,
    maxHeaderSize: HEAD_BYTES_MAX,
    headers: {
      host: url.host,
      accept: '*/*',
      'accept-encoding': 'identity',
      'user-agent': 'tautline',
      ...(request.body === undefined ? {} : { 'content-length': Buffer.byteLength(request.body) }),
      ...request.headers,
    },
  };
}

interface Drained {
  readonly bytes: number;
  readonly kept: Uint8Array;
  readonly cut: boolean;
  readonly error?: Error;
}

function drain(response: http.IncomingMessage, keepBytesMax: number, done: (body: Drained) => void): void {
  let bytes = 0;
  let keptBytes = 0;
  const kept: Uint8Array[] = [];
  const body = (): Omit<Drained, 'cut'> => ({ bytes, kept: Buffer.concat(kept) });
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (keptBytes < keepBytesMax) {
      const part = chunk.subarray(0, keepBytesMax - keptBytes);
      kept.push(part);
      keptBytes += part.length;
    }
    if (bytes < BODY_BYTES_MAX) return;
    done({ ...body(), cut: true });
    response.destroy();
  });
  response.on('end', () => done({ ...body(), cut: false }));
  response.on('error', (error) => done({ ...body(), cut: false, error }));
  response.on('close', () => {
    if (!response.complete) done({ ...body(), cut: false, error: Object.assign(new Error('closed early'), { code: 'ECONNRESET' }) });
  });
}

function timeoutReason(place: string, doing: Doing, timeoutMs: number): string {
  switch (doing) {
    case 'the connection':
      return `${place} did not answer within ${timeoutMs} ms: it is down, or a firewall drops the packets`;
    case 'the TLS handshake':
      return `${place} accepted the connection, but the TLS handshake did not finish within ${timeoutMs} ms: check that it speaks TLS`;
    case 'the request':
      return `${place} accepted the connection, but did not answer the request within ${timeoutMs} ms`;
    case 'the answer':
      return `the answer of ${place} did not end within ${timeoutMs} ms`;
  }
}

/** The host without the brackets that URLs put around IPv6. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}

export function portOf(url: URL): number {
  if (url.port !== '') return Number(url.port);
  return url.protocol === 'https:' ? 443 : 80;
}
