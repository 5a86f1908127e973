import type { TcpInfo } from '../base/index.js';
import { readAbout } from './about.js';
import { FRAME_BYTES_MAX, TEST_STREAMS_MAX } from './control.js';
import type { ControlFrame, ControlLimits, HostLoad, PumpReport } from './control.js';
import { Fields } from './fields.js';

export type FrameResult = { readonly ok: true; readonly frame: ControlFrame } | { readonly ok: false; readonly why: string };

/**
 * Cuts a byte stream into frames. It holds at most one frame's bytes, never throws, and is of no use
 * any more after the first error: a peer that garbles one frame cannot be trusted about the next length.
 */
export class FrameReader {
  readonly #frameBytesMax: number;
  #held = new Uint8Array(0);
  #broken = false;

  constructor(frameBytesMax: number = FRAME_BYTES_MAX) {
    this.#frameBytesMax = frameBytesMax;
  }

  /** @returns the frames that are complete now, in order; an error is the last entry */
  push(bytes: Uint8Array): FrameResult[] {
    const results: FrameResult[] = [];
    if (this.#broken) return results;
    let rest = this.#held.length === 0 ? bytes : concat(this.#held, bytes);
    while (rest.length >= 4) {
      const length = new DataView(rest.buffer, rest.byteOffset).getUint32(0);
      if (length > this.#frameBytesMax || length < 2) {
        results.push({ ok: false, why: `a frame of ${length} bytes` });
        break;
      }
      if (rest.length < 4 + length) break;
      const result = decodeFrame(rest.subarray(4, 4 + length));
      results.push(result);
      if (!result.ok) break;
      rest = rest.subarray(4 + length);
    }
    this.#broken = results.at(-1)?.ok === false;
    this.#held = this.#broken ? new Uint8Array(0) : rest.slice();
    return results;
  }

  /** Bytes of a frame that is not complete yet. */
  get pendingBytes(): number {
    return this.#held.length;
  }
}

/** Reads one frame's JSON. Unknown keys are dropped, so that a newer peer can add some; everything known must be right. */
export function decodeFrame(body: Uint8Array): FrameResult {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return { ok: false, why: 'a frame that is not JSON' };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { ok: false, why: 'a frame that is not an object' };
  const fields = new Fields(value as Record<string, unknown>);
  const type = fields.text('type', 32);
  const read = type !== undefined && Object.hasOwn(READERS, type) ? READERS[type as ControlFrame['type']] : undefined;
  if (!read) return { ok: false, why: 'a frame of unknown type' };
  const frame = read(fields);
  return fields.wrong === undefined ? { ok: true, frame } : { ok: false, why: `a ${type} frame with a wrong ${fields.wrong}` };
}

const DAY_MS = 86_400_000;
const BYTES_MAX = 1e18;
const RATE_BPS_MAX = 1e15;
const SHORT_TEXT = 128;
const LONG_TEXT = 1024;
const FALLBACKS_MAX = 16;

type Readers = { readonly [T in ControlFrame['type']]: (f: Fields) => Extract<ControlFrame, { type: T }> };

const READERS: Readers = {
  hello: (f) => ({ type: 'hello', nonce: f.hex('nonce', 16) }),
  challenge: (f) => ({ type: 'challenge', nonce: f.hex('nonce', 16), auth: f.flag('auth'), software: f.string('software', SHORT_TEXT) }),
  auth: (f) => ({ type: 'auth', mac: f.mac('mac') }),
  welcome: (f) => {
    const about = f.optional('about', () => f.flag('about'));
    const limits = readLimits(f.object('limits'));
    return { type: 'welcome', mac: f.mac('mac'), ticket: f.hex('ticket', 24), limits, ...(about === undefined ? {} : { about }) };
  },
  about: (f) => {
    const about = f.optional('about', () => readAbout(f.object('about')));
    return { type: 'about', ...(about === undefined ? {} : { about }) };
  },
  refused: (f) => ({
    type: 'refused',
    code: f.oneOf('code', ['key', 'limit', 'protocol', 'unknown-test']),
    message: f.string('message', LONG_TEXT),
    hint: f.string('hint', LONG_TEXT),
  }),
  test: (f) => {
    const durationMs = f.optional('durationMs', () => f.number('durationMs', 1, DAY_MS));
    const bytes = f.optional('bytes', () => f.whole('bytes', 1, BYTES_MAX));
    if ((durationMs === undefined) === (bytes === undefined)) f.fail('durationMs or bytes');
    const streams = f.whole('streams', 1, TEST_STREAMS_MAX);
    const rateBps = f.optional('rateBps', () => f.number('rateBps', 1, RATE_BPS_MAX));
    const copy = f.optional('copy', () => f.flag('copy'));
    const dscp = f.optional('dscp', () => f.whole('dscp', 0, 63));
    return {
      type: 'test',
      direction: f.oneOf('direction', ['up', 'down', 'both']),
      streams,
      intervalMs: f.number('intervalMs', 10, 60_000),
      ...(durationMs === undefined ? {} : { durationMs }),
      ...(bytes === undefined ? {} : { bytes }),
      ...(rateBps === undefined ? {} : { rateBps }),
      ...(copy === undefined ? {} : { copy }),
      ...(dscp === undefined ? {} : { dscp }),
    };
  },
  ready: (f) => ({ type: 'ready', test: f.hex('test', 16) }),
  join: (f) => ({
    type: 'join',
    test: f.hex('test', 16),
    index: f.whole('index', 0, TEST_STREAMS_MAX - 1),
    direction: f.oneOf('direction', ['up', 'down']),
  }),
  joined: () => ({ type: 'joined' }),
  start: () => ({ type: 'start' }),
  started: () => ({ type: 'started' }),
  interval: (f) => {
    const startMs = f.number('startMs', 0, 10 * DAY_MS);
    const endMs = f.number('endMs', startMs, 10 * DAY_MS);
    return { type: 'interval', direction: f.oneOf('direction', ['up', 'down']), startMs, endMs, bytes: readBytes(f), tcp: readTcp(f) };
  },
  report: (f) => ({ type: 'report', pumps: f.objects('pumps', 2).map(readPump) }),
  stop: () => ({ type: 'stop' }),
};

function readLimits(f: Fields): ControlLimits {
  const rateBpsMax = f.optional('rateBpsMax', () => f.number('rateBpsMax', 1, RATE_BPS_MAX));
  return {
    streamsMax: f.whole('streamsMax', 1, 65_536),
    durationMsMax: f.number('durationMsMax', 1, 100 * DAY_MS),
    ...(rateBpsMax === undefined ? {} : { rateBpsMax }),
  };
}

function readPump(f: Fields): PumpReport {
  const busiest = f.optional('busiest', () => f.number('busiest', 0, 1));
  const host = f.optional('host', () => readHostLoad(f.object('host')));
  return {
    direction: f.oneOf('direction', ['up', 'down']),
    bytes: readBytes(f),
    elapsedMs: f.number('elapsedMs', 0, 10 * DAY_MS),
    tcp: readTcp(f),
    method: f.oneOf('method', ['native', 'node']),
    fallbacks: f.list('fallbacks', FALLBACKS_MAX, (item) => (typeof item === 'string' ? item.slice(0, LONG_TEXT) : undefined)),
    cpuMs: f.number('cpuMs', 0, 1e12),
    broken: f.whole('broken', 0, TEST_STREAMS_MAX),
    aborted: f.flag('aborted'),
    ...(busiest === undefined ? {} : { busiest }),
    ...(host === undefined ? {} : { host }),
  };
}

function readHostLoad(f: Fields): HostLoad {
  const share = (name: string): number => f.number(name, 0, 1);
  return { busy: share('busy'), busiestCpu: share('busiestCpu'), softirq: share('softirq'), steal: share('steal') };
}

function readBytes(f: Fields): number[] {
  return f.list('bytes', TEST_STREAMS_MAX, (item) => (typeof item === 'number' && item >= 0 && item <= BYTES_MAX ? item : undefined));
}

/** JSON has no `undefined`: a stream without TCP_INFO is `null`. */
function readTcp(f: Fields): (TcpInfo | undefined)[] {
  return f
    .list('tcp', TEST_STREAMS_MAX, (item): { info: TcpInfo | undefined } | undefined => {
      if (item === null) return { info: undefined };
      if (typeof item !== 'object' || Array.isArray(item)) return undefined;
      const inner = new Fields(item as Record<string, unknown>);
      const info = readTcpInfo(inner);
      return inner.wrong === undefined ? { info } : undefined;
    })
    .map((entry) => entry.info);
}

const TCP_NUMBERS = [
  'cwndSegments',
  'mssBytes',
  'minRttMs',
  'deliveryRateBps',
  'pacingRateBps',
  'busyMs',
  'receiverLimitedMs',
  'senderLimitedMs',
] as const;

function readTcpInfo(f: Fields): TcpInfo {
  const congestion = f.optional('congestion', () => f.string('congestion', 32));
  const optional: Partial<Record<(typeof TCP_NUMBERS)[number], number>> = {};
  for (const name of TCP_NUMBERS) {
    const value = f.optional(name, () => f.number(name, 0, 1e18));
    if (value !== undefined) optional[name] = value;
  }
  return {
    retransmits: f.number('retransmits', 0, 1e12),
    rttMs: f.number('rttMs', 0, 1e9),
    rttVarMs: f.number('rttVarMs', 0, 1e9),
    ...optional,
    ...(congestion === undefined ? {} : { congestion }),
  };
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a);
  bytes.set(b, a.length);
  return bytes;
}
