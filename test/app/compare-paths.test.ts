import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { comparePaths } from '../../src/app/compare-paths.js';
import type { ComparedPath } from '../../src/app/compare-paths.js';
import type { TurnSeries } from '../../src/paths/index.js';
import type { Measurement } from '../../src/results/index.js';

function turns(path: string, metric: string, figures: Readonly<Record<number, number>>): TurnSeries {
  const byTurn = new Map(Object.entries(figures).map(([turn, value]) => [Number(turn), value]));
  const [value = 0] = byTurn.values();
  return { path, metric, unit: metric === 'rtt' ? 'ms' : 'bps', value, error: 0, byTurn };
}

function measured(metric: string, median: number, ceilingBps?: number): Measurement {
  return {
    probe: 'throughput',
    metric,
    target: 'beta',
    path: '',
    outcome: 'ok',
    startedAt: '2026-01-01T00:00:00.000Z',
    durationMs: 1,
    provenance: 'measured',
    summary: { unit: 'bps', n: 9, min: median, median, mean: median, p95: median, p99: median, max: median, stddev: 0 },
    ...(ceilingBps === undefined ? {} : { ceiling: { value: ceilingBps, unit: 'bps', why: 'its link' } }),
  };
}

function path(name: string, kind: string, rest: Partial<ComparedPath>): ComparedPath {
  return { path: name, kind, series: new Map(), measurements: [], ...rest };
}

describe('paths that were measured in turns', () => {
  test('are compared by the first delay that both have turns of, the tunnel against what it runs over', () => {
    const lan = path('lan', 'lan', {
      series: new Map([
        ['echo rtt', turns('lan', 'rtt', { 0: 1 })],
        ['ping rtt', turns('lan', 'rtt', { 0: 1, 1: 1.01, 2: 1 })],
      ]),
    });
    const vpn = path('vpn', 'tailscale', {
      series: new Map([
        ['echo rtt', turns('vpn', 'rtt', { 3: 2 })],
        ['ping rtt', turns('vpn', 'rtt', { 0: 2, 1: 2.01, 2: 2.02 })],
      ]),
    });
    const { comparisons, choices } = comparePaths('beta', [vpn, lan]);
    assert.deepEqual(
      comparisons.map((each) => [each.path, each.against, each.metric, each.turns, each.better]),
      [['vpn', 'lan', 'rtt', 3, 'lan']],
    );
    assert.equal(choices.find(({ purpose }) => purpose === 'overall')?.path, 'lan');
  });

  test('are not compared by a figure above its ceiling: it is a measuring error', () => {
    const rate = (name: string, bps: number, ceilingBps: number): ComparedPath =>
      path(name, 'lan', {
        series: new Map([['throughput throughput.up', turns(name, 'throughput.up', { 0: bps, 1: bps * 1.01, 2: bps })]]),
        measurements: [measured('throughput.up', bps, ceilingBps)],
      });
    assert.equal(comparePaths('beta', [rate('a', 9e8, 9.415e8), rate('b', 4e8, 9.415e8)]).comparisons[0]?.better, 'a');
    const { comparisons, choices } = comparePaths('beta', [rate('a', 28e9, 9.415e8), rate('b', 4e8, 9.415e8)]);
    assert.deepEqual(comparisons, []);
    assert.ok(choices.every((choice) => choice.path === undefined && choice.sentence.startsWith('not compared')));
  });
});
