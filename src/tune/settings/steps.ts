import type { Change } from '../place.js';
import type { Persisted, Reason, Step } from '../setting.js';

export type DoneStep = Extract<Step, { verdict: 'change' }>;
export type NotDoneStep = Extract<Step, { verdict: 'not-done' }>;

/** Something is not done; `why` says what was found and what it means. */
export function notDone(reason: Reason, why: string, more: Pick<NotDoneStep, 'instance' | 'now' | 'proposed'> = {}): NotDoneStep {
  return { verdict: 'not-done', reason, why, ...more };
}

/** Files stay by themselves. */
export const STAYS: readonly Persisted[] = [{ by: 'itself' }];

/** A change of files, which outlives a boot by itself. */
export function changeFiles(step: Omit<DoneStep, 'verdict' | 'persist'> & { readonly changes: readonly Change[] }): DoneStep {
  return { verdict: 'change', persist: STAYS, ...step };
}
