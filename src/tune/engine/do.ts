import { TautlineError } from '../../base/index.js';
import { labelOf, writePlace } from '../places/registry.js';
import type { TunePorts } from '../ports.js';
import { isWrittenAtOnce, readStep, samePlace, shown, stepHolds } from './holder.js';
import type { OpenChange } from './open-change.js';
import { waitsForConfirmation } from './replay.js';
import type { AnyState, ChangeView, StepView } from './replay.js';
import { now } from './undo.js';
import type { OnStep } from './undo.js';

/**
 * Does the steps of a change that are still to be done, in order, each recorded before and after, and then records that it
 * is applied. Goes on where an earlier call was interrupted.
 * @returns why it stopped: a step failed, or it was aborted; undefined when all is done. What was done then is for the caller to undo
 */
export async function doSteps(
  ports: TunePorts,
  change: OpenChange,
  options: { readonly signal?: AbortSignal | undefined; readonly onStep?: OnStep | undefined; readonly rebooted?: boolean },
): Promise<string | undefined> {
  const wanted = change.view.steps.filter((each) => !waitsForConfirmation(change.view, each));
  for (const [done, { index, step }] of wanted.entries()) {
    if (options.signal?.aborted) return INTERRUPTED;
    const why = await doStep(ports, change, index, options.rebooted ?? false);
    if (why !== undefined) return `${labelOf(step.place)}: ${why}`;
    options.onStep?.(done + 1, wanted.length, labelOf(step.place));
  }
  if (options.signal?.aborted) return INTERRUPTED;
  await change.record({ type: 'applied', at: now(ports) });
  return undefined;
}

export const INTERRUPTED = 'it was interrupted';

async function doStep(ports: TunePorts, change: OpenChange, index: number, rebooted: boolean): Promise<string | undefined> {
  const view = change.view.steps[index] as StepView;
  const { step } = view;
  try {
    const current = await readStep(ports, step);
    if (view.phase === 'done' && !(rebooted && current !== undefined && isForgotten(view, current))) return undefined;
    const obstacle = obstacleTo(change.view, view, current);
    if (obstacle !== undefined || current === undefined) return await failed(change, view, obstacle ?? 'it is no longer here');
    await change.record({ type: 'doing', step: index });
    // What is as it should be is not written: a file would get another time.
    if (!stepHolds(step, current, step.desired)) await writePlace(ports, step.place, step.desired);
    const found = await readStep(ports, step);
    if (found === undefined) return await failed(change, view, 'it is no longer here');
    if (!stepHolds(step, found, step.desired)) {
      const why = `${shown(step, step.desired, found)} was written, and ${shown(step, found, step.desired)} is there`;
      return await failed(change, view, why, found);
    }
    await change.record({ type: 'done', step: index, found });
    return undefined;
  } catch (error) {
    if (!(error instanceof TautlineError)) throw error;
    return await failed(change, view, error.message, await readStep(ports, step).catch(() => undefined));
  }
}

/** Recorded with what is there, so that a roll-back knows it for ours; without it when the disk is full. */
async function failed(change: OpenChange, view: StepView, why: string, found?: AnyState): Promise<string> {
  const begun = change.view.steps[view.index]?.phase === 'doing';
  await change.note({ type: 'failed', step: view.index, why: why.slice(0, 1000), ...(found === undefined || !begun ? {} : { found }) });
  return why;
}

/** A boot put the original back: the step is to be done again. Anything else that is there by now is somebody's will. */
function isForgotten({ step }: StepView, current: AnyState): boolean {
  return stepHolds(step, current, step.original) && !stepHolds(step, current, step.desired);
}

/** Why a step may not be written: its place no longer holds what it held before, or what an earlier step left there. */
function obstacleTo(change: ChangeView, view: StepView, current: AnyState | undefined): string | undefined {
  const { step } = view;
  if (current === undefined) return undefined;
  if (stepHolds(step, current, step.original) || stepHolds(step, current, step.desired)) return undefined;
  const before = change.steps.slice(0, view.index).findLast((each) => samePlace(each.step, step));
  if (before?.found !== undefined && stepHolds(step, current, before.found)) return undefined;
  // A crash left it between the two, where a write has parts or the kernel rounds.
  if (!view.certain && !isWrittenAtOnce(step, current)) return undefined;
  return `somebody changed it meanwhile: it holds ${shown(step, current, step.original)}, and held ${shown(step, step.original, current)} before`;
}
