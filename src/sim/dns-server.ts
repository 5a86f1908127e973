import type { DnsServiceSpec } from './scenario.js';

/*
 * As much of DNS (RFC 1035) as a resolver of a scenario answers: one question, A and AAAA.
 */
const HEADER_BYTES = 12;
const TYPE = { A: 1, AAAA: 28 } as const;
const CLASS_IN = 1;
const RCODE = { ok: 0, serverFailure: 2, unknownName: 3 } as const;
/** A pointer to the question's name (section 4.1.4). */
const NAME_POINTER = 0xc00c;
const TTL_SECONDS = 60;

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
  const addresses = options.answers === 'servfail' ? [] : (known ?? []).map(options.addressBytes).filter((bytes) => bytes.length === length);
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
