import net from 'node:net';
import tls from 'node:tls';
import { formatEndpoint } from '../../base/index.js';
import type { Web } from '../../base/index.js';
import { hostOf, portOf } from './client.js';
import { explainFailure } from './failure.js';

export type LoadOptions = Parameters<Web['load']>[0];

export type LoadSocket =
  | { readonly ok: true; readonly socket: net.Socket; readonly alpn: string | undefined }
  | { readonly ok: false; readonly reason: string };

/** Connects, over TLS for https. The socket that it hands over has an error handler, so that nothing it does later can throw. */
export function openLoadSocket(url: URL, options: LoadOptions): Promise<LoadSocket> {
  return new Promise((resolve) => {
    const { remote, insecure, timeoutMs, signal } = options;
    const host = hostOf(url);
    const to = remote ?? { host, port: portOf(url) };
    const place = formatEndpoint(to);
    const secure = url.protocol === 'https:';
    const named = net.isIP(host) === 0;
    const socket = secure
      ? tls.connect({
          host: to.host,
          port: to.port,
          ...(named ? { servername: host } : {}),
          ALPNProtocols: ['h2', 'http/1.1'],
          rejectUnauthorized: insecure !== true,
        })
      : net.connect({ host: to.host, port: to.port });
    let settled = false;
    const settle = (result: LoadSocket): void => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      if (!result.ok) socket.destroy();
      resolve(result);
    };
    const onAbort = (): void => settle({ ok: false, reason: `the connection to ${place} was interrupted` });
    const timer = setTimeout(
      () => settle({ ok: false, reason: `${place} did not answer within ${timeoutMs} ms: it is down, or a firewall drops the packets` }),
      timeoutMs,
    );
    socket.on('error', (error) => settle({ ok: false, reason: explainFailure(error, place, 'the connection').reason }));
    if (signal?.aborted) return onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    socket.once('close', () => settle({ ok: false, reason: `${place} closed the connection` }));
    socket.once(secure ? 'secureConnect' : 'connect', () => {
      socket.setNoDelay(true);
      const alpn = socket instanceof tls.TLSSocket && typeof socket.alpnProtocol === 'string' ? socket.alpnProtocol : undefined;
      settle({ ok: true, socket, alpn });
    });
  });
}
