import { seededRandom } from '../base/index.js';
import type { Random } from '../base/index.js';
import type { JitterSpec, LossSpec } from './scenario.js';

/** A random source for one purpose, so that more draws for one thing change nothing elsewhere. */
export function chanceFor(seed: number, purpose: string): Random {
  // FNV-1a, 32 bits.
  let hash = 0x811c9dc5;
  for (let i = 0; i < purpose.length; i++) hash = Math.imul(hash ^ purpose.charCodeAt(i), 0x01000193);
  return seededRandom((hash ^ Math.imul(seed, 0x9e3779b1)) >>> 0);
}

/** Standard normal by Box and Muller. */
export function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}

export function exponential(random: Random, mean: number): number {
  return -mean * Math.log(1 - random.next());
}

/** Extra delay of one packet in ms, never below `-delayMs`: nothing arrives before it left. */
export function jitterMs(random: Random, spec: JitterSpec | undefined, delayMs: number): number {
  if (!spec || spec.ms === 0) return 0;
  const value = spec.distribution === 'normal' ? normal(random) * spec.ms : (2 * random.next() - 1) * spec.ms;
  return Math.max(-delayMs, value);
}

export interface LossModel {
  lost(): boolean;
}

/**
 * Independent losses, or Gilbert and Elliott's two states (Elliott 1963): the state moves before each
 * packet with probability `toBad` or `toGood`, and the packet is lost with the state's own ratio. The
 * long-run loss is (toBad * lossBad + toGood * lossGood) / (toBad + toGood).
 */
export function lossModel(random: Random, spec: LossSpec | undefined): LossModel {
  if (spec === undefined) return { lost: () => false };
  if (typeof spec === 'number') return { lost: () => spec > 0 && random.next() < spec };
  let bad = false;
  const { toBad, toGood, lossBad = 1, lossGood = 0 } = spec;
  return {
    lost() {
      bad = bad ? random.next() >= toGood : random.next() < toBad;
      return random.next() < (bad ? lossBad : lossGood);
    },
  };
}
