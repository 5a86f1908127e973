import { labelOf, placeHolds, reachOf, readPlace, showState } from '../places/registry.js';
import type { HostPlace } from '../../base/index.js';
import type { JournalStep } from '../journal/records.js';
import type { TunePorts } from '../ports.js';
import { isOpen } from './replay.js';
import type { AnyState, ChangeView, StepView } from './replay.js';

/** Whose value a place holds, from one step's point of view. */
export type Holder = 'original' | 'ours' | 'foreign' | 'forgotten' | 'gone';

export async function readStep(ports: TunePorts, step: JournalStep): Promise<AnyState | undefined> {
  return await readPlace(ports, step.place);
}

export function stepHolds(step: JournalStep, state: AnyState, meant: AnyState): boolean {
  return placeHolds(step.place, state, meant);
}

export function shown(step: JournalStep, state: AnyState | undefined, beside?: AnyState): string {
  return state === undefined ? 'nothing: it is gone' : showState(step.place, state, beside);
}

/**
 * What we left is told by the record. When a crash came between a write and its record, the place may hold what was there
 * before, what was meant, or what the kernel made of it (it rounds, and a write may have several parts): that is ours too.
 * A file or link is replaced at once and read again as it was written, so there nothing in between is ours. And after another
 * boot, what the kernel holds was put there by the boot, unless it is just what was meant (something makes it so at boot).
 */
export function holderOf(view: StepView, current: AnyState | undefined, rebooted: boolean): Holder {
  const { step, found, certain } = view;
  if (current === undefined) return 'gone';
  if (stepHolds(step, current, step.original)) return 'original';
  if (found !== undefined && stepHolds(step, current, found)) return 'ours';
  if (!certain && stepHolds(step, current, step.desired)) return 'ours';
  if (rebooted && reachOf(step.place) !== 'disk') return 'forgotten';
  return certain || isWrittenAtOnce(step, current) ? 'foreign' : 'ours';
}

/** Whether a write of the place is there whole or not at all. */
export function isWrittenAtOnce(step: JournalStep, current: AnyState): boolean {
  if (step.place.kind !== 'entry') return false;
  // A folder gets its mode and owner after it was made.
  return !(isFolder(current) && isFolder(step.desired));
}

export function isFolder(state: AnyState): boolean {
  return typeof state === 'object' && state !== null && 'kind' in state && state.kind === 'folder';
}

export function samePlace(a: JournalStep, b: JournalStep): boolean {
  return placeKey(a) === placeKey(b);
}

export function placeKey({ place }: JournalStep): string {
  return JSON.stringify(Object.entries(place).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** The newest later change that stands on the same place: its original is what this one left, so it has to go first. */
export function laterOwner(step: JournalStep, later: readonly ChangeView[]): ChangeView | undefined {
  return later.findLast((change) => change.steps.some((each) => samePlace(each.step, step) && isOpen(each)));
}

/** Why a change cannot be gone on with here; undefined when it can. Another boot is no reason: what a boot forgets is simply as it was. */
export function whyElsewhere(view: ChangeView, here: HostPlace): string | undefined {
  const { host, steps, change } = view.begin;
  if (host.machine !== here.machine) {
    return `${change} was made on another machine (${host.name}): its originals are that machine's`;
  }
  const network = steps.find((step) => reachOf(step.place) === 'network');
  if (network === undefined || host.boot !== here.boot || host.network === here.network) return undefined;
  return `${change} was made in another network namespace (${host.network}, this is ${here.network}), and ${labelOf(network.place)} has a value of its own in each`;
}
