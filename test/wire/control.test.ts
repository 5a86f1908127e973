import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  FRAME_BYTES_MAX,
  FrameReader,
  PROTOCOL_VERSION,
  controlTranscript,
  decodeFrame,
  decodePreface,
  encodeFrame,
  encodePreface,
  writeHeader,
} from '../../src/wire/index.js';
import type { ControlFrame } from '../../src/wire/index.js';

const hex = (bytes: number) => fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((b) => Buffer.from(b).toString('hex'));
const figure = fc.double({ min: 0, max: 1e8, noNaN: true }).map((x) => (Object.is(x, -0) ? 0 : x));
const bytesList = fc.array(fc.nat(), { maxLength: 64 });
const tcpInfo = fc.record(
  {
    retransmits: fc.nat(),
    rttMs: figure,
    rttVarMs: figure,
    cwndSegments: fc.nat(),
    minRttMs: figure,
    deliveryRateBps: figure,
    congestion: fc.constantFrom('cubic', 'bbr'),
  },
  { requiredKeys: ['retransmits', 'rttMs', 'rttVarMs'] },
);
const tcpList = fc.array(fc.option(tcpInfo, { nil: undefined }), { maxLength: 8 });
const direction = fc.constantFrom('up' as const, 'down' as const);
const pump = fc.record(
  {
    direction,
    bytes: bytesList,
    elapsedMs: figure,
    tcp: tcpList,
    method: fc.constantFrom('native' as const, 'node' as const),
    fallbacks: fc.array(fc.string({ maxLength: 20 }), { maxLength: 3 }),
    cpuMs: figure,
    busiest: fc.double({ min: 0, max: 1, noNaN: true }).map(Math.abs),
    host: fc.constant({ busy: 0.25, busiestCpu: 1, softirq: 0.5, steal: 0 }),
    broken: fc.nat(64),
    aborted: fc.boolean(),
  },
  { requiredKeys: ['direction', 'bytes', 'elapsedMs', 'tcp', 'method', 'fallbacks', 'cpuMs', 'broken', 'aborted'] },
);
const frame: fc.Arbitrary<ControlFrame> = fc.oneof(
  fc.record({ type: fc.constant('hello' as const), nonce: hex(16) }),
  fc.record({ type: fc.constant('challenge' as const), nonce: hex(16), auth: fc.boolean(), software: fc.string({ maxLength: 40 }) }),
  fc.record({ type: fc.constant('auth' as const), mac: fc.oneof(hex(32), fc.constant('')) }),
  fc.record({
    type: fc.constant('welcome' as const),
    mac: hex(32),
    ticket: hex(24),
    limits: fc.record({ streamsMax: fc.integer({ min: 1, max: 64 }), durationMsMax: fc.integer({ min: 1, max: 1e6 }) }),
    about: fc.boolean(),
  }),
  fc.constant({ type: 'about' as const }),
  fc.record({
    type: fc.constant('refused' as const),
    code: fc.constantFrom('key' as const, 'limit' as const),
    message: fc.string({ maxLength: 99 }),
    hint: fc.string({ maxLength: 99 }),
  }),
  fc.record({
    type: fc.constant('test' as const),
    direction: fc.constantFrom('up' as const, 'down' as const, 'both' as const),
    streams: fc.integer({ min: 1, max: 64 }),
    durationMs: fc.integer({ min: 1, max: 1e6 }),
    intervalMs: fc.integer({ min: 10, max: 60_000 }),
  }),
  fc.record({ type: fc.constant('join' as const), test: hex(16), index: fc.nat(63), direction }),
  fc.record({ type: fc.constant('start' as const) }),
  fc
    .tuple(direction, fc.nat(1e6), fc.nat(1e6), bytesList, tcpList)
    .map(([d, startMs, length, bytes, tcp]) => ({ type: 'interval' as const, direction: d, startMs, endMs: startMs + length, bytes, tcp })),
  fc.record({ type: fc.constant('report' as const), pumps: fc.array(pump, { maxLength: 2 }) }),
);

/** Without the missing prototypes and keys of generated objects. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

function wire(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

describe('control frames', () => {
  it('come back as they were sent, however the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(frame, { minLength: 1, maxLength: 5 }),
        fc.array(fc.integer({ min: 1, max: 4000 }), { minLength: 1, maxLength: 8 }),
        (frames, cuts) => {
          const stream = Buffer.concat(frames.map(encodeFrame));
          const reader = new FrameReader();
          const got: ControlFrame[] = [];
          for (let at = 0, i = 0; at < stream.length; i++) {
            const length = cuts[i % cuts.length] ?? 1;
            for (const result of reader.push(stream.subarray(at, at + length))) {
              assert.ok(result.ok, result.ok ? '' : result.why);
              got.push(result.frame);
            }
            at += length;
          }
          assert.deepEqual(plain(got), plain(frames));
          assert.equal(reader.pendingBytes, 0);
        },
      ),
    );
  });

  it('never throw, never hold more than a frame, and end after the first error, whatever comes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 10 }), (chunks) => {
        const reader = new FrameReader(256);
        let failed = false;
        for (const chunk of chunks) {
          for (const result of reader.push(chunk)) {
            assert.equal(failed, false);
            failed = !result.ok;
          }
          assert.ok(reader.pendingBytes <= 260);
        }
      }),
    );
  });

  it('survive any mutation of one byte of a good frame', () => {
    fc.assert(
      fc.property(frame, fc.nat(), fc.nat(255), (good, at, value) => {
        const bytes = encodeFrame(good);
        bytes[at % bytes.length] = value;
        const results = new FrameReader().push(bytes);
        assert.ok(results.length <= 1 || results.slice(0, -1).every((r) => r.ok));
      }),
    );
  });

  it('are refused when longer than the bound, before their bytes are held', () => {
    const reader = new FrameReader();
    const head = new Uint8Array(4);
    new DataView(head.buffer).setUint32(0, FRAME_BYTES_MAX + 1);
    assert.deepEqual(reader.push(head), [{ ok: false, why: 'a frame of 65537 bytes' }]);
    assert.deepEqual(reader.push(encodeFrame({ type: 'start' })), []);
  });

  it('are refused when a field is missing, of the wrong type or absurd', () => {
    const test = { type: 'test', direction: 'up', streams: 4, durationMs: 1000, intervalMs: 100 };
    const nonce = 'ab'.repeat(16);
    assert.equal(decodeFrame(wire(test)).ok, true);
    const bad: unknown[] = [
      null,
      [],
      1,
      'hello',
      {},
      { type: 'nonsense' },
      { type: 'constructor' },
      { type: '__proto__' },
      { type: 7 },
      { ...test, streams: 0 },
      { ...test, streams: 65 },
      { ...test, streams: 1.5 },
      { ...test, streams: '4' },
      { ...test, streams: null },
      { ...test, durationMs: -1 },
      { ...test, durationMs: 1e300 },
      { ...test, bytes: 5 },
      { ...test, durationMs: undefined },
      { ...test, intervalMs: 0 },
      { ...test, direction: 'sideways' },
      { ...test, rateBps: -5 },
      { ...test, copy: 'yes' },
      { ...test, dscp: 64 },
      { type: 'hello' },
      { type: 'hello', nonce: 'zz'.repeat(16) },
      { type: 'hello', nonce: nonce + '00' },
      { type: 'hello', nonce: { length: 32 } },
      { type: 'auth', mac: 'ab' },
      { type: 'join', test: nonce, index: 64, direction: 'up' },
      { type: 'join', test: nonce, index: -1, direction: 'up' },
      { type: 'interval', direction: 'up', startMs: 5, endMs: 4, bytes: [], tcp: [] },
      { type: 'interval', direction: 'up', startMs: 0, endMs: 4, bytes: [-1], tcp: [] },
      { type: 'interval', direction: 'up', startMs: 0, endMs: 4, bytes: Array(65).fill(1), tcp: [] },
      { type: 'interval', direction: 'up', startMs: 0, endMs: 4, bytes: [1], tcp: [{ retransmits: 'x' }] },
      { type: 'report', pumps: [1] },
      { type: 'report', pumps: {} },
      { type: 'report', pumps: [{ direction: 'up' }] },
      { type: 'welcome', mac: '', ticket: '00'.repeat(24), limits: { streamsMax: 0, durationMsMax: 1 } },
    ];
    for (const value of bad) assert.equal(decodeFrame(wire(value)).ok, false, JSON.stringify(value));
    assert.equal(decodeFrame(Uint8Array.of(0xff, 0xfe)).ok, false);
    assert.equal(decodeFrame(new TextEncoder().encode('{"type":')).ok, false);
  });

  it('name the wrong field', () => {
    assert.deepEqual(decodeFrame(wire({ type: 'hello', nonce: 5 })), { ok: false, why: 'a hello frame with a wrong nonce' });
    assert.deepEqual(decodeFrame(wire({ type: 'welcome', mac: '', ticket: '00'.repeat(24), limits: { streamsMax: 4 } })), {
      ok: false,
      why: 'a welcome frame with a wrong durationMsMax',
    });
  });

  it('drop keys that this release does not know', () => {
    assert.deepEqual(decodeFrame(wire({ type: 'start', colour: 'blue' })), { ok: true, frame: { type: 'start' } });
  });
});

describe('preface', () => {
  it('is recognised, and a version or protocol that is not ours is named', () => {
    assert.deepEqual(decodePreface(encodePreface()), { ok: true });
    const newer = encodePreface();
    writeHeader(newer, 0, PROTOCOL_VERSION + 1);
    assert.deepEqual(decodePreface(newer), { ok: false, why: `protocol version ${PROTOCOL_VERSION + 1}, this is ${PROTOCOL_VERSION}` });
    assert.equal(decodePreface(new TextEncoder().encode('GET / HTTP/1.1')).ok, false);
    assert.equal(decodePreface(new Uint8Array(3)).ok, false);
  });
});

describe('control transcript', () => {
  it('differs when either nonce differs', () => {
    const a = new Uint8Array(16).fill(1);
    const b = new Uint8Array(16).fill(2);
    const all = [controlTranscript(a, a), controlTranscript(a, b), controlTranscript(b, a)].map((t) => Buffer.from(t).toString('hex'));
    assert.equal(new Set(all).size, 3);
  });
});
