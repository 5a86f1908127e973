import { KIND, view, writeHeader } from './header.js';

/*
 * The two datagrams that find how large a datagram may be on the way down. `H` is the header (8 bytes).
 *
 *   mtuProbe  H session u64 sequence u32 size u16 flags u16 padding to 64      asks for one datagram of `size` bytes
 *   mtuReply  H session u64 sequence u32 size u16 code u8, 1 reserved, pathMtu u32 padding to the size, or to 64 where the code is not 0
 *
 * Of the flags only `MTU_PROBE_WHOLE` has a meaning, and it must be set: a responder that does not know what else it
 * is asked for must not answer something else. Servers of older releases do not know the kind and are silent.
 */
export const MTU_PROBE_BYTES = 64;
/** The answer must not be fragmented. */
export const MTU_PROBE_WHOLE = 1;
/** How much of a reply has to be kept: everything but the padding. */
export const MTU_REPLY_BYTES_KEPT = 28;

/** How the reply came. `size`: the server's own interface does not take it whole. `unable`: the server cannot set don't-fragment. */
export const MTU_CODE = { whole: 0, size: 1, unable: 2 } as const;
export type MtuCode = keyof typeof MTU_CODE;

export interface MtuProbe {
  readonly session: bigint;
  readonly sequence: number;
  /** UDP payload bytes of the answer. */
  readonly sizeBytes: number;
  readonly flags: number;
}

export interface MtuReply {
  readonly session: bigint;
  readonly sequence: number;
  /** What was asked for. */
  readonly sizeBytes: number;
  readonly code: MtuCode | 'unknown';
  /** What the server's kernel believed of the path to the client when it sent this, whole IP packet; 0 where it does not tell. */
  readonly pathMtuBytes: number;
}

export function encodeMtuProbe(fields: Omit<MtuProbe, 'flags'> & { readonly flags?: number }): Uint8Array {
  const bytes = head(KIND.mtuProbe, fields, MTU_PROBE_BYTES);
  view(bytes).setUint16(22, fields.flags ?? MTU_PROBE_WHOLE);
  return bytes;
}

/** Undefined where it is too short. */
export function decodeMtuProbe(bytes: Uint8Array): MtuProbe | undefined {
  if (bytes.length < MTU_PROBE_BYTES) return undefined;
  const data = view(bytes);
  return { session: data.getBigUint64(8), sequence: data.getUint32(16), sizeBytes: data.getUint16(20), flags: data.getUint16(22) };
}

/** As long as was asked for where it goes out whole, else as long as the question. */
export function encodeMtuReply(fields: Omit<MtuReply, 'code'> & { readonly code: MtuCode }): Uint8Array {
  const bytes = head(KIND.mtuReply, fields, fields.code === 'whole' ? Math.max(MTU_PROBE_BYTES, fields.sizeBytes) : MTU_PROBE_BYTES);
  bytes[22] = MTU_CODE[fields.code];
  view(bytes).setUint32(24, fields.pathMtuBytes);
  return bytes;
}

/** Undefined where it is too short. */
export function decodeMtuReply(bytes: Uint8Array): MtuReply | undefined {
  if (bytes.length < MTU_REPLY_BYTES_KEPT) return undefined;
  const data = view(bytes);
  const code = (Object.keys(MTU_CODE) as MtuCode[]).find((name) => MTU_CODE[name] === bytes[22]) ?? 'unknown';
  return {
    session: data.getBigUint64(8),
    sequence: data.getUint32(16),
    sizeBytes: data.getUint16(20),
    code,
    pathMtuBytes: data.getUint32(24),
  };
}

function head(kind: number, fields: { session: bigint; sequence: number; sizeBytes: number }, lengthBytes: number): Uint8Array {
  const bytes = new Uint8Array(lengthBytes);
  writeHeader(bytes, kind);
  const data = view(bytes);
  data.setBigUint64(8, fields.session);
  data.setUint32(16, fields.sequence);
  data.setUint16(20, fields.sizeBytes);
  return bytes;
}
