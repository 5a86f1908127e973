import http from 'node:http';
import http2 from 'node:http2';
import type { Socket } from 'node:net';
import type { Clock } from '../../base/index.js';
import { TICKET_HEADER } from '../../wire/index.js';
import type { HttpAsk, HttpResponder } from '../../wire/index.js';
import { WINDOW_BYTES } from './load-http2.js';
import { RequestDesk, Seat } from './request-desk.js';

export interface HttpAttachOptions {
  readonly clock: Clock;
  readonly responder: HttpResponder;
}

/** The HTTP side of a listener that tells protocols apart by a connection's first bytes. */
export interface HttpAttachment {
  /**
   * Takes over a connection, with the bytes that were read from it to tell its protocol. From then on
   * the connection is closed here.
   */
  accept(socket: Socket, head: Uint8Array, protocol: 'http1' | 'http2'): void;
  counters(): Readonly<Record<string, number>>;
  /** Ends every connection. */
  close(): void;
}

/**
 * Whether a connection's first bytes are HTTP, and which version. `more`: too few bytes to tell yet;
 * undefined: something else.
 */
export function sniffHttp(head: Uint8Array): 'http1' | 'http2' | 'more' | undefined {
  const text = Buffer.from(head.buffer, head.byteOffset, Math.min(head.length, SNIFF_BYTES)).toString('latin1');
  if (text.startsWith(H2_START)) return 'http2';
  if (METHODS.some((method) => text.startsWith(method))) return 'http1';
  return [H2_START, ...METHODS].some((start) => start.startsWith(text)) ? 'more' : undefined;
}

/** The start of HTTP/2's connection preface (RFC 9113, section 3.4): no request of HTTP/1.1 begins so. */
const H2_START = 'PRI * HTTP/2.0\r\n';
const METHODS = ['GET ', 'HEAD ', 'POST ', 'PUT ', 'OPTIONS ', 'DELETE ', 'PATCH ', 'TRACE ', 'CONNECT '];
const SNIFF_BYTES = H2_START.length;

/** Serves HTTP/1.1 and HTTP/2 (prior knowledge) over connections that somebody else accepted. */
export function attachHttp({ clock, responder }: HttpAttachOptions): HttpAttachment {
  const { limits } = responder;
  const desk = new RequestDesk(clock, responder);
  const counters = { httpConnections: 0, httpGarbled: 0 };
  const seats = new Map<Socket, Seat>();
  const garbled = (): void => {
    counters.httpGarbled++;
  };
  const h1 = http1Server(responder, {
    garbled,
    request(request, response) {
      const seat = seats.get(request.socket);
      if (seat === undefined) return void request.socket.destroy();
      const { socket } = request;
      const ask = askOf(seat.client, request.headers, { method: request.method, target: request.url, authority: request.headers.host });
      const transport = {
        socket,
        incoming: request,
        outgoing: response,
        head: (status: number, headers: Readonly<Record<string, string>>) =>
          void response.writeHead(status, status >= 400 ? { ...headers, connection: 'close' } : headers),
        dismiss: () => socket.destroySoon(),
        cut: () => void socket.destroy(),
      };
      desk.serve(ask, transport, seat);
    },
  });
  const h2 = http2Server(responder, garbled);
  const socketOf = new WeakMap<object, Socket>();
  h2.on('stream', (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders, _flags: number, raw: readonly string[]) => {
    // Closing one with an error emits that error here too.
    stream.on('error', () => undefined);
    const socket = stream.session && socketOf.get(stream.session);
    const seat = socket && seats.get(socket);
    if (socket === undefined || seat === undefined) return stream.close(http2.constants.NGHTTP2_CANCEL);
    // The setting that announces this limit is only advice to a client.
    if (headBytes(raw) > limits.httpHeadBytesMax) {
      garbled();
      return stream.close(http2.constants.NGHTTP2_ENHANCE_YOUR_CALM);
    }
    const ask = askOf(seat.client, headers, {
      method: headers[':method'],
      target: headers[':path'],
      authority: headers[':authority'] ?? headers.host,
    });
    const transport = {
      socket,
      incoming: stream,
      outgoing: stream,
      head: (status: number, fields: Readonly<Record<string, string>>): void => {
        if (!stream.destroyed && !stream.closed && !stream.headersSent) stream.respond({ ':status': status, ...fields });
      },
      dismiss: () => stream.close(http2.constants.NGHTTP2_NO_ERROR),
      cut: () => stream.close(http2.constants.NGHTTP2_CANCEL),
    };
    desk.serve(ask, transport, seat);
  });

  let closed = false;
  return {
    accept(socket, head, protocol) {
      socket.on('error', () => undefined);
      if (closed) return void socket.destroy();
      counters.httpConnections++;
      const seat = new Seat(limits, responder.clientOf(socket.remoteAddress ?? '0.0.0.0'), socket);
      seats.set(socket, seat);
      socket.once('close', () => {
        seat.close();
        seats.delete(socket);
      });
      socket.pause();
      socket.unshift(head);
      if (protocol === 'http2') {
        // The session reads from the handle by itself, and must find the socket paused.
        h2.once('session', (session) => {
          socketOf.set(session, socket);
          // A session that ends does not always take its socket with it; the seat's timer is for those that do not even end.
          session.once('close', () => socket.destroy());
          session.once('error', () => socket.destroy());
        });
        h2.emit('connection', socket);
      } else {
        h1.emit('connection', socket);
        socket.resume();
      }
    },
    counters: () => ({ ...counters, ...desk.counters, httpRunning: desk.running, httpOpen: seats.size }),
    close() {
      if (closed) return;
      closed = true;
      for (const socket of seats.keys()) socket.destroy();
      // Neither listens, so there is nothing to wait for; this stops their timers.
      h1.close(() => undefined);
      h2.close(() => undefined);
    },
  };
}

interface Http1Handlers {
  readonly garbled: () => void;
  readonly request: (request: http.IncomingMessage, response: http.ServerResponse) => void;
}

function http1Server({ limits }: HttpResponder, handlers: Http1Handlers): http.Server {
  const server = http.createServer({
    maxHeaderSize: limits.httpHeadBytesMax,
    keepAliveTimeout: limits.httpIdleMs,
    // Node keeps these only on servers that listen themselves; a seat keeps a connection's time instead.
    headersTimeout: 0,
    requestTimeout: 0,
    noDelay: true,
  });
  server.on('clientError', (_error, socket) => {
    handlers.garbled();
    if (!socket.writable) return void socket.destroy();
    socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n', () => socket.destroy());
  });
  server.on('checkContinue', (request: http.IncomingMessage, response: http.ServerResponse) => {
    response.writeContinue();
    handlers.request(request, response);
  });
  server.on('request', handlers.request);
  // Without listeners these would leave a socket to nobody.
  server.on('connect', (_request, socket) => socket.destroy());
  server.on('upgrade', (_request, socket) => socket.destroy());
  return server;
}

function http2Server({ limits }: HttpResponder, garbled: () => void): http2.Http2Server {
  const server = http2.createServer({
    settings: {
      initialWindowSize: WINDOW_BYTES,
      maxConcurrentStreams: limits.httpStreamsMax,
      maxHeaderListSize: limits.httpHeadBytesMax,
      enablePush: false,
    },
    maxSessionMemory: 64,
  });
  server.on('session', (session) => {
    session.setLocalWindowSize(WINDOW_BYTES);
    session.on('error', garbled);
  });
  server.on('sessionError', () => undefined);
  return server;
}

/** As HTTP/2 reckons the size of a header list (RFC 9113, section 6.5.2). */
function headBytes(raw: readonly string[]): number {
  return raw.reduce((sum, text) => sum + text.length + 16, 0);
}

function askOf(
  client: string,
  headers: http.IncomingHttpHeaders | http2.IncomingHttpHeaders,
  line: { method: string | undefined; target: string | undefined; authority: string | undefined },
): HttpAsk {
  const length = Number(headers['content-length'] ?? Number.NaN);
  const ticket = headers[TICKET_HEADER];
  return {
    client,
    method: line.method ?? '',
    target: line.target ?? '',
    authority: line.authority,
    ...(headers['x-forwarded-proto'] === 'https' ? { secure: true } : {}),
    ticket: Array.isArray(ticket) ? ticket[0] : ticket,
    ...(Number.isFinite(length) ? { contentLength: length } : {}),
  };
}
