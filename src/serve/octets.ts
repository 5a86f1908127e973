import { PROTOCOL_VERSION } from '../wire/index.js';

/** Header of this protocol version, read byte by byte: a DataView would be an allocation a datagram. */
export function isOurs(bytes: Uint8Array): boolean {
  return bytes[0] === 0x54 && bytes[1] === 0x41 && bytes[2] === 0x55 && bytes[3] === 0x54 && bytes[4] === PROTOCOL_VERSION;
}

export function int32(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
}

export function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a);
  bytes.set(b, a.length);
  return bytes;
}
