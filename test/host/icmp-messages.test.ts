import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { IcmpMessages } from '../../src/host/datagrams/icmp-messages.js';
import { encodeIcmpEcho, internetChecksum } from '../../src/wire/index.js';

const IDENTIFIER = 0xbeef;
const raw4 = new IcmpMessages({ managed: false, withIpHeader: true, identifier: IDENTIFIER }, 4);
const raw6 = new IcmpMessages({ managed: false, withIpHeader: false, identifier: IDENTIFIER }, 6);
const managed = new IcmpMessages({ managed: true, withIpHeader: false, identifier: IDENTIFIER }, 4);
const echo = (options: { family?: 4 | 6; identifier?: number; reply?: boolean } = {}): Uint8Array =>
  encodeIcmpEcho({ family: 4, identifier: IDENTIFIER, sequence: 5, payload: Uint8Array.of(1, 2, 3), reply: true, ...options });

/** An IPv4 header of `words` times 4 bytes before the message. */
function packet(message: Uint8Array, words = 5): Uint8Array {
  const bytes = new Uint8Array(4 * words + message.length);
  bytes[0] = 0x40 | words;
  bytes.set(message, 4 * words);
  return bytes;
}

describe('ICMP messages on a raw socket', () => {
  test('an IPv4 message gets identifier and checksum', () => {
    const message = echo({ identifier: 0, reply: false });
    raw4.seal(message);
    assert.deepEqual([message[4], message[5]], [0xbe, 0xef]);
    assert.equal(internetChecksum(message), 0);
  });

  test('the checksum of an IPv6 message is the kernel’s', () => {
    const message = echo({ family: 6, identifier: 0, reply: false });
    raw6.seal(message);
    assert.deepEqual([...message.subarray(2, 6)], [0, 0, 0xbe, 0xef]);
  });

  test('our reply is found behind the IPv4 header, however long that is', () => {
    assert.equal(raw4.replyAt(packet(echo())), 20);
    assert.equal(raw4.replyAt(packet(echo(), 15)), 60);
    assert.equal(raw6.replyAt(echo({ family: 6 })), 0);
  });

  test('requests, replies to others and what is cut short are not ours', () => {
    assert.equal(raw4.replyAt(packet(echo({ reply: false }))), -1);
    assert.equal(raw4.replyAt(packet(echo({ identifier: 7 }))), -1);
    assert.equal(raw4.replyAt(packet(echo()).subarray(0, 24)), -1);
    assert.equal(raw4.replyAt(new Uint8Array(0)), -1);
    assert.equal(raw6.replyAt(echo({ family: 6, reply: false })), -1);
  });
});

describe('ICMP messages on an unprivileged socket', () => {
  test('are left as they are, and the kernel hands over ours only, under its own identifier', () => {
    const message = echo({ identifier: 3, reply: false });
    const before = [...message];
    managed.seal(message);
    assert.deepEqual([...message], before);
    assert.equal(managed.replyAt(echo({ identifier: 9 })), 0);
    assert.equal(managed.replyAt(echo({ reply: false })), -1);
  });
});
