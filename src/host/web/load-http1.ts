import http from 'node:http';
import type { HttpLoad } from '../../base/index.js';
import { explainFailure, HEAD_BYTES_MAX } from './failure.js';
import { statusReason } from './load-http2.js';
import type { LoadStart } from './load-http2.js';
import { unsentOf } from './unsent.js';
import { pourZeros } from './zeros.js';

/** Bulk transfer over HTTP/1.1, where nothing can go beside it on the same connection. */
export function startHttp1Load(start: LoadStart): HttpLoad {
  const { clock, url, place, options, socket } = start;
  const up = options.direction === 'up';
  let bytes = 0;
  let failure: string | undefined;
  let closed = false;
  const close = (): void => {
    if (closed) return;
    closed = true;
    options.signal?.removeEventListener('abort', close);
    request.destroy();
    socket.destroy();
  };
  const fail = (reason: string): void => {
    if (closed) return;
    failure = reason;
    close();
  };
  const request = http.request({
    createConnection: () => socket,
    method: up ? 'POST' : 'GET',
    path: url.pathname + url.search,
    maxHeaderSize: HEAD_BYTES_MAX,
    headers: {
      host: url.host,
      'user-agent': 'tautline',
      'accept-encoding': 'identity',
      connection: 'close',
      ...(up ? { 'content-type': 'application/octet-stream' } : {}),
      ...options.headers,
    },
  });
  request.on('error', (error) => fail(explainFailure(error, place, 'the load').reason));
  request.on('response', (response) => {
    const status = response.statusCode ?? 0;
    response.on('error', (error) => fail(explainFailure(error, place, 'the load').reason));
    response.on('close', () => fail(`${place} ended the transfer of ${url.pathname}`));
    if (status < 200 || status >= 300) return fail(statusReason(place, url, status, response.headers.location));
    response.on('data', (chunk: Buffer) => {
      if (!up) bytes += chunk.length;
    });
  });
  if (options.signal?.aborted) close();
  options.signal?.addEventListener('abort', close, { once: true });
  if (up) pourZeros(request, { clock, onWritten: (written) => (bytes += written), unsent: unsentOf(socket) });
  else request.end();
  return {
    bytes: () => bytes,
    selfProbeMs: () => Promise.resolve(undefined),
    multiplexed: false,
    get failure() {
      return failure;
    },
    close,
  };
}
