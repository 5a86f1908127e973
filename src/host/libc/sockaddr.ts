import type { Endpoint } from '../../base/index.js';
import type { Libc } from './libc.js';
import { memory } from './libc.js';

/** Room for either family. */
export const SOCKADDR_BYTES_MAX = 28;
const IN_BYTES = 16;
const IN6_BYTES = 28;

type Platform = Pick<Libc, 'constants' | 'layouts'>;
const TEXT_BYTES_MAX = 64;

/**
 * `struct sockaddr_in` or `sockaddr_in6` for an endpoint. A zone (`fe80::1%eth0`, `fe80::1%2`)
 * becomes the scope; one that names no interface becomes scope 0, and the kernel refuses the address.
 * What is no address at all becomes the unspecified one, which no packet can be sent to.
 */
export function encodeSockaddr(libc: Libc, endpoint: Endpoint): Uint8Array<ArrayBuffer> {
  const { family } = endpoint;
  const bytes = memory(family === 6 ? IN6_BYTES : IN_BYTES);
  const view = new DataView(bytes.buffer);
  writeFamily(libc, bytes, family);
  view.setUint16(2, endpoint.port);
  const [text = '', zone] = endpoint.host.split('%');
  libc.inet_pton(family === 6 ? libc.constants.AF_INET6 : libc.constants.AF_INET, text, bytes.subarray(addressAt(family)));
  if (family === 6 && zone !== undefined) view.setUint32(24, /^\d+$/.test(zone) ? Number(zone) : libc.if_nametoindex(zone), true);
  return bytes;
}

/** Writes the family (and, on BSD, the length before it) into the first two bytes. */
export function writeFamily(platform: Platform, bytes: Uint8Array, family: 4 | 6): void {
  const number = family === 6 ? platform.constants.AF_INET6 : platform.constants.AF_INET;
  bytes[0] = platform.layouts.sockaddrHasLength ? (family === 6 ? IN6_BYTES : IN_BYTES) : number;
  bytes[1] = platform.layouts.sockaddrHasLength ? number : 0;
}

/** 4 or 6, or undefined for any other family. */
export function familyOf(platform: Platform, bytes: Uint8Array): 4 | 6 | undefined {
  const number = platform.layouts.sockaddrHasLength ? bytes[1] : (bytes[0] ?? 0) | ((bytes[1] ?? 0) << 8);
  if (number === platform.constants.AF_INET) return 4;
  return number === platform.constants.AF_INET6 ? 6 : undefined;
}

/** Reads a sockaddr; a scope becomes a numeric zone. @returns undefined for a family other than IP */
export function decodeSockaddr(libc: Libc, bytes: Uint8Array): Endpoint | undefined {
  const family = familyOf(libc, bytes);
  if (family === undefined || bytes.length < (family === 4 ? IN_BYTES : IN6_BYTES)) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const number = family === 6 ? libc.constants.AF_INET6 : libc.constants.AF_INET;
  const host = libc.inet_ntop(number, bytes.subarray(addressAt(family)), memory(TEXT_BYTES_MAX), TEXT_BYTES_MAX);
  if (host === null) return undefined;
  const scope = family === 6 ? view.getUint32(24, true) : 0;
  return { host: scope === 0 ? host : `${host}%${scope}`, port: view.getUint16(2), family };
}

/** Where the address is in a sockaddr. */
function addressAt(family: 4 | 6): number {
  return family === 4 ? 4 : 8;
}
