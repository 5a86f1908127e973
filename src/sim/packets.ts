import type { Endpoint } from '../base/index.js';
import type { SimHost } from './host.js';
import type { Route } from './network.js';
import { flowHash } from './routers.js';
import type { Passage } from './routers.js';

export const UDP_BYTES = 8;
const FRAGMENT_BYTES = 8;
/** A UDP payload over IPv4 cannot be longer. */
const DATAGRAM_BYTES_MAX = 65507;
/** An ICMP error quotes the header of what it is about. */
const ICMP_ERROR_BYTES = 36;
/** What the kernel makes of an error (net/ipv4/icmp.c icmp_err_convert). */
const ERRNO = { 'ttl-exceeded': 'EHOSTUNREACH', unreachable: 'EHOSTUNREACH', prohibited: 'EHOSTUNREACH', 'too-big': 'EMSGSIZE' } as const;

export interface Packet {
  readonly protocol: 'udp' | 'icmp';
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly payload: Uint8Array;
  readonly dscp: number;
}

export interface PacketOptions {
  readonly dscp?: number;
  readonly ttl?: number;
  readonly dontFragment?: boolean;
  /** The routers have let it through already. */
  readonly passed?: boolean;
}

export function ipHeaderBytes(family: 4 | 6): number {
  return family === 4 ? 20 : 40;
}

/**
 * Sends one datagram over a route. `payload` is called only for what arrives, so that a flood into a
 * full queue costs no copies.
 * @returns undefined, or the errno that the sender's system call fails with
 */
export function sendPacket(
  sender: SimHost,
  route: Route,
  packet: Omit<Packet, 'payload' | 'dscp'> & PacketOptions & { bytes: number; payload: () => Uint8Array },
): string | undefined {
  if (route.kind === 'unreachable') return 'ENETUNREACH';
  if (packet.bytes > DATAGRAM_BYTES_MAX) return 'EMSGSIZE';
  if (route.kind === 'void' || sender.dead === 'host') return undefined;
  const { forward, target } = route;
  const { timeline } = sender.network;
  const headerBytes = ipHeaderBytes(packet.from.family);
  const ipBytes = headerBytes + (packet.protocol === 'udp' ? UDP_BYTES : 0) + packet.bytes;
  const dontFragment = packet.dontFragment === true;
  if (packet.passed !== true) {
    if (dontFragment && ipBytes > sender.interfaceMtu(route)) return 'EMSGSIZE';
    const passage = throughRouters(route, { ...packet, bytes: ipBytes, dontFragment, seed: sender.network.seed });
    if (passage.kind === 'stopped') {
      const { says } = passage;
      if (says) {
        const tooBig = says.what === 'too-big' ? { from: says.from, ...(says.mtuBytes === undefined ? {} : { mtuBytes: says.mtuBytes }) } : undefined;
        timeline.after(says.afterNs, () => sender.deliverError(packet, ERRNO[says.what], tooBig));
      }
      return undefined;
    }
  }
  if (packet.protocol === 'icmp' && forward.spec.icmp === 'filtered') return undefined;
  const room = Math.floor((forward.mtu - headerBytes) / FRAGMENT_BYTES) * FRAGMENT_BYTES;
  const fragments = ipBytes <= forward.mtu ? 1 : Math.ceil((ipBytes - headerBytes) / room);
  const arrivesNs = forward.offer(ipBytes + (fragments - 1) * headerBytes, fragments);
  if (arrivesNs < 0) return undefined;
  const { duplicateNs } = forward;
  const { protocol, from, to, dscp = 0 } = packet;
  const arriving: Packet = { protocol, from, to, payload: packet.payload(), dscp };
  timeline.at(arrivesNs, () => target.deliver(arriving));
  if (duplicateNs !== undefined) {
    const copy = { ...arriving, payload: arriving.payload.slice() };
    timeline.at(duplicateNs, () => target.deliver(copy));
  }
  return undefined;
}

const THROUGH: Passage = { kind: 'through' };

/** Takes a packet past the routers of a path, and asks whether the path as a whole takes its size. */
export function throughRouters(
  { forward, back, source }: Route & { kind: 'path' },
  packet: {
    readonly protocol: string;
    readonly from: Pick<Endpoint, 'port'>;
    readonly to: Endpoint;
    readonly bytes: number;
    readonly ttl?: number;
    readonly dontFragment: boolean;
    readonly seed: number;
  },
): Passage {
  const { protocol, to, bytes, ttl, dontFragment } = packet;
  const { routers, hops = 0 } = forward.spec;
  // Floods come by here packet by packet.
  if (!routers && (hops === 0 || ttl === undefined) && !(dontFragment && bytes > forward.mtu)) return THROUGH;
  const transit = {
    bytes,
    family: to.family,
    ttl,
    dontFragment,
    flowHash: flowHash([packet.seed, source, to.host, protocol, packet.from.port, to.port]),
  };
  const ways = { forward: forward.spec, back: back.spec };
  const passage = forward.routers.pass(transit, ways);
  if (passage.kind === 'stopped' || !dontFragment || bytes <= forward.mtu) return passage;
  const { tooBig = 'told' } = forward.spec;
  if (tooBig === 'silent') return { kind: 'stopped' };
  return forward.routers.atTheEnd({ what: 'too-big', mtuBytes: tooBig === 'told' ? forward.mtu : tooBig }, transit, ways);
}

/** Sends `payload` back to where `packet` came from. */
export function sendAnswer(host: SimHost, packet: Packet, payload: Uint8Array): void {
  const route = host.network.route(host, packet.from.host, packet.to.host);
  sendPacket(host, route, { protocol: packet.protocol, from: packet.to, to: packet.from, bytes: payload.length, payload: () => payload });
}

/** Tells the sender of `packet` by ICMP that this host did not take it. */
export function answerWithError(host: SimHost, packet: Packet, errno: string): void {
  const route = host.network.route(host, packet.from.host, packet.to.host);
  if (route.kind !== 'path' || route.forward.spec.icmp === 'filtered') return;
  const arrivesNs = route.forward.offer(ipHeaderBytes(packet.to.family) + ICMP_ERROR_BYTES);
  if (arrivesNs < 0) return;
  host.network.timeline.at(arrivesNs, () => route.target.deliverError(packet, errno));
}
