import { createHash, randomBytes } from 'node:crypto';
import { SSH_KEX_NAMES, sshTranscriptBytes, startSshAgreement } from './ssh-agreement.js';
import type { SshAgreement, SshKexName } from './ssh-agreement.js';
import { SshReader, concatBytes } from './ssh-bytes.js';
import { SSH_HOST_KEY_NAMES, checkSshSignature, readSshHostKey } from './ssh-host-key.js';
import { readSshIdentification, sshIdentification } from './ssh-identification.js';
import { agreedOn, decodeSshKexInit, encodeSshKexInit, guessedWrong } from './ssh-kexinit.js';
import type { SshKexInit } from './ssh-kexinit.js';
import { SSH_MESSAGE, decodeSshPacket, encodeSshDisconnect, encodeSshPacket, readSshDisconnect } from './ssh-packet.js';

/** What a server may send before its keys: the rest of a hostile stream is not read. */
const RECEIVED_BYTES_MAX = 256 * 1024;

/** What was learnt of the server so far. */
export interface SshFacts {
  readonly protocol?: string;
  readonly software?: string;
  /** How the keys were agreed on, and what the host's signature is made with. */
  readonly kex?: string;
  readonly hostKeyAlgorithm?: string;
  readonly hostKey?: string;
  readonly hostKeyBits?: number;
  readonly fingerprint?: string;
  /** Whether the server has proven that it holds its host key. */
  readonly signature?: 'right' | 'unchecked';
  /** What the server would rather have used. */
  readonly kexPreferred?: string;
}

export type SshPhase = 'identification' | 'kexinit' | 'reply' | 'newkeys' | 'done' | 'failed';

/**
 * The client's side of a fresh connection until the server takes its keys into use (RFC 4253, sections
 * 4.2, 6, 7 and 8). It never authenticates. Pure: bytes in, bytes out; whoever drives it takes the times.
 */
export class SshExchange {
  readonly #clientLine: Uint8Array;
  readonly #clientInit: Uint8Array;
  readonly #offer: SshKexInit;
  #agreement: { readonly name: SshKexName; readonly own: SshAgreement };
  #unread: Uint8Array = new Uint8Array(0);
  #received = 0;
  #phase: SshPhase = 'identification';
  #facts: SshFacts = {};
  #failure = '';
  #serverLine: Uint8Array = new Uint8Array(0);
  #serverInit: Uint8Array = new Uint8Array(0);
  #passOver = false;

  /** The key pair of the first choice is made here, before anything is timed. */
  constructor(options: { readonly software: string; readonly kex?: readonly SshKexName[] }) {
    const kex = options.kex ?? SSH_KEX_NAMES;
    this.#clientLine = sshIdentification(options.software);
    this.#offer = offerOf(kex);
    this.#clientInit = encodeSshKexInit(this.#offer, randomBytes(16));
    const name = kex[0] ?? SSH_KEX_NAMES[0];
    this.#agreement = { name, own: startSshAgreement(name) };
  }

  get phase(): SshPhase {
    return this.#phase;
  }

  get facts(): SshFacts {
    return this.#facts;
  }

  /** Why it failed, as the end of a sentence about the server. */
  get failure(): string {
    return this.#failure;
  }

  /** What the server said before it identified itself, where it has not. */
  get unread(): Uint8Array {
    return this.#unread;
  }

  hello(): Uint8Array {
    return concatBytes(this.#clientLine, Uint8Array.of(13, 10));
  }

  goodbye(): Uint8Array {
    return encodeSshDisconnect('measured the key exchange, not logging in');
  }

  /** Takes what came in. @returns what to send */
  receive(bytes: Uint8Array): Uint8Array {
    this.#received += bytes.length;
    if (this.#received > RECEIVED_BYTES_MAX) return this.#fail('it sends without end before its keys');
    this.#unread = concatBytes(this.#unread, bytes);
    const answers: Uint8Array[] = [];
    if (this.#phase === 'identification') answers.push(this.#identify());
    while (this.#phase !== 'identification' && this.#phase !== 'done' && this.#phase !== 'failed') {
      const packet = decodeSshPacket(this.#unread);
      if (packet.kind === 'more') break;
      if (packet.kind === 'garbled') return this.#fail(packet.why);
      this.#unread = this.#unread.subarray(packet.end);
      answers.push(this.#take(packet.payload));
    }
    return concatBytes(...answers);
  }

  #identify(): Uint8Array {
    const found = readSshIdentification(this.#unread);
    if (found.kind === 'more') return NOTHING;
    if (found.kind === 'garbled') return this.#fail(found.why);
    this.#unread = this.#unread.subarray(found.end);
    this.#serverLine = found.line;
    this.#facts = { protocol: found.protocol, software: found.software };
    this.#phase = 'kexinit';
    return encodeSshPacket(this.#clientInit);
  }

  #take(payload: Uint8Array): Uint8Array {
    const number = payload[0] ?? 0;
    if (number === SSH_MESSAGE.disconnect) return this.#fail(`it ended the key exchange: ${readSshDisconnect(payload)}`);
    if (number === SSH_MESSAGE.ignore || number === SSH_MESSAGE.debug || number === SSH_MESSAGE.unimplemented) return NOTHING;
    if (this.#phase === 'kexinit' && number === SSH_MESSAGE.kexInit) return this.#negotiate(payload);
    if (this.#phase === 'reply' && this.#passOver && number >= SSH_MESSAGE.kexExchangeInit) {
      this.#passOver = false;
      return NOTHING;
    }
    if (this.#phase === 'reply' && number === SSH_MESSAGE.kexExchangeReply) return this.#verify(payload);
    if (this.#phase === 'newkeys' && number === SSH_MESSAGE.newKeys && payload.length === 1) {
      this.#phase = 'done';
      return NOTHING;
    }
    return this.#fail(`it sent message ${number} where ${EXPECTED[this.#phase] ?? 'none'} was due`);
  }

  #negotiate(payload: Uint8Array): Uint8Array {
    const server = decodeSshKexInit(payload);
    if (!server) return this.#fail('its list of algorithms cannot be read');
    const kex = agreedOn(this.#offer.kex, server.kex) as SshKexName | undefined;
    const hostKeyAlgorithm = agreedOn(this.#offer.hostKeys, server.hostKeys);
    if (kex === undefined) return this.#fail(`it has no key exchange in common with us (it offers ${shortList(server.kex)})`);
    if (hostKeyAlgorithm === undefined) return this.#fail(`it has no kind of host key in common with us (it offers ${shortList(server.hostKeys)})`);
    if (kex !== this.#agreement.name) this.#agreement = { name: kex, own: startSshAgreement(kex) };
    this.#serverInit = payload;
    this.#passOver = guessedWrong(this.#offer, server);
    const [preferred] = server.kex;
    this.#facts = { ...this.#facts, kex, hostKeyAlgorithm, ...(preferred === undefined ? {} : { kexPreferred: shortList([preferred]) }) };
    this.#phase = 'reply';
    return encodeSshPacket(concatBytes(Uint8Array.of(SSH_MESSAGE.kexExchangeInit), this.#agreement.own.ours));
  }

  #verify(payload: Uint8Array): Uint8Array {
    const reader = new SshReader(payload.subarray(1));
    const [blob, value, signature] = [reader.string(), reader.string(), reader.string()];
    const hostKey = reader.ok ? readSshHostKey(blob) : undefined;
    if (!hostKey) return this.#fail('its answer to the key exchange cannot be read');
    const { own } = this.#agreement;
    const secret = own.secret(value);
    if (!secret) return this.#fail('its public value of the key exchange is not valid');
    const transcript = sshTranscriptBytes({
      clientLine: this.#clientLine,
      serverLine: this.#serverLine,
      clientInit: this.#clientInit,
      serverInit: this.#serverInit,
      hostKey: blob,
      clientValue: own.ours,
      serverValue: own.theirs(value),
      secret,
    });
    const over = createHash(own.hash).update(transcript).digest();
    const checked = checkSshSignature(hostKey, { signature, over, algorithm: this.#facts.hostKeyAlgorithm ?? '' });
    const { type, bits, fingerprint } = hostKey;
    this.#facts = { ...this.#facts, hostKey: type, ...(bits === undefined ? {} : { hostKeyBits: bits }), fingerprint };
    if (checked === 'wrong') return this.#fail('its signature of the key exchange is wrong: it does not hold the host key that it shows');
    this.#facts = { ...this.#facts, signature: checked };
    this.#phase = 'newkeys';
    return NOTHING;
  }

  #fail(why: string): Uint8Array {
    this.#phase = 'failed';
    this.#failure = why;
    return NOTHING;
  }
}

const NOTHING: Readonly<Uint8Array> & Uint8Array = new Uint8Array(0);

const EXPECTED: Partial<Readonly<Record<SshPhase, string>>> = {
  kexinit: 'its list of algorithms',
  reply: 'its answer to the key exchange',
  newkeys: 'its taking the keys into use',
};

/** Ciphers and the like are never used, but without one in common a server gives up. */
function offerOf(kex: readonly SshKexName[]): SshKexInit {
  const ciphers = [
    'chacha20-poly1305@openssh.com',
    'aes256-gcm@openssh.com',
    'aes128-gcm@openssh.com',
    'aes256-ctr',
    'aes192-ctr',
    'aes128-ctr',
    'aes256-cbc',
    'aes128-cbc',
    '3des-cbc',
  ];
  const macs = ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com', 'hmac-sha2-256', 'hmac-sha2-512', 'hmac-sha1'];
  const compression = ['none', 'zlib@openssh.com', 'zlib'];
  return {
    kex,
    hostKeys: SSH_HOST_KEY_NAMES,
    ciphersUp: ciphers,
    ciphersDown: ciphers,
    macsUp: macs,
    macsDown: macs,
    compressionUp: compression,
    compressionDown: compression,
    guesses: false,
  };
}

/** Names of a peer, shortened for a message. */
function shortList(names: readonly string[]): string {
  const shown = names.slice(0, 3).map((name) => name.replace(/[^\x21-\x7e]/g, '?').slice(0, 48));
  return [...shown, ...(names.length > 3 ? ['...'] : [])].join(', ') || 'nothing';
}
