import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  MTU_CODE,
  MTU_PROBE_BYTES,
  MTU_PROBE_WHOLE,
  MTU_REPLY_BYTES_KEPT,
  decodeClientDatagram,
  decodeServerDatagram,
  encodeMtuProbe,
  encodeMtuReply,
} from '../../src/wire/index.js';
import type { MtuCode } from '../../src/wire/index.js';

const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffffffff });
const u64 = fc.bigInt({ min: 0n, max: 0xffffffffffffffffn });
const code = fc.constantFrom(...(Object.keys(MTU_CODE) as MtuCode[]));

test('a question comes back out as it went in, and wants an answer in one piece unless it says otherwise', () => {
  fc.assert(
    fc.property(u64, u32, u16, u16, (session, sequence, sizeBytes, flags) => {
      const bytes = encodeMtuProbe({ session, sequence, sizeBytes, flags });
      assert.equal(bytes.length, MTU_PROBE_BYTES);
      assert.deepEqual(decodeClientDatagram(bytes), { kind: 'mtuProbe', session, sequence, sizeBytes, flags });
      const plain = decodeClientDatagram(encodeMtuProbe({ session, sequence, sizeBytes }));
      assert.ok(plain.kind === 'mtuProbe' && plain.flags === MTU_PROBE_WHOLE);
    }),
  );
});

test('an answer is as long as was asked where it goes out whole, and no longer than the question where not; its head tells all', () => {
  fc.assert(
    fc.property(u64, u32, fc.integer({ min: 64, max: 65_507 }), code, u32, (session, sequence, sizeBytes, how, pathMtuBytes) => {
      const bytes = encodeMtuReply({ session, sequence, sizeBytes, code: how, pathMtuBytes });
      assert.equal(bytes.length, how === 'whole' ? sizeBytes : MTU_PROBE_BYTES);
      const decoded = { kind: 'mtuReply', session, sequence, sizeBytes, code: how, pathMtuBytes };
      assert.deepEqual(decodeServerDatagram(bytes), decoded);
      assert.deepEqual(decodeServerDatagram(bytes.subarray(0, MTU_REPLY_BYTES_KEPT)), decoded);
    }),
  );
});

test('what is cut short is garbled, and a code of a later release is unknown', () => {
  const probe = encodeMtuProbe({ session: 7n, sequence: 1, sizeBytes: 1400 });
  for (let length = 0; length < probe.length; length++) assert.equal(decodeClientDatagram(probe.subarray(0, length)).kind, 'garbled');
  const reply = encodeMtuReply({ session: 7n, sequence: 1, sizeBytes: 64, code: 'whole', pathMtuBytes: 0 });
  for (let length = 0; length < MTU_REPLY_BYTES_KEPT; length++) assert.equal(decodeServerDatagram(reply.subarray(0, length)).kind, 'garbled');
  reply[22] = 200;
  const later = decodeServerDatagram(reply);
  assert.ok(later.kind === 'mtuReply' && later.code === 'unknown');
});
