import { SSH_MESSAGE } from './ssh-packet.js';
import { SshReader, concatBytes, sshString } from './ssh-bytes.js';

/** What each side can do, best first (RFC 4253, section 7.1). */
export interface SshKexInit {
  readonly kex: readonly string[];
  readonly hostKeys: readonly string[];
  readonly ciphersUp: readonly string[];
  readonly ciphersDown: readonly string[];
  readonly macsUp: readonly string[];
  readonly macsDown: readonly string[];
  readonly compressionUp: readonly string[];
  readonly compressionDown: readonly string[];
  /** A guessed key exchange packet follows; it is to be passed over where the guess was wrong. */
  readonly guesses: boolean;
}

const COOKIE_BYTES = 16;

/** The payload, message number included: it goes into the exchange hash as it is. */
export function encodeSshKexInit(init: SshKexInit, cookie: Uint8Array): Uint8Array {
  const lists = [
    init.kex,
    init.hostKeys,
    init.ciphersUp,
    init.ciphersDown,
    init.macsUp,
    init.macsDown,
    init.compressionUp,
    init.compressionDown,
    [],
    [],
  ];
  return concatBytes(
    Uint8Array.of(SSH_MESSAGE.kexInit),
    cookie.subarray(0, COOKIE_BYTES),
    ...lists.map((list) => sshString(list.join(','))),
    Uint8Array.of(init.guesses ? 1 : 0, 0, 0, 0, 0),
  );
}

/** Undefined when it is no KEXINIT. */
export function decodeSshKexInit(payload: Uint8Array): SshKexInit | undefined {
  const reader = new SshReader(payload);
  if (reader.byte() !== SSH_MESSAGE.kexInit) return undefined;
  reader.take(COOKIE_BYTES);
  const init = {
    kex: reader.names(),
    hostKeys: reader.names(),
    ciphersUp: reader.names(),
    ciphersDown: reader.names(),
    macsUp: reader.names(),
    macsDown: reader.names(),
    compressionUp: reader.names(),
    compressionDown: reader.names(),
  };
  reader.names();
  reader.names();
  const guesses = reader.byte() !== 0;
  reader.uint32();
  return reader.ok ? { ...init, guesses } : undefined;
}

/** The client's first choice that the server has too (section 7.1). */
export function agreedOn(client: readonly string[], server: readonly string[]): string | undefined {
  return client.find((name) => server.includes(name));
}

/** Whether what a server sent on a guess is void: its first choices are not the client's first choices. */
export function guessedWrong(client: SshKexInit, server: SshKexInit): boolean {
  return server.guesses && (client.kex[0] !== server.kex[0] || client.hostKeys[0] !== server.hostKeys[0]);
}
