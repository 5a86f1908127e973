import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  FINISH_BYTES,
  KIND,
  decodeAddress,
  decodeClientDatagram,
  decodeIcmp,
  decodeServerDatagram,
  encodeAddress,
  encodeCookie,
  encodeData,
  encodeEcho,
  encodeFinish,
  encodeFlood,
  encodeHello,
  encodeIcmpEcho,
  encodeMtuProbe,
  encodeOpen,
  encodeOpened,
  encodeRefused,
  encodeReport,
  internetChecksum,
  writeReply,
} from '../../src/wire/index.js';

const bytesOf = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });
const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffffffff });
const u64 = fc.bigInt({ min: 0n, max: 0xffffffffffffffffn });
const figure = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });

/** A datagram of any kind, whole. */
export const anyDatagram: fc.Arbitrary<Uint8Array> = fc.oneof(
  bytesOf(16).map(encodeHello),
  fc.record({ clientNonce: bytesOf(16), cookie: bytesOf(16), serverNonce: bytesOf(16), mac: bytesOf(32) }).map(encodeOpen),
  fc.tuple(u64, u32, fc.integer({ min: 64, max: 300 })).map(([session, sequence, size]) => encodeEcho(session, sequence, size)),
  fc.tuple(u64, u32, fc.integer({ min: 128, max: 300 })).map(([session, nonce, size]) => encodeFinish(session, nonce, size)),
  fc.record({ session: u64, nonce: u32, sizeBytes: fc.integer({ min: 0, max: 65_535 }), rateBps: figure, durationMs: u32 }).map(encodeFlood),
  fc.tuple(u64, u32, u64).map(([session, sequence, stamp]) => encodeData(session, sequence, stamp, 64)),
  fc.tuple(u64, u32, u16, u16).map(([session, sequence, sizeBytes, flags]) => encodeMtuProbe({ session, sequence, sizeBytes, flags })),
  fc.record({ clientNonce: bytesOf(16), cookie: bytesOf(16), serverNonce: bytesOf(16), authRequired: fc.boolean() }).map(encodeCookie),
  fc.record({ clientNonce: bytesOf(16), session: u64, mac: bytesOf(32), maxPps: u32, maxBps: figure, maxDurationMs: u32 }).map(encodeOpened),
);

test("each of a client's datagrams comes back out as it went in", () => {
  fc.assert(
    fc.property(
      bytesOf(16),
      bytesOf(16),
      bytesOf(16),
      bytesOf(32),
      u64,
      u32,
      u32,
      (clientNonce, cookie, serverNonce, mac, session, sequence, durationMs) => {
        assert.deepEqual(decodeClientDatagram(encodeHello(clientNonce)), { kind: 'hello', clientNonce });
        assert.deepEqual(decodeClientDatagram(encodeOpen({ clientNonce, cookie, serverNonce, mac })), {
          kind: 'open',
          clientNonce,
          cookie,
          serverNonce,
          mac,
        });
        assert.deepEqual(decodeClientDatagram(encodeEcho(session, sequence)), { kind: 'echo', session, sequence });
        assert.deepEqual(decodeClientDatagram(encodeFinish(session, sequence)), { kind: 'finish', session, nonce: sequence });
        const flood = { session, nonce: sequence, sizeBytes: sequence & 0xffff, rateBps: durationMs * 1000, durationMs };
        assert.deepEqual(decodeClientDatagram(encodeFlood(flood)), { kind: 'flood', ...flood });
        assert.deepEqual(decodeClientDatagram(encodeData(session, sequence, session, 28)), { kind: 'data', session, sequence, stampNs: session });
      },
    ),
  );
});

test("each of a server's datagrams comes back out as it went in", () => {
  fc.assert(
    fc.property(
      bytesOf(16),
      bytesOf(16),
      bytesOf(32),
      u64,
      u32,
      figure,
      fc.boolean(),
      (clientNonce, cookie, mac, session, number, size, authRequired) => {
        assert.deepEqual(decodeServerDatagram(encodeCookie({ clientNonce, cookie, serverNonce: cookie, authRequired })), {
          kind: 'cookie',
          clientNonce,
          cookie,
          serverNonce: cookie,
          authRequired,
        });
        const opened = { clientNonce, session, mac, maxPps: number, maxBps: size, maxDurationMs: number };
        assert.deepEqual(decodeServerDatagram(encodeOpened(opened)), { kind: 'opened', ...opened });
        assert.deepEqual(decodeServerDatagram(encodeRefused({ clientNonce, code: 3, retryAfterMs: number })), {
          kind: 'refused',
          clientNonce,
          code: 3,
          retryAfterMs: number,
        });
        const echo = encodeEcho(session, number, 100);
        writeReply(echo, { received: number, highest: number, windowHigh: 0x80000000, windowLow: number, rxNs: session, txNs: session });
        assert.equal(echo.length, 100);
        assert.deepEqual(decodeServerDatagram(echo), {
          kind: 'reply',
          session,
          sequence: number,
          received: number,
          highest: number,
          window: (0x80000000n << 32n) | BigInt(number),
          rxNs: session,
          txNs: session,
        });
      },
    ),
  );
});

test('a report carries as many intervals as the finish left room for', () => {
  fc.assert(
    fc.property(
      u64,
      u32,
      figure,
      fc.array(u32, { maxLength: 300 }),
      fc.integer({ min: FINISH_BYTES, max: 1400 }),
      (session, nonce, value, intervals, room) => {
        const report = {
          session,
          nonce,
          highest: nonce,
          received: value,
          bytes: value,
          duplicates: value,
          reordered: value,
          elapsedNs: value,
          jitterNs: value,
          kernelDrops: value,
          floodSent: value,
          floodBytes: value,
          intervalMs: 100,
          intervals,
        };
        const bytes = encodeReport(report, room);
        assert.ok(bytes.length <= room);
        const fitting = Math.floor((room - 104) / 4);
        assert.deepEqual(decodeServerDatagram(bytes), { kind: 'report', ...report, intervals: intervals.slice(0, fitting) });
      },
    ),
  );
});

test('decoders never throw, whatever the bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      decodeClientDatagram(bytes);
      decodeServerDatagram(bytes);
      decodeIcmp(bytes, 4);
      decodeIcmp(bytes, 6);
    }),
    { numRuns: 1000 },
  );
});

test('decoders never throw on datagrams that were cut, lengthened or changed', () => {
  fc.assert(
    fc.property(anyDatagram, fc.nat(400), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }), (whole, length, changes) => {
      const bytes = new Uint8Array(length);
      bytes.set(whole.subarray(0, length));
      for (const [at, value] of changes) if (length > 0) bytes[at % length] = value;
      for (const datagram of [decodeClientDatagram(bytes), decodeServerDatagram(bytes)]) {
        if (datagram.kind === 'garbled') assert.ok(datagram.why.length > 0);
      }
    }),
    { numRuns: 1000 },
  );
});

test('another protocol version is named in what a decoder says', () => {
  const hello = encodeHello(new Uint8Array(16));
  hello[4] = 7;
  const decoded = decodeClientDatagram(hello);
  assert.match(decoded.kind === 'garbled' ? decoded.why : '', /version 7/);
});

test('a datagram too short for its kind is garbled', () => {
  for (const whole of [encodeHello(new Uint8Array(16)), encodeFinish(1n, 1), encodeEcho(1n, 1)]) {
    assert.equal(decodeClientDatagram(whole.subarray(0, whole.length - 1)).kind, 'garbled');
  }
  assert.equal(KIND.hello, 1);
});

test('addresses come back out as they went in', () => {
  const cases = [
    { host: '127.0.0.1', port: 7227, family: 4 },
    { host: '255.255.255.255', port: 65_535, family: 4 },
    { host: '::', port: 0, family: 6 },
    { host: '::1', port: 1, family: 6 },
    { host: 'fe80::1:0:0:2', port: 9, family: 6 },
    { host: '2001:db8:0:1:1:1:1:1', port: 9, family: 6 },
  ] as const;
  for (const endpoint of cases) assert.deepEqual(decodeAddress(encodeAddress(endpoint)), endpoint);
  assert.deepEqual(encodeAddress({ host: '::ffff:10.0.0.1', port: 1, family: 6 }).subarray(13), Uint8Array.of(255, 255, 10, 0, 0, 1));
  fc.assert(
    fc.property(bytesOf(16), (address) => {
      const bytes = new Uint8Array(19);
      bytes[0] = 6;
      bytes.set(address, 3);
      assert.deepEqual(encodeAddress(decodeAddress(bytes)), bytes);
    }),
  );
});

test('ICMP echoes come back out as they went in, with a checksum that adds up', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(4, 6),
      fc.nat(0xffff),
      fc.nat(0xffff),
      fc.uint8Array({ maxLength: 64 }),
      fc.boolean(),
      (family, identifier, sequence, payload, reply) => {
        const bytes = encodeIcmpEcho({ family, identifier, sequence, payload, reply });
        assert.deepEqual(decodeIcmp(bytes, family), { kind: reply ? 'reply' : 'request', identifier, sequence, payload });
        if (family === 4) assert.equal(internetChecksum(bytes), 0);
      },
    ),
  );
});

test("the internet checksum is that of RFC 1071's example", () => {
  assert.equal(internetChecksum(Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7)), ~0xddf2 & 0xffff);
});

test('ICMP errors are told apart', () => {
  const error = (type: number, code: number): Uint8Array => Uint8Array.of(type, code, 0, 0, 0, 0, 5, 0, 69);
  const four = decodeIcmp(error(3, 13), 4);
  assert.deepEqual([four.kind, 'why' in four && four.why], ['unreachable', 'communication administratively prohibited']);
  assert.equal(decodeIcmp(error(11, 0), 4).kind, 'exceeded');
  assert.equal(decodeIcmp(error(3, 0), 6).kind, 'exceeded');
  assert.equal(decodeIcmp(error(1, 4), 6).kind, 'unreachable');
  const big = decodeIcmp(error(2, 0), 6);
  assert.match('why' in big ? big.why : '', /path MTU 1280/);
});
