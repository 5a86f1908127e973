import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ipdv, rfc3550Jitter } from '../../src/stats/index.js';
import { near, scipyFigures } from './fixtures.js';

describe('jitter', () => {
  const { transit, rfc3550, ipdv: differences } = scipyFigures().jitter;
  const transitMs = transit.map((value) => value ?? Number.NaN);

  it('and delay variation agree with another implementation, losses in between', () => {
    assert.ok(near(rfc3550Jitter(transitMs), rfc3550, 1e-12));
    const actual = ipdv(transitMs);
    assert.equal(actual.length, differences.length);
    differences.forEach((expected, i) => assert.ok(near(actual[i], expected, 1e-12)));
  });

  it('moves a sixteenth of the way per packet', () => {
    assert.equal(rfc3550Jitter([10, 26]), 1);
    assert.equal(rfc3550Jitter([10, 26, 26]), 1 - 1 / 16);
  });

  it('does not depend on the offset between the clocks', () => {
    const shifted = transitMs.map((value) => value - 1e6);
    assert.ok(near(rfc3550Jitter(shifted), rfc3550, 1e-6));
  });

  it('is nothing, rather than zero, where no two packets arrived', () => {
    assert.equal(rfc3550Jitter([]), undefined);
    assert.equal(rfc3550Jitter([3, Number.NaN]), undefined);
    assert.equal(rfc3550Jitter([3, 3]), 0);
  });

  it('has no delay variation across a loss', () => {
    assert.deepEqual([...ipdv([1, 4, Number.NaN, 5, 4])], [3, -1]);
    assert.deepEqual([...ipdv([1])], []);
    assert.deepEqual([...ipdv([])], []);
  });
});
