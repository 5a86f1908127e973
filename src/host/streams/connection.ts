import type { Socket } from 'node:net';
import { TautlineError, formatEndpoint } from '../../base/index.js';
import type { Connection, Endpoint, TcpInfo } from '../../base/index.js';
import { tcpInfoOf } from './socket-calls.js';

/** How long a closing connection may take to hand over what was written, before it is cut. */
const LINGER_MS = 1000;

/**
 * One TCP connection over a `net.Socket`. Reading happens only while somebody waits in `read`: what
 * has not been asked for stays in the kernel, so that a pump can take over the descriptor without
 * having lost a byte to Node's buffers.
 */
export class SocketConnection implements Connection {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly #socket: Socket;
  #held: Uint8Array | undefined;
  #ended: Connection['ended'] = 'open';
  #wake: ((bytes: Uint8Array | undefined) => void) | undefined;
  #pumped = false;
  #shut = false;

  /** @param head bytes that were read from the socket already */
  constructor(socket: Socket, head?: Uint8Array) {
    this.#socket = socket;
    this.#held = head && head.length > 0 ? head : undefined;
    this.local = endpointOf(socket.localAddress, socket.localPort);
    this.remote = endpointOf(socket.remoteAddress, socket.remotePort);
    socket.setNoDelay(true);
    socket.pause();
    socket.on('data', (bytes: Uint8Array) => this.#onData(bytes));
    socket.on('end', () => this.#onEnd('end'));
    socket.on('error', () => this.#onEnd('reset'));
    socket.on('close', () => this.#onEnd('closed'));
    this.#stopReading();
  }

  get ended(): Connection['ended'] {
    return this.#ended;
  }

  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== 'open') return reject(this.#gone());
      this.#socket.write(bytes, (error) => (error ? reject(this.#gone(error)) : resolve()));
    });
  }

  read(options: { timeoutMs?: number; signal?: AbortSignal } = {}): Promise<Uint8Array | undefined> {
    if (this.#held) {
      const bytes = this.#held;
      this.#held = undefined;
      return Promise.resolve(bytes);
    }
    if (this.#ended !== 'open' || options.signal?.aborted) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      let timer: NodeJS.Timeout | undefined;
      const settle = (bytes: Uint8Array | undefined): void => {
        if (timer) clearTimeout(timer);
        options.signal?.removeEventListener('abort', give);
        this.#wake = undefined;
        this.#socket.pause();
        this.#stopReading();
        resolve(bytes);
      };
      const give = (): void => settle(undefined);
      if (options.timeoutMs !== undefined) timer = setTimeout(give, options.timeoutMs);
      options.signal?.addEventListener('abort', give, { once: true });
      this.#wake = settle;
      this.#socket.resume();
      startReading(this.#socket);
    });
  }

  tcpInfo(): TcpInfo | undefined {
    return this.#ended === 'closed' || this.#socket.destroyed ? undefined : tcpInfoOf(this.fd);
  }

  /** Hands over what was written and closes; after a pump it cuts, because nobody waits for the rest. */
  close(): void {
    if (this.#shut) return;
    this.#shut = true;
    this.#onEnd('closed');
    if (this.#pumped || this.#socket.destroyed) {
      this.#socket.destroy();
      return;
    }
    // What still comes in must be read, or the kernel answers with a reset that can overtake our last bytes.
    this.#socket.end();
    this.#socket.resume();
    startReading(this.#socket);
    const timer = setTimeout(() => this.#socket.destroy(), LINGER_MS);
    this.#socket.once('close', () => clearTimeout(timer));
  }

  /** The descriptor, or undefined where this Node does not show it. It stays this connection's property. */
  get fd(): number | undefined {
    const fd = handleOf(this.#socket)?.fd;
    return typeof fd === 'number' && fd >= 0 ? fd : undefined;
  }

  /** Gives the socket to a pump: from now on this object neither reads nor writes it. */
  lend(): { readonly socket: Socket; readonly unread: Uint8Array | undefined } {
    this.#pumped = true;
    this.#socket.pause();
    stopReading(this.#socket);
    const buffered = this.#socket.readableLength > 0 ? (this.#socket.read() as Uint8Array | null) : null;
    const parts = [this.#held, buffered ?? undefined].filter((part) => part !== undefined);
    this.#held = undefined;
    return { socket: this.#socket, unread: parts.length === 0 ? undefined : Buffer.concat(parts) };
  }

  #onData(bytes: Uint8Array): void {
    if (this.#shut || this.#pumped) return;
    if (this.#wake) this.#wake(bytes);
    else this.#held = this.#held ? Buffer.concat([this.#held, bytes]) : bytes;
  }

  #onEnd(how: 'end' | 'reset' | 'closed'): void {
    if (this.#ended === 'open') this.#ended = how;
    this.#wake?.(undefined);
  }

  /**
   * `pause()` alone lets libuv read on until Node's buffer is full. The stream schedules one more read
   * with nextTick after each chunk, so the stop has to come two ticks later; libuv reads a descriptor
   * again only after all ticks have run.
   */
  #stopReading(): void {
    process.nextTick(() =>
      process.nextTick(() => {
        if (!this.#wake && !this.#shut && this.#socket.isPaused()) stopReading(this.#socket);
      }),
    );
  }

  #gone(cause?: unknown): TautlineError {
    return new TautlineError('io', `the connection to ${formatEndpoint(this.remote)} is gone`, cause === undefined ? {} : { cause });
  }
}

/** The part of libuv's handle that Node keeps to itself; everything in it may be missing. */
interface StreamHandle {
  readonly fd?: number;
  reading?: boolean;
  readStart?(): number;
  readStop?(): number;
}

function handleOf(socket: Socket): StreamHandle | undefined {
  return (socket as unknown as { _handle?: StreamHandle | null })._handle ?? undefined;
}

/** Goes on reading after a stop: the stream still waits for the read that was stopped, and would not start it again by itself. */
export function startReading(socket: Socket): void {
  const handle = handleOf(socket);
  if (!handle?.readStart || handle.reading !== false || socket.connecting) return;
  handle.reading = true;
  handle.readStart();
}

function stopReading(socket: Socket): void {
  const handle = handleOf(socket);
  if (!handle?.readStop || !handle.reading) return;
  handle.reading = false;
  handle.readStop();
}

/** Node shows an IPv4 peer of a dual-stack listener as `::ffff:1.2.3.4`. */
function endpointOf(address: string | undefined, port: number | undefined): Endpoint {
  const host = (address ?? '0.0.0.0').replace(/^::ffff:(?=\d+\.)/, '');
  return { host, port: port ?? 0, family: host.includes(':') ? 6 : 4 };
}
