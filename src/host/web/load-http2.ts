import http2 from 'node:http2';
import type { Socket } from 'node:net';
import type { Clock, HttpLoad } from '../../base/index.js';
import { explainFailure } from './failure.js';
import type { LoadOptions } from './load-socket.js';
import { unsentOf } from './unsent.js';
import { pourZeros } from './zeros.js';

/** Flow control must not be the bottleneck: enough for 10 Gbit/s over 12 ms, or 1 Gbit/s over 120 ms. */
export const WINDOW_BYTES = 16 * 1024 * 1024;
/** How often a server may end a transfer in good order before the load gives up. */
const RESTARTS_MAX = 1000;

export interface LoadStart {
  readonly clock: Clock;
  readonly url: URL;
  readonly place: string;
  readonly options: LoadOptions;
  readonly socket: Socket;
}

/**
 * Bulk transfer over HTTP/2 and small requests beside it on the same connection.
 * @returns `understood` false when the server answered, but not in HTTP/2
 */
export function startHttp2Load(start: LoadStart): Promise<{ load: HttpLoad; understood: boolean }> {
  const { place, options } = start;
  return new Promise((resolve) => {
    const load = new Http2Load(start);
    const timer = setTimeout(() => {
      load.fail(`${place} accepted the connection, but did not answer within ${options.timeoutMs} ms`);
    }, options.timeoutMs);
    const settle = (understood: boolean): void => {
      clearTimeout(timer);
      resolve({ load, understood });
    };
    load.onSettings = () => settle(true);
    load.onEnded = (because) => settle(because !== 'not HTTP/2');
  });
}

type EndReason = 'failed' | 'not HTTP/2';

class Http2Load implements HttpLoad {
  readonly multiplexed = true;
  onSettings: () => void = () => undefined;
  onEnded: (because: EndReason) => void = () => undefined;
  readonly #start: LoadStart;
  readonly #session: http2.ClientHttp2Session;
  readonly #onAbort = (): void => this.close();
  #bytes = 0;
  #failure: string | undefined;
  #closed = false;
  #settled = false;
  #restarts = 0;

  constructor(start: LoadStart) {
    this.#start = start;
    const { url, socket, options, place } = start;
    this.#session = http2.connect(url.origin, {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: WINDOW_BYTES },
      maxSessionMemory: 64,
    });
    const session = this.#session;
    session.once('connect', () => session.setLocalWindowSize(WINDOW_BYTES));
    session.once('remoteSettings', () => {
      if (this.#closed) return;
      this.#settled = true;
      this.#transfer();
      this.onSettings();
    });
    session.on('error', (error) => this.#end(explainFailure(error, place, 'the load').reason));
    session.on('close', () => this.#end(`${place} closed the connection during the load`));
    if (options.signal?.aborted) queueMicrotask(this.#onAbort);
    options.signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  bytes(): number {
    return this.#bytes;
  }

  get failure(): string | undefined {
    return this.#failure;
  }

  fail(reason: string): void {
    this.#end(reason, 'failed');
  }

  selfProbeMs(url: string): Promise<number | undefined> {
    const { clock, options } = this.#start;
    return new Promise((resolve) => {
      if (this.#closed || !URL.canParse(url)) return resolve(undefined);
      const to = new URL(url);
      const startMs = clock.nowMs();
      let status = 0;
      const stream = this.#request({ ':method': 'GET', ':path': to.pathname + to.search, ':authority': to.host });
      if (stream === undefined) return resolve(undefined);
      const settle = (ms: number | undefined): void => {
        clearTimeout(timer);
        resolve(ms);
      };
      const timer = setTimeout(() => {
        settle(undefined);
        stream.close(http2.constants.NGHTTP2_CANCEL);
      }, options.timeoutMs);
      stream.on('response', (headers) => (status = Number(headers[':status'])));
      stream.on('error', () => settle(undefined));
      stream.on('end', () => settle(status === 200 ? clock.nowMs() - startMs : undefined));
      stream.on('close', () => settle(undefined));
      stream.resume();
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#start.options.signal?.removeEventListener('abort', this.#onAbort);
    this.#session.destroy();
    this.#start.socket.destroy();
    this.onEnded('failed');
  }

  #end(reason: string, because: EndReason = this.#settled ? 'failed' : 'not HTTP/2'): void {
    if (this.#closed) return;
    this.#failure = reason;
    this.onEnded(because);
    this.close();
  }

  #request(headers: http2.OutgoingHttpHeaders, endStream = true): http2.ClientHttp2Stream | undefined {
    try {
      return this.#session.request({ 'user-agent': 'tautline', 'accept-encoding': 'identity', ...headers }, { endStream });
    } catch {
      // The session is on its way out; its own events say why.
      return undefined;
    }
  }

  #transfer(): void {
    const { url, place, options } = this.#start;
    const up = options.direction === 'up';
    const before = this.#bytes;
    const stream = this.#request(
      {
        ...lowerCased(options.headers),
        ':method': up ? 'POST' : 'GET',
        ':path': url.pathname + url.search,
        ':authority': url.host,
        ...(up ? { 'content-type': 'application/octet-stream' } : {}),
      },
      !up,
    );
    if (stream === undefined) return;
    stream.on('response', (headers) => {
      const status = Number(headers[':status']);
      if (status < 200 || status >= 300) this.fail(statusReason(place, url, status, headers.location));
    });
    stream.on('error', (error) => this.#end(explainFailure(error, place, 'the load').reason));
    stream.on('data', (chunk: Buffer) => {
      if (!up) this.#bytes += chunk.length;
    });
    stream.on('close', () => {
      if (this.#closed) return;
      // A server may limit one transfer's length; another one goes on where it stopped.
      if (this.#bytes === before || this.#restarts++ >= RESTARTS_MAX) return this.fail(`${place} ended the transfer of ${url.pathname}`);
      this.#transfer();
    });
    // The server has answered before the upload's end: this transfer is over.
    if (up) stream.on('end', () => stream.close());
    if (up) pourZeros(stream, { clock: this.#start.clock, onWritten: (bytes) => (this.#bytes += bytes), unsent: unsentOf(this.#start.socket) });
  }
}

/** Why a load's status keeps it from being one. */
export function statusReason(place: string, url: URL, status: number, location: unknown): string {
  if (status >= 300 && status < 400) return `${place} redirects ${url.pathname} to ${String(location)}: measure that instead`;
  if (status === 401 || status === 403) return `${place} refuses ${url.pathname} (status ${status}): give the key with --key-file`;
  if (status === 429 || status === 503) return `${place} is at its limit (status ${status}): try again later, or raise the limit there`;
  return `${place} answers ${url.pathname} with status ${status}`;
}

function lowerCased(headers: LoadOptions['headers']): Record<string, string> {
  return Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]));
}
