import { TautlineError } from '../base/index.js';
import type { Connection, Endpoint, Ports, TooBig } from '../base/index.js';
import type { DatagramResponder } from '../wire/index.js';
import { chanceFor, exponential } from './chance.js';
import { SimCommands } from './commands.js';
import type { SimConnection } from './connection.js';
import { SimDatagrams } from './datagrams.js';
import { SimFacts } from './facts.js';
import { SimFiles } from './files.js';
import { HostClock } from './host-clock.js';
import { SimLog } from './log.js';
import { SimNames } from './names.js';
import type { Route, SimNetwork } from './network.js';
import { SimPackets } from './packet-probe.js';
import { answerWithError, sendAnswer, sendPacket } from './packets.js';
import type { Packet } from './packets.js';
import { ResponderLoop } from './responder-loop.js';
import type { HostSpec } from './scenario.js';
import { startService } from './services.js';
import { SimStreams } from './streams.js';
import type { Listener, SocketListener } from './streams.js';
import { SimWeb } from './web.js';

const EPHEMERAL_PORT_FIRST = 49152;
const PORT_LAST = 65535;

/** Whoever takes the datagrams of a port or the replies to an ICMP identifier. */
export interface PacketTaker {
  take(packet: Packet): void;
  fail(errno: string, tooBig?: TooBig): void;
}

/** A host: its ports for programs that run on it, and what answers on it. */
export class SimHost {
  readonly name: string;
  readonly spec: HostSpec;
  readonly network: SimNetwork;
  readonly clock: HostClock;
  readonly files: SimFiles;
  readonly commands: SimCommands;
  readonly log: SimLog;
  readonly ports: Ports;
  /** Every connection that has an end here and is not over. */
  readonly connections = new Set<SimConnection>();
  dead: 'process' | 'host' | undefined;
  readonly #chance;
  readonly #udp = new Map<number, PacketTaker>();
  readonly #icmp = new Map<number, PacketTaker>();
  readonly #listeners = new Map<number, Listener>();
  /** Unix sockets by path; one whose program has ended stays in the file system. */
  readonly #sockets = new Map<string, SocketListener>();
  /** What routers said of the way to each address. */
  readonly #pathMtus = new Map<string, number>();
  #nextPort = EPHEMERAL_PORT_FIRST;
  #nextIdentifier = 1;

  constructor(network: SimNetwork, options: { name: string; spec: HostSpec; startedAtMs: number }) {
    const { name, spec } = options;
    this.network = network;
    this.name = name;
    this.spec = spec;
    this.#chance = chanceFor(network.seed, `${name} host`);
    this.clock = new HostClock(network.timeline, { seed: network.seed, host: name, startedAtMs: options.startedAtMs, clock: spec.clock });
    this.files = new SimFiles(spec.files);
    this.commands = new SimCommands(network.timeline, spec.commands);
    this.log = new SimLog(() => network.nowMs);
    this.ports = {
      clock: this.clock,
      names: new SimNames(this),
      datagrams: new SimDatagrams(this),
      packets: new SimPackets(this),
      streams: new SimStreams(this),
      web: new SimWeb(this),
      facts: new SimFacts(this),
      files: this.files,
      commands: this.commands,
      log: this.log,
      provenance: 'simulated',
    };
  }

  // --- What runs on the host -----------------------------------------------------------------

  startServices(): void {
    for (const service of this.spec.services ?? []) startService(this, service);
  }

  /** Lets a responder such as serve's answer on a UDP port. It must decide at once: it is not waited for. */
  serveDatagrams(port: number, responder: DatagramResponder): void {
    const loop = new ResponderLoop(this, port, responder);
    this.bindUdp(loop, port);
  }

  /** Accepts connections on a TCP port; without anybody to take them it is a port that drops them. */
  listen(port: number, listener: Listener): { close(): void } {
    if (this.#listeners.has(port)) throw inUse(this.name, 'TCP', port);
    this.#listeners.set(port, listener);
    return { close: () => this.#listeners.delete(port) };
  }

  /** A web server on a Unix socket, for programs of this host. */
  listenOnSocket(path: string, listener: SocketListener): { close(): void } {
    this.#sockets.set(path, listener);
    this.files.addSocket(path);
    return { close: () => void this.#sockets.set(path, { ...listener, ended: true }) };
  }

  socketOf(path: string): SocketListener | undefined {
    const socket = this.#sockets.get(path);
    return socket && this.dead !== undefined ? { ...socket, ended: true } : socket;
  }

  listenerOf(port: number): Listener | undefined {
    return this.#listeners.get(port);
  }

  /** Resets one connection that has an end here, as a program that crashes does to all of its. */
  breakOff(connection: Connection): void {
    for (const own of this.connections) if (own === connection) own.die('process');
  }

  die(how: 'process' | 'host'): void {
    if (this.dead === 'host' || this.dead === how) return;
    this.dead = how;
    this.#listeners.clear();
    this.#udp.clear();
    this.#icmp.clear();
    for (const connection of [...this.connections]) connection.die(how);
  }

  // --- Packets -------------------------------------------------------------------------------

  bindUdp(taker: PacketTaker, port = this.#freePort()): number {
    if (this.#udp.has(port)) throw inUse(this.name, 'UDP', port);
    this.#udp.set(port, taker);
    return port;
  }

  releaseUdp(port: number): void {
    this.#udp.delete(port);
  }

  bindIcmp(taker: PacketTaker): number {
    const identifier = this.#nextIdentifier++ & 0xffff;
    this.#icmp.set(identifier, taker);
    return identifier;
  }

  releaseIcmp(identifier: number): void {
    this.#icmp.delete(identifier);
  }

  /** A port for an outgoing connection. */
  ephemeralPort(): number {
    return this.#freePort();
  }

  /** Sends one datagram and hands over what comes back. @returns what ends it */
  query(remote: Endpoint, payload: Uint8Array, take: (payload: Uint8Array) => void): () => void {
    const route = this.network.route(this, remote.host);
    const port = this.bindUdp({ take: (packet) => take(packet.payload), fail() {} });
    if (route.kind !== 'unreachable') {
      sendPacket(this, route, {
        protocol: 'udp',
        from: { host: route.source, port, family: remote.family },
        to: remote,
        bytes: payload.length,
        payload: () => payload,
      });
    }
    return () => this.releaseUdp(port);
  }

  deliver(packet: Packet): void {
    if (this.dead === 'host') return;
    if (packet.protocol === 'icmp') this.#deliverIcmp(packet);
    else {
      const taker = this.#udp.get(packet.to.port);
      if (taker) taker.take(packet);
      else if (this.spec.closedPorts !== 'drop') answerWithError(this, packet, 'ECONNREFUSED');
    }
  }

  /** An ICMP error about a packet that this host sent came back. */
  deliverError(
    packet: { protocol: 'udp' | 'icmp'; from: Endpoint; to: Endpoint; payload: Uint8Array | (() => Uint8Array) },
    errno: string,
    tooBig?: TooBig,
  ): void {
    if (this.dead === 'host') return;
    if (tooBig?.mtuBytes !== undefined) this.#pathMtus.set(packet.to.host, tooBig.mtuBytes);
    if (packet.protocol === 'udp') this.#udp.get(packet.from.port)?.fail(errno, tooBig);
    else this.#icmp.get(identifierOf(typeof packet.payload === 'function' ? packet.payload() : packet.payload))?.fail(errno, tooBig);
  }

  /** What this host's kernel believes of the path's MTU. */
  believedMtu(route: Route & { kind: 'path' }, to: string): number {
    return Math.min(this.interfaceMtu(route), this.#pathMtus.get(to) ?? Number.POSITIVE_INFINITY);
  }

  interfaceMtu(route: Route & { kind: 'path' }): number {
    const declared = this.spec.interfaces?.find(({ addresses }) => addresses.some((address) => address.split('/')[0] === route.source))?.mtu;
    return declared ?? Math.max(1500, route.forward.mtu);
  }

  // --- How long its programs take ------------------------------------------------------------

  sendLatenessNs(): number {
    return exponential(this.#chance, (this.spec.timing?.sendLatenessUs ?? 5) * 1e3);
  }

  readDelayNs(): number {
    return exponential(this.#chance, (this.spec.timing?.readDelayUs ?? 10) * 1e3);
  }

  answerNs(): number {
    return exponential(this.#chance, (this.spec.timing?.answerUs ?? 10) * 1e3);
  }

  get datagramNs(): number {
    return (this.spec.timing?.datagramUs ?? 2) * 1e3;
  }

  #deliverIcmp(packet: Packet): void {
    const type = packet.payload[0];
    const [request, reply] = packet.to.family === 4 ? [8, 0] : [128, 129];
    if (type === reply) this.#icmp.get(identifierOf(packet.payload))?.take(packet);
    if (type !== request || this.spec.icmp === 'silent') return;
    const answer = packet.payload.slice();
    answer[0] = reply;
    sendAnswer(this, packet, answer);
  }

  #freePort(): number {
    for (let tried = 0; tried <= PORT_LAST - EPHEMERAL_PORT_FIRST; tried++) {
      const port = this.#nextPort++;
      if (this.#nextPort > PORT_LAST) this.#nextPort = EPHEMERAL_PORT_FIRST;
      if (!this.#udp.has(port)) return port;
    }
    throw new TautlineError('io', `${this.name} has no free port left`);
  }
}

/** Bytes 4 and 5 of an ICMP echo (RFC 792). */
function identifierOf(message: Uint8Array): number {
  return ((message[4] ?? 0) << 8) | (message[5] ?? 0);
}

function inUse(host: string, protocol: string, port: number): TautlineError {
  return new TautlineError('io', `${protocol} port ${port} of ${host} is in use`);
}
