import type { NotDone, PlanDocument } from '../../results/index.js';
import { adviceFor, standingChanges, tuneScript } from '../../tune/index.js';
import type { StandingChange, TunePorts } from '../../tune/index.js';
import { hinderedOf, plannedOf } from './plan-document.js';
import { environmentOf, prepare } from './prepare.js';
import type { Prepared } from './prepare.js';
import type { TunePlanRequest } from './requests.js';

/** Shows what a profile would change on this host, and what of it is not done and why. Changes nothing. */
export async function tunePlan(ports: TunePorts, request: TunePlanRequest): Promise<PlanDocument> {
  const [prepared, standing] = await Promise.all([prepare(ports, request), standingChanges(ports, request.folder)]);
  return planDocument(ports, prepared, standing);
}

/** The same as a shell script that does and undoes it without Tautline. */
export async function tuneScriptOf(ports: TunePorts, request: TunePlanRequest): Promise<string> {
  const { plan, view } = await prepare(ports, request);
  return tuneScript(plan, view);
}

export function planDocument(ports: TunePorts, prepared: Prepared, standing: readonly StandingChange[]): PlanDocument {
  const { head, startedMs, view, profile, choice, plan, steps } = prepared;
  const open = standing.map(standingOf).find((change) => change !== undefined);
  return {
    schema: 'tautline.plan/1',
    ...head,
    durationMs: ports.clock.nowMs() - startedMs,
    profile: choice,
    environment: environmentOf(view),
    changes: steps.map(plannedOf),
    notDone: [...plan.notDone],
    managers: view.managers.found.map(({ who, what, advice }) => ({ who, what, advice })),
    advice: [
      ...profile.notes.map((text) => ({ text })),
      ...adviceFor(view.environment).map(({ text, source }) => ({ text, ...(source ? { source: { ...source } } : {}) })),
    ],
    ...(open === undefined ? {} : { standing: open }),
  };
}

/** What is not done when the plan is carried out now: what the plan leaves, and what this user may not do. */
export function notDoneOf({ plan, steps }: Pick<Prepared, 'plan' | 'steps'>): NotDone[] {
  return [...plan.notDone, ...steps.filter(({ hindrance }) => hindrance !== undefined).map(hinderedOf)];
}

function standingOf(change: StandingChange): PlanDocument['standing'] {
  if (change.damaged !== undefined) return { id: change.id, profile: '?', state: 'damaged', advice: change.damaged };
  const { id, profile, state } = change;
  switch (state) {
    case 'applying':
      return { id, profile, state, advice: `it was interrupted: 'tautline tune rollback' undoes it, 'tautline tune apply --continue' finishes it` };
    case 'awaiting-confirmation':
      return { id, profile, state, advice: `'tautline tune confirm' keeps it, 'tautline tune rollback' undoes it now` };
    case 'rolling-back':
      return { id, profile, state, advice: `its roll-back was interrupted: 'tautline tune rollback' finishes it` };
    case 'conflicted':
      return { id, profile, state, advice: `what somebody else changed was kept: 'tautline tune status' shows it` };
    default:
      return { id, profile, state };
  }
}
