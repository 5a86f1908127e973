import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatMs, formatQuantity, formatRate, formatRatio, inScale, quantityScale } from '../../src/base/index.js';

describe('quantities', () => {
  it('are written with the unit that suits their size', () => {
    const cases = [
      [0.0213, 'ms', '21.30 us'],
      [0, 'ms', '0 ms'],
      [12.34, 'ms', '12.34 ms'],
      [12_340, 'ms', '12.34 s'],
      [-0.5, 'ms', '-500.0 us'],
      [941.5e6, 'bps', '941.5 Mbit/s'],
      [38.42e9, 'bps', '38.42 Gbit/s'],
      [0, 'bps', '0 bit/s'],
      [64_000, 'pps', '64.00 kpkt/s'],
      [0, 'ratio', '0 %'],
      [0.0025, 'ratio', '0.250 %'],
      [1, 'ratio', '100.0 %'],
      [0.000004, 'ratio', '4e-4 %'],
      [1234.4, 'rpm', '1234 RPM'],
      [7, 'count', '7'],
      [2.5, 'count', '2.500'],
      [1500, 'bytes', '1.500 kB'],
      [40, 'bytes', '40 B'],
      [3, 'furlong', '3.000 furlong'],
    ] as const;
    for (const [value, unit, expected] of cases) assert.equal(formatQuantity(value, unit), expected);
    assert.equal(formatQuantity(Number.NaN, 'ms'), '-');
    assert.equal(formatRatio(Number.POSITIVE_INFINITY), '-');
  });

  it('agree with the formats of durations and rates', () => {
    for (const value of [0, 1e-6, 0.02, 0.9999, 1, 9.5, 123.4, 9999, 10_000, 5e6]) {
      assert.equal(formatQuantity(value, 'ms'), formatMs(value));
      assert.equal(formatQuantity(value * 1000, 'bps'), formatRate(value * 1000));
    }
  });

  it('of one kind can share a scale', () => {
    const scale = quantityScale(0.95, 'ms');
    assert.deepEqual(
      [0.9, 1.1, 12].map((value) => inScale(value, scale)),
      ['900.0', '1100', '12000'],
    );
  });
});
