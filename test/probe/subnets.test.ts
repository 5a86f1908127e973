import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { overlapsOf, parsePrefix, prefixesOverlap } from '../../src/probe/subnets.js';
import type { Prefix } from '../../src/probe/subnets.js';

const WIDTH = { 4: 32, 6: 128 } as const;

/** A range as text and as the first and the last address in it. */
const range = (family: 4 | 6) =>
  fc.tuple(fc.bigInt({ min: 0n, max: (1n << BigInt(WIDTH[family])) - 1n }), fc.integer({ min: 0, max: WIDTH[family] })).map(([address, length]) => {
    const size = 1n << BigInt(WIDTH[family] - length);
    const first = (address / size) * size;
    return { text: `${write(address, family)}/${length}`, first, last: first + size - 1n, length };
  });

function write(address: bigint, family: 4 | 6): string {
  const bits = family === 4 ? 8 : 16;
  const parts = Array.from(
    { length: WIDTH[family] / bits },
    (_, i) => (address >> BigInt(WIDTH[family] - bits * (i + 1))) & ((1n << BigInt(bits)) - 1n),
  );
  return family === 4 ? parts.join('.') : parts.map((part) => part.toString(16)).join(':');
}

function read(text: string): Prefix {
  const prefix = parsePrefix(text);
  assert.ok(prefix, text);
  return prefix;
}

for (const family of [4, 6] as const) {
  // Two ranges of random addresses have little in common: half of the pairs share the beginning.
  const pair = fc.oneof(
    fc.tuple(range(family), range(family)),
    range(family).chain((one) =>
      fc.tuple(
        fc.constant(one),
        fc.integer({ min: 0, max: WIDTH[family] }).map((length) => reach(one.first, length, family)),
      ),
    ),
  );

  test(`IPv${family} ranges overlap when an address is in both`, () => {
    fc.assert(
      fc.property(pair, ([a, b]) => {
        const expected = a.first <= b.last && b.first <= a.last;
        assert.equal(prefixesOverlap(read(a.text), read(b.text)), expected);
        assert.equal(prefixesOverlap(read(b.text), read(a.text)), expected, 'whichever is asked first');
      }),
    );
  });

  test(`an IPv${family} range is read as its first address, whatever address of it was written`, () => {
    fc.assert(
      fc.property(range(family), (one) => {
        assert.deepEqual(read(one.text), { family, bits: one.first, length: one.length });
      }),
    );
  });
}

function reach(address: bigint, length: number, family: 4 | 6): { text: string; first: bigint; last: bigint; length: number } {
  const size = 1n << BigInt(WIDTH[family] - length);
  const first = (address / size) * size;
  return { text: `${write(address, family)}/${length}`, first, last: first + size - 1n, length };
}

test('ranges of different families have nothing in common, not even the widest', () => {
  assert.equal(prefixesOverlap(read('0.0.0.0/0'), read('::/0')), false);
});

test('IPv6 is read in every way to write it, and an address alone is a range of one', () => {
  assert.deepEqual(read('fd00::1'), read('fd00:0:0:0:0:0:0:1/128'));
  assert.deepEqual(read('::ffff:10.0.0.1'), read('::ffff:a00:1/128'));
  assert.deepEqual(read('fe80::1%eth0/64'), read('fe80::/64'));
  assert.deepEqual(read('10.1.2.3'), read('10.1.2.3/32'));
});

test('what is no range is not read', () => {
  for (const text of [
    '',
    '10.0.0/8',
    '10.0.0.0/33',
    '10.0.0.256/8',
    'fd00::/129',
    'fd00:::1/64',
    '1:2:3:4:5:6:7:8:9/64',
    'default',
    '10.0.0.0/8/8',
    '10.0.0.0/-1',
  ])
    assert.equal(parsePrefix(text), undefined, text);
  fc.assert(fc.property(fc.string(), (text) => assert.doesNotThrow(() => parsePrefix(text))));
});

test('overlaps name both ranges and whose the other is; what cannot be read is passed over', () => {
  const others = [
    { subnet: '172.16.0.0/12', what: 'route by eth0' },
    { subnet: '10.8.0.0/24', what: 'interface wg0' },
    { subnet: 'nonsense', what: 'a mistake' },
  ];
  assert.deepEqual(overlapsOf(['172.18.0.0/16', '192.168.0.0/24', 'rubbish', '10.0.0.0/8'], others), [
    { subnet: '172.18.0.0/16', with: '172.16.0.0/12', what: 'route by eth0' },
    { subnet: '10.0.0.0/8', with: '10.8.0.0/24', what: 'interface wg0' },
  ]);
});
