import { readJournals } from '../journal/folder.js';
import type { ChangeState, JournalStep } from '../journal/records.js';
import type { TunePorts } from '../ports.js';
import { OpenChange } from './open-change.js';
import { placeKey, readStep, stepHolds } from './holder.js';
import type { AnyState, ChangeView } from './replay.js';

/** A change that is in force or on the way, as its journal tells it; or one whose journal tells nothing that can be believed. */
export type StandingChange =
  | {
      readonly id: string;
      readonly profile: string;
      readonly state: Exclude<ChangeState, 'planned' | 'rolled-back'>;
      readonly appliedAt: string;
      readonly persisted: boolean;
      readonly confirmBefore?: string;
      readonly steps: readonly StandingStep[];
      readonly damaged?: undefined;
    }
  | { readonly id: string; readonly damaged: string };

export interface StandingStep {
  readonly step: JournalStep;
  /** What was there after it was written; undefined where it was not, or was put back. */
  readonly found?: AnyState;
}

/** Changes in force, the newest first. Writes nothing and needs no lock. */
export async function standingChanges(ports: TunePorts, folder: string): Promise<readonly StandingChange[]> {
  const found: StandingChange[] = [];
  for (const file of (await readJournals(ports, folder)) ?? []) {
    const open = OpenChange.from(ports, file);
    if (open === undefined) continue;
    if (!(open instanceof OpenChange)) found.push({ id: file.id, damaged: open.damaged });
    else if (open.view.state !== 'rolled-back') found.push(standingOf(open.view, open.view.state));
  }
  return found.toReversed();
}

function standingOf({ begin, steps, confirmed }: ChangeView, state: Exclude<ChangeState, 'planned' | 'rolled-back'>): StandingChange {
  return {
    id: begin.change,
    profile: begin.profile,
    state,
    appliedAt: begin.at,
    persisted: begin.persist,
    ...(begin.confirmBefore === undefined || confirmed ? {} : { confirmBefore: begin.confirmBefore }),
    steps: steps.map(({ step, phase, found }) => ({ step, ...(found === undefined || phase === 'undone' ? {} : { found }) })),
  };
}

/** A place that no longer holds what a change left there. */
export interface Drift {
  readonly change: string;
  readonly step: JournalStep;
  readonly applied: AnyState;
  /** Undefined where the place is gone. */
  readonly found: AnyState | undefined;
}

/** What changed since it was applied; of several changes of one place, the newest counts. */
export async function findDrift(ports: TunePorts, changes: readonly StandingChange[]): Promise<readonly Drift[]> {
  const drift: Drift[] = [];
  const seen = new Set<string>();
  for (const change of changes) {
    if (change.damaged !== undefined) continue;
    for (const { step, found: applied } of change.steps.toReversed()) {
      const key = placeKey(step);
      if (applied === undefined || seen.has(key)) continue;
      seen.add(key);
      const found = await readStep(ports, step);
      if (found === undefined || !stepHolds(step, found, applied)) drift.push({ change: change.id, step, applied, found });
    }
  }
  return drift;
}
