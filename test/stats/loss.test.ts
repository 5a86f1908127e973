import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seededRandom } from '../../src/base/index.js';
import { burstiness, lossOf } from '../../src/stats/index.js';
import { near, scipyFigures } from './fixtures.js';

describe('loss', () => {
  it('is a ratio with an interval that stays above zero losses', () => {
    const loss = lossOf(1000, 1000);
    assert.equal(loss.ratio, 0);
    assert.equal(loss.ci95[0], 0);
    assert.ok(loss.ci95[1] > 0.003 && loss.ci95[1] < 0.004);
    assert.equal(lossOf(10, 7).ratio, 0.3);
  });

  it('is not negative because a peer claims more than was sent', () => {
    assert.deepEqual(lossOf(10, 12), lossOf(10, 10));
  });

  for (const figures of scipyFigures().bursts) {
    it(`clusters as its definition says in ${figures.pattern.length > 40 ? `${figures.pattern.slice(0, 40)}...` : figures.pattern}`, () => {
      const actual = burstiness([...figures.pattern].map((letter) => letter === 'R'));
      assert.equal(actual.sent, figures.pattern.length);
      assert.equal(actual.lost, figures.lost);
      assert.deepEqual(
        actual.runs.map(({ length, count }) => [length, count]),
        figures.runs,
      );
      assert.equal(actual.longestRun, figures.runs.at(-1)?.[0] ?? 0);
      assert.deepEqual(actual.gilbert ? [actual.gilbert.p, actual.gilbert.r] : null, figures.gilbert);
      assert.equal(actual.rfc3611.bursts, figures.bursts);
      assert.ok(near(actual.rfc3611.burstDensity, figures.burstDensity) && near(actual.rfc3611.gapDensity, figures.gapDensity));
      assert.equal(actual.rfc3611.burstMean ?? null, figures.burstMean);
      assert.equal(actual.rfc3611.gapMean ?? null, figures.gapMean);
    });
  }

  it('finds the parameters that made it', () => {
    const random = seededRandom(9);
    let lost = false;
    const flags = Uint8Array.from({ length: 200_000 }, () => {
      lost = random.next() < (lost ? 0.75 : 0.01);
      return lost ? 0 : 1;
    });
    const { gilbert, burstRatio, meanRun } = burstiness(flags);
    assert.ok(gilbert && Math.abs(gilbert.p - 0.01) < 0.001 && Math.abs(gilbert.r - 0.25) < 0.01);
    assert.ok(meanRun && Math.abs(meanRun - 4) < 0.2);
    assert.ok(burstRatio && burstRatio > 3.5);
  });

  it('is not bursty when losses are independent', () => {
    const random = seededRandom(10);
    const { burstRatio } = burstiness(Array.from({ length: 100_000 }, () => random.next() >= 0.05));
    assert.ok(burstRatio && Math.abs(burstRatio - 1) < 0.03, `${burstRatio}`);
  });

  it('has nothing to say about no packets', () => {
    const nothing = burstiness([]);
    assert.deepEqual(nothing, { sent: 0, lost: 0, runs: [], longestRun: 0, rfc3611: { bursts: 0, burstDensity: 0, gapDensity: 0 } });
  });
});
