import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { seededRandom } from '../../src/base/index.js';
import { fisherExact, holm, normalQuantile, signFlipTest, studentTest } from '../../src/stats/index.js';

const near = (actual: number | undefined, expected: number, tolerance = 1e-12): void =>
  assert.ok(actual !== undefined && Math.abs(actual - expected) <= tolerance * Math.max(1, Math.abs(expected)), `${actual}, not ${expected}`);

describe("Student's test", () => {
  test("gives the published figures of Student's own sleep data", () => {
    // Additional hours of sleep with the second drug (Student, Biometrika 6, 1908, p. 20); t and p: R's t.test(sleep), SciPy 1.17.1.
    const found = studentTest([1.2, 2.4, 1.3, 1.3, 0, 1, 1.8, 0.8, 4.6, 1.4]) ?? assert.fail();
    near(found.mean, 1.58);
    near(found.t, 4.062127683382037);
    near(found.p, 0.002832890197384273);
  });

  test('is exact far out in the tail, where corrections for many comparisons look', () => {
    // scipy.stats.ttest_1samp([2.9, 3.1, 2.7, 3.3, 3.0], 0), SciPy 1.17.1.
    const found = studentTest([2.9, 3.1, 2.7, 3.3, 3]) ?? assert.fail();
    near(found.t, 30);
    assert.ok(Math.abs(found.p / 7.352856097661308e-6 - 1) < 1e-9, String(found.p));
  });

  test('leaves out what is missing, and says nothing of fewer than two samples', () => {
    assert.equal(studentTest([1, Number.NaN, 3])?.n, 2);
    assert.equal(studentTest([1]), undefined);
    assert.deepEqual([studentTest([0, 0, 0])?.p, studentTest([2, 2, 2])?.p, studentTest([-2, -2])?.t], [1, 0, -Infinity]);
  });

  test('calls about one in a hundred null samples an effect at 1 %', () => {
    const seed = 20261121;
    const random = seededRandom(seed);
    const trials = 20_000;
    let alarms = 0;
    for (let i = 0; i < trials; i++) {
      const samples = Array.from({ length: 6 }, () => normalQuantile(random.next() * 0.999998 + 1e-6));
      if ((studentTest(samples)?.p ?? 1) <= 0.01) alarms++;
    }
    assert.ok(Math.abs(alarms / trials - 0.01) < 0.003, `${alarms} of ${trials} with seed ${seed}`);
  });
});

describe("Holm's correction", () => {
  test("gives R's p.adjust in the order of what went in", () => {
    // p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm"): the worked example of Holm's procedure in common textbooks.
    const found = holm([0.01, 0.04, 0.03, 0.005]);
    [0.03, 0.06, 0.06, 0.02].forEach((expected, i) => near(found[i]?.corrected, expected));
    assert.deepEqual(
      found.map(({ divisor }) => divisor),
      [3, 1, 2, 4],
    );
  });

  test('counts comparisons that have not been made yet, and only ever gets smaller when they are', () => {
    const early = holm([0.001, 0.02], 4).map(({ corrected }) => corrected);
    const late = holm([0.001, 0.02, 0.0001, 0.9]).map(({ corrected }) => corrected);
    near(early[0], 0.004);
    near(early[1], 0.06);
    early.forEach((corrected, i) => assert.ok((late[i] ?? 1) <= corrected));
    assert.throws(() => holm([0.1, 0.2], 1), /2 of 1 comparisons/);
  });

  test('keeps the probability of any false report at its level, also where the comparisons resemble each other', () => {
    const seed = 42;
    const random = seededRandom(seed);
    const trials = 4000;
    let alarms = 0;
    for (let i = 0; i < trials; i++) {
      const shared = random.next();
      const ps = Array.from({ length: 10 }, (_, k) => (k < 4 ? shared : random.next()));
      if (holm(ps).some(({ corrected }) => corrected <= 0.05)) alarms++;
    }
    assert.ok(alarms / trials < 0.05 + 0.01 && alarms / trials > 0.02, `${alarms} of ${trials} with seed ${seed}`);
  });
});

describe('the randomisation test', () => {
  test("gives Fisher's figure for Darwin's maize", () => {
    // Fisher, The Design of Experiments, 1935, section 21: 863 of 2^15 patterns are at least as high, so 1726 are as far out.
    near(signFlipTest([49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]), 1726 / 2 ** 15);
  });

  test('cannot say less than two of all patterns', () => {
    assert.equal(signFlipTest([1, 2, 3, 4, 5, 6]), 2 / 64);
    assert.equal(signFlipTest([0, 0, 0]), 1);
    assert.equal(signFlipTest([]), undefined);
    assert.equal(signFlipTest(Array.from({ length: 21 }, () => 1)), undefined);
  });
});

describe("Fisher's exact test", () => {
  test("gives SciPy's figures, the tasting of tea among them", () => {
    // scipy.stats.fisher_exact, SciPy 1.17.1; the first is Fisher's lady tasting tea (two-sided).
    near(fisherExact([3, 4], [1, 4]), 0.48571428571428565);
    near(fisherExact([0, 16], [10, 16]), 0.00024826296529154783, 1e-9);
    near(fisherExact([0, 24], [24, 24]), 6.202011224319716e-14, 1e-20);
    near(fisherExact([2, 12], [15, 18]), 0.0005367241191434357, 1e-9);
    near(fisherExact([5, 5], [0, 5]), 0.007936507936507938);
    assert.equal(fisherExact([0, 8], [0, 8]), 1);
  });
});
