import type { PacketSpec } from '../../base/index.js';

/*
 * What a packet carries so that answers can be told apart while everything that an equal-cost router may
 * hash stays the same (Augustin et al., "Avoiding traceroute anomalies with Paris traceroute", IMC 2006):
 * ports or identifier, and the checksum, which some routers hash for ICMP.
 *
 *   UDP    payload, padding to an even offset, then the tag: run u16, index u32, balance u16
 *   ICMP   sequence number in the header, then the balance u16
 *
 * The balance makes the ones' complement sum of all that varies the same for every packet.
 */
export const TAG_BYTES = 8;
export const BALANCE_BYTES = 2;
/** Any constant: every packet's varying words, length included, sum up to it. */
const SUM = 0x7a31;

/** Where the tag begins in a UDP payload: after what the plan puts there. */
export function tagOffset(payload: Uint8Array | undefined): number {
  return ((payload?.length ?? 0) + 1) & ~1;
}

/** Writes a UDP payload of exactly `into.length` bytes. Without room for the tag it is left out. */
export function writeUdpPayload(into: Uint8Array, spec: PacketSpec, tag: { readonly run: number; readonly index: number }): void {
  into.fill(0);
  if (spec.payload) into.set(spec.payload.subarray(0, into.length));
  const at = tagOffset(spec.payload);
  if (at + TAG_BYTES > into.length) return;
  put16(into, at, tag.run);
  put16(into, at + 2, tag.index >>> 16);
  put16(into, at + 4, tag.index);
  // The length is in the UDP header and in the pseudo header, both of which the checksum covers (RFC 768).
  const length = into.length + 8;
  put16(into, at + 6, balance(sum16(into) + 2 * length));
}

/** Writes an ICMP message of exactly `into.length` bytes, type to payload; the checksum is left to others. */
export function writeIcmpMessage(into: Uint8Array, header: { readonly type: number; readonly identifier: number; readonly sequence: number }): void {
  into.fill(0);
  into[0] = header.type;
  put16(into, 4, header.identifier);
  put16(into, 6, header.sequence);
  if (into.length >= 8 + BALANCE_BYTES) put16(into, 8, balance(header.sequence));
}

/** The word that makes `sum` and itself add up to the constant, in ones' complement. */
function balance(sum: number): number {
  return fold(SUM + (~fold(sum) & 0xffff));
}

function sum16(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0);
  return sum;
}

function fold(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded & 0xffff) + Math.floor(folded / 0x10000);
  return folded;
}

function put16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}
