import { TautlineError, assert } from '../base/index.js';
import type {
  DatagramFlow,
  Datagrams,
  Endpoint,
  ExchangeLog,
  ExchangePlan,
  FloodLog,
  FloodPlan,
  FlowOptions,
  SinkLog,
  SinkPlan,
  TooBig,
} from '../base/index.js';
import { internetChecksum, view } from '../wire/index.js';
import { runExchange } from './exchange.js';
import { runFlood, runSink } from './floods.js';
import type { PacketTaker, SimHost } from './host.js';
import { sameEndpoint } from './network.js';
import type { Route } from './network.js';
import { sendPacket } from './packets.js';
import type { Packet } from './packets.js';

/** What waits in the receive buffer when no operation reads; as Linux' `rmem_default`. */
const BUFFER_BYTES = 212_992;

export class SimDatagrams implements Datagrams {
  readonly #host: SimHost;

  constructor(host: SimHost) {
    this.#host = host;
  }

  open(options: FlowOptions): Promise<DatagramFlow> {
    const { remote } = options;
    if (options.protocol === 'icmp' && this.#host.spec.mayPing === false) {
      return Promise.reject(new TautlineError('permission', 'this host does not let programs send pings'));
    }
    const route = this.#host.network.route(this.#host, remote.host);
    if (route.kind === 'unreachable') {
      return Promise.reject(new TautlineError('io', `${remote.host} cannot be reached from here: no route (ENETUNREACH)`));
    }
    return Promise.resolve(new SimFlow(this.#host, route, options));
  }
}

/** What an operation on a flow works with. */
export interface FlowSocket {
  readonly host: SimHost;
  /** @returns the errno when the kernel refuses it */
  send(bytes: number, payload: () => Uint8Array): string | undefined;
  /** Takes what comes in from now on, what has waited first. One taker at a time. */
  listen(taker: { take(payload: Uint8Array, arrivedNs: number): void; fail(errno: string, tooBig?: TooBig): void }): void;
  /** What this host's kernel believes of the path's MTU; undefined on a flow that may be fragmented. */
  pathMtu(): number | undefined;
  /** Stops taking; what comes then waits, and what there is no room for is counted. @returns how many were dropped since the last time */
  unlisten(): number;
}

class SimFlow implements DatagramFlow, FlowSocket {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly stamps = 'kernel';
  readonly fallbacks: readonly string[] = [];
  readonly dontFragment: boolean;
  readonly host: SimHost;
  readonly #route: Route;
  readonly #options: FlowOptions;
  readonly #identifier: number;
  #taker: Parameters<FlowSocket['listen']>[0] | undefined;
  #waiting: { readonly payload: Uint8Array; readonly arrivedNs: number }[] = [];
  #waitingBytes = 0;
  #pendingError: Parameters<PacketTaker['fail']> | undefined;
  #dropped = 0;
  #busy = false;
  #closed = false;

  constructor(host: SimHost, route: Exclude<Route, { kind: 'unreachable' }>, options: FlowOptions) {
    this.host = host;
    this.remote = options.remote;
    this.#route = route;
    this.#options = options;
    this.dontFragment = options.dontFragment === true;
    const taker = {
      take: (packet: Packet): void => this.#arrived(packet),
      fail: (errno: string, tooBig?: TooBig): void => this.#failed(errno, tooBig),
    };
    const udp = options.protocol === 'udp';
    const port = udp ? host.bindUdp(taker) : 0;
    this.#identifier = udp ? 0 : host.bindIcmp(taker);
    this.local = { host: route.source, port, family: options.remote.family };
  }

  exchange(plan: ExchangePlan): Promise<ExchangeLog> {
    assert(plan.payloads === undefined || plan.payloads.length === plan.count, 'every datagram of its own is sent once');
    return this.#alone(() => runExchange(this, plan));
  }

  flood(plan: FloodPlan): Promise<FloodLog> {
    return this.#alone(() => runFlood(this, plan));
  }

  sink(plan: SinkPlan): Promise<SinkLog> {
    return this.#alone(() => runSink(this, plan));
  }

  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      if (this.#options.protocol === 'udp') this.host.releaseUdp(this.local.port);
      else this.host.releaseIcmp(this.#identifier);
    }
    return Promise.resolve();
  }

  send(bytes: number, payload: () => Uint8Array): string | undefined {
    const { protocol, remote, dscp, ttl, dontFragment } = this.#options;
    return sendPacket(this.host, this.#route, {
      protocol,
      from: this.local,
      to: remote,
      bytes,
      payload: protocol === 'udp' ? payload : () => this.#identified(payload()),
      ...(dscp === undefined ? {} : { dscp }),
      ...(ttl === undefined ? {} : { ttl }),
      ...(dontFragment === undefined ? {} : { dontFragment }),
    });
  }

  listen(taker: Parameters<FlowSocket['listen']>[0]): void {
    this.#taker = taker;
    const waiting = this.#waiting;
    const error = this.#pendingError;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#pendingError = undefined;
    if (error) taker.fail(...error);
    for (const { payload, arrivedNs } of waiting) this.#taker?.take(payload, arrivedNs);
  }

  unlisten(): number {
    this.#taker = undefined;
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
  }

  #arrived(packet: Packet): void {
    const stranger = this.#options.protocol === 'udp' ? !sameEndpoint(packet.from, this.remote) : packet.from.host !== this.remote.host;
    if (stranger) return;
    const arrivedNs = this.host.network.timeline.nowNs;
    if (this.#taker) return this.#taker.take(packet.payload, arrivedNs);
    if (this.#waitingBytes + packet.payload.length > BUFFER_BYTES) {
      this.#dropped++;
      return;
    }
    this.#waitingBytes += packet.payload.length;
    this.#waiting.push({ payload: packet.payload, arrivedNs });
  }

  pathMtu(): number | undefined {
    return this.dontFragment && this.#route.kind === 'path' ? this.host.believedMtu(this.#route, this.remote.host) : undefined;
  }

  #failed(...error: Parameters<PacketTaker['fail']>): void {
    if (this.#taker) this.#taker.fail(...error);
    // A socket keeps one pending error, the last.
    else this.#pendingError = error;
  }

  /** What the kernel fills in: identifier and checksum. */
  #identified(message: Uint8Array): Uint8Array {
    view(message).setUint16(4, this.#identifier);
    view(message).setUint16(2, 0);
    view(message).setUint16(2, internetChecksum(message));
    return message;
  }

  async #alone<T>(operation: () => Promise<T>): Promise<T> {
    assert(!this.#busy, 'a flow does one operation at a time');
    assert(!this.#closed, 'a closed flow does nothing');
    this.#busy = true;
    try {
      return await operation();
    } finally {
      this.#busy = false;
    }
  }
}
