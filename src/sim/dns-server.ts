import type { DnsServiceSpec } from './scenario.js';

/*
 * As much of DNS (RFC 1035) as a resolver of a scenario and its clients need: one question, A and AAAA.
 */
const HEADER_BYTES = 12;
const TYPE = { A: 1, AAAA: 28 } as const;
const CLASS_IN = 1;
const RCODE = { ok: 0, serverFailure: 2, unknownName: 3 } as const;
/** A pointer to the question's name (section 4.1.4). */
const NAME_POINTER = 0xc00c;
const TTL_SECONDS = 60;

export interface DnsAnswer {
  readonly id: number;
  readonly rcode: number;
  readonly addresses: readonly Uint8Array[];
}

export function encodeQuery(id: number, name: string, family: 4 | 6): Uint8Array {
  const labels = name.replace(/\.$/, '').split('.');
  const encoded = labels.flatMap((label) => [label.length, ...new TextEncoder().encode(label)]);
  const bytes = new Uint8Array(HEADER_BYTES + encoded.length + 1 + 4);
  const data = new DataView(bytes.buffer);
  data.setUint16(0, id);
  data.setUint16(2, 0x0100);
  data.setUint16(4, 1);
  bytes.set(encoded, HEADER_BYTES);
  data.setUint16(bytes.length - 4, family === 4 ? TYPE.A : TYPE.AAAA);
  data.setUint16(bytes.length - 2, CLASS_IN);
  return bytes;
}

/** Reads an answer of this server. */
export function decodeAnswer(bytes: Uint8Array): DnsAnswer | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const question = readQuestion(bytes);
  if (!question || (data.getUint16(2) & 0x8000) === 0) return undefined;
  const addresses: Uint8Array[] = [];
  let at = question.end;
  for (let i = 0; i < data.getUint16(6) && at + 12 <= bytes.length; i++) {
    const length = data.getUint16(at + 10);
    addresses.push(bytes.slice(at + 12, at + 12 + length));
    at += 12 + length;
  }
  return { id: data.getUint16(0), rcode: (bytes[3] ?? 0) & 0xf, addresses };
}

/** Answers a query from `names`; what is no query gets no answer. `addressBytes` turns a literal into bytes. */
export function answerQuery(
  query: Uint8Array,
  names: Readonly<Record<string, readonly string[]>>,
  options: { answers: DnsServiceSpec['answers']; addressBytes: (literal: string) => Uint8Array },
): Uint8Array | undefined {
  const question = readQuestion(query);
  if (!question || options.answers === 'never') return undefined;
  if (options.answers === 'garbled') return new Uint8Array(query.length).fill(0x55);
  const known = names[question.name];
  const length = question.type === TYPE.A ? 4 : question.type === TYPE.AAAA ? 16 : 0;
  const addresses =
    options.answers === 'servfail' ? [] : (known ?? []).map(options.addressBytes).filter((bytes) => bytes.length === length);
  const rcode = options.answers === 'servfail' ? RCODE.serverFailure : known ? RCODE.ok : RCODE.unknownName;
  const answer = new Uint8Array(question.end + addresses.length * (12 + length));
  answer.set(query.subarray(0, question.end));
  const data = new DataView(answer.buffer);
  data.setUint16(2, 0x8180 | rcode);
  data.setUint16(6, addresses.length);
  data.setUint32(8, 0);
  addresses.forEach((address, i) => {
    const at = question.end + i * (12 + length);
    data.setUint16(at, NAME_POINTER);
    data.setUint16(at + 2, question.type);
    data.setUint16(at + 4, CLASS_IN);
    data.setUint32(at + 6, TTL_SECONDS);
    data.setUint16(at + 10, length);
    answer.set(address, at + 12);
  });
  return answer;
}

export const DNS_RCODE = RCODE;

function readQuestion(bytes: Uint8Array): { readonly name: string; readonly type: number; readonly end: number } | undefined {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (;;) {
    const length = bytes[at];
    if (length === undefined || length > 63) return undefined;
    at++;
    if (length === 0) break;
    labels.push(new TextDecoder().decode(bytes.subarray(at, at + length)));
    at += length;
  }
  if (at + 4 > bytes.length) return undefined;
  return { name: labels.join('.').toLowerCase(), type: ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0), end: at + 4 };
}
