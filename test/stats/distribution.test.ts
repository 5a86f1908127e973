import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { distributionOf } from '../../src/stats/index.js';

describe('a distribution', () => {
  test('counts equal values together, ascending, and leaves out what is no sample', () => {
    assert.deepEqual(distributionOf([3, 1, Number.NaN, 3]), { values: [1, 3], counts: [1, 2] });
    assert.equal(distributionOf([Number.NaN]), undefined);
    assert.equal(distributionOf([]), undefined);
  });

  test('keeps every sample, close to where it was, in a bounded number of values', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 1e-3, max: 1e4, noNaN: true }), { minLength: 1, maxLength: 2000 }), (samples) => {
        const { values, counts } = distributionOf(samples) ?? { values: [], counts: [] };
        assert.equal(
          counts.reduce((sum, count) => sum + count, 0),
          samples.length,
        );
        // Two digits over seven decades.
        assert.ok(values.length <= Math.max(256, 7 * 90 + 1));
        const sorted = [...samples].sort((a, b) => a - b);
        const spread = values.flatMap((value, i) => Array.from({ length: counts[i] ?? 0 }, () => value));
        spread.forEach((value, i) => assert.ok(Math.abs(value - (sorted[i] as number)) <= 0.051 * (sorted[i] as number)));
      }),
      { seed: 20261121 },
    );
  });
});
