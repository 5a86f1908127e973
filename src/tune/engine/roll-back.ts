import { changesFolder } from '../journal/folder.js';
import type { TunePorts } from '../ports.js';
import type { OpenChange } from './open-change.js';
import { nothingToDo, reportOf } from './report.js';
import type { ChangeReport } from './report.js';
import {
  changeNamed,
  isUnconfirmed,
  laterThan,
  noSuchChange,
  prune,
  refuseDamage,
  refuseElsewhere,
  settle,
  standing,
  withChanges,
} from './session.js';
import type { Session } from './session.js';
import { undoChange } from './undo.js';
import type { OnStep } from './undo.js';

export interface RollBackRequest {
  readonly folder: string;
  /** Its id or how it begins; without one the newest that stands. */
  readonly change?: string;
  /** Values that somebody else changed since are put back too. */
  readonly force: boolean;
  /** `unconfirmed`: the one who waits for the confirmation asks, and a change that was confirmed meanwhile stays. */
  readonly reason: 'asked' | 'unconfirmed';
  readonly onStep?: OnStep;
}

/**
 * Puts back what a change did, the newest place first; what somebody else changed since is kept unless `force`, and told. A
 * roll-back that was interrupted is finished by the next call, whichever it is.
 * @throws TautlineError when nothing was put back: locked, damaged, another machine or network namespace, no such change
 */
export async function rollBack(ports: TunePorts, request: RollBackRequest): Promise<ChangeReport> {
  if ((await ports.files.list(changesFolder(request.folder))) === undefined) {
    if (request.change !== undefined) throw noSuchChange(request.change);
    return nothingToDo('nothing was ever changed from here');
  }
  return await withChanges(ports, request.folder, async (session) => {
    const report = await rollBackOne(session, request);
    await prune(session);
    return report;
  });
}

async function rollBackOne(session: Session, request: RollBackRequest): Promise<ChangeReport> {
  const { ports } = session;
  if (request.change === undefined) refuseDamage(session);
  const named = request.change === undefined ? undefined : changeNamed(session, request.change);
  if (named) refuseElsewhere(session, named);
  // Beside a damaged journal nothing is touched but what was asked for by name.
  const settled = session.damaged.length === 0 ? await settle(session, request.onStep) : [];
  const target = named ?? settled[0] ?? standing(session).at(-1);
  if (target === undefined) return nothingToDo('no change is in force');
  refuseElsewhere(session, target);
  const { state } = target.view;
  if (state === 'rolled-back') return settled.includes(target) ? reportOf(target) : { ...reportOf(target), why: 'it was rolled back already' };
  if (request.reason === 'unconfirmed' && !isUnconfirmed(target.view) && state !== 'rolling-back')
    return { ...reportOf(target), why: confirmedOr(target) };
  // What was just tried is not tried again, unless now it is to be forced.
  if (settled.includes(target) && !request.force) return reportOf(target);
  await undoChange(ports, target, {
    reason: request.reason,
    force: request.force,
    here: session.here,
    later: laterThan(session, target),
    onStep: request.onStep,
  });
  return reportOf(target);
}

function confirmedOr({ view }: OpenChange): string {
  return view.confirmed ? 'it was confirmed' : 'it awaits no confirmation';
}
