import { TautlineError } from '../../base/index.js';
import type { HostPlace } from '../../base/index.js';
import { labelOf, writePlace } from '../places/registry.js';
import type { TunePorts } from '../ports.js';
import { holderOf, isFolder, laterOwner, readStep, shown, stepHolds } from './holder.js';
import type { OpenChange } from './open-change.js';
import { isOpen } from './replay.js';
import type { AnyState, ChangeView, StepView } from './replay.js';

export type UndoReason = 'asked' | 'unconfirmed' | 'failed';

/** Called after each step: how many are dealt with, of how many, and which it was. */
export type OnStep = (done: number, of: number, label: string) => void;

export interface UndoOptions {
  readonly reason: UndoReason;
  readonly force: boolean;
  /** Where this process is; a boot since the change is told by it. */
  readonly here: HostPlace;
  /** Changes that were made after this one and stand. */
  readonly later: readonly ChangeView[];
  readonly onStep?: OnStep | undefined;
}

interface Undone {
  readonly outcome: 'undone' | 'conflict' | 'gone' | 'failed';
  readonly why?: string;
}

/**
 * Puts back what a change did, the newest step first, or goes on with doing so. What somebody else changed since is kept unless
 * `force`. Every step is dealt with, whatever becomes of the others.
 */
export async function undoChange(ports: TunePorts, change: OpenChange, options: UndoOptions): Promise<void> {
  if (change.view.state !== 'rolling-back') {
    await change.note({ type: 'undo', at: now(ports), reason: options.reason, force: options.force });
  }
  const open = change.view.steps.filter(isOpen).toReversed();
  for (const [done, { index, step }] of open.entries()) {
    await change.note({ type: 'undone', step: index, ...(await undoStep(ports, change, index, options)) });
    options.onStep?.(done + 1, open.length, labelOf(step.place));
  }
  // A disk that was full may have room by now: what was put back after it has left some.
  for (const { index, outcome } of change.view.steps.toReversed()) {
    if (outcome === 'failed') await change.note({ type: 'undone', step: index, ...(await undoStep(ports, change, index, options)) });
  }
  await change.note({ type: 'rolled-back', at: now(ports), clean: change.view.steps.every(({ phase }) => phase !== 'kept') });
}

async function undoStep(ports: TunePorts, change: OpenChange, index: number, { force, later, here }: UndoOptions): Promise<Undone> {
  const view = change.view.steps[index] as StepView;
  const { step } = view;
  try {
    const current = await readStep(ports, step);
    const holder = holderOf(view, current, change.view.begin.host.boot !== here.boot);
    if (current === undefined) return { outcome: 'gone', why: `${labelOf(step.place)} is no longer here` };
    const owner = laterOwner(step, later);
    if ((holder === 'foreign' || owner !== undefined) && !force) return { outcome: 'conflict', why: conflictOf(view, current, owner) };
    // A crash in the middle of replacing a file may have left a temporary one beside it, which writing it again takes away.
    if (holder === 'original' && (view.certain || step.place.kind !== 'entry')) return { outcome: 'undone' };
    if (holder === 'forgotten') return { outcome: 'undone', why: `a boot since forgot it: it holds ${shown(step, current, step.original)}` };
    await change.note({ type: 'undoing', step: index });
    await writePlace(ports, step.place, step.original);
    return afterWrite(view, await readStep(ports, step), force);
  } catch (error) {
    if (!(error instanceof TautlineError)) throw error;
    return { outcome: 'failed', why: error.message };
  }
}

function afterWrite({ step }: StepView, current: AnyState | undefined, force: boolean): Undone {
  if (current === undefined) return { outcome: 'gone', why: `${labelOf(step.place)} is no longer here` };
  if (stepHolds(step, current, step.original)) return { outcome: 'undone' };
  if (isFolder(current)) {
    const why = `the folder stays: it holds something that this change did not put there`;
    return force ? { outcome: 'undone', why } : { outcome: 'conflict', why };
  }
  return {
    outcome: 'failed',
    why: `${shown(step, step.original, current)} was written, and ${shown(step, current, step.original)} is there`,
  };
}

function conflictOf({ step, found }: StepView, current: AnyState, owner: ChangeView | undefined): string {
  const left = found ?? step.desired;
  const values = `it holds ${shown(step, current, left)}, and this change left ${shown(step, left, current)} there`;
  return owner === undefined
    ? `somebody changed it since: ${values}; it is kept`
    : `the later change ${owner.begin.change} (${owner.begin.profile}) set it too: ${values}; roll that one back first`;
}

export function now(ports: TunePorts): string {
  return new Date(ports.clock.wallMs()).toISOString();
}
