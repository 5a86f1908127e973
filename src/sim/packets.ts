import type { Endpoint } from '../base/index.js';
import type { SimHost } from './host.js';
import type { Route } from './network.js';

export const UDP_BYTES = 8;
const FRAGMENT_BYTES = 8;
/** A UDP payload over IPv4 cannot be longer. */
const DATAGRAM_BYTES_MAX = 65507;
/** An ICMP error quotes the header of what it is about. */
const ICMP_ERROR_BYTES = 36;

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
  const fail = (errno: string, afterNs: number): void => {
    if (route.back.spec.icmp === 'filtered' || forward.spec.blackhole) return;
    timeline.after(afterNs, () => sender.deliverError(packet, errno));
  };
  const roundTripNs = ((forward.spec.delayMs ?? 0) + (route.back.spec.delayMs ?? 0)) * 1e6;
  const hops = forward.spec.hops ?? 0;
  if (packet.ttl !== undefined && packet.ttl <= hops) {
    fail('EHOSTUNREACH', (roundTripNs * packet.ttl) / (hops + 1));
    return undefined;
  }
  if (ipBytes > forward.mtu && packet.dontFragment) {
    if (ipBytes > sender.interfaceMtu(route)) return 'EMSGSIZE';
    fail('EMSGSIZE', roundTripNs / 2);
    return undefined;
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
