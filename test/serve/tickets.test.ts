import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/index.js';
import { Tickets } from '../../src/serve/index.js';

function tickets(max = 4): Tickets {
  const random = seededRandom(1);
  return new Tickets({ lifetimeMs: 1000, max, random: (count) => Uint8Array.from({ length: count }, () => random.below(256)) });
}

test('a ticket opens for whom it was issued, as long as it lives', () => {
  const book = tickets();
  const ticket = book.issue('10.0.0.1', 0);
  assert.match(ticket, /^[0-9a-f]{48}$/);
  assert.ok(book.check('10.0.0.1', ticket, 999));
  assert.ok(!book.check('10.0.0.1', ticket, 1000));
  assert.ok(!book.check('10.0.0.2', ticket, 0));
});

test('nothing else opens', () => {
  const book = tickets();
  const ticket = book.issue('a', 0);
  for (const wrong of ['', ticket.slice(1), `${ticket}0`, ticket.toUpperCase() === ticket ? 'x' : ticket.toUpperCase(), 'a'.repeat(100_000)])
    assert.ok(!book.check('a', wrong, 0), wrong.slice(0, 60));
});

test('there are never more than the limit: the oldest gives way, the expired first', () => {
  const book = tickets(2);
  const first = book.issue('a', 0);
  const second = book.issue('a', 500);
  const third = book.issue('a', 600);
  assert.deepEqual([book.check('a', first, 600), book.check('a', second, 600), book.check('a', third, 600)], [false, true, true]);
  book.issue('a', 1550);
  assert.equal(book.size, 2);
  assert.ok(book.check('a', third, 1550));
});
