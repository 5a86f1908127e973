import { assert, formatEndpoint } from '../base/index.js';
import type { ConnectOptions, ConnectOutcome, Connection, Endpoint, PumpLog, PumpPlan, Streams } from '../base/index.js';
import { openPair } from './connection.js';
import type { SimConnection } from './connection.js';
import type { SimHost } from './host.js';
import { serveHttp } from './http-server.js';
import type { HttpService } from './http-server.js';
import type { Route } from './network.js';
import { ipHeaderBytes } from './packets.js';
import { runPump } from './pump.js';

/** SYN, SYN-ACK: IP header and 40 bytes of TCP with options; RST: without. */
const SYN_BYTES = 40;
const RST_BYTES = 20;
/** When a SYN is sent again, from the first (RFC 6298, doubled each time). */
const SYN_RETRY_MS = [1000, 3000, 7000, 15_000, 31_000, 63_000];

/** What a TCP port does: programs' own connections, HTTP and TLS, both, or (neither) silence. */
export interface Listener {
  readonly onConnection?: (connection: Connection) => void;
  readonly http?: HttpService;
}

/** What a Unix socket does. */
export interface SocketListener {
  readonly http: HttpService;
  readonly permitted: boolean;
  /** The program is gone, and its socket is still there. */
  readonly ended?: boolean;
}

export class SimStreams implements Streams {
  readonly #host: SimHost;

  constructor(host: SimHost) {
    this.#host = host;
  }

  connect(options: ConnectOptions): Promise<ConnectOutcome> {
    return connect(this.#host, options, 'bytes');
  }

  pump(plan: PumpPlan): Promise<PumpLog> {
    return runPump(this.#host.network.timeline, plan);
  }
}

/** Connects; `purpose` says whether the client will speak HTTP or TLS, which a real server would see from its first bytes. */
export function connect(host: SimHost, options: ConnectOptions, purpose: 'bytes' | 'http'): Promise<ConnectOutcome> {
  return new Attempt(host, options, purpose).run();
}

/**
 * Connects to a Unix socket of the same host. It takes no handshake: the kernel joins the two ends at once, and the
 * bytes go the way of the loopback interface.
 */
export function connectToSocket(host: SimHost, path: string): SocketConnectOutcome {
  const socket = host.socketOf(path);
  if (!socket)
    return { outcome: 'refused', errno: 'ENOENT', reason: `there is no socket ${path}: what listens there is not running, or not installed` };
  if (!socket.permitted)
    return { outcome: 'failed', errno: 'EACCES', reason: `this user may not open ${path} (EACCES): join the group that owns it, or run as root` };
  if (socket.ended === true)
    return { outcome: 'refused', errno: 'ECONNREFUSED', reason: `nobody listens on ${path}: the program that made the socket has ended` };
  const here: Endpoint = { host: '127.0.0.1', port: 0, family: 4 };
  const route = host.network.route(host, here.host);
  assert(route.kind === 'path', 'a host reaches itself');
  const { near, far } = openPair({ near: host, far: host, route, local: here, remote: here, connectMs: 0 });
  serveHttp(far, socket.http);
  return { outcome: 'ok', connection: near };
}

export type SocketConnectOutcome =
  | { readonly outcome: 'ok'; readonly connection: SimConnection }
  | { readonly outcome: 'refused' | 'failed'; readonly reason: string; readonly errno: string };

class Attempt {
  readonly #host: SimHost;
  readonly #options: ConnectOptions;
  readonly #purpose: 'bytes' | 'http';
  readonly #startNs: number;
  readonly #done;
  #local: Endpoint | undefined;

  constructor(host: SimHost, options: ConnectOptions, purpose: 'bytes' | 'http') {
    this.#host = host;
    this.#options = options;
    this.#purpose = purpose;
    this.#startNs = host.network.timeline.nowNs;
    this.#done = host.network.timeline.deferred<ConnectOutcome>();
  }

  run(): Promise<ConnectOutcome> {
    const { remote, timeoutMs, signal } = this.#options;
    const place = formatEndpoint(remote);
    const { network } = this.#host;
    const route = network.route(this.#host, remote.host);
    if (route.kind === 'unreachable') {
      this.#fail('unreachable', `there is no route to ${place} (ENETUNREACH)`);
      return this.#done.promise;
    }
    const { timeline } = network;
    const abort = (): void => this.#fail('failed', `the connection to ${place} was interrupted`);
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort);
    const timeout = timeline.after(timeoutMs * 1e6, () =>
      this.#fail('timeout', `${place} did not answer within ${timeoutMs} ms: it is down, or a firewall drops the packets`),
    );
    if (route.kind === 'path' && !this.#done.settled) {
      this.#local = { host: route.source, port: this.#host.ephemeralPort(), family: remote.family };
      this.#syn(route, 0);
    }
    return this.#done.promise.finally(() => {
      timeout.cancelled = true;
      signal?.removeEventListener('abort', abort);
    });
  }

  #syn(route: Route & { kind: 'path' }, tried: number): void {
    if (this.#done.settled) return;
    const { timeline } = this.#host.network;
    const header = ipHeaderBytes(this.#options.remote.family);
    const retryMs = SYN_RETRY_MS[tried];
    if (retryMs !== undefined) timeline.at(this.#startNs + retryMs * 1e6, () => this.#syn(route, tried + 1));
    const arrivesNs = route.forward.offer(header + SYN_BYTES);
    if (arrivesNs < 0) return;
    timeline.at(arrivesNs, () => {
      const { target } = route;
      const listener = target.listenerOf(this.#options.remote.port);
      if (target.dead === 'host' || (listener && !listener.onConnection && !listener.http) || (!listener && target.spec.closedPorts === 'drop'))
        return;
      const backNs = route.back.offer(header + (listener ? SYN_BYTES : RST_BYTES));
      if (backNs >= 0) timeline.at(backNs, () => (listener ? this.#open(route, listener) : this.#refused()));
    });
  }

  #refused(): void {
    this.#fail('refused', `${formatEndpoint(this.#options.remote)} refuses connections: nothing listens on that port`);
  }

  #open(route: Route & { kind: 'path' }, listener: Listener): void {
    if (this.#done.settled || !this.#local) return;
    const { timeline } = this.#host.network;
    const connectMs = this.#elapsedMs();
    const { near, far } = openPair({
      near: this.#host,
      far: route.target,
      route,
      local: this.#local,
      remote: this.#options.remote,
      connectMs,
    });
    near.speaksH2 = listener.http?.protocol === 'h2';
    const acceptedNs = route.forward.offerAcknowledgement(ipHeaderBytes(this.#local.family) + 32);
    if (acceptedNs >= 0) {
      timeline.at(acceptedNs, () => {
        if (route.target.dead) return far.die(route.target.dead);
        timeline.wake();
        if (this.#purpose === 'http' && listener.http) serveHttp(far, listener.http);
        else if (listener.onConnection) listener.onConnection(far);
        else serveNothing(far);
      });
    }
    this.#done.resolve({ outcome: 'ok', connection: near, connectMs });
  }

  #fail(outcome: 'refused' | 'timeout' | 'unreachable' | 'failed', reason: string): void {
    if (!this.#done.settled) this.#done.resolve({ outcome, reason, connectMs: this.#elapsedMs() });
  }

  #elapsedMs(): number {
    return (this.#host.network.timeline.nowNs - this.#startNs) / 1e6;
  }
}

/** A web server takes what does not read like HTTP, and hangs up. */
function serveNothing(connection: SimConnection): void {
  connection.inbox.consume(() => connection.close());
  connection.inbox.onReadable = () => connection.inbox.ended && connection.close();
}
