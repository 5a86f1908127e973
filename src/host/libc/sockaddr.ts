import type { Endpoint } from '../../base/index.js';
import { decodeAddress, parse4, parse6 } from '../../wire/index.js';
import type { Libc } from './libc.js';
import { memory } from './libc.js';

/** Room for either family. */
export const SOCKADDR_BYTES_MAX = 28;
const IN_BYTES = 16;
const IN6_BYTES = 28;

type Platform = Pick<Libc, 'constants' | 'layouts'> & Partial<Pick<Libc, 'if_nametoindex'>>;

/**
 * `struct sockaddr_in` or `sockaddr_in6` for an endpoint. A zone (`fe80::1%eth0`, `fe80::1%2`)
 * becomes the scope; one that names no interface becomes scope 0, and the kernel refuses the address.
 */
export function encodeSockaddr(platform: Platform, endpoint: Endpoint): Uint8Array<ArrayBuffer> {
  const six = endpoint.family === 6;
  const bytes = memory(six ? IN6_BYTES : IN_BYTES);
  const view = new DataView(bytes.buffer);
  writeFamily(platform, bytes, endpoint.family);
  view.setUint16(2, endpoint.port);
  if (!six) {
    bytes.set(parse4(endpoint.host), 4);
    return bytes;
  }
  bytes.set(parse6(endpoint.host), 8);
  view.setUint32(24, scopeOf(platform, endpoint.host), true);
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
export function decodeSockaddr(platform: Platform, bytes: Uint8Array): Endpoint | undefined {
  const family = familyOf(platform, bytes);
  if (family === undefined || bytes.length < (family === 4 ? IN_BYTES : IN6_BYTES)) return undefined;
  const from = family === 4 ? 4 : 8;
  const address = Uint8Array.of(family, bytes[2] ?? 0, bytes[3] ?? 0, ...bytes.subarray(from, from + (family === 4 ? 4 : 16)));
  const endpoint = decodeAddress(address);
  if (family === 4) return endpoint;
  const scope = new DataView(bytes.buffer, bytes.byteOffset).getUint32(24, true);
  return scope === 0 ? endpoint : { ...endpoint, host: `${endpoint.host}%${scope}` };
}

function scopeOf(platform: Platform, host: string): number {
  const zone = /%(.+)$/.exec(host)?.[1];
  if (zone === undefined) return 0;
  return /^\d+$/.test(zone) ? Number(zone) : (platform.if_nametoindex?.(zone) ?? 0);
}
