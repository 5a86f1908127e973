import type { BeginRecord } from '../journal/record-schema.js';
import type { ChangeState, JournalRecord, JournalStep } from '../journal/records.js';
import type { PlaceKind, PlaceStates } from '../place.js';

export type AnyState = PlaceStates[PlaceKind];

/**
 * Where one step of a change stands.
 *
 * - `pending`: never written.
 * - `doing`: about to be written when the record ends: the place may hold the original, what was meant, or something between.
 * - `done`: written and read back.
 * - `failed`: written or not, and not what was meant.
 * - `undoing`: about to be put back: as with `doing`, and what it holds is ours.
 * - `undone`: put back, was back already, or the place is gone.
 * - `kept`: not put back, because somebody else changed it since or because it could not be written; a further roll-back tries again.
 */
export type StepPhase = 'pending' | 'doing' | 'done' | 'failed' | 'undoing' | 'undone' | 'kept';

export interface StepView {
  readonly index: number;
  readonly step: JournalStep;
  readonly phase: StepPhase;
  /** What was there after it was last written and read back. */
  readonly found?: AnyState;
  /** Whether the record tells for certain what we left there; else it may hold anything that a write of ours leads to. */
  readonly certain: boolean;
  readonly outcome?: 'undone' | 'conflict' | 'gone' | 'failed';
  /** Why it failed while it was being applied. */
  readonly failure?: string;
  /** What is to be said of its end. */
  readonly why?: string;
}

/** A change as its journal tells it. */
export interface ChangeView {
  readonly begin: BeginRecord;
  readonly state: Exclude<ChangeState, 'planned'>;
  readonly steps: readonly StepView[];
  readonly confirmed: boolean;
  /** The roll-back that is going on or was last. */
  readonly undo?: Extract<JournalRecord, { type: 'undo' }>;
}

/** What the records say, from the first to the last; or which of them cannot follow those before it. */
export function replay(records: readonly [BeginRecord, ...JournalRecord[]]): ChangeView | { readonly problem: string } {
  const [begin, ...others] = records;
  let view = opened(begin);
  for (const [i, record] of others.entries()) {
    const next = advance(view, record);
    if (next === undefined) return { problem: `line ${i + 2} (${record.type}) cannot follow the lines before it` };
    view = next;
  }
  return view;
}

export function opened(begin: BeginRecord): ChangeView {
  const steps = begin.steps.map((step, index): StepView => ({ index, step, phase: 'pending', certain: true }));
  return { begin, state: 'applying', steps, confirmed: false };
}

/** The change after one more record; undefined when that record cannot come here. */
export function advance(view: ChangeView, record: JournalRecord): ChangeView | undefined {
  switch (record.type) {
    case 'begin':
      return undefined;
    case 'doing':
    case 'done':
    case 'failed':
      return view.state === 'applying' ? withStep(view, record) : undefined;
    case 'undoing':
    case 'undone':
      return view.state === 'rolling-back' ? withStep(view, record) : undefined;
    case 'applied': {
      const ready = view.steps.every((each) => each.phase === 'done' || (each.phase === 'pending' && waitsForConfirmation(view, each)));
      if (view.state !== 'applying' || !ready) return undefined;
      return { ...view, state: view.begin.confirmBefore === undefined || view.confirmed ? 'applied' : 'awaiting-confirmation' };
    }
    case 'confirmed':
      return view.state === 'awaiting-confirmation' ? { ...view, state: 'applying', confirmed: true } : undefined;
    case 'undo':
      return view.state === 'rolled-back' || view.state === 'rolling-back' ? undefined : { ...view, state: 'rolling-back', undo: record };
    case 'rolled-back': {
      if (view.state !== 'rolling-back' || view.steps.some((each) => isOpen(each) && each.phase !== 'kept')) return undefined;
      const clean = view.steps.every((each) => each.phase !== 'kept');
      return clean === record.clean ? { ...view, state: clean ? 'rolled-back' : 'conflicted' } : undefined;
    }
  }
}

/** Steps that are only done once the change is confirmed. */
export function waitsForConfirmation(view: ChangeView, { step }: StepView): boolean {
  return step.onConfirm === true && view.begin.confirmBefore !== undefined && !view.confirmed;
}

/** Whether something of ours may still be at the step's place. */
export function isOpen({ phase }: StepView): boolean {
  return phase !== 'pending' && phase !== 'undone';
}

type StepRecord = Extract<JournalRecord, { step: number }>;

function withStep(view: ChangeView, record: StepRecord): ChangeView | undefined {
  const before = view.steps[record.step];
  const after = before && !(record.type === 'doing' && waitsForConfirmation(view, before)) ? stepAfter(before, record) : undefined;
  return after === undefined ? undefined : { ...view, steps: view.steps.with(record.step, after) };
}

function stepAfter(before: StepView, record: StepRecord): StepView | undefined {
  const { phase } = before;
  switch (record.type) {
    case 'doing':
      // A second time: after a crash, or after a boot that forgot it.
      return phase === 'pending' || phase === 'doing' || phase === 'done' ? { ...before, phase: 'doing', certain: false } : undefined;
    case 'done':
      if (phase !== 'doing') return undefined;
      return { ...before, phase: 'done', certain: true, found: record.found as AnyState, ...(record.why === undefined ? {} : { why: record.why }) };
    case 'failed':
      // A step that is no longer as it was found is not even begun.
      if (phase === 'pending') return record.found === undefined ? { ...before, failure: record.why } : undefined;
      if (phase !== 'doing') return undefined;
      return record.found === undefined
        ? { ...before, phase: 'failed', failure: record.why }
        : { ...before, phase: 'failed', failure: record.why, certain: true, found: record.found };
    case 'undoing':
      return isOpen(before) ? { ...before, phase: 'undoing', certain: false } : undefined;
    case 'undone': {
      if (!isOpen(before)) return undefined;
      const over = record.outcome === 'undone' || record.outcome === 'gone';
      const { why: _, ...rest } = before;
      return {
        ...rest,
        phase: over ? 'undone' : 'kept',
        // What is kept is only ever put back if it still is what we left: a later roll-back must not take somebody's value for ours.
        certain: before.found !== undefined,
        outcome: record.outcome,
        ...(record.why === undefined ? {} : { why: record.why }),
      };
    }
  }
}
