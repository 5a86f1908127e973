import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { TautlineError, formatEndpoint } from '../../base/index.js';
import type { Connection, Endpoint } from '../../base/index.js';
import { sniffHttp } from '../web/index.js';
import { SocketConnection } from './connection.js';

/** The named limits of `serve` that a listener keeps. */
export interface ListenLimits {
  readonly connectionsMax: number;
  readonly connectionsPerClientMax: number;
  readonly unprovenConnectionsMax: number;
  readonly unprovenConnectionsPerClientMax: number;
  readonly firstBytesMs: number;
}

export interface ListenOptions {
  readonly bind: string;
  readonly port: number;
  readonly limits: ListenLimits;
  /** Tells clients apart: the address, or what stands for a household of them. */
  readonly clientOf: (remote: Endpoint) => string;
  /** A connection that begins with our preface, which is still to be read. `onProven` once the peer has shown that it may be here. */
  readonly onConnection: (connection: Connection, onProven: () => void) => void;
  /** A connection that begins with HTTP. Without it such connections are garbage. */
  readonly onHttp?: (socket: Socket, head: Uint8Array, protocol: 'http1' | 'http2') => void;
}

export interface Listener {
  readonly local: Endpoint;
  counters(): Readonly<Record<string, number>>;
  /** Stops accepting and cuts every connection; may be called twice. */
  close(): Promise<void>;
}

/** The start of every connection of ours. */
const PREFACE_START = Uint8Array.of(0x54, 0x41, 0x55, 0x54); // "TAUT"
/** More than any protocol's telling start; what is longer and still not told is garbage. */
const HEAD_BYTES_MAX = 64;
const BACKLOG = 511;
/** A peer whose host has vanished is noticed after some minutes. */
const KEEPALIVE_MS = 30_000;

/**
 * Listens on one TCP port for our protocol and HTTP, told apart by a connection's first bytes.
 * @throws TautlineError `permission`, `usage` (address in use or not this host's), `io`
 */
export async function listen(options: ListenOptions): Promise<Listener> {
  const reception = new Reception(options);
  const server = createServer({ pauseOnConnect: true, keepAlive: true, keepAliveInitialDelay: KEEPALIVE_MS }, (socket) => reception.accept(socket));
  server.on('drop', () => reception.drop());
  await listening(server, options);
  // A failing accept (out of descriptors) must not end the process; what is open goes on.
  server.on('error', () => reception.drop());
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : options.port;
  let closed: Promise<void> | undefined;
  return {
    local: { host: options.bind, port, family: options.bind.includes(':') ? 6 : 4 },
    counters: () => reception.counters(),
    close() {
      closed ??= new Promise((resolve) => {
        server.close(() => resolve());
        reception.close();
      });
      return closed;
    },
  };
}

function listening(server: Server, { bind, port }: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => reject(explainListen(error, bind, port));
    server.once('error', onError);
    server.listen({ host: bind, port, backlog: BACKLOG }, () => {
      server.removeListener('error', onError);
      resolve();
    });
  });
}

/** Why a port cannot be listened on, in words for a person with what to do about it. */
export function explainListen(error: { readonly code?: string | undefined; readonly message: string }, bind: string, port: number): TautlineError {
  const place = formatEndpoint({ host: bind, port });
  switch (error.code) {
    case 'EADDRINUSE':
      return new TautlineError('io', `${place} is in use by another program`, {
        hint: 'choose another --port, or end the program that has it (ss -ltunp shows it)',
        cause: error,
      });
    case 'EACCES':
    case 'EPERM':
      return new TautlineError('permission', `this user may not listen on ${place}`, {
        hint: port < 1024 ? 'ports below 1024 need root: choose a higher --port' : 'a security policy forbids it: choose another --port',
        cause: error,
      });
    case 'EADDRNOTAVAIL':
      return new TautlineError('usage', `${bind} is not an address of this host`, {
        hint: 'pass one of its addresses to --bind, or 0.0.0.0 or :: for all',
        cause: error,
      });
    case 'EAFNOSUPPORT':
      return new TautlineError('unsupported', `this host has no ${bind.includes(':') ? 'IPv6' : 'IPv4'}, so ${place} cannot be listened on`, {
        hint: 'pass an address of the other family to --bind',
        cause: error,
      });
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new TautlineError('usage', `--bind takes an address, and '${bind}' is none`, {
        hint: 'pass for example 127.0.0.1, 0.0.0.0 or ::',
        cause: error,
      });
    default:
      return new TautlineError('io', `cannot listen on ${place}: ${error.code ?? error.message}`, { cause: error });
  }
}

/** Receives connections up to the point where it is known what they want, within the limits. */
class Reception {
  readonly #options: ListenOptions;
  readonly #sockets = new Set<Socket>();
  readonly #all = new Tally();
  readonly #unproven = new Tally();
  /** What may have to make room, oldest first: all but proved peers of ours. */
  readonly #yielding = new Map<Socket, Yielding>();
  readonly #counters = { connections: 0, garbage: 0, silent: 0, refusedConnections: 0, yielded: 0, dropped: 0 };

  constructor(options: ListenOptions) {
    this.#options = options;
  }

  accept(socket: Socket): void {
    const { limits, clientOf } = this.#options;
    socket.on('error', () => {});
    if (socket.remoteAddress === undefined) return void socket.destroy();
    const host = socket.remoteAddress.replace(/^::ffff:(?=\d+\.)/, '');
    const client = clientOf({ host, port: socket.remotePort ?? 0, family: host.includes(':') ? 6 : 4 });
    const own = this.#all.of(client) >= limits.connectionsPerClientMax || this.#unproven.of(client) >= limits.unprovenConnectionsPerClientMax;
    const crowded = this.#unproven.total >= limits.unprovenConnectionsMax;
    const full = crowded || this.#all.total >= limits.connectionsMax;
    if (own || (full && !this.#makeRoom(client, crowded))) {
      this.#counters.refusedConnections++;
      return void socket.destroy();
    }
    this.#counters.connections++;
    this.#sockets.add(socket);
    this.#all.add(client);
    this.#unproven.add(client);
    const place: Yielding = {
      client,
      unproven: true,
      known: () => {
        if (place.unproven) this.#unproven.remove(client);
        place.unproven = false;
      },
      gone: () => {
        if (!this.#sockets.delete(socket)) return;
        place.known();
        this.#yielding.delete(socket);
        this.#all.remove(client);
      },
    };
    this.#yielding.set(socket, place);
    socket.once('close', place.gone);
    const onProven = (): void => {
      place.known();
      this.#yielding.delete(socket);
    };
    this.#sniff(socket, { onKnown: place.known, onProven });
  }

  /**
   * Few addresses could fill every place with connections that say nothing, and keep all others out.
   * A newcomer therefore takes the place of the oldest such connection of whoever has most of them.
   */
  #makeRoom(newcomer: string, unproven: boolean): boolean {
    const having = new Tally();
    let most = '';
    for (const place of this.#yielding.values()) {
      if (unproven && !place.unproven) continue;
      having.add(place.client);
      if (having.of(place.client) > having.of(most)) most = place.client;
    }
    if (having.of(most) <= having.of(newcomer) + 1) return false;
    for (const [socket, place] of this.#yielding) {
      if (place.client !== most || (unproven && !place.unproven)) continue;
      this.#counters.yielded++;
      // Its place is free at once; that it has closed is told later.
      place.gone();
      socket.destroy();
      return true;
    }
    return false;
  }

  drop(): void {
    this.#counters.dropped++;
  }

  counters(): Readonly<Record<string, number>> {
    return { ...this.#counters, open: this.#all.total, unproven: this.#unproven.total };
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Reads until the protocol shows, bounded in bytes and time. A peer that says nothing costs one timer. */
  #sniff(socket: Socket, { onKnown, onProven }: { onKnown: () => void; onProven: () => void }): void {
    let head = new Uint8Array(0);
    const timer = setTimeout(() => {
      this.#counters.silent++;
      socket.destroy();
    }, this.#options.limits.firstBytesMs);
    const done = (): void => {
      clearTimeout(timer);
      socket.removeListener('data', onData);
      socket.removeListener('end', onGone);
      socket.removeListener('close', onGone);
    };
    const onGone = (): void => {
      done();
      socket.destroy();
    };
    const onData = (bytes: Uint8Array): void => {
      head = head.length === 0 ? new Uint8Array(bytes) : new Uint8Array([...head, ...bytes]);
      const protocol = tell(head);
      if (protocol === 'more' && head.length < HEAD_BYTES_MAX) return;
      socket.pause();
      done();
      if (protocol === 'tautline') this.#options.onConnection(new SocketConnection(socket, head), onProven);
      else if ((protocol === 'http1' || protocol === 'http2') && this.#options.onHttp) {
        onKnown();
        this.#options.onHttp(socket, head, protocol);
      } else {
        this.#counters.garbage++;
        socket.destroy();
      }
    };
    socket.on('data', onData);
    socket.once('end', onGone);
    socket.once('close', onGone);
    socket.resume();
  }
}

function tell(head: Uint8Array): 'tautline' | 'http1' | 'http2' | 'more' | undefined {
  const same = PREFACE_START.every((byte, i) => i >= head.length || head[i] === byte);
  if (same && head.length >= PREFACE_START.length) return 'tautline';
  // "T" alone may still become TRACE.
  return sniffHttp(head) ?? (same ? 'more' : undefined);
}

/** A connection that may have to make room. */
interface Yielding {
  readonly client: string;
  unproven: boolean;
  readonly known: () => void;
  readonly gone: () => void;
}

/** How many there are, in all and of each client. */
class Tally {
  readonly #of = new Map<string, number>();
  #total = 0;

  get total(): number {
    return this.#total;
  }

  of(client: string): number {
    return this.#of.get(client) ?? 0;
  }

  add(client: string): void {
    this.#total++;
    this.#of.set(client, this.of(client) + 1);
  }

  remove(client: string): void {
    this.#total--;
    const left = this.of(client) - 1;
    if (left > 0) this.#of.set(client, left);
    else this.#of.delete(client);
  }
}
