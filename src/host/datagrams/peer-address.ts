import type { AddressBytes } from '../../wire/index.js';
import { familyOf, writeFamily } from '../libc/index.js';
import type { Libc } from '../libc/index.js';

type Platform = Pick<Libc, 'constants' | 'layouts'>;

const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

/**
 * Turns senders' sockaddrs into the addresses that a responder knows, in memory that is used again:
 * an address is valid until the next call. IPv4 that comes in over an IPv6 socket is IPv4.
 */
export class PeerAddresses {
  readonly #platform: Platform;
  readonly #four = new Uint8Array(3 + 4);
  readonly #six = new Uint8Array(3 + 16);

  constructor(platform: Platform) {
    this.#platform = platform;
    this.#four[0] = 4;
    this.#six[0] = 6;
  }

  /** @param names a sockaddr begins in these at `at` */
  read(names: Uint8Array, at: number): AddressBytes | undefined {
    const family = familyOf(this.#platform, names.subarray(at, at + 2));
    if (family === undefined) return undefined;
    const mapped = family === 6 && MAPPED.every((byte, i) => names[at + 8 + i] === byte);
    const address = family === 4 || mapped ? this.#four : this.#six;
    address[1] = names[at + 2] ?? 0;
    address[2] = names[at + 3] ?? 0;
    const from = at + (family === 4 ? 4 : mapped ? 20 : 8);
    for (let i = 3; i < address.length; i++) address[i] = names[from + i - 3] ?? 0;
    return address;
  }
}

/** The sockaddr for an address, on a socket of `family`: IPv4 over an IPv6 socket is a mapped address. */
export function sockaddrOf(platform: Platform, address: AddressBytes, family: 4 | 6): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(new ArrayBuffer(family === 4 ? 16 : 28));
  writeFamily(platform, bytes, family);
  bytes[2] = address[1] ?? 0;
  bytes[3] = address[2] ?? 0;
  if (family === 4) bytes.set(address.subarray(3, 7), 4);
  else if (address[0] === 4) {
    bytes.set(MAPPED, 8);
    bytes.set(address.subarray(3, 7), 20);
  } else bytes.set(address.subarray(3, 19), 8);
  return bytes;
}
