import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { Connection } from '../../src/base/index.js';
import { sshTranscriptBytes, startSshAgreement } from '../../src/wire/ssh-agreement.js';
import type { SshKexName } from '../../src/wire/ssh-agreement.js';
import { SshReader, concatBytes, sshMpint, sshString } from '../../src/wire/ssh-bytes.js';
import { encodeSshKexInit, decodeSshKexInit } from '../../src/wire/ssh-kexinit.js';
import { readSshIdentification } from '../../src/wire/ssh-identification.js';
import { decodeSshPacket, encodeSshPacket } from '../../src/wire/ssh-packet.js';

export interface SshServerOptions {
  readonly kex?: readonly string[];
  readonly hostKey?: 'ssh-ed25519' | 'ecdsa-sha2-nistp256' | 'ecdsa-sha2-nistp384' | 'ecdsa-sha2-nistp521' | 'rsa-sha2-256' | 'rsa-sha2-512';
  /** Lines before the identification. */
  readonly preamble?: string;
  readonly line?: string;
  /** Sends a guessed key exchange packet, which the client has to pass over where the first choices differ. */
  readonly guesses?: boolean;
  /** Signs something else. */
  readonly forges?: boolean;
  /** What to send after the list of algorithms of the client came, instead of going on. */
  readonly insteadOfReply?: Uint8Array;
}

/** The server's side of a key exchange, for tests: enough that a client can finish it. Bytes in, bytes out. */
export class SshServer {
  readonly hostKey: { readonly blob: Uint8Array; readonly key: KeyObject };
  readonly #options: SshServerOptions;
  readonly #init: Uint8Array;
  readonly #line: Uint8Array;
  #clientLine: Uint8Array | undefined;
  #clientInit: Uint8Array | undefined;
  #unread: Uint8Array = new Uint8Array(0);
  /** What the client said when it left. */
  goodbye: Uint8Array | undefined;

  constructor(options: SshServerOptions = {}) {
    this.#options = options;
    this.hostKey = makeHostKey(options.hostKey ?? 'ssh-ed25519');
    this.#line = new TextEncoder().encode(options.line ?? 'SSH-2.0-TestServer_1.0 for tests');
    const ciphers = ['aes128-ctr'];
    const macs = ['hmac-sha2-256'];
    this.#init = encodeSshKexInit(
      {
        kex: options.kex ?? ['mlkem768x25519-sha256', 'curve25519-sha256'],
        hostKeys: [options.hostKey ?? 'ssh-ed25519'],
        ciphersUp: ciphers,
        ciphersDown: ciphers,
        macsUp: macs,
        macsDown: macs,
        compressionUp: ['none'],
        compressionDown: ['none'],
        guesses: options.guesses === true,
      },
      new Uint8Array(16).fill(7),
    );
  }

  /** What it says unasked. */
  greeting(): Uint8Array {
    return concatBytes(new TextEncoder().encode(this.#options.preamble ?? ''), this.#line, Uint8Array.of(13, 10));
  }

  receive(bytes: Uint8Array): Uint8Array {
    this.#unread = concatBytes(this.#unread, bytes);
    const answers: Uint8Array[] = [];
    if (!this.#clientLine) {
      const found = readSshIdentification(this.#unread);
      if (found.kind !== 'identification') return new Uint8Array(0);
      this.#clientLine = found.line;
      this.#unread = this.#unread.subarray(found.end);
      answers.push(encodeSshPacket(this.#init));
      if (this.#options.guesses === true) answers.push(encodeSshPacket(Uint8Array.of(31, 1, 2, 3)));
    }
    for (;;) {
      const packet = decodeSshPacket(this.#unread);
      if (packet.kind !== 'packet') return concatBytes(...answers);
      this.#unread = this.#unread.subarray(packet.end);
      answers.push(this.#take(packet.payload));
    }
  }

  #take(payload: Uint8Array): Uint8Array {
    if (payload[0] === 1) this.goodbye = payload;
    if (payload[0] === 20) this.#clientInit = payload;
    if (payload[0] === 20 && this.#options.insteadOfReply) return this.#options.insteadOfReply;
    return payload[0] === 30 ? this.#reply(new SshReader(payload.subarray(1)).string()) : new Uint8Array(0);
  }

  #reply(value: Uint8Array): Uint8Array {
    const client = decodeSshKexInit(this.#clientInit ?? new Uint8Array(0));
    const own = decodeSshKexInit(this.#init);
    const kex = client?.kex.find((name) => own?.kex.includes(name)) as SshKexName;
    const agreement = startSshAgreement(kex);
    const secret = agreement.secret(value);
    if (!secret) throw new Error('the client sent no valid public value');
    const transcript = sshTranscriptBytes({
      clientLine: this.#clientLine ?? new Uint8Array(0),
      serverLine: this.#line,
      clientInit: this.#clientInit ?? new Uint8Array(0),
      serverInit: this.#init,
      hostKey: this.hostKey.blob,
      clientValue: agreement.theirs(value),
      serverValue: agreement.ours,
      secret,
    });
    const hash = createHash(agreement.hash).update(transcript).digest();
    const signature = signWith(
      this.#options.hostKey ?? 'ssh-ed25519',
      this.hostKey.key,
      this.#options.forges === true ? Buffer.alloc(hash.length) : hash,
    );
    return concatBytes(
      encodeSshPacket(concatBytes(Uint8Array.of(31), sshString(this.hostKey.blob), agreement.ours, sshString(signature))),
      encodeSshPacket(Uint8Array.of(21)),
    );
  }
}

/** Answers one connection as a server does, until it ends. */
export async function serveSsh(connection: Connection, server: SshServer = new SshServer()): Promise<void> {
  try {
    await connection.write(server.greeting());
    for (;;) {
      const bytes = await connection.read();
      if (!bytes) break;
      const answer = server.receive(bytes);
      if (answer.length > 0) await connection.write(answer);
    }
  } catch {
    // The client has gone, as it may at any time.
  } finally {
    connection.close();
  }
}

type HostKeyAlgorithm = NonNullable<SshServerOptions['hostKey']>;

function makeHostKey(algorithm: HostKeyAlgorithm): { blob: Uint8Array; key: KeyObject } {
  if (algorithm === 'ssh-ed25519') {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    return { blob: concatBytes(sshString('ssh-ed25519'), sshString(part(publicKey, 'x'))), key: privateKey };
  }
  if (algorithm.startsWith('rsa')) {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    return { blob: concatBytes(sshString('ssh-rsa'), sshMpint(part(publicKey, 'e')), sshMpint(part(publicKey, 'n'))), key: privateKey };
  }
  const namedCurve = { 'ecdsa-sha2-nistp256': 'P-256', 'ecdsa-sha2-nistp384': 'P-384', 'ecdsa-sha2-nistp521': 'P-521' }[algorithm as string] ?? '';
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve });
  const point = concatBytes(Uint8Array.of(4), part(publicKey, 'x'), part(publicKey, 'y'));
  return { blob: concatBytes(sshString(algorithm), sshString(algorithm.slice(-8)), sshString(point)), key: privateKey };
}

function signWith(algorithm: HostKeyAlgorithm, key: KeyObject, data: Uint8Array): Uint8Array {
  if (algorithm === 'ssh-ed25519') return concatBytes(sshString(algorithm), sshString(sign(null, data, key)));
  if (algorithm.startsWith('rsa'))
    return concatBytes(sshString(algorithm), sshString(sign(algorithm === 'rsa-sha2-256' ? 'sha256' : 'sha512', data, key)));
  const hash = { '256': 'sha256', '384': 'sha384', '521': 'sha512' }[algorithm.slice(-3)] ?? '';
  const pair = sign(hash, data, { key, dsaEncoding: 'ieee-p1363' });
  const half = pair.length / 2;
  return concatBytes(sshString(algorithm), sshString(concatBytes(sshMpint(pair.subarray(0, half)), sshMpint(pair.subarray(half)))));
}

function part(key: KeyObject, name: 'x' | 'y' | 'n' | 'e'): Uint8Array {
  return Buffer.from(key.export({ format: 'jwk' })[name] ?? '', 'base64url');
}
