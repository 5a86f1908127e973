import { randomFillSync } from 'node:crypto';
import { plainText, SshReader } from './ssh-bytes.js';

/*
 * Binary packets before the first keys are taken into use (RFC 4253, section 6): neither encrypted nor
 * authenticated.
 */

/** Every implementation must take packets of this size (section 6.1); none of a key exchange is larger. */
export const SSH_PACKET_BYTES_MAX = 35_000;
const BLOCK_BYTES = 8;
const PADDING_BYTES_MIN = 4;
const HEAD_BYTES = 5;

/** Message numbers (RFC 4250, section 4.1.2). */
export const SSH_MESSAGE = {
  disconnect: 1,
  ignore: 2,
  unimplemented: 3,
  debug: 4,
  extInfo: 7,
  kexInit: 20,
  newKeys: 21,
  kexExchangeInit: 30,
  kexExchangeReply: 31,
} as const;

export function encodeSshPacket(payload: Uint8Array): Uint8Array {
  let padding = BLOCK_BYTES - ((HEAD_BYTES + payload.length) % BLOCK_BYTES);
  if (padding < PADDING_BYTES_MIN) padding += BLOCK_BYTES;
  const packet = new Uint8Array(HEAD_BYTES + payload.length + padding);
  new DataView(packet.buffer).setUint32(0, packet.length - 4);
  packet[4] = padding;
  packet.set(payload, HEAD_BYTES);
  randomFillSync(packet, HEAD_BYTES + payload.length);
  return packet;
}

export type SshPacket =
  | { readonly kind: 'packet'; readonly payload: Uint8Array; readonly end: number }
  | { readonly kind: 'more' }
  | { readonly kind: 'garbled'; readonly why: string };

/** The packet at the start of what came, once all of it is there. */
export function decodeSshPacket(bytes: Uint8Array): SshPacket {
  if (bytes.length < HEAD_BYTES) return { kind: 'more' };
  const length = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
  const padding = bytes[4] ?? 0;
  if (length > SSH_PACKET_BYTES_MAX || (length + 4) % BLOCK_BYTES !== 0 || padding < PADDING_BYTES_MIN || length < padding + 2) {
    return { kind: 'garbled', why: 'what it sends are no SSH packets' };
  }
  if (bytes.length < 4 + length) return { kind: 'more' };
  return { kind: 'packet', payload: bytes.slice(HEAD_BYTES, 4 + length - padding), end: 4 + length };
}

/** Says goodbye (RFC 4253, section 11.1); 11 is SSH_DISCONNECT_BY_APPLICATION. */
export function encodeSshDisconnect(description: string): Uint8Array {
  const text = new TextEncoder().encode(description);
  const payload = new Uint8Array(1 + 4 + 4 + text.length + 4);
  const data = new DataView(payload.buffer);
  data.setUint8(0, SSH_MESSAGE.disconnect);
  data.setUint32(1, 11);
  data.setUint32(5, text.length);
  payload.set(text, 9);
  return encodeSshPacket(payload);
}

/** The words of a disconnect, its message number included in `payload`. */
export function readSshDisconnect(payload: Uint8Array): string {
  const reader = new SshReader(payload.subarray(1));
  const code = reader.uint32();
  const text = plainText(reader.text());
  return text === '' ? `reason ${code}` : text;
}
