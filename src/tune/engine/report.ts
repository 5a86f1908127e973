import type { ChangeStep } from '../../results/index.js';
import type { ChangeState } from '../journal/records.js';
import type { PlaceRef } from '../place.js';
import { labelOf } from '../places/registry.js';
import { shown, stepHolds } from './holder.js';
import type { OpenChange } from './open-change.js';
import { waitsForConfirmation } from './replay.js';
import type { ChangeView, StepView } from './replay.js';

/** What became of a change. */
export interface ChangeReport {
  /** Left out when there was nothing to do. */
  readonly change?: string;
  readonly profile?: string;
  readonly state: ChangeState | 'nothing-to-do';
  readonly persisted: boolean;
  /** When everything is undone unless it is confirmed before. */
  readonly confirmBefore?: string;
  readonly steps: readonly ChangeStep[];
  /** Where these steps stand, in their order. */
  readonly places?: readonly PlaceRef[];
  /** What is to be done by hand for what was done, or was undone after it was done, to take effect. */
  readonly takesEffect?: readonly string[];
  /** Why it was rolled back, or why there was nothing to do, or why something is left to do. */
  readonly why?: string;
}

export function reportOf({ view, unrecorded, path }: OpenChange, why?: string): ChangeReport {
  const reason = unrecorded === undefined ? why : `${why === undefined ? '' : `${why}; `}${unwritten(path, unrecorded.message)}`;
  return {
    change: view.begin.change,
    profile: view.begin.profile,
    // What the file does not tell, the next call cannot know: for it the roll-back is still going on.
    state: unrecorded === undefined ? view.state : 'rolling-back',
    persisted: view.begin.persist,
    ...(view.state === 'awaiting-confirmation' && view.begin.confirmBefore !== undefined ? { confirmBefore: view.begin.confirmBefore } : {}),
    steps: view.steps.map((each) => stepReport(view, each)),
    places: view.steps.map(({ step }) => step.place),
    takesEffect: effectsOf(view),
    ...(reason === undefined ? {} : { why: reason }),
  };
}

export function nothingToDo(why: string): ChangeReport {
  return { state: 'nothing-to-do', persisted: false, steps: [], why };
}

function effectsOf({ steps }: ChangeView): string[] {
  const touched = steps.filter(({ phase, found }) => phase === 'done' || (phase === 'undone' && found !== undefined));
  return [...new Set(touched.flatMap(({ step }) => step.takesEffect ?? []))];
}

function unwritten(path: string, message: string): string {
  return `what could be put back was, but that could not be recorded in ${path} (${message}): roll it back again once that is mended`;
}

function stepReport(change: ChangeView, view: StepView): ChangeStep {
  const { step, found } = view;
  const { outcome, why } = outcomeOf(change, view);
  return {
    setting: step.setting,
    place: labelOf(step.place),
    original: shown(step, step.original, step.desired),
    desired: shown(step, step.desired, step.original),
    ...(found === undefined ? {} : { found: shown(step, found, step.desired) }),
    outcome,
    ...(why === undefined ? {} : { why }),
  };
}

function outcomeOf(change: ChangeView, view: StepView): { readonly outcome: ChangeStep['outcome']; readonly why: string | undefined } {
  const { step, phase, failure } = view;
  if (phase === 'kept') {
    return {
      outcome: view.outcome === 'conflict' ? 'conflict' : 'failed',
      why: failure === undefined ? view.why : `${failure}; then ${view.why ?? 'it stayed so'}`,
    };
  }
  // What made the whole change fail is told as that, though it was put back like the others.
  if (failure !== undefined) return { outcome: 'failed', why: failure };
  switch (phase) {
    case 'pending':
    case 'doing':
      return waitsForConfirmation(change, view) && change.state === 'awaiting-confirmation'
        ? { outcome: 'waiting', why: 'done once the change is confirmed' }
        : { outcome: 'left-out', why: undefined };
    case 'done':
    case 'undoing':
      return { outcome: stepHolds(step, step.original, step.desired) ? 'already' : 'applied', why: view.why };
    default:
      return { outcome: view.outcome === 'gone' ? 'gone' : 'undone', why: view.why };
  }
}
