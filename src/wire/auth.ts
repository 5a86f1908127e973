import { createHmac, timingSafeEqual } from 'node:crypto';

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
