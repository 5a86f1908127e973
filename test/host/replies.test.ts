import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Replies } from '../../src/host/datagrams/replies.js';

const add = (replies: Replies, text: string, at: { from?: number; length?: number; ns?: number } = {}): void => {
  const bytes = new TextEncoder().encode(text);
  const from = at.from ?? 0;
  replies.add({ bytes, from, length: at.length ?? bytes.length - from, arrivedNs: at.ns ?? 1, readNs: (at.ns ?? 1) + 1 });
};
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

describe('the replies of an exchange', () => {
  test('times, full lengths and heads are kept in order', () => {
    const replies = new Replies({ expected: 2, replyBytesMax: 4 });
    add(replies, 'abcdefg', { ns: 10 });
    add(replies, '--xy', { from: 2, ns: 20 });
    const { received, arrivedNs, readNs, length, bytes, stride } = replies.taken();
    assert.deepEqual([received, stride, [...arrivedNs], [...readNs], [...length]], [2, 4, [10, 20], [11, 21], [7, 2]]);
    assert.equal(text(bytes), 'abcdxy\0\0');
  });

  test('many more than expected are kept as well', () => {
    const replies = new Replies({ expected: 1, replyBytesMax: 2 });
    for (let i = 0; i < 5000; i++) add(replies, String.fromCharCode(65 + (i % 26), 97 + (i % 26)), { ns: i });
    const { received, bytes, arrivedNs } = replies.taken();
    assert.deepEqual([received, bytes.length, arrivedNs[4999], text(bytes.subarray(9998))], [5000, 10_000, 4999, 'Hh']);
  });

  test('beyond the limit they are counted, not kept', () => {
    const replies = new Replies({ expected: 1000, replyBytesMax: 8, storeBytesMax: 320 });
    for (let i = 0; i < 25; i++) add(replies, 'x');
    assert.deepEqual([replies.count, replies.discarded, replies.taken().bytes.length], [10, 15, 80]);
  });

  test('no head at all may be wanted', () => {
    const replies = new Replies({ expected: 1, replyBytesMax: 0 });
    add(replies, 'abc');
    assert.deepEqual([replies.taken().received, replies.taken().bytes.length, replies.taken().length[0]], [1, 0, 3]);
  });
});
