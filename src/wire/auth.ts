import { createHmac, timingSafeEqual } from 'node:crypto';
import { COOKIE_BYTES, NONCE_BYTES } from './datagram.js';
import { HEADER_BYTES, KIND, writeHeader } from './header.js';

/**
 * The proof that a side knows the pre-shared key: HMAC-SHA256 over the role and the transcript of
 * both nonces, so that neither side's proof can be replayed as the other's.
 * @returns 32 bytes
 */
export function proveKey(key: Uint8Array, role: 'client' | 'server', transcript: Uint8Array): Uint8Array {
  return createHmac('sha256', key).update(`tautline/1 ${role}\0`).update(transcript).digest();
}

/** Compares two proofs in time that does not depend on where they differ. */
export function sameProof(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/** The bytes that the client's MAC covers in `open`; the server's in `opened` covers the same, then the session. */
export function openTranscript(clientNonce: Uint8Array, serverNonce: Uint8Array, cookie: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + NONCE_BYTES * 2 + COOKIE_BYTES);
  writeHeader(bytes, KIND.open);
  bytes.set(clientNonce, 8);
  bytes.set(serverNonce, 24);
  bytes.set(cookie, 40);
  return bytes;
}
