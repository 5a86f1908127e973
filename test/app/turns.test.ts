import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { joinTurns } from '../../src/app/join-turns.js';
import type { TurnFigure } from '../../src/app/join-turns.js';
import type { Stage } from '../../src/app/plan-check.js';
import { interleave } from '../../src/app/turns.js';
import type { Measurement, TurnDetails } from '../../src/results/index.js';
import { summarize } from '../../src/stats/index.js';

const counts = { latency: 4, throughput: 2 };

function stage(subject: number, probe: string, options: Readonly<Record<string, unknown>>): Stage {
  return [{ subject, probe, target: { text: 'x', host: 'x' }, path: `p${subject}`, options, label: probe }];
}

describe('turns', () => {
  test('run A B, B A, so that a drift favours no path, and share out the samples', () => {
    const stages = interleave([stage(0, 'echo', { count: 400 }), stage(1, 'echo', { count: 400 })], counts);
    assert.deepEqual(
      stages.map(([step]) => step?.subject),
      [0, 1, 1, 0, 0, 1, 1, 0],
    );
    assert.deepEqual(
      stages.map(([step]) => step?.turn),
      [0, 0, 1, 1, 2, 2, 3, 3],
    );
    assert.ok(stages.every(([step]) => step?.options['count'] === 100));
  });

  test('are fewer where the samples would not fill them, and a throughput turn is never too short for TCP', () => {
    const few = interleave([stage(0, 'tcp', { count: 8 }), stage(1, 'tcp', { count: 8 })], counts);
    assert.equal(few.length, 6, 'with two turns there would be no interval');
    assert.ok(few.every(([step]) => step?.options['count'] === 4));
    assert.equal(interleave([stage(0, 'tcp', { count: 3 }), stage(1, 'tcp', { count: 3 })], counts).length, 2);
    const loads = interleave(
      [stage(0, 'throughput', { durationMs: 1000, omitMs: 500 }), stage(1, 'throughput', { durationMs: 1000, omitMs: 500 })],
      counts,
    );
    assert.equal(loads.length, 4);
    assert.ok(loads.every(([step]) => step?.options['durationMs'] === 700 && step.options['omitMs'] === 200));
  });
});

describe('turns of paths that do not all answer', () => {
  test('are not fewer for the others: three paths of which one is asked three times only', () => {
    const stages = interleave([stage(0, 'ping', { count: 100 }), stage(1, 'tcp', { count: 3 }), stage(2, 'ping', { count: 100 })], counts);
    assert.deepEqual(
      stages.map(([step]) => step?.subject),
      [0, 1, 2, 2, 0, 0, 2, 2, 0],
    );
    assert.deepEqual(
      stages.map(([step]) => step?.options['count']),
      [25, 3, 25, 25, 25, 25, 25, 25, 25],
    );
    assert.deepEqual(interleave([], counts), []);
  });
});

function figure(turn: number, samples: readonly number[], rest: Partial<Measurement> = {}): TurnFigure {
  const summary = summarize(samples);
  const measurement: Measurement = {
    probe: 'echo',
    metric: 'rtt',
    target: 'x',
    path: 'lan',
    outcome: samples.length > 0 ? 'ok' : 'timeout',
    startedAt: `2026-01-01T00:00:0${turn}Z`,
    durationMs: 100,
    provenance: 'measured',
    ...(summary ? { summary: { unit: 'ms', ...summary } } : { reason: 'no answer' }),
    loss: { sent: 4, received: samples.length, ratio: 1 - samples.length / 4 },
    error: { value: turn / 100, unit: 'ms', from: ['timer', `turn ${turn}`] },
    details: { distribution: { values: [], counts: [] } },
    ...rest,
  };
  return { turn, measurement, ...(summary ? { samples } : {}) };
}

describe('turns put together', () => {
  test('have the summary of all samples, the sum of losses and the largest error', () => {
    const [joined, ...others] = joinTurns([figure(0, [1, 2, 3, 4]), figure(1, [5, 6, 7])], 1);
    assert.equal(others.length, 0);
    assert.equal(joined?.summary?.n, 7);
    assert.equal(joined.summary.median, 4);
    assert.deepEqual([joined.loss?.sent, joined.loss?.received], [8, 7]);
    assert.deepEqual(joined.error, { value: 0.01, unit: 'ms', from: ['timer', 'turn 1'] });
    assert.equal(joined.durationMs, 200);
    assert.deepEqual(joined.details?.['distribution'], { values: [1, 2, 3, 4, 5, 6, 7], counts: [1, 1, 1, 1, 1, 1, 1] });
    assert.deepEqual(
      (joined.details['turns'] as { turn: number; median: number }[]).map(({ turn, median }) => [turn, median]),
      [
        [0, 2.5],
        [1, 6],
      ],
    );
  });

  test('that gave nothing are told, and what they sent counts as lost', () => {
    const [joined] = joinTurns([figure(0, []), figure(1, [5, 6, 7, 8])], 1);
    assert.equal(joined?.outcome, 'ok');
    assert.match(joined.reason ?? '', /^1 of 2 turns gave nothing: no answer$/);
    assert.equal(joined.loss?.ratio, 0.5);
    assert.equal(joinTurns([figure(0, []), figure(1, [])], 1)[0]?.outcome, 'timeout');
  });

  test('of throughput follow each other on one course', () => {
    const course = (bps: number) => ({
      details: {
        bytes: 10,
        goodputBps: bps,
        measuredMs: bps * 100,
        intervals: [
          { startMs: 0, endMs: 500, bps },
          { startMs: 500, endMs: 1000, bps },
        ],
      },
    });
    const [joined] = joinTurns([figure(0, [1], course(1)), figure(1, [2], course(2))], 1);
    assert.equal(joined?.details?.['bytes'], 20);
    assert.equal(joined.details['measuredMs'], 300);
    assert.equal(joined.details['goodputBps'], 5 / 3, 'a turn of 200 ms weighs twice as much as one of 100 ms');
    assert.deepEqual(
      (joined.details['intervals'] as { startMs: number; bps: number }[]).map(({ startMs, bps }) => [startMs, bps]),
      [
        [0, 1],
        [500, 1],
        [1000, 2],
        [1500, 2],
      ],
    );
  });

  test('keep where each begins on that course, and each its own round trips over time', () => {
    const overTime = (medianMs: number) => ({ unit: 'ms', startMs: 250, stepMs: 100, medians: [medianMs, medianMs], maxima: [9, 9] });
    const part = (medianMs: number) => ({
      details: { omittedMs: 250, intervals: [{ startMs: 0, endMs: 1000, bps: 1 }], overTime: overTime(medianMs) },
    });
    const [joined] = joinTurns([figure(0, [1], part(3)), figure(1, [2], part(4))], 1);
    const turns = joined?.details?.['turns'] as TurnDetails[];
    assert.deepEqual(
      turns.map(({ turn, offsetMs, omittedMs, overTime: own }) => [turn, offsetMs, omittedMs, own?.medians[0]]),
      [
        [0, 0, 250, 3],
        [1, 1000, 250, 4],
      ],
    );
    assert.equal(joined?.details?.['overTime'], undefined);
  });
});
