import type { Endpoint } from '../base/index.js';

/** A peer's address as bytes: family (4 or 6), port (2, big endian), then 4 or 16 address bytes. Equal addresses have equal bytes. */
export type AddressBytes = Uint8Array;

export function encodeAddress(endpoint: Endpoint): AddressBytes {
  const address = endpoint.family === 4 ? parse4(endpoint.host) : parse6(endpoint.host);
  const bytes = new Uint8Array(3 + address.length);
  bytes[0] = endpoint.family;
  bytes[1] = endpoint.port >>> 8;
  bytes[2] = endpoint.port & 0xff;
  bytes.set(address, 3);
  return bytes;
}

export function decodeAddress(bytes: AddressBytes): Endpoint {
  const port = ((bytes[1] ?? 0) << 8) | (bytes[2] ?? 0);
  const address = bytes.subarray(3);
  if (bytes[0] === 4) return { host: address.join('.'), port, family: 4 };
  const groups: string[] = [];
  for (let i = 0; i < 16; i += 2) groups.push((((address[i] ?? 0) << 8) | (address[i + 1] ?? 0)).toString(16));
  return { host: shorten(groups), port, family: 6 };
}

/** The 4 bytes of a dotted IPv4 literal. */
export function parse4(host: string): Uint8Array {
  return Uint8Array.from(host.split('.'), Number);
}

/** The 16 bytes of an IPv6 literal (`::`, embedded IPv4 allowed; a zone is ignored). */
export function parse6(host: string): Uint8Array {
  const bytes = new Uint8Array(16);
  let text = host.replace(/%.*$/, '');
  const v4 = /(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  if (v4?.[1]) {
    const four = parse4(v4[1]);
    text = text.slice(0, -v4[1].length) + [0, 2].map((i) => ((((four[i] ?? 0) << 8) | (four[i + 1] ?? 0)) >>> 0).toString(16)).join(':');
  }
  const [head = '', tail] = text.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups = tail === undefined ? left : [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right];
  groups.slice(0, 8).forEach((group, i) => {
    const value = Number.parseInt(group, 16);
    bytes[2 * i] = value >>> 8;
    bytes[2 * i + 1] = value & 0xff;
  });
  return bytes;
}

/** RFC 5952: the longest run of two or more zero groups becomes `::`. */
function shorten(groups: readonly string[]): string {
  let best = { at: -1, length: 1 };
  for (let i = 0; i < groups.length;) {
    let j = i;
    while (j < groups.length && groups[j] === '0') j++;
    if (j - i > best.length) best = { at: i, length: j - i };
    i = Math.max(j, i + 1);
  }
  if (best.at < 0) return groups.join(':');
  return `${groups.slice(0, best.at).join(':')}::${groups.slice(best.at + best.length).join(':')}`;
}
