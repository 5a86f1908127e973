import type { NotDone, Planned } from '../../results/index.js';
import { labelOf } from '../../tune/index.js';
import type { HostView, JournalStep, Persisted, PlannedStep, TunePlan } from '../../tune/index.js';

/** A planned step, with whether it can be carried out now by this user. */
export interface Feasible {
  readonly planned: PlannedStep;
  /** Whether only root may do it. */
  readonly needsRoot: boolean;
  /** Why not; undefined when it can. */
  readonly hindrance?: string;
}

const ROOT_NEEDED = 'it needs root: run it again with sudo';

/** Asks of every step whether it may be written now. */
export async function feasibility(view: HostView, plan: TunePlan): Promise<readonly Feasible[]> {
  return await Promise.all(
    plan.planned.map(async (planned) => {
      const needsRoot = needsRootHere(view, planned);
      const hindrance = needsRoot && !view.identity.root ? ROOT_NEEDED : await hindranceOf(view, planned);
      return { planned, needsRoot, ...(hindrance === undefined ? {} : { hindrance }) };
    }),
  );
}

export function plannedOf({ planned, needsRoot, hindrance }: Feasible): Planned {
  const { setting, step, from, why } = planned;
  return {
    setting: setting.id,
    title: setting.title,
    group: setting.group,
    ...(step.instance === undefined ? {} : { instance: step.instance }),
    now: step.now,
    proposed: step.proposed,
    why,
    sources: [...new Map([...(planned.wanted.source ? [planned.wanted.source] : []), ...setting.sources].map((each) => [each.title, each])).values()],
    effect: step.effect ?? setting.effect,
    scope: setting.scope,
    needsRoot,
    possible: hindrance === undefined,
    ...(hindrance === undefined ? {} : { hindrance }),
    persistence: persistenceOf(step.persist),
    ...(step.takesEffect === undefined ? {} : { takesEffect: step.takesEffect }),
    ...(step.notes === undefined ? {} : { notes: [...step.notes] }),
    places: step.changes.map((change) => labelOf(change.place)),
    from,
  };
}

/** A step that cannot be carried out, among what is not done. */
export function hinderedOf({ planned, hindrance }: Feasible): NotDone {
  const { setting, step } = planned;
  return {
    setting: setting.id,
    title: setting.title,
    ...(step.instance === undefined ? {} : { instance: step.instance }),
    reason: hindrance === ROOT_NEEDED ? 'needs-root' : 'read-only',
    why: hindrance ?? '',
    now: step.now,
    proposed: step.proposed,
  };
}

/** What a person has in their own home is theirs to change, whoever else needs root for the like of it: Docker Desktop's file. */
function needsRootHere({ homeFolder }: HostView, { setting, step }: PlannedStep): boolean {
  const home = `${homeFolder.replace(/\/+$/, '')}/`;
  return setting.needs.root && !step.changes.every(({ place }) => place.kind === 'entry' && place.path.startsWith(home));
}

async function hindranceOf(view: HostView, { step }: PlannedStep): Promise<string | undefined> {
  const made = new Set(step.changes.flatMap(({ place, original }) => (place.kind === 'entry' && isNothing(original) ? [place.path] : [])));
  for (const { place } of step.changes) {
    if (place.kind !== 'kernel-value' && place.kind !== 'entry') continue;
    // A file is replaced by another one, so it is its folder that counts; folders of the same step are still to be made.
    const path = place.kind === 'entry' ? place.path.slice(0, place.path.lastIndexOf('/')) || '/' : place.path;
    if (made.has(path) || (await view.ports.control.mayWrite(path)) || (place.kind === 'entry' && (await isRootsAlways(view, path)))) continue;
    return `${path} cannot be written ${view.identity.root ? 'here' : 'by this user'}`;
  }
  return undefined;
}

/** Root writes in a folder without any write bit (Fedora's /root), which `mayWrite` cannot tell from one that nobody may. */
async function isRootsAlways({ ports, identity }: HostView, path: string): Promise<boolean> {
  const found = identity.root ? await ports.control.readEntry(path) : undefined;
  return found?.kind === 'folder' && (found.mode & 0o222) === 0;
}

function isNothing(state: unknown): boolean {
  return typeof state === 'object' && state !== null && 'kind' in state && state.kind === 'nothing';
}

const PERSISTENCE: Readonly<Record<Persisted['by'], string>> = {
  sysctl: 'a line in a sysctl.d file of its own',
  boot: 'a command that runs at boot',
  itself: 'stays by itself: it is a file',
};

function persistenceOf(persist: readonly Persisted[]): string {
  const ways = [...new Set(persist.map(({ by }) => PERSISTENCE[by]))];
  return ways.length === 0 ? 'none: until the next boot' : ways.join('; ');
}

/** What of a plan goes into the journal: each place, with the setting that it is of and what keeps it over a boot. */
export function journalStepsOf(steps: readonly Feasible[]): JournalStep[] {
  return steps.flatMap(({ planned: { setting, step } }) =>
    step.changes.map((change): JournalStep => {
      const { persist, takesEffect } = step;
      return { ...change, setting: setting.id, persist, ...(takesEffect === undefined ? {} : { takesEffect }) };
    }),
  );
}
