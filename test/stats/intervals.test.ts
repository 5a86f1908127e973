import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seededRandom } from '../../src/base/index.js';
import {
  bootstrapInterval,
  inflationAt,
  lossOf,
  mean,
  meanInterval,
  medianInterval,
  normalQuantile,
  orderInterval,
  orderRanks,
  quantileInterval,
  sortedSamples,
  summarize,
  wilson,
} from '../../src/stats/index.js';
import { near, scipyFigures } from './fixtures.js';

describe('intervals', () => {
  const figures = scipyFigures();

  it('of a proportion agree with SciPy', () => {
    for (const [k, n, level, [low, high]] of figures.wilson) {
      const actual = wilson(k, n, level);
      assert.ok(near(actual[0], low, 1e-10) && near(actual[1], high, 1e-10), `${k} of ${n} at ${level}: ${actual}`);
    }
  });

  it("of a proportion agree with Newcombe's Table I, method 3 (Statistics in Medicine 17, 1998)", () => {
    const published = [
      [81, 263, 0.2553, 0.3662],
      [15, 148, 0.0624, 0.1605],
      [0, 20, 0, 0.1611],
      [1, 29, 0.0061, 0.1718],
    ] as const;
    for (const [k, n, low, high] of published)
      assert.deepEqual(
        wilson(k, n).map((bound) => Number(bound.toFixed(4))),
        [low, high],
      );
  });

  for (const [name, sample] of Object.entries(figures.samples)) {
    it(`agree with SciPy on ${name}`, () => {
      for (const [level, [low, high]] of sample.meanIntervals ?? []) {
        const actual = meanInterval(sample.samples, level);
        assert.ok(near(actual?.[0], low) && near(actual?.[1], high), `mean at ${level}: ${actual}`);
      }
      const sorted = sortedSamples(sample.samples);
      for (const [p, level, expected] of sample.quantileIntervals)
        assert.deepEqual(orderInterval(sorted, p, level, 1) ?? null, expected, `p ${p} at ${level}`);
    });

    const bootstrap = sample.bootstrapMedian;
    if (bootstrap && sample.samples.length >= 12) {
      it(`by bootstrap agree with SciPy's on ${name}, as far as resampling can`, () => {
        const actual = medianInterval(sample.samples, { method: 'bootstrap', seed: 3, resamples: 20_000 });
        const spread = bootstrap[1] - bootstrap[0];
        assert.ok(actual);
        assert.ok(
          Math.abs(actual[0] - bootstrap[0]) <= 0.1 * spread && Math.abs(actual[1] - bootstrap[1]) <= 0.1 * spread,
          `${actual}, not ${bootstrap}`,
        );
      });
    }
  }

  it('by bootstrap repeat with the seed and differ without', () => {
    const samples = figures.samples['lognormal-101']?.samples ?? [];
    const once = bootstrapInterval(samples, mean, { seed: 5 });
    assert.deepEqual(bootstrapInterval(samples, mean, { seed: 5 }), once);
    assert.notDeepEqual(bootstrapInterval(samples, mean, { seed: 6 }), once);
  });

  it('widen where neighbours resemble each other, and only there', () => {
    const random = seededRandom(8);
    const independent = Array.from({ length: 5000 }, () => random.next());
    let state = 0;
    const dependent = independent.map((u) => (state = 0.9 * state + u - 0.5));
    assert.ok(inflationAt(independent, 0.5) < 1.3, `${inflationAt(independent, 0.5)}`);
    // The sign of an AR(1) series has correlation (2 / pi) asin(0.9^k) at lag k: 13.3 in sum.
    const inflation = inflationAt(dependent, 0);
    assert.ok(inflation > 9 && inflation < 16, `${inflation}`);
    const batched = inflationAt(
      Array.from({ length: 200_000 }, () => (state = 0.9 * state + random.next() - 0.5)),
      0,
    );
    assert.ok(batched > 10 && batched < 15, `${batched}`);
    assert.equal(
      inflationAt(
        Array.from({ length: 100 }, () => 7),
        7,
      ),
      1,
    );
  });

  it('of the median exist from six samples on', () => {
    assert.equal(medianInterval([1, 2, 3, 4, 5]), undefined);
    assert.deepEqual(medianInterval([6, 1, 5, 2, 4, 3]), [1, 6]);
    assert.equal(orderRanks(0, 0.5, 0.95), undefined);
  });

  it('are left out where samples are too few', () => {
    assert.equal(meanInterval([1]), undefined);
    assert.equal(bootstrapInterval([1], mean, { seed: 1 }), undefined);
    assert.equal(
      quantileInterval(
        Array.from({ length: 50 }, (_, i) => i),
        0.99,
      ),
      undefined,
    );
    assert.deepEqual(wilson(0, 0), [0, 1]);
    assert.deepEqual(lossOf(0, 0), { sent: 0, received: 0, ratio: 0, ci95: [0, 1] });
  });
});

/** On data whose true figure is known, an interval at 95 % must hold it about 95 times in 100. */
describe('95 % intervals on null data', () => {
  const ROUNDS = 1000;
  const covered = (seed: number, round: (random: () => number) => [number, number] | undefined, truth: number): number => {
    const random = seededRandom(seed);
    let hits = 0;
    for (let i = 0; i < ROUNDS; i++) {
      const interval = round(() => random.next());
      assert.ok(interval);
      if (interval[0] <= truth && truth <= interval[1]) hits++;
    }
    return hits / ROUNDS;
  };
  const series = (n: number, next: () => number): number[] => Array.from({ length: n }, next);

  it('of the mean hold their level', () => {
    const share = covered(1, (random) => meanInterval(series(10, () => normalQuantile(random()))), 0);
    assert.ok(share >= 0.935 && share <= 0.965, `${share}`);
  });

  it('of the median hold their level for skewed samples, and are no wider than they must be', () => {
    // The order statistics' exact levels: 97.8 % at n 10, 96.5 % at n 60.
    const small = covered(2, (random) => medianInterval(series(10, () => -Math.log(1 - random()))), Math.LN2);
    const larger = covered(3, (random) => medianInterval(series(60, () => -Math.log(1 - random()))), Math.LN2);
    assert.ok(small >= 0.96 && small <= 0.99, `${small}`);
    assert.ok(larger >= 0.94 && larger <= 0.985, `${larger}`);
  });

  it('of the median hold their level when each sample resembles the last', () => {
    // AR(1) with coefficient 0.8: an interval that took the samples for independent would cover about 52 %.
    const share = covered(
      4,
      (random) => {
        let state = normalQuantile(random()) / 0.6;
        return summarize(series(400, () => (state = 0.8 * state + normalQuantile(random()))))?.ci95;
      },
      0,
    );
    assert.ok(share >= 0.91 && share <= 0.98, `${share}`);
  });

  it('of p95 hold their level', () => {
    const share = covered(5, (random) => quantileInterval(series(500, random), 0.95), 0.95);
    assert.ok(share >= 0.94 && share <= 0.985, `${share}`);
  });

  it('of loss hold their level', () => {
    const share = covered(6, (random) => lossOf(500, series(500, random).filter((u) => u >= 0.01).length).ci95, 0.01);
    assert.ok(share >= 0.92 && share <= 0.985, `${share}`);
  });

  it('by bootstrap hold nearly their level', () => {
    const share = covered(
      7,
      (random) =>
        medianInterval(
          series(40, () => -Math.log(1 - random())),
          { method: 'bootstrap', resamples: 300, seed: 11 },
        ),
      Math.LN2,
    );
    assert.ok(share >= 0.9 && share <= 0.98, `${share}`);
  });
});
