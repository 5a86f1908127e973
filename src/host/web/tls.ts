import net from 'node:net';
import { performance } from 'node:perf_hooks';
import tls from 'node:tls';
import { formatEndpoint } from '../../base/index.js';
import type { Clock, TlsOutcome, Web } from '../../base/index.js';
import { explainFailure } from './failure.js';

/**
 * One TLS handshake on a connection of its own, always a full one, its time apart from the time to
 * connect. An untrusted certificate is measured like any other, and said.
 */
export function measureTls(clock: Clock, options: Parameters<Web['tls']>[0]): Promise<TlsOutcome> {
  return new Promise((resolve) => {
    const { remote, serverName, timeoutMs, signal } = options;
    const place = formatEndpoint(remote);
    const startMs = clock.nowMs();
    const startLoad = performance.eventLoopUtilization();
    let connectMs: number | undefined;
    let socket: tls.TLSSocket | undefined;
    const raw = net.connect({ host: remote.host, port: remote.port, family: remote.family });
    let settled = false;

    const settle = (outcome: TlsOutcome): void => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      // After a handshake the server is owed its end of it, and a goodbye.
      if (outcome.outcome === 'ok') socket?.destroySoon();
      else {
        socket?.destroy();
        raw.destroy();
      }
      resolve(outcome);
    };
    const onAbort = (): void => settle({ outcome: 'failed', reason: `the handshake with ${place} was interrupted` });
    const timer = setTimeout(() => {
      const reason =
        connectMs === undefined
          ? `${place} did not answer within ${timeoutMs} ms: it is down, or a firewall drops the packets`
          : `${place} accepted the connection, but the TLS handshake did not finish within ${timeoutMs} ms: check that it speaks TLS`;
      settle({ outcome: 'timeout', reason });
    }, timeoutMs);
    // The handlers stay on after settling: a destroyed socket may still report an error.
    raw.on('error', (error) => settle(explainFailure(error, place, 'the TLS handshake')));
    if (signal?.aborted) return onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });

    raw.once('connect', () => {
      connectMs = clock.nowMs() - startMs;
      const named = net.isIP(serverName) === 0 && serverName !== '';
      try {
        socket = tls.connect({
          socket: raw,
          host: named ? serverName : remote.host,
          ...(named ? { servername: serverName } : {}),
          ALPNProtocols: ['h2', 'http/1.1'],
          rejectUnauthorized: false,
        });
      } catch (error) {
        return settle({ outcome: 'failed', reason: `the TLS handshake with ${place} could not start: ${(error as Error).message}` });
      }
      const secured = socket;
      secured.on('error', (error) => settle(explainFailure(error, place, 'the TLS handshake')));
      secured.once('close', () => settle({ outcome: 'failed', reason: `${place} closed the connection during the TLS handshake` }));
      secured.once('secureConnect', () => {
        const totalMs = clock.nowMs() - startMs;
        const ownMs = performance.eventLoopUtilization(startLoad).active;
        settle({ outcome: 'ok', connectMs: connectMs ?? 0, handshakeMs: totalMs - (connectMs ?? 0), ...facts(secured), ownMs });
      });
    });
  });
}

type Facts = Omit<Extract<TlsOutcome, { outcome: 'ok' }>, 'outcome' | 'connectMs' | 'handshakeMs' | 'ownMs'>;

function facts(socket: tls.TLSSocket): Facts {
  const certificate = socket.getPeerCertificate();
  // Typed as Error, but Node puts the code's text there for a chain that does not verify.
  const error: unknown = socket.authorizationError;
  return {
    protocol: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher()?.standardName ?? socket.getCipher()?.name ?? 'unknown',
    ...(typeof socket.alpnProtocol === 'string' ? { alpn: socket.alpnProtocol } : {}),
    resumed: socket.isSessionReused(),
    authorized: socket.authorized,
    ...(socket.authorized ? {} : { authorizationError: trustWords(error) }),
    ...(certificate?.valid_to === undefined
      ? {}
      : {
          certificate: {
            subject: nameOf(certificate.subject),
            issuer: nameOf(certificate.issuer),
            validFrom: certificate.valid_from,
            validTo: certificate.valid_to,
            names: certificate.subjectaltname ?? '',
          },
        }),
  };
}

function nameOf(name: tls.Certificate | undefined): string {
  const part = name?.CN ?? name?.O ?? name?.OU ?? 'unnamed';
  return Array.isArray(part) ? part.join(', ') : String(part);
}

function trustWords(error: unknown): string {
  if (typeof error === 'string') return error;
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  return typeof message === 'string' ? message : typeof code === 'string' ? code : 'unknown reason';
}
