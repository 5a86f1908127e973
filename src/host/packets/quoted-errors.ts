import { ICMP_TYPE } from '../../wire/index.js';

/** An ICMP error with what it quotes of our packet. */
export interface QuotedError {
  readonly family: 4 | 6;
  readonly type: number;
  readonly code: number;
  readonly mtuBytes: number;
  readonly from: string;
  /** Wall-clock nanoseconds from the reader's base; NaN without a stamp. */
  readonly stampNs: number;
  /** A UDP payload, or an ICMP message or TCP header from its beginning on; as far as it goes. */
  readonly quote: Uint8Array;
  /** Whose packet it was, where the kernel has not seen to that. */
  readonly ports?: { readonly protocol: number; readonly source: number; readonly destination: number };
}

const UDP = 17;
const TCP = 6;
const IPV6_HEADER_BYTES = 40;

/**
 * Reads an ICMP error from its type byte on, for sockets that get everybody's (RFC 792, RFC 4443).
 * @returns undefined for other messages, and for quotes that are too short to tell whose packet it was
 */
export function readIcmpError(message: Uint8Array, family: 4 | 6): Omit<QuotedError, 'from' | 'stampNs'> | undefined {
  if (message.length < 8) return undefined;
  const view = new DataView(message.buffer, message.byteOffset, message.length);
  const type = view.getUint8(0);
  const types: readonly number[] = family === 4 ? [3, 11, 12] : [1, 2, 3, 4];
  if (!types.includes(type)) return undefined;
  const code = view.getUint8(1);
  const mtuBytes =
    family === 4 ? (type === ICMP_TYPE[4].unreachable && code === 4 ? view.getUint16(6) : 0) : type === ICMP_TYPE[6].tooBig ? view.getUint32(4) : 0;
  const original = message.subarray(8);
  const headerBytes = family === 4 ? ((original[0] ?? 0) & 0x0f) * 4 : IPV6_HEADER_BYTES;
  if ((original[0] ?? 0) >>> 4 !== family || original.length < headerBytes + 8) return undefined;
  const protocol = original[family === 4 ? 9 : 6] ?? 0;
  const transport = original.subarray(headerBytes);
  const word = (at: number): number => ((transport[at] ?? 0) << 8) | (transport[at + 1] ?? 0);
  const ports =
    protocol === UDP || protocol === TCP ? { protocol, source: word(0), destination: word(2) } : { protocol, source: word(4), destination: 0 };
  return { family, type, code, mtuBytes, quote: protocol === UDP ? transport.subarray(8) : transport, ports };
}
