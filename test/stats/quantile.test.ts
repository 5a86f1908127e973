import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { harrellDavisQuantile, mean, quantile, sortedSamples, standardDeviation, summarize, trimmedMean } from '../../src/stats/index.js';
import { near, scipyFigures } from './fixtures.js';

describe('quantiles and moments', () => {
  for (const [name, figures] of Object.entries(scipyFigures().samples)) {
    it(`agree with NumPy and SciPy on ${name}`, () => {
      const sorted = sortedSamples(figures.samples);
      for (const [p, expected] of figures.quantiles) assert.ok(near(quantile(sorted, p), expected), `p ${p}`);
      for (const [p, expected] of figures.harrellDavis)
        assert.ok(near(harrellDavisQuantile(sorted, p), expected), `Harrell-Davis ${p}: ${harrellDavisQuantile(sorted, p)}, not ${expected}`);
      for (const [cut, expected] of figures.trimmed) assert.ok(near(trimmedMean(figures.samples, cut), expected), `trim ${cut}`);
      const summary = summarize(figures.samples);
      assert.ok(summary);
      for (const key of ['mean', 'median', 'min', 'max', 'stddev'] as const) assert.ok(near(summary[key], figures[key]), key);
      assert.equal(summary.n, figures.samples.length);
    });
  }

  it('reach the certified values of NIST StRD NumAcc1 to NumAcc4', () => {
    const alternating = (base: number): number[] => [base + 0.2, ...Array.from({ length: 1000 }, (_, i) => base + (i % 2 === 0 ? 0.1 : 0.3))];
    const cases = [
      { samples: [10000001, 10000003, 10000002], mean: 10000002, stddev: 1, digits: 1e-14 },
      { samples: alternating(1), mean: 1.2, stddev: 0.1, digits: 1e-12 },
      { samples: alternating(1e6), mean: 1000000.2, stddev: 0.1, digits: 1e-8 },
      // The inputs themselves are off by 1e-9 here: that is what a double holds of 10000000.1.
      { samples: alternating(1e7), mean: 10000000.2, stddev: 0.1, digits: 2e-8 },
    ];
    for (const { samples, mean: expected, stddev, digits } of cases) {
      assert.ok(near(mean(samples), expected, 1e-13), `mean ${mean(samples)}`);
      assert.ok(near(standardDeviation(samples), stddev, digits), `stddev ${standardDeviation(samples)}`);
    }
  });

  it('leave NaN out and do not touch the input', () => {
    const samples = [3, Number.NaN, 1, 2, Number.NaN];
    const summary = summarize(samples);
    assert.deepEqual([summary?.n, summary?.min, summary?.median, summary?.max, summary?.mean], [3, 1, 2, 3, 2]);
    assert.deepEqual(samples, [3, Number.NaN, 1, 2, Number.NaN]);
  });

  it('say that there is nothing to say', () => {
    assert.equal(summarize([]), undefined);
    assert.equal(summarize([Number.NaN]), undefined);
    assert.ok(Number.isNaN(quantile([], 0.5)));
    assert.ok(Number.isNaN(mean([])));
    assert.ok(Number.isNaN(standardDeviation([])));
    assert.ok(Number.isNaN(trimmedMean([], 0.1)));
    assert.ok(Number.isNaN(harrellDavisQuantile([], 0.5)));
    assert.equal(standardDeviation([5]), 0);
    assert.equal(summarize([5])?.ci95, undefined);
  });

  it('refuse proportions that are none', () => {
    assert.throws(() => quantile([1], 1.1), /invariant/);
    assert.throws(() => trimmedMean([1], 0.5), /invariant/);
    assert.throws(() => harrellDavisQuantile([1], 0), /invariant/);
  });

  it('are ordered and inside the samples, whatever these are', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e12, max: 1e12 }), { minLength: 1, maxLength: 60 }),
        (samples) => {
          const summary = summarize(samples);
          assert.ok(summary);
          const { min, median, p95, p99, max, ci95 } = summary;
          assert.ok(min <= median && median <= p95 && p95 <= p99 && p99 <= max);
          if (ci95) assert.ok(min <= ci95[0] && ci95[0] <= median && median <= ci95[1] && ci95[1] <= max);
          assert.equal(ci95 !== undefined || samples.length < 6 || samples.length >= 20, true);
        },
      ),
      { seed: 1 },
    );
  });

  it('take a million samples without running out of stack', () => {
    const samples = Float64Array.from({ length: 1_000_000 }, (_, i) => (i * 7919) % 1_000_000);
    const summary = summarize(samples);
    assert.ok(summary);
    assert.deepEqual([summary.n, summary.min, summary.max, summary.median], [1_000_000, 0, 999_999, 499_999.5]);
  });
});
