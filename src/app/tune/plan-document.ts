import type { NotDone, Planned } from '../../results/index.js';
import { labelOf } from '../../tune/index.js';
import type { Change, HostView, Persisted, PlannedStep, TunePlan } from '../../tune/index.js';

/** A planned step, with whether it can be carried out now by this user. */
export interface Feasible {
  readonly planned: PlannedStep;
  /** Why not; undefined when it can. */
  readonly hindrance?: string;
}

/** Asks of every step whether it may be written now. */
export async function feasibility(view: HostView, plan: TunePlan): Promise<readonly Feasible[]> {
  return await Promise.all(
    plan.planned.map(async (planned) => {
      const hindrance = await hindranceOf(view, planned);
      return { planned, ...(hindrance === undefined ? {} : { hindrance }) };
    }),
  );
}

export function plannedOf({ planned, hindrance }: Feasible): Planned {
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
    effect: setting.effect,
    scope: setting.scope,
    needsRoot: setting.needs.root,
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
    reason: 'needs-root',
    why: hindrance ?? '',
    now: step.now,
    proposed: step.proposed,
  };
}

async function hindranceOf(view: HostView, { setting, step }: PlannedStep): Promise<string | undefined> {
  if (setting.needs.root && !view.identity.root) return 'it needs root: run it again with sudo';
  for (const { place } of step.changes) {
    if (place.kind !== 'kernel-value') continue;
    if (!(await view.ports.control.mayWrite(place.path))) return `${place.path} cannot be written by this user`;
  }
  return undefined;
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

/** The places of a plan, without those of steps that cannot be carried out. */
export function changesOf(steps: readonly Feasible[]): Change[] {
  return steps.flatMap(({ planned, hindrance }) => (hindrance === undefined ? planned.step.changes : []));
}
