import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { seededRandom } from '../../src/base/index.js';
import { normalQuantile, pairedRatio } from '../../src/stats/index.js';

describe('the ratio of pairs', () => {
  test('is the geometric mean, with a t interval over the logarithms', () => {
    const { ratio, ci95, n } = pairedRatio([2, 4, 8], [1, 2, 4]) ?? assert.fail();
    assert.equal(n, 3);
    assert.ok(Math.abs(ratio - 2) < 1e-12);
    assert.deepEqual(
      ci95?.map((bound) => bound.toFixed(6)),
      ['2.000000', '2.000000'],
    );
    // By hand: mean and standard error of the logarithms, t(0.975, 3) = 3.182446 of the published table.
    const four = pairedRatio([1.1, 1.3, 0.9, 1.2], [1, 1, 1, 1]) ?? assert.fail();
    assert.ok(Math.abs(four.ratio - 1.114782) < 1e-6, String(four.ratio));
    assert.ok(Math.abs((four.ci95?.[0] ?? 0) - 0.86676) < 1e-5 && Math.abs((four.ci95?.[1] ?? 0) - 1.433774) < 1e-5, String(four.ci95));
  });

  test('has no interval below three pairs, and is nothing without a usable one', () => {
    assert.equal(pairedRatio([1, 2], [1, 1])?.ci95, undefined);
    assert.equal(pairedRatio([0, Number.NaN], [1, 1]), undefined);
    assert.equal(pairedRatio([], []), undefined);
  });

  test('covers 1 in about 95 % of comparisons of a path with itself, although both drift by far more than they differ', () => {
    const seed = 20261121;
    const random = seededRandom(seed);
    const rounds = 2000;
    let missed = 0;
    for (let round = 0; round < rounds; round++) {
      const a: number[] = [];
      const b: number[] = [];
      for (let turn = 0; turn < 6; turn++) {
        // Rises by half over the run; paths take turns as A B, B A, A B ...
        const drift = 1 + turn / 12;
        const noise = (): number => Math.exp(0.05 * normalQuantile(random.next() * 0.999998 + 0.000001));
        a.push(drift * noise());
        b.push(drift * noise());
      }
      const [low, high] = pairedRatio(a, b)?.ci95 ?? assert.fail();
      if (low > 1 || high < 1) missed++;
    }
    const share = missed / rounds;
    assert.ok(share > 0.035 && share < 0.065, `seed ${seed}: missed 1 in ${share} of comparisons`);
  });
});
