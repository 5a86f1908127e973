import { createHash, createPublicKey, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { SshReader, concatBytes, plainText } from './ssh-bytes.js';

/** Host key algorithms that a signature can be checked of, in the order that we ask for them. */
export const SSH_HOST_KEY_NAMES = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
  'ssh-rsa',
] as const;

/** Numbers beyond these only cost time. */
const RSA_BYTES_MAX = 2048;
const RSA_EXPONENT_BYTES_MAX = 8;

export interface SshHostKey {
  /** As the key names itself: `ssh-ed25519`, `ecdsa-sha2-nistp256`, `ssh-rsa`. */
  readonly type: string;
  readonly bits?: number;
  /** As `ssh-keygen -l` writes it: `SHA256:...`. */
  readonly fingerprint: string;
  /** Undefined for a key that cannot be used, or of a kind that is not known here. */
  readonly key: KeyObject | undefined;
}

/** Reads a public key (RFC 4253, section 6.6; RFC 5656, section 3.1; RFC 8709). Undefined when it names no type. */
export function readSshHostKey(blob: Uint8Array): SshHostKey | undefined {
  const reader = new SshReader(blob);
  const type = reader.text();
  if (!reader.ok || !/^[\x21-\x7e]{1,64}$/.test(type)) return undefined;
  const fingerprint = `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
  return { type: plainText(type), fingerprint, ...keyOf(type, reader) };
}

/**
 * Whether a signature of the exchange hash is the host key's: `wrong` also where it is made with another
 * algorithm than was agreed on; `unchecked` for kinds of keys that are not known here.
 */
export function checkSshSignature(
  hostKey: SshHostKey,
  signed: { readonly signature: Uint8Array; readonly over: Uint8Array; readonly algorithm: string },
): 'right' | 'wrong' | 'unchecked' {
  const known = ALGORITHMS[signed.algorithm];
  if (!known) return 'unchecked';
  const reader = new SshReader(signed.signature);
  const algorithm = reader.text();
  const bytes = reader.string();
  if (!reader.ok || algorithm !== signed.algorithm || known.type !== hostKey.type || !hostKey.key) return 'wrong';
  const { key } = hostKey;
  try {
    if (known.coordinateBytes === undefined) return verify(known.hash, signed.over, key, bytes) ? 'right' : 'wrong';
    const pair = pairOf(bytes, known.coordinateBytes);
    return pair && verify(known.hash, signed.over, { key, dsaEncoding: 'ieee-p1363' }, pair) ? 'right' : 'wrong';
  } catch {
    return 'wrong';
  }
}

interface Algorithm {
  readonly type: string;
  readonly hash: string | null;
  /** Of an elliptic curve's numbers. */
  readonly coordinateBytes?: number;
}

const ALGORITHMS: Readonly<Record<string, Algorithm>> = {
  'ssh-ed25519': { type: 'ssh-ed25519', hash: null },
  'ecdsa-sha2-nistp256': { type: 'ecdsa-sha2-nistp256', hash: 'sha256', coordinateBytes: 32 },
  'ecdsa-sha2-nistp384': { type: 'ecdsa-sha2-nistp384', hash: 'sha384', coordinateBytes: 48 },
  'ecdsa-sha2-nistp521': { type: 'ecdsa-sha2-nistp521', hash: 'sha512', coordinateBytes: 66 },
  'rsa-sha2-512': { type: 'ssh-rsa', hash: 'sha512' },
  'rsa-sha2-256': { type: 'ssh-rsa', hash: 'sha256' },
  'ssh-rsa': { type: 'ssh-rsa', hash: 'sha1' },
};

const CURVES: Readonly<Record<string, { readonly crv: string; readonly bits: number }>> = {
  nistp256: { crv: 'P-256', bits: 256 },
  nistp384: { crv: 'P-384', bits: 384 },
  nistp521: { crv: 'P-521', bits: 521 },
};

function keyOf(type: string, reader: SshReader): { readonly key: KeyObject | undefined; readonly bits?: number } {
  if (type === 'ssh-ed25519') {
    const x = reader.string();
    return { key: x.length === 32 ? fromJwk({ kty: 'OKP', crv: 'Ed25519', x: base64(x) }) : undefined, bits: 256 };
  }
  if (type === 'ssh-rsa') {
    const e = unsigned(reader.string());
    const n = unsigned(reader.string());
    const bits = n.length * 8 - Math.clz32(n[0] ?? 0) + 24;
    const usable = reader.ok && n.length > 0 && n.length <= RSA_BYTES_MAX && e.length > 0 && e.length <= RSA_EXPONENT_BYTES_MAX;
    return usable ? { key: fromJwk({ kty: 'RSA', n: base64(n), e: base64(e) }), bits } : { key: undefined };
  }
  const curve = CURVES[/^ecdsa-sha2-(nistp\d+)$/.exec(type)?.[1] ?? ''];
  if (!curve) return { key: undefined };
  const named = reader.text();
  const point = reader.string();
  const length = Math.ceil(curve.bits / 8);
  if (type !== `ecdsa-sha2-${named}` || point[0] !== 4 || point.length !== 1 + 2 * length) return { key: undefined, bits: curve.bits };
  const [x, y] = [base64(point.subarray(1, 1 + length)), base64(point.subarray(1 + length))];
  return { key: fromJwk({ kty: 'EC', crv: curve.crv, x, y }), bits: curve.bits };
}

/** Two mpints as the two numbers of one width that the library takes (RFC 5656, section 3.1.2). */
function pairOf(bytes: Uint8Array, width: number): Uint8Array | undefined {
  const reader = new SshReader(bytes);
  const numbers = [unsigned(reader.string()), unsigned(reader.string())];
  if (!reader.ok || numbers.some((number) => number.length > width)) return undefined;
  return concatBytes(...numbers.flatMap((number) => [new Uint8Array(width - number.length), number]));
}

function unsigned(mpint: Uint8Array): Uint8Array {
  let first = 0;
  while (first < mpint.length && mpint[first] === 0) first++;
  return mpint.subarray(first);
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}

function fromJwk(key: Record<string, string>): KeyObject | undefined {
  try {
    return createPublicKey({ key, format: 'jwk' });
  } catch {
    return undefined;
  }
}
