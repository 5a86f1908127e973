import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { binomialCdf, incompleteBeta, logGamma, normalCdf, normalQuantile, studentTCdf, studentTQuantile } from '../../src/stats/index.js';
import { near, scipyFigures } from './fixtures.js';

describe('special functions', () => {
  const figures = scipyFigures();

  it('agree with SciPy', () => {
    for (const [x, expected] of figures.logGamma) assert.ok(near(logGamma(x), expected, 1e-13), `logGamma(${x}) = ${logGamma(x)}, not ${expected}`);
    for (const [x, a, b, expected] of figures.incompleteBeta) {
      const actual = incompleteBeta(x, a, b);
      assert.ok(near(actual, expected, 1e-10), `I_${x}(${a}, ${b}) = ${actual}, not ${expected}`);
    }
    for (const [k, n, p, expected] of figures.binomialCdf) {
      assert.ok(near(binomialCdf(k, n, p), expected, 1e-9), `binomialCdf(${k}, ${n}, ${p}) = ${binomialCdf(k, n, p)}, not ${expected}`);
    }
    for (const [p, expected] of figures.normalQuantile) assert.ok(near(normalQuantile(p), expected, 1e-10), `normalQuantile(${p})`);
    for (const [p, df, expected] of figures.studentTQuantile) {
      assert.ok(near(studentTQuantile(p, df), expected, 1e-9), `studentTQuantile(${p}, ${df}) = ${studentTQuantile(p, df)}, not ${expected}`);
    }
  });

  it('agree with the published table of Student t (NIST/SEMATECH e-Handbook, 1.3.6.7.2)', () => {
    for (const [df, expected] of [
      [1, 12.706],
      [2, 4.303],
      [5, 2.571],
      [10, 2.228],
      [30, 2.042],
      [60, 2.0],
      [100, 1.984],
    ] as const) {
      assert.ok(Math.abs(studentTQuantile(0.975, df) - expected) <= 0.0005, `df ${df}`);
    }
  });

  it('are inverses of each other and odd', () => {
    for (const p of [0.001, 0.2, 0.5, 0.7, 0.999]) {
      assert.ok(near(normalCdf(normalQuantile(p)), p, 1e-14));
      assert.ok(near(studentTCdf(studentTQuantile(p, 4), 4), p, 1e-12));
      assert.ok(near(studentTQuantile(p, 7), -studentTQuantile(1 - p, 7), 1e-10));
    }
  });

  it('stay in range at and beyond the ends', () => {
    assert.equal(incompleteBeta(-1, 2, 3), 0);
    assert.equal(incompleteBeta(2, 2, 3), 1);
    assert.ok(Number.isNaN(incompleteBeta(Number.NaN, 2, 3)));
    assert.equal(binomialCdf(-1, 4, 0.5), 0);
    assert.equal(binomialCdf(4, 4, 0.5), 1);
    assert.equal(normalCdf(-40), 0);
    assert.equal(normalCdf(40), 1);
  });
});
