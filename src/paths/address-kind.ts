import type { NetworkInterface } from '../base/index.js';
import type { PathKind } from './peer.js';

/** What this host knows that tells addresses of one kind from another. */
export interface AddressKnowledge {
  readonly interfaces: readonly NetworkInterface[];
  /** Addresses that the Tailscale client calls its own or its peers'. */
  readonly tailnet: readonly string[];
}

/**
 * What lies between this host and an address. Rules:
 * 1. Loopback, and addresses of this host's own.
 * 2. Tailscale's ranges (100.64.0.0/10, which carriers use for their customers as well, and fd7a:115c:a1e0::/48)
 *    where the Tailscale client knows the address, or an interface of its has one of the range.
 * 3. The local network: private and link-local addresses (RFC 1918, RFC 3927, RFC 4193, RFC 4291), and those within
 *    the subnet of an interface.
 * 4. Everything else is beyond a router that somebody else runs.
 */
export function kindOfAddress(address: string, known: AddressKnowledge): PathKind {
  const bytes = addressBytes(address);
  if (!bytes) return 'other';
  const own = known.interfaces.flatMap(({ name, addresses }) => addresses.map((each) => ({ ...each, name, bytes: addressBytes(each.address) })));
  if (LOOPBACK.some((range) => within(bytes, range)) || own.some((each) => each.bytes !== undefined && equal(each.bytes, bytes))) return 'loopback';
  if (TAILSCALE.some((range) => within(bytes, range))) {
    const listed = known.tailnet.some((each) => equal(addressBytes(each) ?? [], bytes));
    const routed = own.some(
      ({ name, bytes: mine }) => /^(?:tailscale|utun)/.test(name) && mine !== undefined && TAILSCALE.some((range) => within(mine, range)),
    );
    if (listed || routed) return 'tailscale';
  }
  if (PRIVATE.some((range) => within(bytes, range))) return 'lan';
  const near = own.some(({ bytes: mine, prefix }) => mine !== undefined && prefix > 0 && within(bytes, { bytes: mine, bits: prefix }));
  return near ? 'lan' : 'wan';
}

export function isAddress(text: string): boolean {
  return addressBytes(text) !== undefined;
}

/** An address in one way of writing it, without its zone; undefined for what is none. */
export function canonicalAddress(text: string): string | undefined {
  const bytes = addressBytes(text);
  return bytes?.length === 4 ? bytes.join('.') : bytes?.map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

export function isLinkLocal(address: string): boolean {
  const bytes = addressBytes(address);
  return bytes !== undefined && LINK_LOCAL.some((range) => within(bytes, range));
}

interface Range {
  readonly bytes: readonly number[];
  readonly bits: number;
}

const LOOPBACK: readonly Range[] = [range('127.0.0.0', 8), range('::1', 128)];
const TAILSCALE: readonly Range[] = [range('100.64.0.0', 10), range('fd7a:115c:a1e0::', 48)];
const LINK_LOCAL: readonly Range[] = [range('169.254.0.0', 16), range('fe80::', 10)];
const PRIVATE: readonly Range[] = [range('10.0.0.0', 8), range('172.16.0.0', 12), range('192.168.0.0', 16), range('fc00::', 7), ...LINK_LOCAL];

function range(text: string, bits: number): Range {
  return { bytes: addressBytes(text) ?? [], bits };
}

function within(bytes: readonly number[], { bytes: start, bits }: Range): boolean {
  if (bytes.length !== start.length) return false;
  return bytes.every((byte, i) => {
    const mask = (0xff00 >> Math.min(8, Math.max(0, bits - 8 * i))) & 0xff;
    return (byte & mask) === ((start[i] ?? 0) & mask);
  });
}

function equal(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** The 4 or 16 bytes of a literal; an IPv4 address within IPv6 (`::ffff:1.2.3.4`) is an IPv4 address. */
function addressBytes(text: string): readonly number[] | undefined {
  const plain = text.replace(/%.*$/, '');
  if (!plain.includes(':')) return bytes4(plain);
  const embedded = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(plain);
  const four = embedded ? bytes4(embedded[2] ?? '') : undefined;
  if (embedded && !four) return undefined;
  const [head = '', tail, ...more] = (embedded?.[1]?.replace(/([^:]):$/, '$1') ?? plain).split('::');
  if (more.length > 0) return undefined;
  const left = groups(head);
  const right = tail === undefined ? [] : groups(tail);
  if (!left || !right) return undefined;
  const missing = 16 - left.length - right.length - (four?.length ?? 0);
  if (tail === undefined ? missing !== 0 : missing < 2) return undefined;
  const bytes = [...left, ...Array<number>(missing).fill(0), ...right, ...(four ?? [])];
  const mapped = bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
  return mapped ? bytes.slice(12) : bytes;
}

function bytes4(text: string): readonly number[] | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  const bytes = match?.slice(1).map(Number);
  return bytes?.every((byte) => byte <= 255) ? bytes : undefined;
}

function groups(text: string): number[] | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  if (!parts.every((part) => /^[0-9a-f]{1,4}$/i.test(part))) return undefined;
  return parts.flatMap((part) => [Number.parseInt(part, 16) >> 8, Number.parseInt(part, 16) & 0xff]);
}
