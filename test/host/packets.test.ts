import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { outcomeOfIcmpError } from '../../src/host/packets/icmp-errors.js';
import { TAG_BYTES, tagOffset, writeIcmpMessage, writeUdpPayload } from '../../src/host/packets/payload.js';
import { readIcmpError } from '../../src/host/packets/quoted-errors.js';
import { internetChecksum } from '../../src/wire/index.js';

/** The checksum of a whole datagram (RFC 768): pseudo header, header, payload. */
function udpChecksum(payload: Uint8Array, sourcePort: number): number {
  const length = 8 + payload.length;
  const bytes = new Uint8Array(12 + length);
  const view = new DataView(bytes.buffer);
  bytes.set([10, 0, 0, 1, 10, 0, 0, 2, 0, 17]);
  view.setUint16(10, length);
  view.setUint16(12, sourcePort);
  view.setUint16(14, 33434);
  view.setUint16(16, length);
  bytes.set(payload, 20);
  return internetChecksum(bytes);
}

const payloads = fc.record({
  head: fc.uint8Array({ maxLength: 40 }),
  more: fc.nat(1400),
  run: fc.nat(0xffff),
  index: fc.nat(0xffffff),
});

describe('what packets of a flow carry', () => {
  test('datagrams of any size, payload and number have one checksum', () => {
    const checksumOf = ({ head, more, run, index }: { head: Uint8Array; more: number; run: number; index: number }): number => {
      const bytes = new Uint8Array(tagOffset(head) + TAG_BYTES + more);
      writeUdpPayload(bytes, { payload: head }, { run, index });
      assert.deepEqual(bytes.subarray(0, head.length), head, 'the payload is there as it was given');
      // 0 and 0xffff are the same number in ones' complement.
      return udpChecksum(bytes, 50_000) % 0xffff;
    };
    fc.assert(fc.property(payloads, payloads, (one, other) => checksumOf(one) === checksumOf(other)));
  });

  test('datagrams of different numbers differ in their first bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(0xffffff), fc.nat(0xffffff), (payload, one, other) => {
        const [a, b] = [one, other].map((index) => {
          const bytes = new Uint8Array(tagOffset(payload) + TAG_BYTES);
          writeUdpPayload(bytes, { payload }, { run: 7, index });
          return bytes.join();
        });
        return (a === b) === (one === other);
      }),
    );
  });

  test('a size without room for the tag leaves it out', () => {
    const bytes = new Uint8Array(9).fill(1);
    writeUdpPayload(bytes, { payload: Uint8Array.of(1, 2, 3) }, { run: 1, index: 1 });
    assert.deepEqual([...bytes], [1, 2, 3, 0, 0, 0, 0, 0, 0]);
  });

  test('echoes of any size and number have one checksum, by identifier', () => {
    const checksumOf = (length: number, sequence: number, identifier: number): number => {
      const bytes = new Uint8Array(length);
      writeIcmpMessage(bytes, { type: 8, identifier, sequence });
      assert.deepEqual([...bytes.subarray(0, 8)], [8, 0, 0, 0, identifier >> 8, identifier & 0xff, sequence >> 8, sequence & 0xff]);
      return internetChecksum(bytes) % 0xffff;
    };
    const lengths = fc.integer({ min: 10, max: 1472 });
    const numbers = fc.nat(0xffff);
    fc.assert(fc.property(lengths, lengths, numbers, numbers, numbers, (l1, l2, s1, s2, id) => checksumOf(l1, s1, id) === checksumOf(l2, s2, id)));
    assert.notEqual(checksumOf(10, 1, 1), checksumOf(10, 1, 2));
  });
});

describe('what an ICMP error says of a packet', () => {
  const told = (family: 4 | 6, type: number, code: number, from = '192.0.2.1', mtuBytes = 0): unknown => {
    const outcome = outcomeOfIcmpError({ family, type, code, mtuBytes, from, rttMs: 1 }, '192.0.2.9');
    return (
      outcome && [outcome.outcome, outcome.outcome === 'reply' ? outcome.kind : outcome.what, ...('mtuBytes' in outcome ? [outcome.mtuBytes] : [])]
    );
  };

  test('time exceeded in transit, but not in reassembly', () => {
    assert.deepEqual(told(4, 11, 0), ['error', 'ttl-exceeded']);
    assert.deepEqual(told(6, 3, 0), ['error', 'ttl-exceeded']);
    assert.deepEqual([told(4, 11, 1), told(6, 3, 1)], [undefined, undefined]);
  });

  test('a closed port is an answer of the target, and a refusal in the name of anybody else', () => {
    assert.deepEqual(told(4, 3, 3, '192.0.2.9'), ['reply', 'port-unreachable']);
    assert.deepEqual(told(4, 3, 3), ['error', 'unreachable']);
    assert.deepEqual(told(6, 1, 4, '192.0.2.9'), ['reply', 'port-unreachable']);
  });

  test('too big, with the MTU where it is told', () => {
    assert.deepEqual(told(4, 3, 4, '192.0.2.1', 1400), ['error', 'too-big', 1400]);
    assert.deepEqual(told(4, 3, 4), ['error', 'too-big']);
    assert.deepEqual(told(6, 2, 0, '192.0.2.1', 1280), ['error', 'too-big', 1280]);
  });

  test('unreachable and prohibited', () => {
    for (const code of [0, 1, 2, 5, 6, 7, 11, 12]) assert.deepEqual(told(4, 3, code), ['error', 'unreachable'], String(code));
    for (const code of [9, 10, 13]) assert.deepEqual(told(4, 3, code), ['error', 'prohibited'], String(code));
    for (const code of [0, 2, 3]) assert.deepEqual(told(6, 1, code), ['error', 'unreachable'], String(code));
    for (const code of [1, 5, 6]) assert.deepEqual(told(6, 1, code), ['error', 'prohibited'], String(code));
  });

  test('source quench, redirects and the like say nothing', () => {
    for (const type of [0, 4, 5, 8, 9]) assert.equal(told(4, type, 0), undefined, String(type));
    for (const type of [128, 129, 135, 137]) assert.equal(told(6, type, 0), undefined, String(type));
  });
});

describe("an ICMP error from a socket that gets everybody's", () => {
  /** An IPv4 header of `words` * 4 bytes with this protocol, then these bytes. */
  const quote4 = (words: number, protocol: number, rest: readonly number[]): Uint8Array => {
    const bytes = new Uint8Array(4 * words + rest.length);
    bytes[0] = 0x40 | words;
    bytes[9] = protocol;
    bytes.set(rest, 4 * words);
    return bytes;
  };
  const error = (head: readonly number[], original: Uint8Array): Uint8Array => Uint8Array.of(...head, ...original);
  const UDP_QUOTE = [0x12, 0x34, 0x82, 0x9a, 0, 20, 0, 0, 9, 8, 7];

  test('names the ports, with options in the IP header too, and the payload as far as it is quoted', () => {
    for (const words of [5, 15]) {
      const read = readIcmpError(error([11, 0, 0, 0, 0, 0, 0, 0], quote4(words, 17, UDP_QUOTE)), 4);
      assert.deepEqual(read && { ...read, quote: [...read.quote] }, {
        family: 4,
        type: 11,
        code: 0,
        mtuBytes: 0,
        quote: [9, 8, 7],
        ports: { protocol: 17, source: 0x1234, destination: 33434 },
      });
    }
  });

  test('has the MTU where it is about size', () => {
    assert.equal(readIcmpError(error([3, 4, 0, 0, 0, 0, 5, 120], quote4(5, 17, UDP_QUOTE)), 4)?.mtuBytes, 1400);
    assert.equal(readIcmpError(error([3, 1, 0, 0, 0, 0, 5, 120], quote4(5, 17, UDP_QUOTE)), 4)?.mtuBytes, 0);
    const quote6 = new Uint8Array(48);
    quote6[0] = 0x60;
    quote6[6] = 58;
    quote6.set([128, 0, 0, 0, 0xab, 0xcd, 0, 7], 40);
    const read = readIcmpError(error([2, 0, 0, 0, 0, 0, 5, 0], quote6), 6);
    assert.deepEqual([read?.mtuBytes, read?.ports], [1280, { protocol: 58, source: 0xabcd, destination: 0 }]);
  });

  test('never throws, and is none where the quote does not say whose packet it was', () => {
    assert.equal(readIcmpError(error([0, 0, 0, 0, 0, 0, 0, 0], quote4(5, 17, UDP_QUOTE)), 4), undefined);
    assert.equal(readIcmpError(error([11, 0, 0, 0, 0, 0, 0, 0], quote4(5, 17, [1, 2, 3])), 4), undefined);
    assert.equal(readIcmpError(error([3, 0, 0, 0, 0, 0, 0, 0], quote4(5, 17, UDP_QUOTE)), 6), undefined, 'a quote of the other family');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.constantFrom(4 as const, 6 as const), (bytes, family) => {
        readIcmpError(bytes, family);
        return true;
      }),
    );
  });
});
