import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  RESPONSIVENESS_PARAMETERS as DRAFT,
  ResponsivenessAlgorithm,
  isStable,
  lowerMean,
  scoreInterval,
  scoreOf,
} from '../../src/probe/responsiveness-algorithm.js';
import type { ResponsivenessSample, ResponsivenessStep } from '../../src/probe/responsiveness-algorithm.js';

const MBIT = 125_000;

function foreign(tcpMs: number, httpMs: number, tlsMs?: number): ResponsivenessSample {
  return { kind: 'foreign', tcpMs, httpMs, ...(tlsMs === undefined ? {} : { tlsMs }) };
}

function self(httpMs: number): ResponsivenessSample {
  return { kind: 'self', httpMs };
}

/** Feeds a scripted series, one entry an interval: Mbit/s, and the round trip of all probes in it. */
function drive(series: readonly (readonly [mbps: number, rttMs?: number])[], options: { multiplexed?: boolean; goodputIntervalsMax?: number } = {}) {
  const multiplexed = options.multiplexed ?? true;
  const algorithm = new ResponsivenessAlgorithm({ parameters: DRAFT, multiplexed, goodputIntervalsMax: options.goodputIntervalsMax ?? 100 });
  const steps: ResponsivenessStep[] = [];
  for (const [mbps, rttMs] of series) {
    if (rttMs !== undefined) {
      for (let i = 0; i < 20; i++) {
        algorithm.add(foreign(rttMs, rttMs));
        if (multiplexed) algorithm.add(self(rttMs));
      }
    }
    steps.push(algorithm.endInterval({ bytes: mbps * MBIT, elapsedMs: 1000 }));
    if (steps.at(-1)?.stage === 'done') break;
  }
  return { algorithm, steps, result: algorithm.result() };
}

describe('the score', () => {
  test('is the mean of what separate and loaded connections see, with TLS as the draft writes it', () => {
    // Foreign: 60000 / ((10 + 20 + 30) / 3) = 3000. Loaded: 60000 / 60 = 1000.
    const score = scoreOf([foreign(10, 30, 20), self(60)], { trimmedShare: 0.95, multiplexed: true });
    assert.deepEqual([score?.rpm, score?.foreignRpm, score?.selfRpm], [2000, 3000, 1000]);
  });

  test('leaves the TLS term out where there is no TLS', () => {
    const score = scoreOf([foreign(10, 30), self(20)], { trimmedShare: 0.95, multiplexed: true });
    assert.deepEqual([score?.rpm, score?.foreignRpm, score?.foreign.tlsMs], [3000, 3000, undefined]);
  });

  test('knows only separate connections where nothing can be multiplexed', () => {
    const score = scoreOf([foreign(10, 30)], { trimmedShare: 0.95, multiplexed: false });
    assert.deepEqual([score?.rpm, score?.selfRpm, score?.self], [3000, undefined, undefined]);
  });

  test('needs a probe of each kind', () => {
    assert.equal(scoreOf([], { trimmedShare: 0.95, multiplexed: false }), undefined);
    assert.equal(scoreOf([foreign(1, 1)], { trimmedShare: 0.95, multiplexed: true }), undefined);
    assert.equal(scoreOf([self(1)], { trimmedShare: 0.95, multiplexed: true }), undefined);
  });

  test('drops the slowest twentieth, and nothing of the fastest', () => {
    const values = Array.from({ length: 100 }, (_, i) => i + 1);
    assert.equal(lowerMean(values, 0.95), 48);
    assert.equal(lowerMean([7], 0.95), 7);
    assert.equal(lowerMean([1, 3], 1), 2);
    const samples = [...Array<ResponsivenessSample>(95).fill(foreign(10, 10)), ...Array<ResponsivenessSample>(5).fill(foreign(9000, 9000))];
    assert.equal(scoreOf(samples, { trimmedShare: 0.95, multiplexed: false })?.rpm, 6000);
  });

  test('has an interval that is narrow for like probes, wide for unlike ones, and repeatable', () => {
    const like = Array.from({ length: 80 }, (_, i) => (i % 2 === 0 ? foreign(10, 10) : self(10)));
    const unlike = Array.from({ length: 80 }, (_, i) => (i % 2 === 0 ? foreign(1 + (i % 40), 10) : self(1 + (i % 39))));
    const options = { trimmedShare: 0.95, multiplexed: true, seed: 1 };
    assert.deepEqual(scoreInterval(like, options)?.map(Math.round), [6000, 6000]);
    const wide = scoreInterval(unlike, options) as [number, number];
    const { rpm } = scoreOf(unlike, options) ?? { rpm: 0 };
    assert.ok(wide[0] < rpm && rpm < wide[1] && wide[1] - wide[0] > 0.05 * rpm);
    assert.deepEqual(scoreInterval(unlike, options), wide);
    assert.equal(scoreInterval([foreign(1, 1)], options), undefined);
  });
});

describe('stability', () => {
  test('needs the full window, and a deviation within the tolerance of the newest value', () => {
    assert.ok(!isStable([100, 100, 100], DRAFT));
    assert.ok(isStable([100, 100, 100, 100], DRAFT));
    // The standard deviation of 94, 100, 106, 100 is 4.899; of 92, 100, 108, 100 it is 6.53.
    assert.ok(isStable([94, 100, 106, 100], DRAFT));
    assert.ok(!isStable([92, 100, 108, 100], DRAFT));
    assert.ok(isStable([1, 1000, 100, 100, 100, 100], DRAFT));
  });

  test('is not there where values are missing or nothing moves', () => {
    assert.ok(!isStable([100, undefined, 100, 100], DRAFT));
    assert.ok(!isStable([0, 0, 0, 0], DRAFT));
    assert.ok(!isStable([], DRAFT));
  });
});

describe('a run', () => {
  test('over a steady path probes after MAD intervals, ends after MAD more, and is sure of itself', () => {
    const { steps, result } = drive(Array.from({ length: 20 }, () => [100, 20] as const));
    assert.deepEqual(
      steps.map(({ stage }) => stage),
      ['goodput', 'goodput', 'goodput', 'responsiveness', 'responsiveness', 'responsiveness', 'responsiveness', 'done'],
    );
    assert.deepEqual(result.confidence, { overall: 'high', goodput: 'high', responsiveness: 'high' });
    assert.equal(Math.round(result.score?.rpm ?? 0), 3000);
    assert.equal(result.goodputBps, 100e6);
    assert.equal(result.intervals.length, 8);
  });

  test('adds a connection each interval, up to the most', () => {
    const { steps } = drive(Array.from({ length: 30 }, (_, i) => [(i + 1) ** 3] as const));
    assert.deepEqual(
      steps.slice(0, 3).map(({ connections }) => connections),
      [2, 3, 4],
    );
    assert.equal(Math.max(...steps.map(({ connections }) => connections)), DRAFT.connectionsMax);
    assert.equal(steps.at(-1)?.connections, DRAFT.connectionsMax);
  });

  test('waits for a ramp to end before it probes', () => {
    const ramp = [10, 40, 90, 160, 250, 300, 300, 300, 300, 300, 300, 300].map((mbps) => [mbps, 20] as const);
    const { steps, result } = drive(ramp);
    const saturated = steps.findIndex(({ stage }) => stage === 'responsiveness');
    assert.ok(saturated >= 8, `probing began after interval ${saturated}`);
    assert.equal(result.confidence.goodput, 'high');
    // Nothing that was timed before saturation is in the score.
    assert.equal(result.intervals[saturated]?.rpm, undefined);
  });

  test('judges goodput by its moving average, not by single intervals', () => {
    // 80 and 120 by turns: single intervals deviate by 23 %, averages of four hardly at all.
    const { result } = drive(Array.from({ length: 20 }, (_, i) => [i % 2 === 0 ? 80 : 120, 20] as const));
    assert.equal(result.confidence.goodput, 'high');
  });

  test('gives an unsteady goodput its time, then probes with medium confidence', () => {
    const { steps, result } = drive(
      Array.from({ length: 20 }, (_, i) => [(i + 2) % 6 < 3 ? 20 : 200, 20] as const),
      { goodputIntervalsMax: 6 },
    );
    assert.equal(
      steps.findIndex(({ stage }) => stage === 'responsiveness'),
      5,
    );
    assert.deepEqual(result.confidence, { overall: 'medium', goodput: 'medium', responsiveness: 'high' });
  });

  test('has low confidence when goodput had fewer than MAD intervals', () => {
    const { result } = drive(
      Array.from({ length: 10 }, () => [100, 20] as const),
      { goodputIntervalsMax: 2 },
    );
    assert.deepEqual(result.confidence, { overall: 'low', goodput: 'low', responsiveness: 'high' });
  });

  test('follows a responsiveness that gets worse, with medium confidence', () => {
    const series = Array.from({ length: 12 }, (_, i) => [100, 10 * 1.5 ** i] as const);
    const { result } = drive(series);
    assert.equal(result.confidence.responsiveness, 'medium');
    // The last four intervals of probes: 10 x 1.5^8 to 1.5^11, trimmed of the slowest twentieth.
    const last = [8, 9, 10, 11].flatMap((i) => Array<number>(20).fill(10 * 1.5 ** i));
    assert.equal(Math.round(result.score?.rpm ?? 0), Math.round(60_000 / lowerMean(last, 0.95)));
  });

  test('has low confidence when responsiveness had fewer than MAD intervals', () => {
    const { result } = drive(Array.from({ length: 6 }, () => [100, 20] as const));
    assert.deepEqual(result.confidence, { overall: 'low', goodput: 'high', responsiveness: 'low' });
    assert.ok(result.score);
  });

  test('does not take silence for stability', () => {
    const answered = Array.from({ length: 5 }, () => [100, 20] as const);
    const silent = Array.from({ length: 10 }, () => [100] as const);
    const { steps, result } = drive([...answered, ...silent]);
    assert.notEqual(steps.at(-1)?.stage, 'done');
    assert.equal(result.confidence.overall, 'low');
    assert.equal(result.intervals.at(-1)?.rpm, undefined);
  });

  test('without multiplexing is at most of low confidence', () => {
    const { result } = drive(
      Array.from({ length: 20 }, () => [100, 20] as const),
      { multiplexed: false },
    );
    assert.deepEqual(result.confidence, { overall: 'low', goodput: 'high', responsiveness: 'high' });
    assert.equal(Math.round(result.score?.rpm ?? 0), 3000);
  });

  test('keeps the probes of an interval that had just begun from pushing others out', () => {
    const { algorithm } = drive(Array.from({ length: 7 }, () => [100, 20] as const));
    const before = algorithm.result().samples.length;
    // Responsiveness had three intervals; the fourth has begun and is empty.
    assert.equal(before, 3 * 40);
    algorithm.add(self(20));
    assert.equal(algorithm.result().samples.length, before + 1);
  });
});

describe('the pace of probes', () => {
  const paceAt = (mbps: number, multiplexed: boolean): number => {
    const algorithm = new ResponsivenessAlgorithm({ parameters: DRAFT, multiplexed, goodputIntervalsMax: 9 });
    algorithm.endInterval({ bytes: mbps * MBIT, elapsedMs: 1000 });
    return algorithm.probeEveryMs();
  };

  test('is the most that is allowed on a fast path', () => {
    assert.equal(paceAt(1000, true), 10);
    assert.equal(paceAt(1000, false), 10);
  });

  test('leaves a slow path nineteen twentieths of its capacity', () => {
    // 1 Mbit/s: 5 % are 6250 B/s; a pair takes 6000 B, so two probes in 960 ms.
    assert.equal(Math.round(paceAt(1, true)), 480);
    assert.equal(Math.round(paceAt(1, false)), 800);
  });

  test('stands still where nothing moves', () => {
    assert.equal(paceAt(0, true), Number.POSITIVE_INFINITY);
  });
});
