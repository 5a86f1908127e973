import { createECDH, createPublicKey, diffieHellman, generateKeyPairSync, getDiffieHellman } from 'node:crypto';
import { concatBytes, sshMpint, sshString } from './ssh-bytes.js';

/** One side's half of an agreement on a shared secret. */
export interface SshAgreement {
  /** The hash that the exchange is signed with. */
  readonly hash: string;
  /** Our public value as it stands in messages and in the exchange hash, its length in front. */
  readonly ours: Uint8Array;
  /** The peer's public value in the same form. */
  theirs(value: Uint8Array): Uint8Array;
  /** The secret as an mpint, or undefined where the peer's value is none that may be used. */
  secret(value: Uint8Array): Uint8Array | undefined;
}

/** Ways to agree on a key, in the order that we offer them. Hybrids with ML-KEM are not among them: a server that has them has these too. */
export const SSH_KEX_NAMES = [
  'curve25519-sha256',
  'curve25519-sha256@libssh.org',
  'ecdh-sha2-nistp256',
  'ecdh-sha2-nistp384',
  'ecdh-sha2-nistp521',
  'diffie-hellman-group14-sha256',
  'diffie-hellman-group16-sha512',
  'diffie-hellman-group14-sha1',
] as const;
export type SshKexName = (typeof SSH_KEX_NAMES)[number];

/** Makes a fresh key pair for this exchange. */
export function startSshAgreement(name: SshKexName): SshAgreement {
  switch (name) {
    case 'curve25519-sha256':
    case 'curve25519-sha256@libssh.org':
      return montgomery();
    case 'ecdh-sha2-nistp256':
      return ellipticCurve('prime256v1', 'sha256');
    case 'ecdh-sha2-nistp384':
      return ellipticCurve('secp384r1', 'sha384');
    case 'ecdh-sha2-nistp521':
      return ellipticCurve('secp521r1', 'sha512');
    case 'diffie-hellman-group14-sha256':
      return modular('modp14', 'sha256');
    case 'diffie-hellman-group16-sha512':
      return modular('modp16', 'sha512');
    case 'diffie-hellman-group14-sha1':
      return modular('modp14', 'sha1');
  }
}

/** RFC 8731. The secret's bytes are read as a big-endian number (section 3.1), all zeros being refused by the library. */
function montgomery(): SshAgreement {
  const pair = generateKeyPairSync('x25519');
  const own = Buffer.from(pair.publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
  return {
    hash: 'sha256',
    ours: sshString(own),
    theirs: sshString,
    secret: (value) =>
      value.length !== 32
        ? undefined
        : attempt(() => {
            const x = Buffer.from(value).toString('base64url');
            return diffieHellman({
              privateKey: pair.privateKey,
              publicKey: createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x }, format: 'jwk' }),
            });
          }),
  };
}

/** RFC 5656, section 4; points are not compressed. */
function ellipticCurve(curve: string, hash: string): SshAgreement {
  const pair = createECDH(curve);
  const own = pair.generateKeys();
  return {
    hash,
    ours: sshString(own),
    theirs: sshString,
    secret: (value) => (value.length !== own.length || value[0] !== 4 ? undefined : attempt(() => pair.computeSecret(value))),
  };
}

/** RFC 4253, section 8, with the groups of RFC 3526 (RFC 8268); public values are numbers. */
function modular(group: string, hash: string): SshAgreement {
  const pair = getDiffieHellman(group);
  const own = pair.generateKeys();
  const prime = pair.getPrime();
  return {
    hash,
    ours: sshMpint(own),
    theirs: sshMpint,
    secret: (value) => (value.length > prime.length + 1 ? undefined : attempt(() => pair.computeSecret(value))),
  };
}

/** The library throws for values that lie outside the group. */
function attempt(compute: () => Uint8Array): Uint8Array | undefined {
  try {
    const secret = compute();
    return secret.every((byte) => byte === 0) ? undefined : sshMpint(secret);
  } catch {
    return undefined;
  }
}

/** What the exchange hash is made over, in this order (RFC 4253, section 8; RFC 5656, section 4). */
export interface SshTranscript {
  readonly clientLine: Uint8Array;
  readonly serverLine: Uint8Array;
  readonly clientInit: Uint8Array;
  readonly serverInit: Uint8Array;
  readonly hostKey: Uint8Array;
  /** The public values with their lengths in front, as `SshAgreement` gives them. */
  readonly clientValue: Uint8Array;
  readonly serverValue: Uint8Array;
  /** As an mpint. */
  readonly secret: Uint8Array;
}

export function sshTranscriptBytes(transcript: SshTranscript): Uint8Array {
  return concatBytes(
    sshString(transcript.clientLine),
    sshString(transcript.serverLine),
    sshString(transcript.clientInit),
    sshString(transcript.serverInit),
    sshString(transcript.hostKey),
    transcript.clientValue,
    transcript.serverValue,
    transcript.secret,
  );
}
