import type { HostAbout, TcpInfo } from '../base/index.js';
import { HEADER_BYTES, PROTOCOL_VERSION, readHeader, view, writeHeader } from './header.js';

/*
 * The TCP protocol. The client sends the preface (the 8-byte header, kind 0), then both sides send
 * frames: u32 length, then that many bytes of UTF-8 JSON (at most FRAME_BYTES_MAX).
 *
 *   control connection                       data connection
 *   C preface, hello                         C preface, join
 *   S challenge                              S joined | refused
 *   C auth                                   (raw bytes once the control connection said start)
 *   S welcome | refused
 *   C about               -> S about | refused: what bounds the path at the server's end
 *   C test                -> S ready | refused
 *   C start               -> S started, interval ..., report
 *   C stop, or closes: the server ends the test
 *
 * A test's name is unguessable and known only to its control connection, so a join needs no proof of
 * its own. After the report another test may follow on the same control connection.
 */
export const FRAME_BYTES_MAX = 64 * 1024;
/** No frame of a client is longer, so a server need not hold more for it. */
export const CLIENT_FRAME_BYTES_MAX = 1024;
/** Streams of one test and direction. Bounds the length of every list in a frame. */
export const TEST_STREAMS_MAX = 64;
export const CONTROL_NONCE_BYTES = 16;

export type ControlFrame =
  | { readonly type: 'hello'; readonly nonce: string }
  | { readonly type: 'challenge'; readonly nonce: string; readonly auth: boolean; readonly software: string }
  | { readonly type: 'auth'; readonly mac: string }
  | WelcomeFrame
  /** A question of the client, and the server's answer. Only where the welcome said that it is answered. */
  | { readonly type: 'about'; readonly about?: HostAbout }
  | RefusedFrame
  | TestFrame
  | { readonly type: 'ready'; readonly test: string }
  | { readonly type: 'join'; readonly test: string; readonly index: number; readonly direction: 'up' | 'down' }
  | { readonly type: 'joined' }
  | { readonly type: 'start' }
  | { readonly type: 'started' }
  | IntervalFrame
  | { readonly type: 'report'; readonly pumps: readonly PumpReport[] }
  | { readonly type: 'stop' };

export interface WelcomeFrame {
  readonly type: 'welcome';
  readonly mac: string;
  readonly ticket: string;
  readonly limits: ControlLimits;
  /** Whether it tells about itself; missing in releases that do not know the question. */
  readonly about?: boolean;
}

export interface RefusedFrame {
  readonly type: 'refused';
  readonly code: 'key' | 'limit' | 'protocol' | 'unknown-test';
  readonly message: string;
  readonly hint: string;
}

/** Exactly one of `durationMs` and `bytes` is set. */
export interface TestFrame {
  readonly type: 'test';
  readonly direction: 'up' | 'down' | 'both';
  readonly streams: number;
  readonly durationMs?: number;
  readonly bytes?: number;
  readonly intervalMs: number;
  readonly rateBps?: number;
  readonly copy?: boolean;
  /** Differentiated services code point of the server's packets. */
  readonly dscp?: number;
}

/** What one of the server's pumps moved in one interval, by the server's clock; a figure and a TCP_INFO a stream. */
export interface IntervalFrame {
  readonly type: 'interval';
  readonly direction: 'up' | 'down';
  readonly startMs: number;
  readonly endMs: number;
  readonly bytes: readonly number[];
  readonly tcp: readonly (TcpInfo | undefined)[];
}

export interface ControlLimits {
  readonly streamsMax: number;
  readonly durationMsMax: number;
  readonly rateBpsMax?: number;
}

/** A server-side pump's log (`PumpLog` of base) without its intervals, which went out as they came. */
export interface PumpReport {
  readonly direction: 'up' | 'down';
  readonly bytes: readonly number[];
  readonly elapsedMs: number;
  readonly tcp: readonly (TcpInfo | undefined)[];
  readonly method: 'native' | 'node';
  readonly fallbacks: readonly string[];
  readonly cpuMs: number;
  /** Share of its time that the busiest thread was computing, 0..1, where the platform tells. */
  readonly busiest?: number;
  /** How busy the whole host was while the pump ran, where the platform tells. */
  readonly host?: HostLoad;
  readonly broken: number;
  readonly aborted: boolean;
}

/** Shares of the time, 0..1: of all processors together, and of the busiest one. */
export interface HostLoad {
  readonly busy: number;
  readonly busiestCpu: number;
  /** Of the busiest processor: the share that soft interrupts took, as network receive does. */
  readonly softirq: number;
  readonly steal: number;
}

export function encodePreface(): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  writeHeader(bytes, 0);
  return bytes;
}

export type Preface = { readonly ok: true } | { readonly ok: false; readonly why: string };

export function decodePreface(bytes: Uint8Array): Preface {
  const header = readHeader(bytes);
  if (!header.ok) return { ok: false, why: 'not a tautline connection' };
  if (header.version !== PROTOCOL_VERSION) return { ok: false, why: `protocol version ${header.version}, this is ${PROTOCOL_VERSION}` };
  if (header.kind !== 0) return { ok: false, why: `unexpected kind ${header.kind} in a preface` };
  return { ok: true };
}

export function encodeFrame(frame: ControlFrame): Uint8Array {
  const body = new TextEncoder().encode(JSON.stringify(frame));
  const bytes = new Uint8Array(4 + body.length);
  view(bytes).setUint32(0, body.length);
  bytes.set(body, 4);
  return bytes;
}

/** The bytes that both proofs of the key cover: who speaks which protocol, and both nonces. */
export function controlTranscript(clientNonce: Uint8Array, serverNonce: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + 2 * CONTROL_NONCE_BYTES);
  writeHeader(bytes, 0);
  bytes.set(clientNonce.subarray(0, CONTROL_NONCE_BYTES), HEADER_BYTES);
  bytes.set(serverNonce.subarray(0, CONTROL_NONCE_BYTES), HEADER_BYTES + CONTROL_NONCE_BYTES);
  return bytes;
}
