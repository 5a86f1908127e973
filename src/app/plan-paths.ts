import type { Depth } from './config-schema.js';
import type { TargetFindings } from './discover.js';
import { planTarget } from './plan-check.js';
import type { Stage, Step } from './plan-check.js';
import { interleave, takesTurns } from './turns.js';
import type { TurnCounts } from './turns.js';

/** A path of a check by its subject's place in the document, and what a look at it found. */
export interface FoundPath {
  readonly subject: number;
  readonly found: TargetFindings;
}

const TURNS: Readonly<Record<Depth, TurnCounts>> = {
  quick: { latency: 4, throughput: 3 },
  default: { latency: 6, throughput: 4 },
  thorough: { latency: 10, throughput: 6 },
};

/** The stages of all paths to one peer: what can be compared in turns, everything else path by path. */
export function planPaths(paths: readonly FoundPath[], { depth, sharedBy }: { readonly depth: Depth; readonly sharedBy: number }): Stage[] {
  const plans = paths.map(({ subject, found }) => planTarget(subject, found, { depth, sharedBy, paths: paths.length }));
  if (plans.length < 2) return plans.flat();
  const stages: Stage[] = [];
  for (const kind of [...new Set(plans.flat().map(kindOf))]) {
    const same = plans.flatMap((plan) => plan.filter((stage) => kindOf(stage) === kind));
    const turning = same.map((stage) => stage.filter(takesTurns)).filter(some);
    const once = same.map((stage) => stage.filter((step) => !takesTurns(step))).filter(some);
    stages.push(...interleave(turning, TURNS[depth]), ...once);
  }
  return stages;
}

function kindOf(stage: Stage): string {
  const first = stage[0] as Step;
  return `${first.probe} ${String(first.options['direction'] ?? '')}`;
}

function some(stage: Stage): boolean {
  return stage.length > 0;
}
