import { TautlineError, formatEndpoint } from '../base/index.js';
import type { Connection, Endpoint, TcpInfo } from '../base/index.js';
import type { SimHost } from './host.js';
import type { Route } from './network.js';
import { ipHeaderBytes } from './packets.js';
import { TcpReceiver } from './tcp-receiver.js';
import type { Chunk } from './tcp-receiver.js';
import { TcpSender } from './tcp-sender.js';

const RECEIVE_BUFFER_BYTES = 6_291_456;
const SEND_BUFFER_BYTES = 4_194_304;
/** A read hands over at most this much. */
const READ_BYTES_MAX = 65_536;
const RST_BYTES = 20;

interface Ends {
  readonly near: SimConnection;
  readonly far: SimConnection;
}

/** Both ends of a new connection. */
export function openPair(options: {
  near: SimHost;
  far: SimHost;
  route: Route & { kind: 'path' };
  local: Endpoint;
  remote: Endpoint;
  connectMs: number;
}): Ends {
  const { near, far, route, local, remote, connectMs } = options;
  const { timeline } = near.network;
  const inbox = (host: SimHost): TcpReceiver => new TcpReceiver(host.spec.tcp?.receiveBufferBytes ?? RECEIVE_BUFFER_BYTES);
  const nearIn = inbox(near);
  const farIn = inbox(far);
  const sender = (from: SimHost, to: SimHost, receiver: TcpReceiver, outward: boolean): TcpSender => {
    const made = new TcpSender({
      timeline,
      forward: outward ? route.forward : route.back,
      back: outward ? route.back : route.forward,
      receiver,
      family: remote.family,
      congestion: from.spec.tcp?.congestion ?? 'cubic',
      sendBufferBytes: from.spec.tcp?.sendBufferBytes ?? SEND_BUFFER_BYTES,
      alive: () => ({ sender: from.dead !== 'host', receiver: to.dead !== 'host' }),
      onGiveUp: () => (outward ? ends.near : ends.far).lose(),
    });
    made.seedRtt(connectMs);
    return made;
  };
  const ends: Ends = {
    near: new SimConnection(near, { local, remote, out: sender(near, far, farIn, true), inbox: nearIn }),
    far: new SimConnection(far, { local: remote, remote: local, out: sender(far, near, nearIn, false), inbox: farIn }),
  };
  ends.near.joinTo(ends.far);
  ends.far.joinTo(ends.near);
  return ends;
}

/** One end of a connection. */
export class SimConnection implements Connection {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly host: SimHost;
  readonly out: TcpSender;
  readonly inbox: TcpReceiver;
  /** Whether the server at the other end speaks HTTP/2. */
  speaksH2 = false;
  /** Called when the connection breaks off. */
  onBroken: (() => void) | undefined;
  #peer: SimConnection | undefined;
  #ended: Connection['ended'] = 'open';
  readonly #writers: { resolve(): void; reject(error: unknown): void }[] = [];
  #reader: (() => void) | undefined;

  constructor(host: SimHost, options: { local: Endpoint; remote: Endpoint; out: TcpSender; inbox: TcpReceiver }) {
    this.host = host;
    this.local = options.local;
    this.remote = options.remote;
    this.out = options.out;
    this.inbox = options.inbox;
    host.connections.add(this);
    this.listen();
  }

  joinTo(peer: SimConnection): void {
    this.#peer = peer;
  }

  /** Tells the peer that there is room for more. */
  windowOpened(): void {
    this.#peer?.out.windowOpened();
  }

  get ended(): Connection['ended'] {
    return this.#ended;
  }

  /** Lets `write` and `read` be served again after a pump had the connection. */
  listen(): void {
    this.inbox.consume(undefined);
    this.inbox.onReadable = () => {
      if (this.inbox.ended && this.#ended === 'open') this.#ended = 'end';
      this.#reader?.();
      this.#forget();
    };
    this.out.onSent = undefined;
    this.out.onProgress = () => {
      while (this.out.room > 0) {
        const writer = this.#writers.shift();
        if (!writer) break;
        writer.resolve();
      }
      this.#forget();
    };
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#ended === 'closed' || this.#ended === 'reset') throw this.#gone();
    this.out.write({ length: bytes.length, bytes: bytes.slice() });
    if (this.out.room > 0) return;
    const accepted = this.host.network.timeline.deferred<void>();
    this.#writers.push(accepted);
    await accepted.promise;
  }

  read(options: { timeoutMs?: number; signal?: AbortSignal } = {}): Promise<Uint8Array | undefined> {
    const ready = this.#take();
    if (ready || this.inbox.ended || this.#ended !== 'open' || options.signal?.aborted) return Promise.resolve(ready);
    const { timeline } = this.host.network;
    const deferred = timeline.deferred<Uint8Array | undefined>();
    const { signal, timeoutMs } = options;
    const finish = (): void => {
      if (timer) timer.cancelled = true;
      signal?.removeEventListener('abort', finish);
      this.#reader = undefined;
      if (!deferred.settled) deferred.resolve(this.#take());
    };
    const timer = timeoutMs === undefined ? undefined : timeline.after(timeoutMs * 1e6, finish);
    signal?.addEventListener('abort', finish);
    this.#reader = finish;
    return deferred.promise;
  }

  tcpInfo(): TcpInfo | undefined {
    return this.#ended === 'closed' ? undefined : this.out.tcpInfo();
  }

  close(): void {
    if (this.#ended === 'closed') return;
    const wasReset = this.#ended === 'reset';
    const unread = this.inbox.unreadBytes > 0;
    this.#end('closed');
    if (wasReset) return;
    // RFC 1122, 4.2.2.13: closing with unread data, and data that comes after closing, are answered by a reset.
    if (unread) return this.#resetPeer();
    this.out.end();
    this.inbox.consume(() => this.#resetPeer());
    this.#forget();
  }

  /** This end's program or host dies. */
  die(how: 'process' | 'host'): void {
    this.#end('reset');
    if (how === 'process') this.#resetPeer();
    else this.out.stop();
  }

  /** The connection broke off: the peer reset it, or it fell silent for too long. */
  lose(): void {
    if (this.#ended !== 'closed') this.#end('reset');
    this.out.stop();
    this.host.connections.delete(this);
    this.onBroken?.();
  }

  #end(how: 'closed' | 'reset'): void {
    this.#ended = how;
    this.#reader?.();
    for (const writer of this.#writers.splice(0)) writer.reject(this.#gone());
    if (how === 'reset') {
      this.host.connections.delete(this);
      this.host.network.timeline.wake();
      this.onBroken?.();
    }
  }

  #resetPeer(): void {
    this.out.stop();
    this.host.connections.delete(this);
    const peer = this.#peer;
    const { network } = this.host;
    const route = network.route(this.host, this.remote.host, this.local.host);
    if (!peer || route.kind !== 'path') return;
    const arrivesNs = route.forward.offerAcknowledgement(ipHeaderBytes(this.remote.family) + RST_BYTES);
    if (arrivesNs >= 0) network.timeline.at(arrivesNs, () => peer.lose());
  }

  #take(): Uint8Array | undefined {
    const parts: Chunk[] = [];
    let length = 0;
    const shut = this.inbox.unreadBytes > 0 && this.inbox.allowedOffset - this.inbox.nextOffset < READ_BYTES_MAX;
    for (let chunk = this.inbox.read(); chunk; chunk = this.inbox.read()) {
      const taken = Math.min(chunk.length, READ_BYTES_MAX - length);
      parts.push({ length: taken, bytes: chunk.bytes?.subarray(0, taken) });
      length += taken;
      if (taken < chunk.length) this.inbox.unread({ length: chunk.length - taken, bytes: chunk.bytes?.subarray(taken) });
      if (length === READ_BYTES_MAX) break;
    }
    if (length === 0) return undefined;
    if (shut) this.windowOpened();
    const bytes = new Uint8Array(length);
    let at = 0;
    for (const part of parts) {
      if (part.bytes) bytes.set(part.bytes, at);
      at += part.length;
    }
    return bytes;
  }

  #gone(): TautlineError {
    return new TautlineError('io', `the connection to ${formatEndpoint(this.remote)} is ${this.#ended === 'closed' ? 'closed' : 'broken'}`);
  }

  /** Nothing more can happen once both directions have ended and all was acknowledged. */
  #forget(): void {
    if (this.#ended === 'closed' && this.inbox.ended && this.out.drained) this.host.connections.delete(this);
  }
}
