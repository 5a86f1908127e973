import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ExperimentFigure } from '../../../src/results/index.js';
import { BLOCKS_MIN, EXPERIMENT_METRICS, armsOf, decide, designExperiment, experimentFigures } from '../../../src/tune/index.js';
import type { Design, GroupRuns, Run } from '../../../src/tune/index.js';
import { QUIET, ROUGH, noisyRuns } from './noise.js';
import type { Effects, Noise } from './noise.js';

const GROUPS = ['congestion', 'buffers', 'tcp'];

function design(blocks = 8, groups = GROUPS.length): Design {
  return designExperiment({ seed: 5, blocks, groups, metrics: EXPERIMENT_METRICS.length });
}

interface Answer {
  readonly decision: string;
  readonly why: string;
  readonly figures: readonly ExperimentFigure[];
}

function answers(effects: Effects, { noise = QUIET, seed = 1 }: { noise?: Noise; seed?: number } = {}): (group: string) => Answer {
  const planned = design();
  const figures = experimentFigures(noisyRuns(GROUPS, planned, noise, seed, effects), planned);
  return (group) => ({ ...decide(figures.get(group) ?? [], planned.alpha), figures: figures.get(group) ?? [] });
}

function figure({ figures }: Answer, metric: string): ExperimentFigure {
  return figures.find((each) => each.metric === metric) ?? assert.fail(metric);
}

describe('the design', () => {
  test('follows from its seed, and a lot decides the order of each block', () => {
    assert.deepEqual(design(20), design(20));
    const orders = new Set(Array.from({ length: 50 }, (_, seed) => designExperiment({ seed, blocks: 8, groups: 1, metrics: 1 }).orders.join()));
    assert.ok(orders.size > 40, String(orders.size));
    assert.deepEqual(armsOf('ABBA'), ['without', 'with', 'with', 'without']);
    assert.deepEqual(armsOf('BAAB'), ['with', 'without', 'without', 'with']);
    assert.equal(design(8, 3).comparisons, 27);
  });
});

describe('an effect that is there', () => {
  test('is found with its size, and groups beside it are not', () => {
    const of = answers({ congestion: { 'throughput.up': 1.3 } });
    const found = of('congestion');
    assert.equal(found.decision, 'keep', found.why);
    const up = figure(found, 'throughput.up');
    assert.equal(up.finding, 'helps');
    assert.ok(
      Math.abs((up.ratio ?? 0) - 1.3) < 0.05 && (up.interval?.[0] ?? 0) > 1 && (up.interval?.[0] ?? 0) < 1.3 && (up.interval?.[1] ?? 0) > 1.3,
    );
    assert.ok((up.pCorrected ?? 1) <= 0.01 && (up.p ?? 1) < (up.pCorrected ?? 0));
    assert.match(
      found.why,
      /^it helps: throughput up [\d.]+ bit\/s -> 1[23]\.\d+ bit\/s, [23]\d\.\d+ % more .*8 blocks\); no harm was found on 8 other metrics$/,
    );
    for (const group of ['buffers', 'tcp']) assert.equal(of(group).decision, 'no measurable change', of(group).why);
  });

  test('is harm where it goes the wrong way, in the direction of the metric', () => {
    const of = answers({ buffers: { 'throughput.up': 0.5 }, tcp: { connect: 2 }, congestion: { connect: 0.5 } });
    assert.deepEqual([of('buffers').decision, of('tcp').decision, of('congestion').decision], ['reject', 'reject', 'keep']);
    assert.match(of('buffers').why, /it harms: throughput up .* less/);
  });

  test('that helps one metric and harms another is rejected, and the trade-off is told', () => {
    const found = answers({ tcp: { 'throughput.up': 3, 'rtt.loaded.up': 2 } })('tcp');
    assert.equal(found.decision, 'reject');
    assert.match(found.why, /it harms: round trip under load up .* 2\.0 times as much.*It also helps, .*throughput up .*3\.0 times as much/);
  });

  test('is found in rough noise when it is large', () => {
    const found = answers({ buffers: { 'throughput.down': 0.03 } }, { noise: { ...ROUGH, outlier: 0.7 } })('buffers');
    assert.equal(found.decision, 'reject', found.why);
  });

  test('is not worth anything when it is certain and tiny, or below what the clocks may be off', () => {
    const found = answers({ tcp: { 'throughput.up': 1.02 } }, { noise: { ...QUIET, white: 0.001 } })('tcp');
    assert.equal(found.decision, 'no measurable change');
    assert.match(figure(found, 'throughput.up').why ?? '', /(1\.9|2\.0)\d+ % more is certain but of no use: below a factor of 1\.03/);
    const planned = design(8, 1);
    const slow = series(planned, (arm) => ({ rtt: { value: arm === 'with' ? 0.06 : 0.05, error: 0.02 } }));
    const rtt = experimentFigures([slow], planned)
      .get('tcp')
      ?.find(({ metric }) => metric === 'rtt');
    assert.match(rtt?.why ?? '', /the difference of 10\.0+ us is smaller than 20\.0+ us/);
  });
});

describe('drift', () => {
  test('that is even over a block leaves no trace', () => {
    const planned = design(8, 1);
    let turn = 0;
    const runs = series(planned, () => ({ 'throughput.up': { value: Math.exp(0.1 * turn++) } }));
    const up = experimentFigures([runs], planned)
      .get('tcp')
      ?.find(({ metric }) => metric === 'throughput.up');
    assert.ok(Math.abs((up?.ratio ?? 0) - 1) < 1e-12, String(up?.ratio));
    assert.equal(up?.finding, 'no measurable change');
  });
});

describe('runs that could not be measured', () => {
  test('are reasons and never numbers, and too few blocks are no measurement', () => {
    const planned = design(8, 1);
    const runs = series(planned, (_, block) => ({ rtt: block < 3 ? { reason: 'the peer was away' } : { value: 5 } }));
    const rtt = experimentFigures([runs], planned)
      .get('tcp')
      ?.find(({ metric }) => metric === 'rtt');
    assert.deepEqual([rtt?.finding, rtt?.blocks, rtt?.ratio], ['not measured', 5, undefined]);
    assert.match(rtt?.why ?? '', new RegExp(`only 5 blocks have figures of both sides, and a claim needs ${BLOCKS_MIN}: the peer was away`));
    assert.deepEqual(rtt?.runs[0], { block: 0, at: 0, arm: planned.orders[0] === 'ABBA' ? 'without' : 'with', reason: 'the peer was away' });
    const none = decide(experimentFigures([series(planned, () => ({}))], planned).get('tcp') ?? [], planned.alpha);
    assert.deepEqual([none.decision, /nothing could be measured/.test(none.why)], ['not tried', true]);
  });

  test('with the settings only are harm, without them only are help, and on both sides neither', () => {
    const planned = design(8, 1);
    const failing = (fails: (arm: string, turn: number) => boolean): Answer => {
      let turn = 0;
      const runs = series(planned, (arm) => ({
        rtt: { value: 5 },
        'throughput.up': fails(arm, turn++) ? { reason: 'no bytes arrived' } : { value: 1e6 },
      }));
      const figures = experimentFigures([runs], planned).get('tcp') ?? [];
      return { ...decide(figures, planned.alpha), figures };
    };
    const harmed = failing((arm) => arm === 'with');
    assert.equal(harmed.decision, 'reject');
    assert.match(harmed.why, /throughput up: it could not be measured in 16 of 16 runs with and 0 of 16 runs without \(no bytes arrived\)/);
    assert.equal(failing((arm) => arm === 'without').decision, 'keep');
    assert.equal(failing(() => true).decision, 'no measurable change');
    assert.equal(
      figure(
        failing((_, turn) => turn % 4 < 3),
        'throughput.up',
      ).finding,
      'not measured',
    );
  });
});

describe('a metric that cannot vary', () => {
  test('is no change where it is always the same', () => {
    const planned = design(8, 1);
    const figures = experimentFigures([series(planned, () => ({ rtt: { value: 5 } }))], planned).get('tcp') ?? [];
    assert.deepEqual([figures[0]?.finding, figures[0]?.p], ['no measurable change', 1]);
  });
});

type Figures = Run['figures'];

function series(planned: Design, figures: (arm: string, block: number) => Figures): GroupRuns {
  return {
    group: 'tcp',
    runs: planned.orders.flatMap((order, block) => armsOf(order).map((arm, at) => ({ block, at, arm, figures: figures(arm, block) }))),
  };
}
