import { TautlineError } from '../../base/index.js';
import type { HostPlace } from '../../base/index.js';
import { lockFolder, pruneFinished, readJournals } from '../journal/folder.js';
import type { TunePorts } from '../ports.js';
import { whyElsewhere } from './holder.js';
import { OpenChange, damagedError } from './open-change.js';
import type { ChangeView } from './replay.js';
import { undoChange } from './undo.js';
import type { OnStep } from './undo.js';

/** All changes of a folder, while the lock is held. */
export interface Session {
  readonly ports: TunePorts;
  readonly folder: string;
  readonly here: HostPlace;
  /** The oldest first. */
  readonly changes: readonly OpenChange[];
  readonly damaged: readonly { readonly id: string; readonly sentence: string }[];
}

/** Holds the lock while `work` is done. The folder must be there. */
export async function withChanges<T>(ports: TunePorts, folder: string, work: (session: Session) => Promise<T>): Promise<T> {
  const lock = await lockFolder(ports, folder);
  try {
    return await work(await openSession(ports, folder));
  } finally {
    await lock.release();
  }
}

async function openSession(ports: TunePorts, folder: string): Promise<Session> {
  const changes: OpenChange[] = [];
  const damaged: { id: string; sentence: string }[] = [];
  for (const file of (await readJournals(ports, folder)) ?? []) {
    const open = OpenChange.from(ports, file);
    if (open instanceof OpenChange) changes.push(open);
    else if (open) damaged.push({ id: file.id, sentence: open.damaged });
    // A crash came before its first line was on the disk, so nothing was done.
    else await ports.control.removeEntry(file.path);
  }
  return { ports, folder, changes, damaged, here: await ports.control.place() };
}

/** @throws TautlineError when a journal cannot be believed: what stands on the host is then unknown */
export function refuseDamage({ damaged }: Pick<Session, 'damaged'>): void {
  const newest = damaged.at(-1);
  if (newest !== undefined) throw damagedError(newest.sentence);
}

/** Changes that are in force or on the way, the oldest first. */
export function standing(session: Session): OpenChange[] {
  return session.changes.filter(({ view }) => view.state !== 'rolled-back');
}

/** What was made after a change and stands. */
export function laterThan(session: Session, change: OpenChange): ChangeView[] {
  return standing(session)
    .filter(({ id }) => id > change.id)
    .map(({ view }) => view);
}

/**
 * Finishes what an earlier call was told and could not: roll-backs that were interrupted, and those of changes that nobody
 * confirmed in time. Those of another machine or network namespace are left alone.
 * @returns the changes that it dealt with, the newest first
 */
export async function settle(session: Session, onStep?: OnStep): Promise<OpenChange[]> {
  const settled: OpenChange[] = [];
  for (const change of standing(session).toReversed()) {
    const { view } = change;
    const overdue = isUnconfirmed(view) && isOverdue(session.ports, view);
    if (!(view.state === 'rolling-back' || overdue) || whyElsewhere(view, session.here) !== undefined) continue;
    const told = view.state === 'rolling-back' && view.undo !== undefined ? view.undo : { reason: 'unconfirmed' as const, force: false };
    await undoChange(session.ports, change, {
      reason: told.reason,
      force: told.force,
      here: session.here,
      later: laterThan(session, change),
      onStep,
    });
    settled.push(change);
  }
  return settled;
}

/** Whether it is to be undone unless somebody confirms it. */
export function isUnconfirmed(view: ChangeView): boolean {
  return view.begin.confirmBefore !== undefined && !view.confirmed && (view.state === 'applying' || view.state === 'awaiting-confirmation');
}

export function isOverdue(ports: TunePorts, { begin }: ChangeView): boolean {
  return begin.confirmBefore !== undefined && ports.clock.wallMs() >= Date.parse(begin.confirmBefore);
}

/** The change of this id, or the only one whose id begins so. @throws TautlineError `usage`; or `io` when its journal is damaged */
export function changeNamed(session: Session, name: string): OpenChange {
  const ids = [...session.changes.map(({ id }) => id), ...session.damaged.map(({ id }) => id)];
  const matches = ids.includes(name) ? [name] : ids.filter((id) => id.startsWith(name));
  const [id] = matches;
  if (id === undefined || name === '') {
    throw noSuchChange(name);
  }
  if (matches.length > 1)
    throw new TautlineError('usage', `'${name}' begins the names of ${matches.length} changes`, { hint: `name one of ${matches.join(', ')}` });
  const broken = session.damaged.find((each) => each.id === id);
  if (broken) throw damagedError(broken.sentence);
  return session.changes.find((each) => each.id === id) as OpenChange;
}

export function noSuchChange(name: string): TautlineError {
  return new TautlineError('usage', `there is no change '${name}'`, { hint: '`tautline tune status` lists the changes in force' });
}

/** @throws TautlineError `usage` when the change belongs to another machine or network namespace */
export function refuseElsewhere(session: Session, { view }: OpenChange): void {
  const why = whyElsewhere(view, session.here);
  if (why === undefined) return;
  throw new TautlineError('usage', why, { hint: 'run the command where the change was made; nothing was changed here' });
}

/** Removes the oldest records of what was rolled back. */
export async function prune(session: Session): Promise<void> {
  const finished = session.changes.filter(({ view, unrecorded }) => view.state === 'rolled-back' && unrecorded === undefined);
  // An experiment leaves a hundred: they must not push out what people did.
  const ofTries = finished.filter(({ view }) => view.begin.profile.startsWith(TRY_PREFIX));
  await pruneFinished(session.ports, ofTries);
  await pruneFinished(
    session.ports,
    finished.filter((change) => !ofTries.includes(change)),
  );
}

/** What an experiment switches on is a change of this profile. */
export const TRY_PREFIX = 'try:';
