import { createHmac, timingSafeEqual } from 'node:crypto';
import { COOKIE_BYTES, NONCE_BYTES } from '../wire/index.js';
import type { AddressBytes } from '../wire/index.js';

/** A cookie is valid in the bucket that it was made in and in the next one: for 15 to 30 seconds. */
export const COOKIE_BUCKET_MS = 15_000;

export interface Cookie {
  readonly cookie: Uint8Array;
  readonly serverNonce: Uint8Array;
}

/**
 * Proves that a client receives what is sent to its address, without remembering anything about it
 * (as TCP's SYN cookies and QUIC's Retry tokens do).
 *
 * 1. cookie and server nonce are the two halves of HMAC-SHA256(secret, time bucket, address, client nonce).
 *    The secret is new at every start, so cookies of an earlier run are worthless.
 * 2. The client sends both back. Whoever gave a false address never saw them.
 * 3. The session's number comes from the same secret over the same fields: the same proof, sent again
 *    because the answer was lost, leads to the same session, and nobody can guess it.
 */
export class Cookies {
  readonly #secret: Uint8Array;

  /** @param secret at least 32 random bytes, made at start and kept in memory only */
  constructor(secret: Uint8Array) {
    this.#secret = secret.slice();
  }

  make(from: AddressBytes, clientNonce: Uint8Array, nowMs: number): Cookie {
    return this.#halves(from, clientNonce, bucketOf(nowMs));
  }

  /** Takes the same time whether the proof is right, almost right or random. */
  proves(from: AddressBytes, clientNonce: Uint8Array, shown: Cookie, nowMs: number): boolean {
    const bucket = bucketOf(nowMs);
    const now = sameCookie(this.#halves(from, clientNonce, bucket), shown);
    const before = sameCookie(this.#halves(from, clientNonce, bucket - 1), shown);
    return now || before;
  }

  /** The 64-bit number of the session that this proof opens. */
  session(from: AddressBytes, clientNonce: Uint8Array, shown: Cookie): Uint8Array {
    return createHmac('sha256', this.#secret).update('session\0').update(shown.serverNonce).update(clientNonce).update(from).digest().subarray(0, 8);
  }

  #halves(from: AddressBytes, clientNonce: Uint8Array, bucket: number): Cookie {
    const digest = createHmac('sha256', this.#secret).update(`cookie\0${bucket}\0`).update(clientNonce).update(from).digest();
    return { cookie: digest.subarray(0, COOKIE_BYTES), serverNonce: digest.subarray(COOKIE_BYTES, COOKIE_BYTES + NONCE_BYTES) };
  }
}

function bucketOf(nowMs: number): number {
  return Math.floor(nowMs / COOKIE_BUCKET_MS);
}

function sameCookie(a: Cookie, b: Cookie): boolean {
  if (b.cookie.length !== COOKIE_BYTES || b.serverNonce.length !== NONCE_BYTES) return false;
  const cookie = timingSafeEqual(a.cookie, b.cookie);
  const nonce = timingSafeEqual(a.serverNonce, b.serverNonce);
  return cookie && nonce;
}
