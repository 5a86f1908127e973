import packet from 'dns-packet';
import type { DecodedPacket } from 'dns-packet';
import { parse4, parse6 } from './address.js';

/** Where multicast DNS is asked (RFC 6762, section 3). */
export const MDNS = { port: 5353, group4: '224.0.0.251', group6: 'ff02::fb' } as const;

const HEADER_BYTES = 12;
/** More addresses than any host has. */
const ADDRESSES_MAX = 32;

/** Whether a name is asked by multicast: everything below `.local` (section 3). */
export function isMdnsName(name: string): boolean {
  return /^[^.].*\.local\.?$/i.test(name);
}

/**
 * Asks for the addresses of a name. The top bit of a question's class asks for an answer by unicast (section 5.4),
 * which a querier that does not sit on port 5353 gets anyway (section 6.7). The name must be one that `isDnsName` accepts.
 */
export function encodeMdnsQuery(id: number, name: string, families: readonly (4 | 6)[]): Uint8Array {
  const questions = families.map((family) => ({ name, type: family === 4 ? ('A' as const) : ('AAAA' as const), class: 'IN' as const }));
  const bytes = Uint8Array.from(packet.encode({ type: 'query', id, flags: 0, questions }));
  const each = (bytes.length - HEADER_BYTES) / questions.length;
  for (let i = 1; i <= questions.length; i++) bytes[HEADER_BYTES + i * each - 2] = (bytes[HEADER_BYTES + i * each - 2] ?? 0) | 0x80;
  return bytes;
}

/**
 * The addresses that a message gives for a name; empty for what is no answer to the query. A unicast answer
 * repeats the query's id (section 6.7), one by multicast has 0 (section 18.1).
 */
export function decodeMdnsAnswer(bytes: Uint8Array, query: { readonly id: number; readonly name: string }): { host: string; family: 4 | 6 }[] {
  if (bytes.length < HEADER_BYTES) return [];
  let message: DecodedPacket;
  try {
    message = packet.decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  } catch {
    return [];
  }
  if (message.type !== 'response' || (message.id !== query.id && message.id !== 0)) return [];
  const addresses: { host: string; family: 4 | 6 }[] = [];
  for (const record of [...(message.answers ?? []), ...(message.additionals ?? [])]) {
    if (record.type !== 'A' && record.type !== 'AAAA') continue;
    if (canonical(record.name) !== canonical(query.name) || typeof record.data !== 'string') continue;
    const family = record.type === 'A' ? 4 : 6;
    if (addresses.length < ADDRESSES_MAX && isHostAddress(record.data, family)) addresses.push({ host: record.data, family });
  }
  return addresses;
}

/**
 * Anybody on the network may answer. An address that is no host's there (this host's loopback, a group, none at all, an
 * IPv4 address in IPv6's clothes) would have this host measure itself, or send to many.
 */
function isHostAddress(address: string, family: 4 | 6): boolean {
  const bytes = family === 4 ? parse4(address) : parse6(address);
  const first = bytes[0] ?? 0;
  if (family === 4) return first !== 0 && first !== 127 && first < 224;
  return first !== 0xff && bytes.slice(0, 10).some((byte) => byte !== 0);
}

function canonical(name: string): string {
  return name.replace(/\.$/, '').toLowerCase();
}
