import { TautlineError } from '../../base/index.js';
import type { ChangeDocument, PlanDocument } from '../../results/index.js';
import { applyChange, planPersistence, resumeApply, rollBack, standingChanges } from '../../tune/index.js';
import type { JournalStep, PersistRequest, TunePorts } from '../../tune/index.js';
import { documentHead } from '../head.js';
import type { Progress } from '../progress.js';
import { announce } from './announce.js';
import { changeDocument } from './change-document.js';
import { notDoneOf } from './plan.js';
import { journalStepsOf, plannedOf } from './plan-document.js';
import type { Feasible } from './plan-document.js';
import { prepare } from './prepare.js';
import type { Prepared } from './prepare.js';
import { settleTries } from './try-switch.js';
import type { TuneApplyRequest, TuneContinueRequest } from './requests.js';

/** Starting the program anew must not take longer; nothing has been changed by then. */
const GUARD_READY_MS = 20_000;

/**
 * Plans anew and carries out what can be carried out now. All of it or nothing: what fails is put back and told.
 * @throws TautlineError before anything was changed: another change is under way, the plan is another one than was agreed to
 */
export async function tuneApply(ports: TunePorts, request: TuneApplyRequest): Promise<ChangeDocument> {
  await settleTries(ports, request.folder);
  await settleUnconfirmed(ports, request.folder);
  const prepared = await prepare(ports, request);
  const possible = prepared.steps.filter(({ hindrance }) => hindrance === undefined);
  if (request.agreed !== undefined) refuseOtherPlan(prepared, request.agreed);
  const notDone = notDoneOf(prepared);
  const { steps, notes } = await stepsOf(ports, prepared, possible, request);
  const about = { head: prepared.head, startedMs: prepared.startedMs, action: 'apply' as const, notDone };
  if (steps.length === 0)
    return changeDocument(ports, { state: 'nothing-to-do', persisted: false, steps: [], profile: prepared.profile.name }, { ...about, notes });
  const report = await applyChange(ports, {
    folder: request.folder,
    profile: prepared.profile.name,
    steps,
    persist: request.persist,
    ...(request.confirmWithinMs === undefined
      ? {}
      : { confirmWithinMs: request.confirmWithinMs, onBegun: ({ id }) => startGuard(ports, request.folder, id) }),
    onStep: stepProgress(request.progress, 'writing'),
    signal: request.signal,
  });
  return changeDocument(ports, report, { ...about, signal: request.signal, notes: [...notes, ...(await announce(ports, report))] });
}

/**
 * What nobody confirmed in time, and a roll-back that was interrupted, is undone before the plan is made: else the plan would
 * take what is about to go for what is there. Whatever hinders it is told by what comes next.
 */
async function settleUnconfirmed(ports: TunePorts, folder: string): Promise<void> {
  const standing = await standingChanges(ports, folder);
  // Beside a journal that cannot be believed nothing is touched but what was asked for by name.
  if (standing.some(({ damaged }) => damaged !== undefined)) return;
  for (const change of standing) {
    if (change.damaged !== undefined) continue;
    const overdue = change.confirmBefore !== undefined && ports.clock.wallMs() >= Date.parse(change.confirmBefore);
    if (!overdue && change.state !== 'rolling-back') continue;
    try {
      await rollBack(ports, { folder, change: change.id, force: false, reason: 'unconfirmed' });
    } catch (error) {
      if (!(error instanceof TautlineError)) throw error;
    }
  }
}

/** Finishes an apply that was interrupted. */
export async function tuneContinue(ports: TunePorts, request: TuneContinueRequest): Promise<ChangeDocument> {
  const startedMs = ports.clock.nowMs();
  const head = await documentHead(ports);
  const report = await resumeApply(ports, {
    folder: request.folder,
    ...(request.change === undefined ? {} : { change: request.change }),
    onBegun: ({ id, confirmBefore }) => (confirmBefore === undefined ? Promise.resolve() : startGuard(ports, request.folder, id)),
    onStep: stepProgress(request.progress, 'writing'),
    signal: request.signal,
  });
  return changeDocument(ports, report, {
    head,
    startedMs,
    action: 'apply',
    notDone: [],
    signal: request.signal,
    notes: await announce(ports, report),
  });
}

/** Each takes a moment only: what is told is how many there are, not one line for each of them. */
export function stepProgress(progress: Progress, doing: string): (done: number, of: number, label: string) => void {
  return (_done, of) => progress.update(`${doing} ${of} ${of === 1 ? 'place' : 'places'}`, undefined);
}

/** The one that undoes it is there before the first change: whatever cuts the person off then, it does not cut that off. */
async function startGuard(ports: TunePorts, folder: string, change: string): Promise<void> {
  await ports.control.startGuard(['tune', 'guard', change, '--folder', folder], GUARD_READY_MS);
}

interface Steps {
  readonly steps: readonly JournalStep[];
  readonly notes: readonly string[];
}

async function stepsOf(ports: TunePorts, prepared: Prepared, possible: readonly Feasible[], request: TuneApplyRequest): Promise<Steps> {
  const planned = possible.map((each) => each.planned);
  const now = journalStepsOf(possible);
  if (!request.persist) return { steps: onceConfirmed(now, request), notes: [] };
  const files = await planPersistence(prepared.view, {
    planned: [...(await inForce(ports, request.folder, prepared.profile.name)), ...planned],
    profile: prepared.profile.name,
  });
  return { steps: onceConfirmed([...now, ...files.steps], request), notes: files.notes };
}

/** What is not confirmed must not be there again after a boot: files are written once it is. */
function onceConfirmed(steps: readonly JournalStep[], { confirmWithinMs }: TuneApplyRequest): readonly JournalStep[] {
  if (confirmWithinMs === undefined) return steps;
  return steps.map((step) => (step.place.kind === 'entry' ? { ...step, onConfirm: true as const } : step));
}

type Kept = PersistRequest['planned'][number];

/** What an earlier apply of the same profile changed until the next boot only: asked for again with `--persist`, it stays. */
async function inForce(ports: TunePorts, folder: string, profile: string): Promise<Kept[]> {
  const earlier = (await standingChanges(ports, folder)).flatMap((change) =>
    change.damaged === undefined && change.state === 'applied' && change.profile === profile && !change.persisted ? [...change.steps] : [],
  );
  const kept = new Map<string, Kept>();
  for (const { step, found } of earlier) {
    if (found === undefined || step.persist === undefined || step.persist.length === 0) continue;
    kept.set(JSON.stringify([step.setting, step.persist]), { setting: { id: step.setting }, step: { persist: step.persist } });
  }
  return [...kept.values()];
}

function refuseOtherPlan(prepared: Prepared, agreed: PlanDocument): void {
  const key = (changes: PlanDocument['changes']): string =>
    JSON.stringify(changes.map(({ setting, instance, now, proposed, possible }) => [setting, instance, now, proposed, possible]));
  if (key(prepared.steps.map(plannedOf)) === key(agreed.changes)) return;
  throw new TautlineError('usage', 'this host has changed since the plan was shown, and the plan with it', {
    hint: "nothing was changed; look at it again with 'tautline tune plan'",
  });
}
