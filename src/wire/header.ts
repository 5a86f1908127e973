/**
 * The eight bytes that open every datagram and every TCP connection between two tautlines:
 *
 *     0   4  "TAUT"
 *     4   1  protocol version
 *     5   1  kind (datagrams) or 0 (TCP preface)
 *     6   2  reserved, zero
 */
export const HEADER_BYTES = 8;
export const PROTOCOL_VERSION = 1;
const MAGIC = 0x54415554;

/** Kinds of datagram. Client-to-server kinds are odd where a pair exists, the answer is the next even number. */
export const KIND = {
  hello: 1,
  cookie: 2,
  open: 3,
  opened: 4,
  echo: 5,
  echoReply: 6,
  finish: 7,
  report: 8,
  flood: 9,
  data: 10,
  refused: 12,
  mtuProbe: 13,
  mtuReply: 14,
} as const;
export type Kind = (typeof KIND)[keyof typeof KIND];

export type Header = { readonly ok: true; readonly version: number; readonly kind: number } | { readonly ok: false; readonly why: 'short' | 'magic' };

export function writeHeader(bytes: Uint8Array, kind: number, version = PROTOCOL_VERSION): void {
  view(bytes).setUint32(0, MAGIC);
  bytes[4] = version;
  bytes[5] = kind;
  bytes[6] = 0;
  bytes[7] = 0;
}

/** Reads the header; the version is handed over as it is, so that the caller can name a mismatch. */
export function readHeader(bytes: Uint8Array): Header {
  if (bytes.length < HEADER_BYTES) return { ok: false, why: 'short' };
  if (view(bytes).getUint32(0) !== MAGIC) return { ok: false, why: 'magic' };
  return { ok: true, version: bytes[4] ?? 0, kind: bytes[5] ?? 0 };
}

/** A DataView over exactly these bytes. */
export function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
