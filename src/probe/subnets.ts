import { parse4, parse6 } from '../wire/index.js';

/** A range of addresses: the first `length` bits of `bits`. */
export interface Prefix {
  readonly family: 4 | 6;
  /** The address as a number, with the bits beyond the prefix cleared. */
  readonly bits: bigint;
  readonly length: number;
}

/** Something that addresses belong to: a network, an interface, a route. */
export interface NamedSubnet {
  /** As people write it: `172.18.0.0/16`. */
  readonly subnet: string;
  /** What has it, in words: `interface eth0`. */
  readonly what: string;
}

/** Reads `10.0.0.0/8`, `fd00::/64`, or an address alone, which is a range of one; undefined for anything else. */
export function parsePrefix(text: string): Prefix | undefined {
  const [, address = '', length] = /^([0-9a-fA-F:.]+)(?:%[\w.-]+)?(?:\/(\d{1,3}))?$/.exec(text.trim()) ?? [];
  const family = address.includes(':') ? 6 : 4;
  if (family === 4 ? !isAddress4(address) : !isAddress6(address)) return undefined;
  const width = family === 4 ? 32 : 128;
  const bitsLong = length === undefined ? width : Number(length);
  if (bitsLong > width) return undefined;
  let bits = 0n;
  for (const byte of family === 4 ? parse4(address) : parse6(address)) bits = (bits << 8n) | BigInt(byte);
  const free = BigInt(width - bitsLong);
  return { family, bits: (bits >> free) << free, length: bitsLong };
}

/** Whether a text is an address, and no name or range. */
export function isAddressLiteral(text: string): boolean {
  return !/[/\s]/.test(text) && parsePrefix(text) !== undefined;
}

/** Whether two ranges share an address: of two prefixes, one contains the other or they have nothing in common. */
export function prefixesOverlap(a: Prefix, b: Prefix): boolean {
  if (a.family !== b.family) return false;
  const free = BigInt((a.family === 4 ? 32 : 128) - Math.min(a.length, b.length));
  return a.bits >> free === b.bits >> free;
}

/** Which of `subnets` share addresses with which of `others`; what cannot be read as a range shares nothing. */
export function overlapsOf(
  subnets: readonly string[],
  others: readonly NamedSubnet[],
): { readonly subnet: string; readonly with: string; readonly what: string }[] {
  const known = others.flatMap((other) => {
    const prefix = parsePrefix(other.subnet);
    return prefix ? [{ ...other, prefix }] : [];
  });
  return subnets.flatMap((subnet) => {
    const prefix = parsePrefix(subnet);
    if (!prefix) return [];
    return known.filter((other) => prefixesOverlap(prefix, other.prefix)).map((other) => ({ subnet, with: other.subnet, what: other.what }));
  });
}

function isAddress4(text: string): boolean {
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(text) && text.split('.').every((part) => Number(part) <= 255);
}

/** The URL parser knows every way to write an IPv6 address. */
function isAddress6(text: string): boolean {
  return URL.canParse(`http://[${text}]/`);
}
