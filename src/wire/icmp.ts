import { view } from './header.js';

/*
 * ICMP echo (RFC 792, RFC 4443) and the errors that can come instead of a reply.
 *
 *   echo   type u8, code u8, checksum u16, identifier u16, sequence u16, payload
 *   error  type u8, code u8, checksum u16, 4 bytes, then the datagram that caused it
 */
export const ICMP_HEADER_BYTES = 8;
export const ICMP_SEQUENCE_OFFSET = 6;

export const ICMP_TYPE = {
  4: { echoReply: 0, unreachable: 3, echoRequest: 8, timeExceeded: 11 },
  6: { unreachable: 1, tooBig: 2, timeExceeded: 3, echoRequest: 128, echoReply: 129 },
} as const;

export type IcmpMessage =
  | { readonly kind: 'request' | 'reply'; readonly identifier: number; readonly sequence: number; readonly payload: Uint8Array }
  /** `original` is as much of the datagram that caused it as the router sent back, from its IP header on. */
  | { readonly kind: 'unreachable' | 'exceeded' | 'too-big'; readonly code: number; readonly why: string; readonly original: Uint8Array }
  | { readonly kind: 'garbled'; readonly why: string };

/** An echo request from its type byte on, with the IPv4 checksum filled in (for IPv6 the kernel does it). */
export function encodeIcmpEcho(fields: { family: 4 | 6; identifier: number; sequence: number; payload: Uint8Array; reply?: boolean }): Uint8Array {
  const bytes = new Uint8Array(ICMP_HEADER_BYTES + fields.payload.length);
  const data = view(bytes);
  bytes[0] = ICMP_TYPE[fields.family][fields.reply === true ? 'echoReply' : 'echoRequest'];
  data.setUint16(4, fields.identifier);
  data.setUint16(ICMP_SEQUENCE_OFFSET, fields.sequence);
  bytes.set(fields.payload, ICMP_HEADER_BYTES);
  if (fields.family === 4) data.setUint16(2, internetChecksum(bytes));
  return bytes;
}

/** Reads an ICMP message from its type byte on. The checksum is not looked at: the kernel has done so. */
export function decodeIcmp(bytes: Uint8Array, family: 4 | 6): IcmpMessage {
  if (bytes.length < ICMP_HEADER_BYTES) return { kind: 'garbled', why: 'shorter than an ICMP header' };
  const data = view(bytes);
  const type = bytes[0] ?? 0;
  const code = bytes[1] ?? 0;
  const types = ICMP_TYPE[family];
  const rest = bytes.subarray(ICMP_HEADER_BYTES);
  if (type === types.echoReply || type === types.echoRequest) {
    return {
      kind: type === types.echoReply ? 'reply' : 'request',
      identifier: data.getUint16(4),
      sequence: data.getUint16(ICMP_SEQUENCE_OFFSET),
      payload: rest,
    };
  }
  if (type === types.unreachable) return { kind: 'unreachable', code, why: unreachableReason(family, code), original: rest };
  if (type === types.timeExceeded)
    return { kind: 'exceeded', code, why: code === 0 ? 'time to live exceeded in transit' : 'fragment reassembly time exceeded', original: rest };
  if (family === 6 && type === ICMP_TYPE[6].tooBig)
    return { kind: 'too-big', code, why: `packet too big, path MTU ${data.getUint32(4)}`, original: rest };
  return { kind: 'garbled', why: `ICMP type ${type}` };
}

/** RFC 1071: the ones' complement of the ones' complement sum of 16-bit words. */
export function internetChecksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

const UNREACHABLE_4: Readonly<Record<number, string>> = {
  0: 'network unreachable',
  1: 'host unreachable',
  2: 'protocol unreachable',
  3: 'port unreachable',
  4: 'fragmentation needed',
  5: 'source route failed',
  6: 'network unknown',
  7: 'host unknown',
  9: 'network administratively prohibited',
  10: 'host administratively prohibited',
  13: 'communication administratively prohibited',
};
const UNREACHABLE_6: Readonly<Record<number, string>> = {
  0: 'no route to destination',
  1: 'communication administratively prohibited',
  2: 'beyond scope of source address',
  3: 'address unreachable',
  4: 'port unreachable',
  5: 'source address failed policy',
  6: 'route rejected',
};

function unreachableReason(family: 4 | 6, code: number): string {
  return (family === 4 ? UNREACHABLE_4 : UNREACHABLE_6)[code] ?? `unreachable, code ${code}`;
}
