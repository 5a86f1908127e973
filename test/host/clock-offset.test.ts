import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ClockOffset } from '../../src/host/datagrams/clock-offset.js';

const OFFSET = 12_345;

/** Reads both clocks the way the host does: the wall clock somewhere between two looks at the other. */
function read(offset: ClockOffset, atNs: number, options: { distance?: number; width?: number; within?: number } = {}): boolean {
  const { distance = OFFSET, width = 300, within = 150 } = options;
  return offset.sample(atNs, atNs + within + distance, atNs + width);
}

describe('the distance between the wall clock and the monotonic one', () => {
  test('after one reading it is known to half the reading’s width', () => {
    const offset = new ClockOffset();
    assert.equal(read(offset, 1000), false);
    assert.ok(offset.uncertaintyNs <= 151);
    assert.ok(Math.abs(offset.toMonotonicNs(50_000 + OFFSET) - 50_000) <= offset.uncertaintyNs);
  });

  test('every reading narrows it, and none misleads', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ width: fc.integer({ min: 1, max: 100_000 }), share: fc.double({ min: 0, max: 1, noNaN: true }) }), { minLength: 1 }),
        (readings) => {
          const offset = new ClockOffset();
          let lastNs = Number.POSITIVE_INFINITY;
          readings.forEach(({ width, share }, i) => {
            assert.equal(read(offset, i * 1e6, { width, within: Math.round(share * width) }), false);
            assert.ok(offset.uncertaintyNs <= lastNs);
            lastNs = offset.uncertaintyNs;
            assert.ok(Math.abs(offset.toMonotonicNs(OFFSET)) <= offset.uncertaintyNs + 1e-9);
          });
        },
      ),
    );
  });

  test('setting the wall clock is noticed, and the new distance holds from there', () => {
    for (const stepNs of [-3_600e9, -1e6, 1e6, 3_600e9]) {
      const offset = new ClockOffset();
      read(offset, 0);
      assert.equal(read(offset, 1e9, { distance: OFFSET + stepNs }), true);
      assert.equal(read(offset, 2e9, { distance: OFFSET + stepNs }), false);
      assert.ok(Math.abs(offset.toMonotonicNs(5e9 + OFFSET + stepNs) - 5e9) <= 151);
    }
  });

  test('clocks that drift apart are followed where that is allowed for', () => {
    const offset = new ClockOffset(500);
    for (let i = 0; i < 100; i++) {
      const atNs = i * 10e6;
      assert.equal(read(offset, atNs, { distance: OFFSET + atNs * 400e-6 }), false);
      assert.ok(Math.abs(offset.toMonotonicNs(atNs + OFFSET + atNs * 400e-6) - atNs) <= offset.uncertaintyNs + 1e-6);
    }
    assert.ok(offset.uncertaintyNs < 6_000);
  });
});
