import { assert, seededRandom } from '../../base/index.js';

/** `without`: as the host is, with what helped before. `with`: the group's settings applied. */
export type Arm = 'without' | 'with';

/** A without, B with. */
export type Order = 'ABBA' | 'BAAB';

export interface Design {
  readonly seed: number;
  readonly blocks: number;
  /** Of each block, the same for every group of settings. */
  readonly orders: readonly Order[];
  /** The chance that an experiment in which nothing has any effect reports one. */
  readonly alpha: number;
  /** Groups times metrics, fixed before anything is measured. */
  readonly comparisons: number;
}

export const ALPHA = 0.01;
/** With fewer blocks not even all of them agreeing is less likely than 5 % by chance (2 / 2^5), and no claim stands. */
export const BLOCKS_MIN = 6;
export const BLOCKS_DEFAULT = 8;
/** The randomisation test goes through 2^blocks patterns. */
export const BLOCKS_MAX = 20;
/** Runs of a block. */
export const BLOCK_RUNS = 4;

/**
 * Each block is ABBA or BAAB by lot. Within it whatever drifts evenly cancels; and because a lot decides which of the two
 * it is, a block's difference is as likely above zero as below where the settings do nothing, whatever the network did
 * meanwhile and however much neighbouring runs resemble each other. The number of blocks is fixed before the first run:
 * looking at figures and going on until they are significant would find an effect in everything.
 */
export function designExperiment(plan: {
  readonly seed: number;
  readonly blocks: number;
  readonly groups: number;
  readonly metrics: number;
}): Design {
  const { seed, blocks, groups, metrics } = plan;
  assert(blocks >= 1 && blocks <= BLOCKS_MAX, `${blocks} blocks`);
  const random = seededRandom(seed);
  const orders = Array.from({ length: blocks }, (): Order => (random.next() < 0.5 ? 'ABBA' : 'BAAB'));
  return { seed, blocks, orders, alpha: ALPHA, comparisons: groups * metrics };
}

export function armsOf(order: Order): readonly Arm[] {
  return [...order].map((letter) => (letter === 'A' ? 'without' : 'with'));
}
