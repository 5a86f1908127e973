import { seededRandom } from '../../../src/base/index.js';
import { EXPERIMENT_METRICS, armsOf } from '../../../src/tune/index.js';
import type { Arm, Design, GroupRuns, Run, RunFigure } from '../../../src/tune/index.js';

/** What real series of runs do beside scattering: each as a share of the figure (logarithms). */
export interface Noise {
  readonly white: number;
  /** Neighbouring runs resemble each other: standard deviation of the slow part, and how much of it a run keeps of the last one's. */
  readonly slow: number;
  readonly kept: number;
  /** A trend over the whole experiment, and a random walk's step. */
  readonly trend: number;
  readonly walk: number;
  /** How often a run is hit by something else, and by how much (up to). */
  readonly outlierRatio: number;
  readonly outlier: number;
  /** The figure has two states (a flow's hash, a processor's clock) that differ by so much; how often it changes between them. */
  readonly modes: number;
  readonly changes: number;
  /** How often a run fails. */
  readonly failing: number;
}

export const QUIET: Noise = {
  white: 0.02,
  slow: 0,
  kept: 0,
  trend: 0,
  walk: 0,
  outlierRatio: 0,
  outlier: 0,
  modes: 0,
  changes: 0,
  failing: 0,
};

export const ROUGH: Noise = {
  white: 0.04,
  slow: 0.08,
  kept: 0.8,
  trend: 0.5,
  walk: 0.03,
  outlierRatio: 0.06,
  outlier: 2,
  modes: 0.15,
  changes: 0.4,
  failing: 0.03,
};

export interface Effects {
  /** Factor by group and metric of the arm `with`. */
  readonly [group: string]: Readonly<Record<string, number>>;
}

/** Runs of an experiment as a network with this noise would give them. */
export function noisyRuns(groups: readonly string[], design: Design, noise: Noise, seed: number, effects: Effects = {}): GroupRuns[] {
  const random = seededRandom(seed);
  /** Box and Muller's. */
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
  const total = groups.length * design.blocks * 4;
  const states = new Map(EXPERIMENT_METRICS.map(({ name }) => [name, { slow: noise.slow * normal(), walk: 0, mode: random.next() < 0.5 }]));
  const slope = new Map(EXPERIMENT_METRICS.map(({ name }) => [name, noise.trend * (2 * random.next() - 1)]));
  let turn = 0;
  const figureOf = (metric: string, hit: number, effect: number): RunFigure => {
    const state = states.get(metric);
    if (!state) throw new Error(metric);
    state.slow = noise.kept * state.slow + Math.sqrt(1 - noise.kept ** 2) * noise.slow * normal();
    state.walk += noise.walk * normal();
    if (random.next() < noise.changes) state.mode = random.next() < 0.5;
    if (random.next() < noise.failing) return { reason: 'the peer did not answer' };
    const own = random.next() < noise.outlierRatio ? noise.outlier * random.next() : 0;
    const log =
      noise.white * normal() + state.slow + state.walk + (state.mode ? noise.modes : 0) + (slope.get(metric) ?? 0) * (turn / total) + hit + own;
    return { value: 10 * Math.exp(log) * effect, error: 0.001 };
  };
  return groups.map((group) => ({
    group,
    runs: design.orders.flatMap((order, block) =>
      armsOf(order).map((arm: Arm, at): Run => {
        turn++;
        // What hits a whole run hits all that is measured in it.
        const hit = random.next() < noise.outlierRatio / 2 ? noise.outlier * random.next() : 0;
        const figures = EXPERIMENT_METRICS.map(
          ({ name }) => [name, figureOf(name, hit, arm === 'with' ? (effects[group]?.[name] ?? 1) : 1)] as const,
        );
        return { block, at, arm, figures: Object.fromEntries(figures) };
      }),
    ),
  }));
}
