import { TautlineError, assert } from '../base/index.js';
import type { Endpoint, PacketLog, PacketOutcome, PacketPlan, PacketSpec, Packets } from '../base/index.js';
import { ICMP_TYPE, encodeIcmpEcho } from '../wire/index.js';
import type { SimHost } from './host.js';
import type { Route } from './network.js';
import { UDP_BYTES, ipHeaderBytes, sendPacket, throughRouters } from './packets.js';
import type { Passage } from './routers.js';
import type { TimelineEvent } from './timeline.js';

/** As the host's: room for the tag that tells answers apart, or for what keeps the checksum constant. */
const TAG_BYTES = 8;
const ICMP_BYTES_MIN = 10;
const SYN_BYTES = 40;
const RST_BYTES = 20;
const OUTSTANDING_DEFAULT = 64;
/** A SYN is sent again after a second, and an answer would not say to which. */
const TCP_WAIT_MS_MAX = 990;

/** Single packets over a simulated path. */
export class SimPackets implements Packets {
  readonly #host: SimHost;

  constructor(host: SimHost) {
    this.#host = host;
  }

  probe(plan: PacketPlan): Promise<PacketLog> {
    if (plan.protocol === 'icmp' && this.#host.spec.mayPing === false) {
      return Promise.reject(
        new TautlineError('permission', 'this host does not let programs send pings', { hint: 'use UDP packets, which need no right' }),
      );
    }
    return new PlanRun(this.#host, plan).run();
  }
}

interface Outstanding {
  readonly sentNs: number;
  readonly timeout: TimelineEvent;
  readonly release: () => void;
}

/** One plan on its way. Packets of a flow share what routers hash; each has a port of its own for its answer. */
class PlanRun {
  readonly #host: SimHost;
  readonly #plan: PacketPlan;
  readonly #route: Route;
  readonly #outcomes: (PacketOutcome | undefined)[];
  readonly #waiting: number[];
  readonly #outstanding = new Map<number, Outstanding>();
  readonly #flowPorts: Record<number, number> = {};
  readonly #done;
  #left: number;
  #nextNs: number;
  #next: TimelineEvent | undefined;

  constructor(host: SimHost, plan: PacketPlan) {
    this.#host = host;
    this.#plan = plan;
    this.#route = host.network.route(host, plan.remote.host);
    this.#outcomes = plan.packets.map(() => undefined);
    this.#waiting = plan.packets.map((_, i) => i);
    this.#left = plan.packets.length;
    this.#nextNs = host.network.timeline.nowNs;
    this.#done = host.network.timeline.deferred<PacketLog>();
    for (const { flow = 0 } of plan.packets) this.#flowPorts[flow] ??= plan.flowPorts?.[flow] ?? host.ephemeralPort();
  }

  run(): Promise<PacketLog> {
    const { signal } = this.#plan;
    if (signal?.aborted === true) this.#finish(true);
    else if (this.#left === 0) this.#finish(false);
    else {
      signal?.addEventListener('abort', this.#abort);
      this.#schedule();
    }
    return this.#done.promise;
  }

  readonly #abort = (): void => this.#finish(true);

  #schedule(): void {
    const { outstandingMax = OUTSTANDING_DEFAULT } = this.#plan;
    if (this.#next || this.#waiting.length === 0 || this.#outstanding.size >= outstandingMax || this.#done.settled) return;
    this.#next = this.#host.network.timeline.at(this.#nextNs, () => {
      this.#next = undefined;
      if (this.#done.settled) return;
      const place = this.#waiting.findIndex((index) => this.#maySend(index));
      const [index] = place < 0 ? [] : this.#waiting.splice(place, 1);
      if (index === undefined) return;
      this.#nextNs = this.#host.network.timeline.nowNs + this.#plan.intervalMs * 1e6;
      this.#send(index);
      this.#schedule();
    });
  }

  /** Of two SYNs with one pair of ports the second waits. */
  #maySend(index: number): boolean {
    if (this.#plan.protocol !== 'tcp') return true;
    const flowOf = (one: number): number => this.#plan.packets[one]?.flow ?? 0;
    return ![...this.#outstanding.keys()].some((out) => flowOf(out) === flowOf(index));
  }

  #send(index: number): void {
    const { remote, protocol, timeoutMs } = this.#plan;
    const spec = this.#plan.packets[index] as PacketSpec;
    const { timeline } = this.#host.network;
    const route = this.#route;
    if (route.kind === 'unreachable') return this.#settle(index, { outcome: 'unsent', errno: 'ENETUNREACH' });
    const bytes = this.#sizeOf(spec);
    if (route.kind === 'path' && bytes > this.#host.interfaceMtu(route) && spec.dontFragment !== false) {
      return this.#settle(index, { outcome: 'unsent', errno: 'EMSGSIZE', mtuBytes: this.#host.interfaceMtu(route) });
    }
    const waitMs = protocol === 'tcp' ? Math.min(timeoutMs, TCP_WAIT_MS_MAX) : timeoutMs;
    const timeout = timeline.after(waitMs * 1e6, () => this.#settle(index, { outcome: 'silent' }));
    const releases: (() => void)[] = [];
    this.#outstanding.set(index, { sentNs: timeline.nowNs, timeout, release: () => releases.forEach((release) => release()) });
    if (route.kind === 'void' || this.#host.dead === 'host') return;
    const passage = throughRouters(route, {
      protocol,
      from: { port: this.#flowPorts[spec.flow ?? 0] ?? 0 },
      to: remote,
      bytes,
      ...(spec.ttl === undefined ? {} : { ttl: spec.ttl }),
      dontFragment: spec.dontFragment ?? true,
      seed: this.#host.network.seed,
    });
    if (passage.kind === 'stopped') return this.#told(index, passage);
    if (protocol === 'tcp') this.#syn(index, route);
    else this.#datagram(index, { spec, bytes, route, releases });
  }

  #told(index: number, passage: Passage): void {
    if (passage.kind === 'through' || !passage.says) return;
    const { what, from, afterNs, mtuBytes } = passage.says;
    const [type, code] = NUMBERS[this.#plan.remote.family][what];
    this.#after(afterNs, index, (rttMs) => ({
      outcome: 'error',
      rttMs,
      from,
      what,
      type,
      code,
      ...(mtuBytes === undefined ? {} : { mtuBytes }),
    }));
  }

  #datagram(index: number, packet: { spec: PacketSpec; bytes: number; route: Route & { kind: 'path' }; releases: (() => void)[] }): void {
    const { remote, protocol, dscp } = this.#plan;
    const udp = protocol === 'udp';
    const host = this.#host;
    const header = ipHeaderBytes(remote.family);
    const taker = {
      take: ({ payload }: { payload: Uint8Array }): void =>
        this.#answered(index, (rttMs) => ({
          outcome: 'reply',
          rttMs,
          from: remote.host,
          kind: udp ? 'datagram' : 'echo-reply',
          sizeBytes: payload.length + header + (udp ? UDP_BYTES : 0),
        })),
      fail: (errno: string): void => {
        if (errno === 'ECONNREFUSED') this.#answered(index, (rttMs) => ({ outcome: 'reply', rttMs, from: remote.host, kind: 'port-unreachable' }));
      },
    };
    const identifier = udp ? host.bindUdp(taker) : host.bindIcmp(taker);
    packet.releases.push(() => (udp ? host.releaseUdp(identifier) : host.releaseIcmp(identifier)));
    const payload = udp ? payloadOf(packet.spec, packet.bytes - header - UDP_BYTES) : echoOf(remote.family, identifier, packet.bytes - header);
    sendPacket(host, packet.route, {
      protocol: udp ? 'udp' : 'icmp',
      from: { host: packet.route.source, port: udp ? identifier : 0, family: remote.family },
      to: remote,
      bytes: payload.length,
      payload: () => payload,
      ...(dscp === undefined ? {} : { dscp }),
      passed: true,
    });
  }

  #syn(index: number, route: Route & { kind: 'path' }): void {
    const { remote } = this.#plan;
    const { timeline } = this.#host.network;
    const header = ipHeaderBytes(remote.family);
    const arrivesNs = route.forward.offer(header + SYN_BYTES);
    if (arrivesNs < 0) return;
    timeline.at(arrivesNs, () => {
      const { target } = route;
      const listener = target.listenerOf(remote.port);
      const drops = listener ? !listener.onConnection && !listener.http : target.spec.closedPorts === 'drop';
      if (target.dead === 'host' || drops) return;
      const backNs = route.back.offer(header + (listener ? SYN_BYTES : RST_BYTES));
      if (backNs < 0) return;
      this.#after(backNs - timeline.nowNs, index, (rttMs) => ({ outcome: 'reply', rttMs, from: remote.host, kind: listener ? 'syn-ack' : 'reset' }));
    });
  }

  #sizeOf({ sizeBytes, payload }: PacketSpec): number {
    const { protocol, remote } = this.#plan;
    const header = ipHeaderBytes(remote.family);
    if (protocol === 'tcp') return header + SYN_BYTES;
    if (protocol === 'icmp') return sizeBytes ?? header + ICMP_BYTES_MIN;
    const least = header + UDP_BYTES + (payload?.length ?? 0);
    assert(sizeBytes === undefined || sizeBytes >= least, `a packet of ${sizeBytes} bytes has room for its headers and payload`);
    return sizeBytes ?? ((least + 1) & ~1) + TAG_BYTES;
  }

  #after(ns: number, index: number, outcome: (rttMs: number) => PacketOutcome): void {
    this.#host.network.timeline.after(ns, () => this.#answered(index, outcome));
  }

  #answered(index: number, outcome: (rttMs: number) => PacketOutcome): void {
    const outstanding = this.#outstanding.get(index);
    if (!outstanding || this.#host.dead === 'host') return;
    const { clock } = this.#host;
    this.#settle(index, outcome((clock.elapsedNs() - clock.elapsedNs(outstanding.sentNs)) / 1e6));
  }

  #settle(index: number, outcome: PacketOutcome): void {
    if (this.#outcomes[index] !== undefined || this.#done.settled) return;
    this.#outcomes[index] = outcome;
    this.#left--;
    this.#release(index);
    if (this.#plan.onOutcome) {
      this.#host.network.timeline.wake();
      this.#plan.onOutcome(index, outcome);
    }
    if (this.#left === 0) this.#finish(false);
    else this.#schedule();
  }

  #release(index: number): void {
    const outstanding = this.#outstanding.get(index);
    if (!outstanding) return;
    outstanding.timeout.cancelled = true;
    outstanding.release();
    this.#outstanding.delete(index);
  }

  #finish(aborted: boolean): void {
    if (this.#done.settled) return;
    this.#plan.signal?.removeEventListener('abort', this.#abort);
    for (const index of this.#outstanding.keys()) this.#release(index);
    if (this.#next) this.#next.cancelled = true;
    const { remote, protocol } = this.#plan;
    const route = this.#route;
    const local: Endpoint | undefined =
      route.kind === 'unreachable'
        ? undefined
        : {
            host: route.source,
            port: protocol === 'icmp' ? 0 : (this.#flowPorts[this.#plan.packets[0]?.flow ?? 0] ?? 0),
            family: remote.family,
          };
    this.#done.resolve({
      ...(local ? { local } : {}),
      outcomes: this.#outcomes.map((outcome) => outcome ?? { outcome: 'unasked' }),
      stamps: protocol === 'tcp' ? 'user' : 'kernel',
      fallbacks: [],
      ...(route.kind === 'path' ? { kernelMtuBytes: this.#host.believedMtu(route, remote.host) } : {}),
      flowPorts: this.#flowPorts,
      aborted: aborted && this.#left > 0,
    });
  }
}

function payloadOf({ payload }: PacketSpec, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  if (payload) bytes.set(payload);
  return bytes;
}

function echoOf(family: 4 | 6, identifier: number, length: number): Uint8Array {
  return encodeIcmpEcho({ family, identifier, sequence: 0, payload: new Uint8Array(Math.max(0, length - 8)) });
}

/** Type and code of each error (RFC 792, RFC 1812, RFC 4443). */
const NUMBERS = {
  4: {
    'ttl-exceeded': [ICMP_TYPE[4].timeExceeded, 0],
    'too-big': [ICMP_TYPE[4].unreachable, 4],
    unreachable: [ICMP_TYPE[4].unreachable, 1],
    prohibited: [ICMP_TYPE[4].unreachable, 13],
  },
  6: {
    'ttl-exceeded': [ICMP_TYPE[6].timeExceeded, 0],
    'too-big': [ICMP_TYPE[6].tooBig, 0],
    unreachable: [ICMP_TYPE[6].unreachable, 3],
    prohibited: [ICMP_TYPE[6].unreachable, 1],
  },
} as const;
