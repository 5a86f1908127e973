import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decodeHistogram, encodeHistogram, Histogram, sortedSamples } from '../../src/stats/index.js';

const HIGHEST = 2 ** 53 - 1;
const values = fc.array(
  fc.oneof(
    fc.nat(5000),
    fc.maxSafeNat(),
    fc.nat(40).map((e) => 2 ** e),
    fc.nat(40).map((e) => 2 ** e - 1),
  ),
  { minLength: 1, maxLength: 80 },
);
const digits = fc.integer({ min: 1, max: 4 });

function filled(samples: readonly number[], significantDigits: number): Histogram {
  const histogram = new Histogram({ highest: HIGHEST, significantDigits });
  for (const sample of samples) histogram.record(sample);
  return histogram;
}

describe('histogram', () => {
  it('gives quantiles within its precision of the sample at that rank', () => {
    fc.assert(
      fc.property(values, digits, fc.double({ min: 0, max: 1, noNaN: true }), (samples, significantDigits, p) => {
        const sorted = sortedSamples(samples);
        const rank = Math.max(1, Math.ceil(samples.length * p));
        const exact = sorted[rank - 1] as number;
        const actual = filled(samples, significantDigits).quantile(p);
        assert.ok(Math.abs(actual - exact) <= exact * 10 ** -significantDigits, `${actual}, not ${exact}`);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it('keeps count, minimum and maximum exactly', () => {
    fc.assert(
      fc.property(values, digits, (samples, significantDigits) => {
        const histogram = filled(samples, significantDigits);
        const sorted = sortedSamples(samples);
        assert.deepEqual([histogram.count, histogram.min, histogram.max], [samples.length, sorted[0], sorted.at(-1)]);
        assert.deepEqual([histogram.quantile(0), histogram.quantile(1)], [sorted[0], sorted.at(-1)]);
        assert.equal(histogram.countUpTo(HIGHEST), samples.length);
      }),
      { seed: 2 },
    );
  });

  it('has buckets that touch, overlap nowhere and are as narrow as promised', () => {
    for (const significantDigits of [1, 2, 3]) {
      const histogram = new Histogram({ highest: 10_000_000, significantDigits });
      for (let value = 0; value <= 3_000_000; value += value < 40_000 ? 1 : 16) histogram.record(value);
      let next = 0;
      for (const { low, high, middle } of histogram.buckets()) {
        assert.equal(low, next);
        assert.ok(low <= middle && middle <= high && high - low <= low * 10 ** -significantDigits);
        next = high + 1;
      }
    }
  });

  it('merged is as if one had recorded everything', () => {
    fc.assert(
      fc.property(values, values, digits, (first, second, significantDigits) => {
        const merged = filled(first, significantDigits);
        merged.merge(filled(second, significantDigits));
        assert.deepEqual(merged.snapshot(), filled([...first, ...second], significantDigits).snapshot());
      }),
      { seed: 3 },
    );
  });

  it('merges one of other precision within that precision, and survives encoding after it', () => {
    fc.assert(
      fc.property(values, digits, digits, (samples, ours, theirs) => {
        const merged = new Histogram({ highest: HIGHEST, significantDigits: ours });
        merged.merge(filled(samples, theirs));
        assert.equal(merged.count, samples.length);
        const exact = sortedSamples(samples)[Math.ceil(samples.length / 2) - 1] as number;
        assert.ok(Math.abs(merged.quantile(0.5) - exact) <= exact * (10 ** -ours + 10 ** -theirs));
        assert.equal(decodeHistogram(encodeHistogram(merged)).kind, 'histogram');
      }),
      { seed: 4 },
    );
  });

  it('comes back from bytes as it went', () => {
    fc.assert(
      fc.property(values, digits, fc.nat(3), (samples, significantDigits, bad) => {
        const histogram = filled(samples, significantDigits);
        for (let i = 0; i < bad; i++) histogram.record(-1);
        const decoded = decodeHistogram(encodeHistogram(histogram));
        assert.ok(decoded.kind === 'histogram');
        assert.deepEqual(decoded.histogram.snapshot(), histogram.snapshot());
      }),
      { seed: 5 },
    );
    const empty = decodeHistogram(encodeHistogram(new Histogram({ highest: 10 })));
    assert.ok(empty.kind === 'histogram' && empty.histogram.count === 0 && Number.isNaN(empty.histogram.quantile(0.5)));
  });

  it('never throws on bytes that are none, and never takes a cut one for whole', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => assert.equal(decodeHistogram(bytes).kind, 'garbled')),
      { seed: 6 },
    );
    const bytes = encodeHistogram(filled([1, 5000, 2 ** 40], 2));
    for (let length = 0; length < bytes.length; length++) assert.equal(decodeHistogram(bytes.subarray(0, length)).kind, 'garbled');
    assert.equal(decodeHistogram(Uint8Array.from([...bytes, 0])).kind, 'garbled');
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const mutated = bytes.slice();
        mutated[at] = (mutated[at] ?? 0) ^ flip;
        const decoded = decodeHistogram(mutated);
        if (decoded.kind === 'histogram') assert.deepEqual(encodeHistogram(decoded.histogram), mutated);
      }),
      { seed: 7, numRuns: 500 },
    );
  });

  it('counts what does not fit instead of throwing', () => {
    const histogram = new Histogram({ highest: 1000 });
    for (const value of [5000, Number.POSITIVE_INFINITY, -1, Number.NaN, Number.NEGATIVE_INFINITY]) histogram.record(value);
    assert.deepEqual([histogram.count, histogram.clipped, histogram.rejected, histogram.max], [2, 2, 3, 1000]);
  });

  it('does not grow with what it counts', () => {
    const histogram = new Histogram({ highest: 60_000_000 });
    const before = histogram.memoryBytes;
    for (let i = 0; i < 1_000_000; i++) histogram.record((i * 48_271) % 60_000_000);
    assert.equal(histogram.count, 1_000_000);
    assert.equal(histogram.memoryBytes, before);
    assert.ok(before < 140_000, `${before}`);
  });

  it('has the mean of its values within half its precision', () => {
    const histogram = filled([10, 20, 30_000, 7_654_321], 3);
    assert.ok(Math.abs(histogram.mean() - 1_921_087.75) < 1_921_087 * 0.0005);
    assert.ok(Number.isNaN(new Histogram({ highest: 5 }).mean()));
  });

  it('refuses ranges and precisions that cannot be', () => {
    for (const highest of [0, -1, 1.5, 2 ** 53, Number.NaN]) assert.throws(() => new Histogram({ highest }), /highest/);
    for (const significantDigits of [0, 6, 2.5]) assert.throws(() => new Histogram({ highest: 10, significantDigits }), /digits/);
  });
});
