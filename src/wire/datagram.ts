import { KIND, PROTOCOL_VERSION, readHeader, view, writeHeader } from './header.js';
import type { Kind } from './header.js';
import { decodeMtuProbe, decodeMtuReply } from './mtu-datagrams.js';
import type { MtuProbe, MtuReply } from './mtu-datagrams.js';

/*
 * The datagram protocol. Big endian throughout. `H` is the header (8 bytes).
 *
 *   hello    H clientNonce[16] padding to 96            client asks for a cookie
 *   cookie   H clientNonce[16] cookie[16] serverNonce[16] authRequired u8, 3 reserved   = 60 bytes
 *   open     H clientNonce[16] cookie[16] serverNonce[16] mac[32] padding to 128
 *   opened   H clientNonce[16] session u64 mac[32] maxPps u32 maxBps u64 maxDurationMs u32   = 80 bytes
 *   refused  H clientNonce[16] code u8, 3 reserved, retryAfterMs u32                    = 32 bytes
 *   echo     H session u64 sequence u32 zero u32 ... padding, at least 64 bytes
 *   reply    H session u64 sequence u32 received u32 window u64 rxNs u64 txNs u64 highest u32 ... padded to the echo's length
 *   finish   H session u64 nonce u32 padding to at least 128
 *   report   H session u64 nonce u32 highest u32 received u64 bytes u64 duplicates u64 reordered u64
 *            elapsedNs u64 jitterNs u64 kernelDrops u64 floodSent u64 floodBytes u64
 *            intervalUs u32 intervals u16, 2 reserved                                    = 104 bytes
 *            datagrams u32 for each interval, as many intervals as fit into the finish's length
 *   flood    H session u64 nonce u32 size u16, 2 reserved, rateBps u64 (0 = as fast as allowed) durationMs u32   = 36, padding to 64
 *            repeated at least once a second for as long as the client takes the data
 *            answered by data, or by refused with session u64 nonce u32 0 u32 in the place of the client's nonce
 *   data     H session u64 sequence u32 stampNs u64 padding to the size                 >= 28 bytes
 *   mtuProbe, mtuReply: see mtu-datagrams.ts
 *
 * No answer before `opened` is longer than what it answers, and every answer goes only to an address
 * that has returned a cookie, except the cookie itself. Sessions are bound to the client's address.
 */
export const NONCE_BYTES = 16;
export const COOKIE_BYTES = 16;
export const MAC_BYTES = 32;
export const HELLO_BYTES = 96;
export const OPEN_BYTES = 128;
export const FINISH_BYTES = 128;
export const REPORT_BYTES_MIN = 104;
export const FLOOD_BYTES = 64;
export const ECHO_BYTES_MIN = 64;
export const DATA_BYTES_MIN = 28;
export const DATAGRAM_BYTES_MAX = 65507;

/** Where the exchange and flood ports write sequence numbers and send times. */
export const ECHO_SEQUENCE_OFFSET = 16;
export const DATA_SEQUENCE_OFFSET = 16;
export const DATA_STAMP_OFFSET = 20;
/** A session's datagrams share their first 16 bytes: header and session. */
export const SESSION_PREFIX_BYTES = 16;

export const REFUSAL = { key: 1, sessions: 2, rate: 3, version: 4, size: 5, expired: 6 } as const;
export type RefusalCode = (typeof REFUSAL)[keyof typeof REFUSAL];

export interface EchoReply {
  readonly session: bigint;
  readonly sequence: number;
  /** Distinct echoes of this session that the server had received when it answered. */
  readonly received: number;
  /** Highest sequence number received so far. */
  readonly highest: number;
  /** Bit i set: sequence `highest - i` has been received. */
  readonly window: bigint;
  /** The server's clock when this echo arrived and when the reply left. */
  readonly rxNs: bigint;
  readonly txNs: bigint;
}

export interface SessionReport {
  readonly session: bigint;
  readonly nonce: number;
  readonly highest: number;
  readonly received: number;
  readonly bytes: number;
  readonly duplicates: number;
  readonly reordered: number;
  readonly elapsedNs: number;
  readonly jitterNs: number;
  readonly kernelDrops: number;
  readonly floodSent: number;
  readonly floodBytes: number;
  /** Datagrams received in each interval from the first one on; empty where the finish left no room. */
  readonly intervalMs: number;
  readonly intervals: readonly number[];
}

/** What can come in from a server, or `garbled` with the reason. Decoding never throws. */
export type ServerDatagram =
  | {
      readonly kind: 'cookie';
      readonly clientNonce: Uint8Array;
      readonly cookie: Uint8Array;
      readonly serverNonce: Uint8Array;
      readonly authRequired: boolean;
    }
  | {
      readonly kind: 'opened';
      readonly clientNonce: Uint8Array;
      readonly session: bigint;
      readonly mac: Uint8Array;
      readonly maxPps: number;
      readonly maxBps: number;
      readonly maxDurationMs: number;
    }
  | { readonly kind: 'refused'; readonly clientNonce: Uint8Array; readonly code: number; readonly retryAfterMs: number }
  | ({ readonly kind: 'reply' } & EchoReply)
  | ({ readonly kind: 'report' } & SessionReport)
  | ({ readonly kind: 'mtuReply' } & MtuReply)
  | { readonly kind: 'data'; readonly session: bigint; readonly sequence: number; readonly stampNs: bigint }
  | { readonly kind: 'garbled'; readonly why: string };

/** What can come in from a client. */
export type ClientDatagram =
  | { readonly kind: 'hello'; readonly clientNonce: Uint8Array }
  | {
      readonly kind: 'open';
      readonly clientNonce: Uint8Array;
      readonly cookie: Uint8Array;
      readonly serverNonce: Uint8Array;
      readonly mac: Uint8Array;
    }
  | { readonly kind: 'echo'; readonly session: bigint; readonly sequence: number }
  | { readonly kind: 'finish'; readonly session: bigint; readonly nonce: number }
  | ({ readonly kind: 'mtuProbe' } & MtuProbe)
  | {
      readonly kind: 'flood';
      readonly session: bigint;
      readonly nonce: number;
      readonly sizeBytes: number;
      readonly rateBps: number;
      readonly durationMs: number;
    }
  | { readonly kind: 'data'; readonly session: bigint; readonly sequence: number; readonly stampNs: bigint }
  | { readonly kind: 'garbled'; readonly why: string };

// --- The client's side -----------------------------------------------------------------------

export function encodeHello(clientNonce: Uint8Array): Uint8Array {
  const bytes = start(KIND.hello, HELLO_BYTES);
  bytes.set(clientNonce, 8);
  return bytes;
}

export function encodeOpen(fields: { clientNonce: Uint8Array; cookie: Uint8Array; serverNonce: Uint8Array; mac: Uint8Array }): Uint8Array {
  const bytes = start(KIND.open, OPEN_BYTES);
  bytes.set(fields.clientNonce, 8);
  bytes.set(fields.cookie, 24);
  bytes.set(fields.serverNonce, 40);
  bytes.set(fields.mac, 56);
  return bytes;
}

export function encodeEcho(session: bigint, sequence: number, sizeBytes: number = ECHO_BYTES_MIN): Uint8Array {
  return sessionDatagram(KIND.echo, session, sequence, sizeBytes);
}

/** @param sizeBytes bounds the report, which is never longer: what is above 128 makes room for figures per interval */
export function encodeFinish(session: bigint, nonce: number, sizeBytes: number = FINISH_BYTES): Uint8Array {
  return sessionDatagram(KIND.finish, session, nonce, sizeBytes);
}

export function encodeFlood(fields: { session: bigint; nonce: number; sizeBytes: number; rateBps: number; durationMs: number }): Uint8Array {
  const bytes = sessionDatagram(KIND.flood, fields.session, fields.nonce, FLOOD_BYTES);
  const data = view(bytes);
  data.setUint16(20, fields.sizeBytes);
  data.setBigUint64(24, BigInt(Math.round(fields.rateBps)));
  data.setUint32(32, Math.round(fields.durationMs));
  return bytes;
}

export function encodeData(session: bigint, sequence: number, stampNs: bigint, sizeBytes: number): Uint8Array {
  const bytes = sessionDatagram(KIND.data, session, sequence, sizeBytes);
  view(bytes).setBigUint64(DATA_STAMP_OFFSET, stampNs);
  return bytes;
}

export function decodeServerDatagram(bytes: Uint8Array): ServerDatagram {
  const header = readHeader(bytes);
  if (!header.ok) return garbled(header.why === 'short' ? 'shorter than a header' : 'not a tautline datagram');
  if (header.version !== PROTOCOL_VERSION) return garbled(`protocol version ${header.version}, this is ${PROTOCOL_VERSION}`);
  const data = view(bytes);
  const n = bytes.length;
  switch (header.kind) {
    case KIND.cookie:
      if (n < 60) break;
      return {
        kind: 'cookie',
        clientNonce: bytes.slice(8, 24),
        cookie: bytes.slice(24, 40),
        serverNonce: bytes.slice(40, 56),
        authRequired: bytes[56] === 1,
      };
    case KIND.opened:
      if (n < 80) break;
      return {
        kind: 'opened',
        clientNonce: bytes.slice(8, 24),
        session: data.getBigUint64(24),
        mac: bytes.slice(32, 64),
        maxPps: data.getUint32(64),
        maxBps: Number(data.getBigUint64(68)),
        maxDurationMs: data.getUint32(76),
      };
    case KIND.refused:
      if (n < 32) break;
      return { kind: 'refused', clientNonce: bytes.slice(8, 24), code: bytes[24] ?? 0, retryAfterMs: data.getUint32(28) };
    case KIND.echoReply:
      if (n < ECHO_BYTES_MIN) break;
      return {
        kind: 'reply',
        session: data.getBigUint64(8),
        sequence: data.getUint32(16),
        received: data.getUint32(20),
        window: data.getBigUint64(24),
        rxNs: data.getBigUint64(32),
        txNs: data.getBigUint64(40),
        highest: data.getUint32(48),
      };
    case KIND.report: {
      if (n < REPORT_BYTES_MIN) break;
      const fitting = Math.min(data.getUint16(100), Math.floor((n - REPORT_BYTES_MIN) / 4));
      return {
        kind: 'report',
        session: data.getBigUint64(8),
        nonce: data.getUint32(16),
        highest: data.getUint32(20),
        received: big(data, 24),
        bytes: big(data, 32),
        duplicates: big(data, 40),
        reordered: big(data, 48),
        elapsedNs: big(data, 56),
        jitterNs: big(data, 64),
        kernelDrops: big(data, 72),
        floodSent: big(data, 80),
        floodBytes: big(data, 88),
        intervalMs: data.getUint32(96) / 1000,
        intervals: Array.from({ length: fitting }, (_, i) => data.getUint32(REPORT_BYTES_MIN + 4 * i)),
      };
    }
    case KIND.data:
      if (n < DATA_BYTES_MIN) break;
      return { kind: 'data', session: data.getBigUint64(8), sequence: data.getUint32(16), stampNs: data.getBigUint64(20) };
    case KIND.mtuReply: {
      const reply = decodeMtuReply(bytes);
      if (!reply) break;
      return { kind: 'mtuReply', ...reply };
    }
    default:
      return garbled(`unexpected kind ${header.kind}`);
  }
  return garbled(`kind ${header.kind} with only ${n} bytes`);
}

// --- The server's side -----------------------------------------------------------------------

export function decodeClientDatagram(bytes: Uint8Array): ClientDatagram {
  const header = readHeader(bytes);
  if (!header.ok) return garbled(header.why === 'short' ? 'shorter than a header' : 'not a tautline datagram');
  if (header.version !== PROTOCOL_VERSION) return garbled(`protocol version ${header.version}, this is ${PROTOCOL_VERSION}`);
  const data = view(bytes);
  const n = bytes.length;
  switch (header.kind) {
    case KIND.hello:
      if (n < HELLO_BYTES) break;
      return { kind: 'hello', clientNonce: bytes.slice(8, 24) };
    case KIND.open:
      if (n < OPEN_BYTES) break;
      return {
        kind: 'open',
        clientNonce: bytes.slice(8, 24),
        cookie: bytes.slice(24, 40),
        serverNonce: bytes.slice(40, 56),
        mac: bytes.slice(56, 88),
      };
    case KIND.echo:
      if (n < ECHO_BYTES_MIN) break;
      return { kind: 'echo', session: data.getBigUint64(8), sequence: data.getUint32(16) };
    case KIND.finish:
      if (n < FINISH_BYTES) break;
      return { kind: 'finish', session: data.getBigUint64(8), nonce: data.getUint32(16) };
    case KIND.flood:
      if (n < FLOOD_BYTES) break;
      return {
        kind: 'flood',
        session: data.getBigUint64(8),
        nonce: data.getUint32(16),
        sizeBytes: data.getUint16(20),
        rateBps: big(data, 24),
        durationMs: data.getUint32(32),
      };
    case KIND.data:
      if (n < DATA_BYTES_MIN) break;
      return { kind: 'data', session: data.getBigUint64(8), sequence: data.getUint32(16), stampNs: data.getBigUint64(20) };
    case KIND.mtuProbe: {
      const probe = decodeMtuProbe(bytes);
      if (!probe) break;
      return { kind: 'mtuProbe', ...probe };
    }
    default:
      return garbled(`unexpected kind ${header.kind}`);
  }
  return garbled(`kind ${header.kind} with only ${n} bytes`);
}

export function encodeCookie(fields: { clientNonce: Uint8Array; cookie: Uint8Array; serverNonce: Uint8Array; authRequired: boolean }): Uint8Array {
  const bytes = start(KIND.cookie, 60);
  bytes.set(fields.clientNonce, 8);
  bytes.set(fields.cookie, 24);
  bytes.set(fields.serverNonce, 40);
  bytes[56] = fields.authRequired ? 1 : 0;
  return bytes;
}

export function encodeOpened(fields: {
  clientNonce: Uint8Array;
  session: bigint;
  mac: Uint8Array;
  maxPps: number;
  maxBps: number;
  maxDurationMs: number;
}): Uint8Array {
  const bytes = start(KIND.opened, 80);
  const data = view(bytes);
  bytes.set(fields.clientNonce, 8);
  data.setBigUint64(24, fields.session);
  bytes.set(fields.mac, 32);
  data.setUint32(64, fields.maxPps);
  data.setBigUint64(68, BigInt(Math.round(fields.maxBps)));
  data.setUint32(76, fields.maxDurationMs);
  return bytes;
}

export function encodeRefused(fields: { clientNonce: Uint8Array; code: RefusalCode; retryAfterMs: number }): Uint8Array {
  const bytes = start(KIND.refused, 32);
  bytes.set(fields.clientNonce, 8);
  bytes[24] = fields.code;
  view(bytes).setUint32(28, fields.retryAfterMs);
  return bytes;
}

/** What a responder puts into a reply. The window is in two halves, since a 64-bit number would cost an allocation. */
export interface ReplyFields {
  readonly received: number;
  readonly highest: number;
  readonly windowHigh: number;
  readonly windowLow: number;
  readonly rxNs: bigint;
  readonly txNs: bigint;
}

/** Turns a received echo into its reply in place, which costs no copy; the length stays. */
export function writeReply(bytes: Uint8Array, reply: ReplyFields): void {
  const data = view(bytes);
  bytes[5] = KIND.echoReply;
  data.setUint32(20, reply.received);
  data.setUint32(24, reply.windowHigh);
  data.setUint32(28, reply.windowLow);
  data.setBigUint64(32, reply.rxNs);
  data.setBigUint64(40, reply.txNs);
  data.setUint32(48, reply.highest);
}

/** @param sizeBytesMax how long the report may get; intervals that do not fit are left out */
export function encodeReport(report: SessionReport, sizeBytesMax: number = REPORT_BYTES_MIN): Uint8Array {
  const fitting = Math.max(0, Math.min(report.intervals.length, Math.floor((sizeBytesMax - REPORT_BYTES_MIN) / 4)));
  const bytes = sessionDatagram(KIND.report, report.session, report.nonce, REPORT_BYTES_MIN + 4 * fitting);
  const data = view(bytes);
  data.setUint32(20, report.highest);
  const { received, bytes: moved, duplicates, reordered, elapsedNs, jitterNs, kernelDrops, floodSent, floodBytes } = report;
  const figures = [received, moved, duplicates, reordered, elapsedNs, jitterNs, kernelDrops, floodSent, floodBytes];
  figures.forEach((figure, i) => data.setBigUint64(24 + 8 * i, BigInt(Math.round(figure))));
  data.setUint32(96, Math.round(report.intervalMs * 1000));
  data.setUint16(100, fitting);
  for (let i = 0; i < fitting; i++) data.setUint32(REPORT_BYTES_MIN + 4 * i, report.intervals[i] ?? 0);
  return bytes;
}

// --- Helpers ---------------------------------------------------------------------------------

function start(kind: Kind, sizeBytes: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  writeHeader(bytes, kind);
  return bytes;
}

function sessionDatagram(kind: Kind, session: bigint, sequence: number, sizeBytes: number): Uint8Array {
  const bytes = start(kind, sizeBytes);
  const data = view(bytes);
  data.setBigUint64(8, session);
  data.setUint32(16, sequence);
  return bytes;
}

function big(data: DataView, offset: number): number {
  return Number(data.getBigUint64(offset));
}

function garbled(why: string): { readonly kind: 'garbled'; readonly why: string } {
  return { kind: 'garbled', why };
}
