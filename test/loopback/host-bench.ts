import { createSocket } from 'node:dgram';
import type { Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Endpoint } from '../../src/base/index.js';
import { createHostPorts } from '../../src/host/index.js';
import { encodeAddress } from '../../src/wire/index.js';
import type { DatagramResponder } from '../../src/wire/index.js';
import { PAGE_BYTES, PREFS, countingResponder, echoResponder, floodingResponder, sourceBytes } from '../conformance/bench.js';
import type { Bench } from '../conformance/bench.js';

/** This machine's real sockets, with plain Node servers on loopback at the other end. */
export async function hostBench(): Promise<Bench> {
  const ports = createHostPorts({ logLevel: 'none' });
  const folder = await mkdtemp(join(tmpdir(), 'tautline-ports-'));
  const opened: { close(): Promise<void> }[] = [];
  const keep = async <T extends Listening>(making: Promise<T>): Promise<Endpoint> => {
    const made = await making;
    opened.push(made);
    return { host: '127.0.0.1', port: made.port, family: 4 };
  };
  const counting = countingResponder();
  const counted: number[] = [];
  const web = await keep(listenHttp());
  return {
    ports,
    run: (work) => work(),
    folder,
    udp: {
      echo: await keep(listenUdp(echoResponder())),
      closed: await closedUdp(),
      counting: await keep(listenUdp(counting)),
      counted: counting.seen,
      flooding: await keep(listenUdp(floodingResponder())),
    },
    tcp: {
      echo: await keep(listenTcp((socket) => socket.pipe(socket))),
      closed: await closedTcp(),
      counting: await keep(listenTcp((socket) => count(socket, counted))),
      counted: () => counted,
      source: await keep(listenTcp((socket) => socket.end(sourceBytes()))),
      mute: await keep(listenTcp((socket) => socket.resume())),
      breaking: await keep(listenTcp((socket) => socket.once('data', () => breakOff(socket)))),
    },
    web: { url: `http://127.0.0.1:${web.port}`, closedUrl: `http://127.0.0.1:${(await closedTcp()).port}/` },
    sockets: {
      page: await listenOnSocket(join(folder, 'page.sock'), { server: pageServer(), opened }),
      prefs: await listenOnSocket(join(folder, 'prefs.sock'), { server: prefsServer(), opened }),
      mute: await listenOnSocket(join(folder, 'mute.sock'), { server: net.createServer((socket) => void socket.resume()), opened }),
      ended: await leaveSocket(folder),
      missing: join(folder, 'missing.sock'),
    },
    pingable: { host: '127.0.0.1', port: 0, family: 4 },
    async close() {
      for (const one of opened) await one.close();
      await ports.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

interface Listening {
  readonly port: number;
  close(): Promise<void>;
}

async function listenUdp(responder: DatagramResponder): Promise<Listening> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  socket.on('message', (bytes, { address, port }) => {
    const nowNs = process.hrtime.bigint();
    const answer = responder.receive(bytes, encodeAddress({ host: address, port, family: 4 }), nowNs, nowNs);
    if (answer) socket.send(answer, port, address);
    for (const flood of responder.due(nowNs).floods) sendFlood(socket, flood, { port, address });
  });
  return {
    port: socket.address().port,
    close: async () => {
      socket.close();
      await once(socket, 'close');
    },
  };
}

function sendFlood(socket: UdpSocket, flood: ReturnType<DatagramResponder['due']>['floods'][number], to: { port: number; address: string }): void {
  for (let i = 0; i < flood.count; i++) {
    const bytes = Buffer.from(flood.template);
    bytes.writeUInt32BE(flood.sequenceStart + i, flood.sequenceOffset);
    bytes.writeBigUInt64BE(process.hrtime.bigint(), flood.stampOffset);
    socket.send(bytes, to.port, to.address);
  }
}

async function listenTcp(onSocket: (socket: net.Socket) => void): Promise<Listening> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    onSocket(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: () => closeServer(server, () => sockets.forEach((socket) => socket.destroy())),
  };
}

/** `resetAndDestroy` ends the stream first, so the peer would see an orderly end before the reset. */
function breakOff(socket: net.Socket): void {
  Object.assign(socket, { resetAndClosing: true });
  socket.destroy();
}

function count(socket: net.Socket, counted: number[]): void {
  let bytes = 0;
  socket.on('data', (part) => (bytes += part.length));
  socket.on('end', () => {
    counted.push(bytes);
    socket.end();
  });
}

function pageServer(): http.Server {
  return http.createServer((request, response) => {
    if (request.url === '/') response.end(new Uint8Array(PAGE_BYTES));
    else if (request.url === '/upload') request.resume().on('end', () => response.end());
    else if (request.url === '/large') {
      const part = new Uint8Array(65_536);
      const more = (): void => {
        while (response.write(part));
      };
      response.on('drain', more);
      more();
    } else response.writeHead(404).end();
  });
}

async function listenOnSocket(path: string, { server, opened }: { server: net.Server; opened: { close(): Promise<void> }[] }): Promise<string> {
  const sockets = new Set<net.Socket>();
  server.on('connection', (socket) => sockets.add(socket.on('error', () => undefined)));
  server.listen(path);
  await once(server, 'listening');
  opened.push({ close: () => closeServer(server, () => sockets.forEach((socket) => socket.destroy())) });
  return path;
}

/** A server removes its socket when it ends; one that was moved meanwhile stays, as after a crash. */
async function leaveSocket(folder: string): Promise<string> {
  const server = net.createServer();
  server.listen(join(folder, 'ending.sock'));
  await once(server, 'listening');
  await rename(join(folder, 'ending.sock'), join(folder, 'ended.sock'));
  await closeServer(server, () => undefined);
  return join(folder, 'ended.sock');
}

async function listenHttp(): Promise<Listening> {
  const server = pageServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, close: () => closeServer(server, () => server.closeAllConnections()) };
}

function closeServer(server: net.Server, cut: () => void): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    cut();
  });
}

async function closedUdp(): Promise<Endpoint> {
  const { port, close } = await listenUdp(echoResponder());
  await close();
  return { host: '127.0.0.1', port, family: 4 };
}

async function closedTcp(): Promise<Endpoint> {
  const { port, close } = await listenTcp(() => undefined);
  await close();
  return { host: '127.0.0.1', port, family: 4 };
}

/** Keeps an object and changes what a PATCH marks as set, as the Tailscale client does with its preferences. */
function prefsServer(): http.Server {
  const now: Record<string, unknown> = { ...PREFS };
  return http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (request.method === 'PATCH') {
        const masked = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Record<string, unknown>;
        for (const name of Object.keys(masked)) if (masked[`${name}Set`] === true) now[name] = masked[name];
      }
      response.end(JSON.stringify(now));
    });
  });
}
