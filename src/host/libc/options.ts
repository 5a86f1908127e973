import type { Endpoint } from '../../base/index.js';
import { memory } from './libc.js';
import type { Libc } from './libc.js';
import { SOCKADDR_BYTES_MAX, decodeSockaddr } from './sockaddr.js';

/** Sets an option that is an `int`. @returns whether the kernel took it; false too where the platform has no such option */
export function setInt(libc: Libc, fd: number, level: number, option: number | undefined, value: number): boolean {
  if (option === undefined) return false;
  const bytes = memory(4);
  new DataView(bytes.buffer).setInt32(0, value, true);
  return libc.setsockopt(fd, level, option, bytes, 4) === 0;
}

/** Reads an option that is an `int`. */
export function readInt(libc: Libc, fd: number, level: number, option: number | undefined): number | undefined {
  const bytes = readOption(libc, fd, { level, option, sizeBytesMax: 4 });
  return bytes?.length === 4 ? new DataView(bytes.buffer).getInt32(0, true) : undefined;
}

/** Reads any option; the bytes are as long as the kernel made them. */
export function readOption(
  libc: Libc,
  fd: number,
  what: { level: number; option: number | undefined; sizeBytesMax: number },
): Uint8Array<ArrayBuffer> | undefined {
  if (what.option === undefined) return undefined;
  const bytes = memory(what.sizeBytesMax);
  const length = memory(4);
  new DataView(length.buffer).setUint32(0, what.sizeBytesMax, true);
  if (libc.getsockopt(fd, what.level, what.option, bytes, length) !== 0) return undefined;
  return bytes.subarray(0, new DataView(length.buffer).getUint32(0, true));
}

/** Differentiated services code point: the upper six bits of IP_TOS or IPV6_TCLASS. On IPv6 both are set, for mapped IPv4. */
export function setDscp(libc: Libc, fd: number, family: 4 | 6, dscp: number): boolean {
  const c = libc.constants;
  const four = setInt(libc, fd, c.IPPROTO_IP, c.IP_TOS, dscp << 2);
  return family === 4 ? four : setInt(libc, fd, c.IPPROTO_IPV6, c.IPV6_TCLASS, dscp << 2);
}

/** What a UDP socket does by default: datagrams that do not fit the known path MTU go out in pieces. The same number for both families. */
const PMTUDISC_WANT = 1;

/**
 * Sets don't-fragment, or what is the default. On Linux the kernel's belief about the path does not hold datagrams back
 * (IP_PMTUDISC_PROBE): EMSGSIZE then means the interface, or that a router just said so. IPv6 needs a second option, since
 * a socket that probes would still cut at home what the interface does not take (net/ipv6/ip6_output.c, __ip6_append_data).
 */
export function setDontFragment(libc: Libc, fd: number, family: 4 | 6, on = true): boolean {
  const c = libc.constants;
  if (family === 4 && libc.platform === 'darwin') return setInt(libc, fd, c.IPPROTO_IP, c.IP_DONTFRAG, on ? 1 : 0);
  const discover = on ? (c.IP_PMTUDISC_PROBE ?? 0) : PMTUDISC_WANT;
  if (family === 4) return setInt(libc, fd, c.IPPROTO_IP, c.IP_MTU_DISCOVER, discover);
  const whole = setInt(libc, fd, c.IPPROTO_IPV6, c.IPV6_DONTFRAG, on ? 1 : 0);
  return libc.platform === 'darwin' ? whole : setInt(libc, fd, c.IPPROTO_IPV6, c.IPV6_MTU_DISCOVER, discover) && whole;
}

/** What the kernel believes of the path's MTU, whole IP packet, on a connected socket. */
export function readPathMtu(libc: Libc, fd: number, family: 4 | 6): number | undefined {
  const c = libc.constants;
  const mtu = family === 4 ? readInt(libc, fd, c.IPPROTO_IP, c.IP_MTU) : readInt(libc, fd, c.IPPROTO_IPV6, c.IPV6_MTU);
  return mtu !== undefined && mtu > 0 ? mtu : undefined;
}

/** Time to live, or hop limit. */
export function setTtl(libc: Libc, fd: number, family: 4 | 6, ttl: number): boolean {
  const c = libc.constants;
  return family === 4 ? setInt(libc, fd, c.IPPROTO_IP, c.IP_TTL, ttl) : setInt(libc, fd, c.IPPROTO_IPV6, c.IPV6_UNICAST_HOPS, ttl);
}

/**
 * Makes the receive buffer as large as allowed: beyond `net.core.rmem_max` with the right to, else up
 * to it. @returns the size in force (the kernel's own figure, which counts its bookkeeping)
 */
export function growReceiveBuffer(libc: Libc, fd: number, sizeBytes: number): number {
  return grow(libc, fd, sizeBytes, libc.constants.SO_RCVBUFFORCE, libc.constants.SO_RCVBUF);
}

export function growSendBuffer(libc: Libc, fd: number, sizeBytes: number): number {
  return grow(libc, fd, sizeBytes, libc.constants.SO_SNDBUFFORCE, libc.constants.SO_SNDBUF);
}

/** How long a receiving call blocks at most, to the microsecond. */
export function setReceiveTimeout(libc: Libc, fd: number, timeoutNs: number): boolean {
  const value = memory(libc.layouts.timeval.size);
  const view = new DataView(value.buffer);
  view.setUint32(0, Math.floor(timeoutNs / 1e9), true);
  // Little endian, and below a million: the upper half, where there is one, stays zero.
  view.setUint32(8, Math.floor((timeoutNs % 1e9) / 1e3), true);
  return libc.setsockopt(fd, libc.constants.SOL_SOCKET, libc.constants.SO_RCVTIMEO, value, value.length) === 0;
}

/** What getsockname says, or undefined when it fails. */
export function localEndpoint(libc: Libc, fd: number): Endpoint | undefined {
  const bytes = memory(SOCKADDR_BYTES_MAX);
  const length = memory(4);
  new DataView(length.buffer).setUint32(0, SOCKADDR_BYTES_MAX, true);
  return libc.getsockname(fd, bytes, length) === 0 ? decodeSockaddr(libc, bytes) : undefined;
}

function grow(libc: Libc, fd: number, sizeBytes: number, force: number | undefined, plain: number): number {
  const level = libc.constants.SOL_SOCKET;
  const before = readInt(libc, fd, level, plain) ?? 0;
  // macOS refuses what is above its limit instead of cutting it down: halve until it fits.
  for (let size = sizeBytes; size > before; size /= 2) {
    if (setInt(libc, fd, level, force, Math.floor(size)) || setInt(libc, fd, level, plain, Math.floor(size))) break;
  }
  return readInt(libc, fd, level, plain) ?? before;
}
