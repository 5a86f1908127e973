import assert from 'node:assert/strict';
import { test } from 'node:test';
import packet from 'dns-packet';
import fc from 'fast-check';
import {
  DNS_TYPES,
  DNS_UDP_BYTES_MAX,
  answersQuestion,
  decodeDnsMessage,
  encodeDnsQuery,
  frameDns,
  isDnsName,
  unframeDns,
} from '../../src/wire/index.js';
import type { DnsMessage, DnsType } from '../../src/wire/index.js';

type Answer = Extract<DnsMessage, { kind: 'answer' }>;

function answerTo(query: Uint8Array, change: (bytes: Buffer) => void = () => undefined): Buffer {
  const asked = packet.decode(Buffer.from(query));
  const bytes = packet.encode({
    type: 'response',
    id: asked.id ?? 0,
    flags: packet.RECURSION_DESIRED | packet.RECURSION_AVAILABLE,
    questions: asked.questions ?? [],
    answers: [{ type: 'A', name: 'example.com', ttl: 300, data: '192.0.2.1' }],
  });
  change(bytes);
  return bytes;
}

test('a query has the bytes that RFC 1035 and RFC 6891 ask for', () => {
  const bytes = encodeDnsQuery(0x1234, { name: 'example.com', type: 'AAAA' });
  const head = '1234' + '0100' + '0001' + '0000' + '0000' + '0001';
  const question = `07${Buffer.from('example').toString('hex')}03${Buffer.from('com').toString('hex')}00` + '001c' + '0001';
  const edns = '00' + '0029' + DNS_UDP_BYTES_MAX.toString(16).padStart(4, '0') + '00000000' + '0000';
  assert.equal(Buffer.from(bytes).toString('hex'), head + question + edns);
});

test('every type that can be asked for comes back by its name', () => {
  for (const type of DNS_TYPES) {
    const question = { name: 'example.com', type };
    const message = decodeDnsMessage(answerTo(encodeDnsQuery(7, question)));
    assert.equal(message.kind, 'answer', type);
    assert.equal((message as Answer).question?.type, type);
    assert.ok(answersQuestion(message, question), type);
  }
});

test('an answer tells its id, result code, truncation and records', () => {
  const query = encodeDnsQuery(9, { name: 'Example.COM', type: 'A' });
  const plain = decodeDnsMessage(answerTo(query)) as Answer;
  assert.deepEqual([plain.id, plain.rcode, plain.truncated], [9, 'NOERROR', false]);
  assert.deepEqual(plain.answers, [{ name: 'example.com', type: 'A', ttlSeconds: 300, text: '192.0.2.1' }]);
  const unknown = decodeDnsMessage(answerTo(query, (bytes) => (bytes[3] = (bytes[3] ?? 0) | 3))) as Answer;
  assert.equal(unknown.rcode, 'NXDOMAIN');
  const cut = decodeDnsMessage(answerTo(query, (bytes) => (bytes[2] = (bytes[2] ?? 0) | 2))) as Answer;
  assert.equal(cut.truncated, true);
});

test('an answer belongs to a question whatever the case, and to no other', () => {
  const message = decodeDnsMessage(answerTo(encodeDnsQuery(1, { name: 'eXample.com', type: 'A' })));
  assert.ok(answersQuestion(message, { name: 'EXAMPLE.com.', type: 'A' }));
  assert.ok(!answersQuestion(message, { name: 'example.com', type: 'AAAA' }));
  assert.ok(!answersQuestion(message, { name: 'example.org', type: 'A' }));
  assert.ok(!answersQuestion({ kind: 'garbled', why: 'x' }, { name: 'example.com', type: 'A' }));
});

test('a query is no answer', () => {
  assert.deepEqual(decodeDnsMessage(encodeDnsQuery(1, { name: 'example.com', type: 'A' })), { kind: 'garbled', why: 'a query, not an answer' });
});

test('names are checked as DNS takes them', () => {
  const good = [
    '.',
    'a',
    'example.com',
    'example.com.',
    '_sip._tcp.example.com',
    'xn--bcher-kva.example',
    `${'a'.repeat(63)}.b`,
    Array(4).fill('a'.repeat(61)).join('.'),
  ];
  const bad = ['', '..', 'a..b', '.a', 'a b', 'a\u0000b', `${'a'.repeat(64)}.b`, Array(5).fill('a'.repeat(60)).join('.')];
  for (const name of good) assert.ok(isDnsName(name), name);
  for (const name of bad) assert.ok(!isDnsName(name), JSON.stringify(name));
});

test('no bytes make the decoder throw, be they random or an answer with some bytes changed', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => void decodeDnsMessage(bytes)));
  const answer = answerTo(encodeDnsQuery(3, { name: 'example.com', type: 'A' }));
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(answer.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
      fc.nat(answer.length),
      (changes, length) => {
        const bytes = Uint8Array.from(answer);
        for (const [at, value] of changes) bytes[at] = value;
        const message = decodeDnsMessage(bytes.subarray(0, length));
        assert.ok(message.kind === 'answer' || message.why.length > 0);
      },
    ),
  );
});

test('a name that points at itself is garbled, not endless', () => {
  const answer = answerTo(encodeDnsQuery(3, { name: 'example.com', type: 'A' }));
  answer.writeUInt16BE(0xc00c, 12);
  assert.equal(decodeDnsMessage(answer).kind, 'garbled');
});

test('every good name and type survives encoding', () => {
  const label = fc.stringMatching(/^[a-z0-9_-]{1,20}$/);
  fc.assert(
    fc.property(fc.array(label, { minLength: 1, maxLength: 8 }), fc.constantFrom(...DNS_TYPES), fc.nat(65535), (labels, type: DnsType, id) => {
      const question = { name: labels.join('.'), type };
      const message = decodeDnsMessage(answerTo(encodeDnsQuery(id, question)));
      assert.ok(message.kind === 'answer' && message.id === id && answersQuestion(message, question));
    }),
  );
});

test('messages over TCP are found whole, however they are cut', () => {
  const message = encodeDnsQuery(5, { name: 'example.com', type: 'TXT' });
  const framed = frameDns(message);
  for (let length = 0; length < framed.length; length++) assert.equal(unframeDns(framed.subarray(0, length)), undefined);
  assert.deepEqual(unframeDns(Uint8Array.from([...framed, 1, 2, 3])), message);
});
