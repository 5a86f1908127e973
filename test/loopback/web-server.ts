import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../../src/base/index.js';
import { attachHttp, sniffHttp } from '../../src/host/web/index.js';
import type { HttpAttachment } from '../../src/host/web/index.js';
import { createHttpResponder, limitsOf } from '../../src/serve/index.js';
import type { HttpContext } from '../../src/serve/index.js';

export const clock: Clock = {
  nowNs: () => process.hrtime.bigint(),
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal?.addEventListener('abort', done, { once: true });
    }),
};

export interface Listening {
  readonly port: number;
  readonly sockets: ReadonlySet<net.Socket>;
  close(): Promise<void>;
}

/** A TCP server on loopback that is closed with everything it accepted. */
export async function listen(onSocket: (socket: net.Socket) => void, host = '127.0.0.1'): Promise<Listening> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    sockets,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** A port of loopback on which nothing listens. */
export async function freePort(): Promise<number> {
  const taken = await listen(() => undefined);
  await taken.close();
  return taken.port;
}

/** The HTTP side of `tautline serve`, behind a listener that only tells the versions of HTTP apart. */
export async function startServeHttp(
  options: { limits?: Record<string, number>; checkTicket?: HttpContext['checkTicket'] } = {},
): Promise<Listening & { attachment: HttpAttachment; base: string }> {
  const responder = createHttpResponder({
    limits: limitsOf(options.limits ?? {}),
    software: 'tautline test',
    ...(options.checkTicket ? { checkTicket: options.checkTicket } : {}),
  });
  const attachment = attachHttp({ clock, responder });
  const listening = await listen((socket) => {
    socket.once('data', (head: Buffer) => {
      const protocol = sniffHttp(head);
      if (protocol === 'http1' || protocol === 'http2') attachment.accept(socket, head, protocol);
      else socket.destroy();
    });
  });
  return {
    ...listening,
    attachment,
    base: `http://127.0.0.1:${listening.port}`,
    close: async () => {
      attachment.close();
      await listening.close();
    },
  };
}

export interface KeyPair {
  readonly key: string;
  readonly cert: string;
}

/** A self-signed certificate for `localhost`, made now, so that none can expire in the repository. */
export function selfSigned(): KeyPair {
  const folder = mkdtempSync(join(tmpdir(), 'tautline-test-'));
  try {
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '2',
        '-subj',
        '/CN=localhost',
        '-addext',
        'subjectAltName=DNS:localhost',
        '-keyout',
        key,
        '-out',
        cert,
      ],
      { stdio: 'ignore' },
    );
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
