import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { rfc3550Jitter } from '../../src/stats/index.js';
import { FloodCounter, SEEN, SequenceWindow } from '../../src/wire/index.js';

test('a window agrees with a set, as long as numbers stay inside it', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(200), { maxLength: 300 }), (sequences) => {
      const window = new SequenceWindow(256);
      const seen = new Set<number>();
      let highest = -1;
      for (const sequence of sequences) {
        const expected = seen.has(sequence) ? SEEN.duplicate : sequence > highest ? SEEN.fresh : SEEN.late;
        assert.equal(window.mark(sequence), expected);
        seen.add(sequence);
        highest = Math.max(highest, sequence);
      }
      assert.equal(window.highest, highest);
      let recent = 0;
      for (let i = 0; i < 32; i++) if (seen.has(highest - i)) recent |= 1 << i;
      assert.equal(window.recent32(0), recent >>> 0);
    }),
  );
});

test('a sliding window agrees with a set of the last numbers, over jumps of any length', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.integer({ min: -70, max: 200 }), fc.integer({ min: 1, max: 3 }), fc.constantFrom(-64, -63, 63, 64, 65)), {
        maxLength: 300,
      }),
      (steps) => {
        const size = 64;
        const window = new SequenceWindow(size);
        const seen = new Set<number>();
        let at = 1000;
        let highest = -1;
        for (const step of steps) {
          at = Math.max(0, at + step);
          const inside = at > highest - size;
          const expected = at > highest ? SEEN.fresh : inside && seen.has(at) ? SEEN.duplicate : SEEN.late;
          assert.equal(window.mark(at), expected);
          seen.add(at);
          highest = Math.max(highest, at);
        }
      },
    ),
    { numRuns: 500 },
  );
});

test('a number that was skipped is not taken for the one that had its place a window ago', () => {
  const window = new SequenceWindow(64);
  for (let sequence = 0; sequence < 64; sequence++) window.mark(sequence);
  assert.equal(window.mark(65), SEEN.fresh);
  assert.equal(window.mark(64), SEEN.late);
  assert.equal(window.mark(64), SEEN.duplicate);
});

test('the highest number of 32 bits is a number like any other', () => {
  const window = new SequenceWindow(64);
  assert.equal(window.mark(5), SEEN.fresh);
  assert.equal(window.mark(0xffffffff), SEEN.fresh);
  assert.equal(window.mark(0xffffffff), SEEN.duplicate);
  assert.equal(window.mark(0xfffffffe), SEEN.late);
});

test('what is counted is what arrived: copies once, overtaken ones as reordered', () => {
  const counter = new FloodCounter({ intervalMs: 10 });
  [0, 1, 2, 4, 3, 3, 5, 9].forEach((sequence, i) => counter.add(sequence, i * 1e6, 500 + i * 1e6, 100));
  const count = counter.count();
  assert.deepEqual([count.received, count.bytes, count.duplicates, count.reordered, count.expected, count.elapsedMs], [7, 700, 1, 1, 10, 7]);
});

test("jitter is that of RFC 3550, whatever the clocks' origins", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 50_000_000 }), { minLength: 2, maxLength: 200 }),
      fc.integer({ min: -1e15, max: 1e15 }),
      (transitNs, offsetNs) => {
        const counter = new FloodCounter({ intervalMs: 100 });
        transitNs.forEach((transit, i) => counter.add(i, i * 1e6 + offsetNs, i * 1e6 + transit, 64));
        const expected = rfc3550Jitter(transitNs.map((ns) => ns / 1e6)) ?? Number.NaN;
        assert.ok(Math.abs(counter.count().jitterMs - expected) < 1e-6);
      },
    ),
  );
});

test('datagrams without a stamp are counted and leave the jitter alone', () => {
  const counter = new FloodCounter({ intervalMs: 100 });
  for (let i = 0; i < 10; i++) counter.add(i, Number.NaN, i * 1e6, 64);
  assert.deepEqual([counter.count().received, counter.count().jitterMs], [10, 0]);
});

test('intervals add up to the whole, and a long flood merges them instead of growing', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 400 }), (gapsMs) => {
      const counter = new FloodCounter({ intervalMs: 10, intervalsMax: 8 });
      let nowMs = 0;
      gapsMs.forEach((gap, i) => counter.add(i, 0, (nowMs += gap) * 1e6, 10));
      const { intervals, received, bytes, elapsedMs } = counter.count();
      assert.ok(intervals.length <= 8);
      assert.equal(
        intervals.reduce((sum, interval) => sum + interval.received, 0),
        received,
      );
      assert.equal(
        intervals.reduce((sum, interval) => sum + interval.bytes, 0),
        bytes,
      );
      assert.equal(intervals.at(-1)?.endMs, elapsedMs);
      for (let i = 1; i < intervals.length; i++) assert.ok((intervals[i]?.endMs ?? 0) >= (intervals[i - 1]?.endMs ?? 0));
    }),
  );
});

test('each interval holds what arrived in it', () => {
  const counter = new FloodCounter({ intervalMs: 10 });
  [0, 1, 9.9, 10, 25, 25.5].forEach((ms, i) => counter.add(i, 0, ms * 1e6, 10));
  assert.deepEqual(counter.count().intervals, [
    { endMs: 10, received: 3, bytes: 30 },
    { endMs: 20, received: 1, bytes: 10 },
    { endMs: 25.5, received: 2, bytes: 20 },
  ]);
});

test('an empty count is all zeros', () => {
  assert.deepEqual(new FloodCounter({ intervalMs: 10 }).count(), {
    received: 0,
    bytes: 0,
    duplicates: 0,
    reordered: 0,
    expected: 0,
    elapsedMs: 0,
    jitterMs: 0,
    intervals: [],
  });
});
