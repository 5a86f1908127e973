import type { PlannedStep } from '../plan.js';
import { GROUPS } from '../setting.js';
import type { Group } from '../setting.js';
import { EXPERIMENT_METRICS } from './metrics.js';

/** A planned step, and what stands in the way of carrying it out here and now. */
export interface Candidate {
  readonly planned: PlannedStep;
  readonly hindrance?: string;
}

/** Settings that are tried together. */
export interface TryGroup<C extends Candidate = Candidate> {
  readonly group: Group;
  /** What is switched on and off. */
  readonly tried: readonly C[];
  readonly leftOut: readonly { readonly candidate: C; readonly why: string }[];
  /** Metrics that the settings can change as far as is known; all where one of them does not say. */
  readonly moves: readonly string[];
}

/** The planned steps by group, in the order in which groups are tried. Groups of which nothing can be tried are there too. */
export function tryGroups<C extends Candidate>(candidates: readonly C[], only?: readonly string[]): TryGroup<C>[] {
  return GROUPS.flatMap((group) => {
    const of = candidates.filter(({ planned }) => planned.setting.group === group);
    if (of.length === 0) return [];
    const judged = of.map((candidate) => ({ candidate, why: hindranceOf(candidate, only) }));
    const tried = judged.flatMap(({ candidate, why }) => (why === undefined ? [candidate] : []));
    const leftOut = judged.flatMap(({ candidate, why }) => (why === undefined ? [] : [{ candidate, why }]));
    return [{ group, tried, leftOut, moves: movesOf(tried) }];
  });
}

function hindranceOf({ planned, hindrance }: Candidate, only: readonly string[] | undefined): string | undefined {
  const { setting, step } = planned;
  if (only && !only.includes(setting.group)) return 'this group was not asked for';
  if (hindrance !== undefined) return hindrance;
  const restart = step.takesEffect ?? setting.needs.restart;
  if (restart !== undefined) return `it takes effect only later (${restart}), so it cannot be switched on and off between runs`;
  if (setting.moves !== undefined && !setting.moves.some((moved) => EXPERIMENT_METRICS.some(({ name }) => name === moved)))
    return 'nothing that is measured here can be moved by it';
  return undefined;
}

function movesOf(tried: readonly Candidate[]): string[] {
  const all = EXPERIMENT_METRICS.map(({ name }) => name);
  if (tried.some(({ planned }) => planned.setting.moves === undefined)) return all;
  return all.filter((name) => tried.some(({ planned }) => planned.setting.moves?.includes(name)));
}
