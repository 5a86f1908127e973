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
 *   C test                -> S ready | refused
 *   C start               -> S started, interval ..., report
 *   C stop, or closes: the server ends the test
 */
export const FRAME_BYTES_MAX = 64 * 1024;

export type ControlFrame =
  | { readonly type: 'hello'; readonly nonce: string }
  | { readonly type: 'challenge'; readonly nonce: string; readonly auth: boolean; readonly software: string }
  | { readonly type: 'auth'; readonly mac: string }
  | { readonly type: 'welcome'; readonly mac: string; readonly ticket: string; readonly limits: ControlLimits }
  | { readonly type: 'refused'; readonly code: 'key' | 'limit' | 'protocol' | 'unknown-test'; readonly message: string; readonly hint: string }
  | { readonly type: 'test'; readonly direction: 'up' | 'down' | 'both'; readonly streams: number; readonly durationMs?: number; readonly bytes?: number; readonly intervalMs: number; readonly rateBps?: number; readonly copy?: boolean }
  | { readonly type: 'ready'; readonly test: string }
  | { readonly type: 'join'; readonly test: string; readonly index: number; readonly direction: 'up' | 'down' }
  | { readonly type: 'joined' }
  | { readonly type: 'start' }
  | { readonly type: 'started' }
  | { readonly type: 'interval'; readonly direction: 'up' | 'down'; readonly startMs: number; readonly endMs: number; readonly bytes: readonly number[] }
  | { readonly type: 'report'; readonly pumps: readonly PumpReport[] }
  | { readonly type: 'stop' };

export interface ControlLimits {
  readonly streamsMax: number;
  readonly durationMsMax: number;
  readonly rateBpsMax?: number;
}

/** A server-side pump's log, as plain JSON (`PumpLog` of base, without connections). */
export interface PumpReport {
  readonly direction: 'up' | 'down';
  readonly log: unknown;
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
  return { ok: true };
}

export function encodeFrame(frame: ControlFrame): Uint8Array {
  const body = new TextEncoder().encode(JSON.stringify(frame));
  const bytes = new Uint8Array(4 + body.length);
  view(bytes).setUint32(0, body.length);
  bytes.set(body, 4);
  return bytes;
}

