import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TautlineError } from '../../src/base/index.js';
import { SAMPLES_MAX, intervalsOf, parseCount, samplingOf } from '../../src/probe/sampling.js';

const usage = (error: unknown): boolean => error instanceof TautlineError && error.code === 'usage';

describe('how many samples, and how far apart', () => {
  const defaults = { count: 300, intervalMs: 10 };

  test('what is not said is the default', () => {
    assert.deepEqual(samplingOf({}, defaults), defaults);
    assert.deepEqual(samplingOf({ count: 5 }, defaults), { count: 5, intervalMs: 10 });
    assert.deepEqual(samplingOf({ intervalMs: 2 }, defaults), { count: 300, intervalMs: 2 });
  });

  test('a duration takes as many as fit, at least one, and never more than the count', () => {
    assert.deepEqual(samplingOf({ durationMs: 1000 }, defaults), { count: 100, intervalMs: 10 });
    assert.deepEqual(samplingOf({ durationMs: 1000, count: 7 }, defaults), { count: 7, intervalMs: 10 });
    assert.deepEqual(samplingOf({ durationMs: 1000, count: 700 }, defaults), { count: 100, intervalMs: 10 });
    assert.deepEqual(samplingOf({ durationMs: 1 }, defaults), { count: 1, intervalMs: 10 });
  });

  test('what cannot be is an error of usage', () => {
    for (const options of [
      { count: 0 },
      { count: 1.5 },
      { intervalMs: 0 },
      { durationMs: -1 },
      { durationMs: Number.NaN },
      { count: SAMPLES_MAX + 1 },
    ]) {
      assert.throws(() => samplingOf(options, defaults), usage, JSON.stringify(options));
    }
    for (const text of ['0', '-1', '1.5', 'x', '', String(SAMPLES_MAX + 1)]) assert.throws(() => parseCount(text), usage, text);
    assert.equal(parseCount(String(SAMPLES_MAX)), SAMPLES_MAX);
  });
});

describe('how long a run is that is told in intervals', () => {
  const defaults = { durationMs: 5000 };

  test('a count of intervals is a duration', () => {
    assert.deepEqual(intervalsOf({}, defaults), { durationMs: 5000, intervalMs: undefined });
    assert.deepEqual(intervalsOf({ intervalMs: 100 }, defaults), { durationMs: 5000, intervalMs: 100 });
    assert.deepEqual(intervalsOf({ count: 8 }, defaults), { durationMs: 8000, intervalMs: 1000 });
    assert.deepEqual(intervalsOf({ count: 8, intervalMs: 50 }, defaults), { durationMs: 400, intervalMs: 50 });
  });

  test('with a duration beside it, intervals share it, or the run ends with the first of both', () => {
    assert.deepEqual(intervalsOf({ count: 10, durationMs: 2000 }, defaults), { durationMs: 2000, intervalMs: 200 });
    assert.deepEqual(intervalsOf({ count: 10, intervalMs: 100, durationMs: 2000 }, defaults), { durationMs: 1000, intervalMs: 100 });
    assert.deepEqual(intervalsOf({ count: 10, intervalMs: 500, durationMs: 2000 }, defaults), { durationMs: 2000, intervalMs: 500 });
  });

  test('what cannot be is an error of usage', () => {
    for (const options of [{ count: 0 }, { intervalMs: 0 }, { durationMs: 0 }]) assert.throws(() => intervalsOf(options, defaults), usage);
  });
});
