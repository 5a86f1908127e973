import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import packet from 'dns-packet';
import type { Answer } from 'dns-packet';
import fc from 'fast-check';
import { decodeMdnsAnswer, encodeMdnsQuery, isMdnsName } from '../../src/wire/mdns.js';

const query = { id: 77, name: 'beta.local' };

function answer(message: { id?: number; type?: 'response' | 'query'; answers?: Answer[]; additionals?: Answer[] }): Uint8Array {
  return packet.encode({ type: 'response', id: 77, ...message });
}

const a = (name: string, data: string): Answer => ({ name, type: 'A', ttl: 10, class: 'IN', flush: true, data });

describe('multicast DNS', () => {
  test('is for names below .local', () => {
    for (const name of ['beta.local', 'Beta.LOCAL.', 'a.b.local']) assert.equal(isMdnsName(name), true, name);
    for (const name of ['local', '.local', 'beta', 'beta.local.example', 'betalocal']) assert.equal(isMdnsName(name), false, name);
  });

  test('a query asks once a family, for an answer by unicast', () => {
    const bytes = encodeMdnsQuery(77, 'beta.local', [4, 6]);
    const decoded = packet.decode(Buffer.from(bytes));
    assert.deepEqual(
      [decoded.id, decoded.flags, decoded.questions?.map(({ name, type }) => `${name} ${type}`)],
      [77, 0, ['beta.local A', 'beta.local AAAA']],
    );
    // Name of 12 bytes and type of 2 after the header of 12: the class begins at 26, with its top bit set (RFC 6762, section 5.4).
    assert.deepEqual([bytes[26], bytes[27], bytes[42], bytes[43]], [0x80, 1, 0x80, 1]);
    assert.equal(encodeMdnsQuery(77, 'beta.local', [6]).length, 28);
  });

  test('addresses are taken from answers and what comes with them, for the name that was asked', () => {
    const bytes = answer({
      answers: [a('BETA.local', '10.0.0.2'), a('gamma.local', '10.0.0.3'), { name: 'beta.local', type: 'TXT', data: 'x' }],
      additionals: [{ name: 'beta.local', type: 'AAAA', ttl: 10, data: 'fe80::2' }],
    });
    assert.deepEqual(decodeMdnsAnswer(bytes, query), [
      { host: '10.0.0.2', family: 4 },
      { host: 'fe80::2', family: 6 },
    ]);
    assert.equal(decodeMdnsAnswer(answer({ id: 0, answers: [a('beta.local', '10.0.0.2')] }), query).length, 1, 'an answer to everybody has no id');
  });

  test("others' answers and questions are not taken", () => {
    assert.deepEqual(decodeMdnsAnswer(answer({ id: 78, answers: [a('beta.local', '10.0.0.2')] }), query), []);
    assert.deepEqual(decodeMdnsAnswer(answer({ type: 'query', answers: [a('beta.local', '10.0.0.2')] }), query), []);
    assert.deepEqual(decodeMdnsAnswer(new Uint8Array(0), query), []);
  });

  test('addresses that are no host on the network are not taken: anybody there may answer', () => {
    const v4 = ['127.0.0.1', '127.9.9.9', '0.0.0.0', '0.1.2.3', '224.0.0.251', '239.1.1.1', '255.255.255.255'];
    const v6 = ['::1', '::', 'ff02::1', 'ff0e::1', '::ffff:127.0.0.1', '::ffff:10.0.0.2', '::7f00:1'];
    const answers: Answer[] = [
      ...v4.map((data) => a('beta.local', data)),
      ...v6.map((data): Answer => ({ name: 'beta.local', type: 'AAAA', ttl: 1, data })),
    ];
    assert.deepEqual(decodeMdnsAnswer(answer({ answers }), query), []);
    const good = [
      a('beta.local', '169.254.1.2'),
      a('beta.local', '203.0.113.9'),
      ...['fd00::1', '2001:db8::1', 'fe80::1'].map((data): Answer => ({ name: 'beta.local', type: 'AAAA', ttl: 1, data })),
    ];
    assert.deepEqual(
      decodeMdnsAnswer(answer({ answers: good }), query).map(({ host }) => host),
      ['169.254.1.2', '203.0.113.9', 'fd00::1', '2001:db8::1', 'fe80::1'],
    );
  });

  test('an answer with thousands of addresses gives a few', () => {
    const many = Array.from({ length: 1000 }, (_, i) => a('beta.local', `10.0.${i >> 8}.${i & 255}`));
    assert.equal(decodeMdnsAnswer(answer({ answers: many }), query).length, 32);
  });

  test('hostile bytes never throw', () => {
    const good = answer({ answers: [a('beta.local', '10.0.0.2')], additionals: [{ name: 'beta.local', type: 'AAAA', ttl: 10, data: 'fe80::2' }] });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 6 }), (noise, changes) => {
        decodeMdnsAnswer(noise, query);
        const bytes = Uint8Array.from(good);
        for (const [at, value] of changes) bytes[at] = value;
        for (const { host } of decodeMdnsAnswer(bytes, query)) assert.match(host, /^[0-9a-f:.]+$/);
      }),
      { numRuns: 1000 },
    );
  });
});
