import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { overTimeOf } from '../../src/probe/over-time.js';

describe('round trips over time', () => {
  const every = (count: number, intervalMs: number): number[] => Array.from({ length: count }, (_, i) => i * intervalMs);

  test('are told in steps of equal length, each with its median and its worst', () => {
    // A second of 1 ms round trips, then a second of 50 ms ones with one of 90 ms.
    const sentMs = every(200, 10);
    const { overTime } = overTimeOf(
      sentMs.map((ms, i) => (ms < 1000 ? 1 : i === 150 ? 90 : 50)),
      sentMs,
      500,
    );
    assert.ok(overTime);
    assert.equal(overTime.startMs, 500);
    assert.equal(overTime.medians.length, 50);
    assert.deepEqual([overTime.medians[0], overTime.medians[49]], [1, 50]);
    assert.equal(overTime.maxima.filter((worst) => worst === 90).length, 1);
    assert.ok(Math.abs(overTime.stepMs * 50 - 1990) < 1);
  });

  test('have a gap where nothing was answered, and none where datagrams were not sent', () => {
    const sentMs = every(40, 10);
    const lost = sentMs.map((ms) => (ms >= 200 && ms < 300 ? Number.NaN : 2));
    assert.ok(overTimeOf(lost, sentMs).overTime?.medians.includes(null));
    const unsent = sentMs.map((ms, i) => (i % 2 === 0 ? ms : Number.NaN));
    const { overTime } = overTimeOf(
      unsent.map((ms) => (Number.isNaN(ms) ? Number.NaN : 2)),
      unsent,
    );
    assert.ok(overTime && overTime.medians.every((median) => median === 2));
  });

  test('take no more room for a long train than for a short one', () => {
    const sentMs = every(60_000, 1);
    const { overTime } = overTimeOf(
      sentMs.map((ms) => 1 + ms / 7),
      sentMs,
    );
    assert.equal(overTime?.medians.length, 80);
    assert.ok(JSON.stringify(overTime).length < 2500);
  });

  test('are left out where there is nothing to tell', () => {
    assert.deepEqual(overTimeOf([], []), {});
    assert.deepEqual(overTimeOf([1, 2, 3], [0, 1, 2]), {});
    assert.deepEqual(
      overTimeOf(
        Array.from({ length: 20 }, () => 1),
        Array.from({ length: 20 }, () => 5),
      ),
      {},
    );
  });
});
