import packet from 'dns-packet';
import type { Answer, DecodedPacket, RecordType } from 'dns-packet';

/** The record types that can be asked for. */
export const DNS_TYPES = [
  'A',
  'AAAA',
  'CAA',
  'CNAME',
  'DNSKEY',
  'DS',
  'HTTPS',
  'MX',
  'NAPTR',
  'NS',
  'PTR',
  'SOA',
  'SRV',
  'SVCB',
  'TLSA',
  'TXT',
] as const;
export type DnsType = (typeof DNS_TYPES)[number];

export const DNS_PORT = 53;
/** Where a query's id is, for senders that write it into copies of one query. */
export const DNS_ID_OFFSET = 0;
/** The size of answer that EDNS asks for: fits every path without fragments (the DNS flag day 2020). */
export const DNS_UDP_BYTES_MAX = 1232;

export interface DnsQuestion {
  readonly name: string;
  readonly type: DnsType;
}

export interface DnsRecord {
  readonly name: string;
  readonly type: string;
  readonly ttlSeconds: number;
  readonly text: string;
}

export type DnsMessage =
  | {
      readonly kind: 'answer';
      readonly id: number;
      /** NOERROR, NXDOMAIN, SERVFAIL, REFUSED ... */
      readonly rcode: string;
      /** The answer did not fit; the rest is to be had over TCP. */
      readonly truncated: boolean;
      readonly authoritative: boolean;
      readonly question: { readonly name: string; readonly type: string } | undefined;
      readonly answers: readonly DnsRecord[];
    }
  | { readonly kind: 'garbled'; readonly why: string };

/**
 * Whether a name can be asked for: labels of 1 to 63 bytes, 253 in all (RFC 1035, section 2.3.4; RFC 2181,
 * section 11 allows any byte, but spaces and control characters are a person's mistake). `.` is the root.
 */
export function isDnsName(name: string): boolean {
  if (name === '.') return true;
  const bare = name.endsWith('.') ? name.slice(0, -1) : name;
  if (/[\s\p{Cc}]/u.test(bare)) return false;
  const encoder = new TextEncoder();
  const lengths = bare.split('.').map((label) => encoder.encode(label).length);
  return lengths.every((length) => length >= 1 && length <= 63) && lengths.reduce((sum, length) => sum + length + 1, 0) <= 254;
}

/** A query with recursion desired and EDNS (RFC 6891). The name must be one that `isDnsName` accepts. */
export function encodeDnsQuery(id: number, question: DnsQuestion): Uint8Array {
  const wireType = UNNAMED[question.type] ?? question.type;
  return Uint8Array.from(
    packet.encode({
      type: 'query',
      id,
      flags: packet.RECURSION_DESIRED,
      questions: [{ type: wireType as RecordType, name: question.name, class: 'IN' }],
      additionals: [
        { type: 'OPT', name: '.', udpPayloadSize: DNS_UDP_BYTES_MAX, extendedRcode: 0, ednsVersion: 0, flags: 0, flag_do: false, options: [] },
      ],
    }),
  );
}

export function decodeDnsMessage(bytes: Uint8Array): DnsMessage {
  if (bytes.length < 12) return { kind: 'garbled', why: 'shorter than a DNS header' };
  let message: DecodedPacket;
  try {
    message = packet.decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  } catch (error) {
    return { kind: 'garbled', why: error instanceof Error ? error.message : String(error) };
  }
  if (message.type !== 'response') return { kind: 'garbled', why: 'a query, not an answer' };
  const question = message.questions?.[0];
  return {
    kind: 'answer',
    id: message.id ?? 0,
    rcode: (message as { rcode?: string }).rcode ?? 'NOERROR',
    truncated: message.flag_tc,
    authoritative: message.flag_aa,
    question: question === undefined ? undefined : { name: question.name, type: typeName(question.type) },
    answers: (message.answers ?? []).map(recordOf),
  };
}

/** A query as it goes over TCP: its length first (RFC 1035, section 4.2.2). */
export function frameDns(message: Uint8Array): Uint8Array {
  const framed = new Uint8Array(2 + message.length);
  framed[0] = message.length >>> 8;
  framed[1] = message.length & 0xff;
  framed.set(message, 2);
  return framed;
}

/** The message at the start of what came over TCP so far, once all of it is there. */
export function unframeDns(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.length < 2) return undefined;
  const length = ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0);
  return bytes.length < 2 + length ? undefined : bytes.subarray(2, 2 + length);
}

/** Whether a message answers this question: DNS names do not tell upper from lower case. */
export function answersQuestion(message: DnsMessage, question: DnsQuestion): boolean {
  if (message.kind !== 'answer') return false;
  // Some servers leave the question out of an error.
  if (message.question === undefined) return message.rcode !== 'NOERROR';
  return canonical(message.question.name) === canonical(question.name) && message.question.type === question.type;
}

/** Types that the library knows only by number. */
const UNNAMED: Partial<Record<DnsType, string>> = { SVCB: 'UNKNOWN_64', HTTPS: 'UNKNOWN_65' };

function typeName(type: string): string {
  for (const [name, unnamed] of Object.entries(UNNAMED)) if (type === unnamed) return name;
  return type;
}

function canonical(name: string): string {
  return name.replace(/\.$/, '').toLowerCase();
}

function recordOf(answer: Answer): DnsRecord {
  const data: unknown = (answer as { data?: unknown }).data;
  return { name: answer.name, type: typeName(answer.type), ttlSeconds: (answer as { ttl?: number }).ttl ?? 0, text: textOf(data) };
}

function textOf(data: unknown): string {
  if (typeof data === 'string') return data;
  if (data instanceof Uint8Array) return new TextDecoder().decode(data);
  if (Array.isArray(data)) return data.map(textOf).join(' ');
  if (typeof data === 'object' && data !== null) return Object.values(data).map(textOf).join(' ');
  return String(data);
}
