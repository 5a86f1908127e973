import { TautlineError, VERSION } from '../../base/index.js';
import { newChangeId } from '../journal/change-id.js';
import { changesFolder, journalPath, lockPath } from '../journal/folder.js';
import { CHANGE_ID, JOURNAL_SCHEMA, problemOfStep } from '../journal/record-schema.js';
import type { BeginRecord } from '../journal/record-schema.js';
import type { JournalStep } from '../journal/records.js';
import { labelOf } from '../places/registry.js';
import type { TunePorts } from '../ports.js';
import { doSteps } from './do.js';
import { placeKey, readStep, shown, stepHolds } from './holder.js';
import { OpenChange } from './open-change.js';
import { reportOf } from './report.js';
import type { ChangeReport } from './report.js';
import { isOverdue, isUnconfirmed, laterThan, prune, refuseDamage, settle, standing, withChanges } from './session.js';
import type { Session } from './session.js';
import { now, undoChange } from './undo.js';
import type { OnStep, UndoReason } from './undo.js';

export interface ApplyRequest {
  /** Where the journals are. */
  readonly folder: string;
  readonly profile: string;
  readonly steps: readonly JournalStep[];
  readonly persist: boolean;
  /** Undone after so long unless it is confirmed. */
  readonly confirmWithinMs?: number;
  /** The change's id, where one was given out before; see `newChangeId`. */
  readonly change?: string;
  /**
   * Called once the originals are on the disk and before the first of them is changed: the time to start whatever is to undo
   * it. If it throws, nothing is changed.
   */
  readonly onBegun?: (change: { readonly id: string; readonly confirmBefore?: string }) => Promise<void>;
  readonly onStep?: OnStep;
  readonly signal?: AbortSignal;
}

/**
 * Makes a change, whole or not at all: originals and intentions are on the disk before the first write, and if a step fails
 * or `signal` aborts, everything is put back at once and the report says so (`state: rolled-back`, and why).
 * @throws TautlineError when nothing was changed: locked, a journal that is damaged or cannot be written, a plan that is out of date
 */
export async function applyChange(ports: TunePorts, asked: ApplyRequest): Promise<ChangeReport> {
  // As the journal will give them back, so that what is done and what is read after a crash are the same.
  const request = { ...asked, steps: JSON.parse(JSON.stringify(asked.steps)) as JournalStep[] };
  checkRequest(request);
  const made = await makeFolders(ports, request.folder);
  try {
    return await withChanges(ports, request.folder, async (session) => {
      const change = await beginOrLeaveNothing(session, request, made.includes(request.folder));
      const report = await carryOut(session, change, request);
      await prune(session);
      return report;
    });
  } catch (error) {
    // Where nothing was begun nothing stays, not even empty folders; those with something in them do. Where there is a lock,
    // another process has come meanwhile, and is about to write there.
    const taken = (await ports.files.status(lockPath(request.folder)).catch(() => undefined)) !== undefined;
    for (const folder of taken ? [] : made) await ports.control.removeEntry(folder).catch(() => undefined);
    throw error;
  }
}

async function beginOrLeaveNothing(session: Session, request: ApplyRequest, folderIsNew: boolean): Promise<OpenChange> {
  try {
    refuseDamage(session);
    await settle(session);
    refuseUnfinished(session);
    return await begin(session, request, await readOriginals(session.ports, request.steps));
  } catch (error) {
    // While it is held, and only where nobody else can have been before.
    if (folderIsNew) await session.ports.control.removeEntry(lockPath(request.folder)).catch(() => undefined);
    throw error;
  }
}

/** Does what is still to be done of a change, and undoes all of it if that fails. */
export async function carryOut(
  session: Session,
  change: OpenChange,
  options: Pick<ApplyRequest, 'onBegun' | 'onStep' | 'signal'> & { readonly rebooted?: boolean },
): Promise<ChangeReport> {
  const { ports } = session;
  const { id, view } = change;
  const stopped = await attempt(async () => {
    await options.onBegun?.({ id, ...(view.begin.confirmBefore === undefined ? {} : { confirmBefore: view.begin.confirmBefore }) });
    return await doSteps(ports, change, options);
  });
  const late = isUnconfirmed(change.view) && isOverdue(ports, change.view);
  if (stopped === undefined && !late) return reportOf(change);
  const reason: UndoReason = stopped === undefined ? 'unconfirmed' : 'failed';
  await undoChange(ports, change, { reason, force: false, here: session.here, later: laterThan(session, change) });
  if (stopped instanceof Error && !(stopped instanceof TautlineError)) throw stopped;
  return reportOf(change, stopped instanceof Error ? stopped.message : (stopped ?? 'the time to confirm it was over before it was applied'));
}

/** Whatever goes wrong, what was done is to be undone before it is told. */
async function attempt(work: () => Promise<string | undefined>): Promise<string | Error | undefined> {
  try {
    return await work();
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function checkRequest({ steps, change }: ApplyRequest): void {
  if (steps.length === 0) throw new TautlineError('usage', 'there is nothing to change');
  if (change !== undefined && !CHANGE_ID.test(change)) throw new TautlineError('usage', `'${change}' is no name of a change`);
  for (const step of steps) {
    const problem = problemOfStep(step) ?? whyNotUndone(step);
    if (problem !== undefined) {
      throw new TautlineError('usage', `${step.setting} cannot be applied: ${problem}`, { hint: 'nothing was changed' });
    }
  }
}

/** What could not be put back as it was is not changed. */
function whyNotUndone({ place, original }: JournalStep): string | undefined {
  if (place.kind !== 'entry' || typeof original !== 'object' || original === null || !('kind' in original)) return undefined;
  if (original.kind === 'other') return `${place.path} is neither a file nor a link nor a folder`;
  return original.kind === 'file' && original.links > 1
    ? `${place.path} is a file with ${original.links} names (hard links), which replacing it would part`
    : undefined;
}

/** @returns the folders that were missing, the deepest first */
async function makeFolders(ports: TunePorts, folder: string): Promise<string[]> {
  const missing: string[] = [];
  for (let path = changesFolder(folder); path !== '' && (await ports.files.status(path, { follow: true })) === undefined;) {
    missing.push(path);
    path = path.slice(0, path.lastIndexOf('/'));
  }
  if (missing.length > 0) await ports.files.makeFolder(changesFolder(folder));
  return missing;
}

/** What is half done, or may be undone any moment, is no ground to build on. */
function refuseUnfinished(session: Session): void {
  const unfinished = standing(session).findLast(({ view }) => view.state !== 'applied' && view.state !== 'conflicted');
  if (unfinished === undefined) return;
  const { id, view } = unfinished;
  const undo = `\`tautline tune rollback ${id}\` undoes it`;
  const [what, otherwise] = {
    applying: ['was interrupted while it was being applied', `, \`tautline tune apply --continue ${id}\` finishes it`],
    'awaiting-confirmation': ['awaits its confirmation', `, \`tautline tune confirm ${id}\` keeps it`],
  }[view.state as string] ?? ['was interrupted while it was being rolled back', ''];
  throw new TautlineError('usage', `the change ${id} ${what}`, { hint: `${undo}${otherwise}; nothing was changed now` });
}

/** Reads every place again: a plan may be old, and what is put back later is what was there last. */
async function readOriginals(ports: TunePorts, steps: readonly JournalStep[]): Promise<JournalStep[]> {
  const fresh: JournalStep[] = [];
  const desired = new Map<string, JournalStep>();
  for (const step of steps) {
    const earlier = desired.get(placeKey(step));
    desired.set(placeKey(step), step);
    const current = await readStep(ports, step);
    if (current === undefined) throw outOfDate(step, 'is no longer here');
    if (stepHolds(step, current, step.original)) fresh.push({ ...step, original: current } as JournalStep);
    // A second step at the same place starts from what the first will leave.
    else if (earlier && stepHolds(step, step.original, earlier.desired)) fresh.push(step);
    else
      throw outOfDate(
        step,
        `holds ${shown(step, current, step.original)} now, and held ${shown(step, step.original, current)} when the plan was made`,
      );
    if (step.place.kind === 'kernel-value' && !(await ports.control.mayWrite(step.place.path))) {
      throw new TautlineError('permission', `${labelOf(step.place)} may not be written here`, {
        hint: 'run it as root; in a container, /proc/sys may be read-only whoever asks. Nothing was changed',
      });
    }
  }
  return fresh;
}

function outOfDate({ place }: JournalStep, what: string): TautlineError {
  return new TautlineError('usage', `${labelOf(place)} ${what}`, { hint: 'plan again: nothing was changed' });
}

async function begin(session: Session, request: ApplyRequest, steps: readonly JournalStep[]): Promise<OpenChange> {
  const { ports, folder, here } = session;
  const wallMs = ports.clock.wallMs();
  const existing = session.changes.map(({ id }) => id);
  const id = request.change ?? newChangeId({ wallMs, profile: request.profile, salt: `${here.machine} ${ports.clock.nowNs()}`, existing });
  if (existing.includes(id)) throw new TautlineError('usage', `there is a change ${id} already`);
  const path = journalPath(folder, id);
  try {
    // Made first, to learn whose it is: an empty journal is one that was never begun.
    await ports.control.append(path, '');
    const file = await ports.control.readEntry(path);
    const record: BeginRecord = {
      type: 'begin',
      schema: JOURNAL_SCHEMA,
      change: id,
      tool: VERSION,
      at: now(ports),
      host: { ...here, name: (await ports.facts.identity()).name },
      userId: file?.kind === 'file' ? file.ownerId : 0,
      profile: request.profile,
      ...(request.confirmWithinMs === undefined ? {} : { confirmBefore: new Date(wallMs + request.confirmWithinMs).toISOString() }),
      persist: request.persist,
      steps,
    };
    return await OpenChange.begin(ports, path, record);
  } catch (error) {
    await ports.control.removeEntry(path).catch(() => undefined);
    throw error;
  }
}
