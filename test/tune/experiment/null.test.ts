import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { binomialCdf } from '../../../src/stats/index.js';
import { BLOCKS_DEFAULT, BLOCKS_MIN, EXPERIMENT_METRICS, decide, designExperiment, experimentFigures } from '../../../src/tune/index.js';
import { QUIET, ROUGH, noisyRuns } from './noise.js';
import type { Noise } from './noise.js';

const GROUPS = ['congestion', 'buffers', 'tcp', 'queueing', 'offloads', 'interrupts'];
const SEED = 20261121;

/** How many of so many experiments in which nothing has any effect report one, and how many would without any correction. */
function falseAlarms(count: number, { noise, blocks, groups }: { noise: Noise; blocks: number; groups: readonly string[] }): [number, number] {
  let [alarms, uncorrected] = [0, 0];
  for (let i = 0; i < count; i++) {
    const design = designExperiment({ seed: SEED + i, blocks, groups: groups.length, metrics: EXPERIMENT_METRICS.length });
    const figures = experimentFigures(noisyRuns(groups, design, noise, 7 * SEED + i), design);
    const decisions = groups.map((group) => decide(figures.get(group) ?? [], design.alpha).decision);
    if (decisions.some((decision) => decision !== 'no measurable change')) alarms++;
    if ([...figures.values()].some((each) => each.some(({ p = 1 }) => p <= 0.05))) uncorrected++;
  }
  return [alarms, uncorrected];
}

describe('experiments in which nothing has any effect', () => {
  for (const [name, noise] of [
    ['quiet', QUIET],
    ['drifting, correlated, two-faced and hit by outliers', ROUGH],
    ['only two states', { ...QUIET, white: 0.002, modes: 0.3, changes: 1 }],
    ['only outliers', { ...QUIET, outlierRatio: 0.2, outlier: 3 }],
    ['only a walk', { ...QUIET, white: 0.005, walk: 0.2, trend: 2 }],
  ] as const) {
    for (const [blocks, groups] of [
      [BLOCKS_DEFAULT, GROUPS],
      [BLOCKS_MIN, ['tcp']],
    ] as const) {
      test(`report an effect in at most one of a hundred: ${name}, ${blocks} blocks, ${groups.length} groups`, (t) => {
        const count = groups.length === 1 ? 400 : 100;
        const [alarms, uncorrected] = falseAlarms(count, { noise, blocks, groups });
        t.diagnostic(`seed ${SEED}: ${alarms} of ${count} experiments report an effect; without the correction ${uncorrected} would`);
        // As many or more have a chance of less than one in a thousand where the rate is one in a hundred.
        assert.ok(1 - binomialCdf(alarms - 1, count, 0.01) > 0.001, `${alarms} of ${count} with seed ${SEED}`);
        assert.ok(uncorrected > 0.1 * count, 'the noise must be able to fool an analysis that knows of no other comparison');
      });
    }
  }
});
