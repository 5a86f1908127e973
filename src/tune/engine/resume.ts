import { TautlineError } from '../../base/index.js';
import { changesFolder } from '../journal/folder.js';
import type { TunePorts } from '../ports.js';
import { carryOut } from './apply.js';
import type { ApplyRequest } from './apply.js';
import { reportOf } from './report.js';
import type { ChangeReport } from './report.js';
import { changeNamed, refuseDamage, refuseElsewhere, settle, standing, withChanges } from './session.js';
import type { Session } from './session.js';
import type { OpenChange } from './open-change.js';
import type { OnStep } from './undo.js';

export interface ResumeRequest {
  readonly folder: string;
  /** Its id or how it begins; without one the only change that was interrupted. */
  readonly change?: string;
  /** Called before the first of what is left is changed; see `ApplyRequest`. */
  readonly onBegun?: NonNullable<ApplyRequest['onBegun']>;
  readonly onStep?: OnStep;
  readonly signal?: AbortSignal;
}

/**
 * Finishes a change that was interrupted while it was being applied. What a boot made the kernel forget meanwhile is done
 * again; a place that somebody else changed meanwhile stops it, and everything is put back.
 */
export async function resumeApply(ports: TunePorts, request: ResumeRequest): Promise<ChangeReport> {
  if ((await ports.files.list(changesFolder(request.folder))) === undefined) throw nothingInterrupted();
  return await withChanges(ports, request.folder, async (session) => {
    if (request.change === undefined) refuseDamage(session);
    const named = request.change === undefined ? undefined : changeNamed(session, request.change);
    if (named) refuseElsewhere(session, named);
    const settled = session.damaged.length === 0 ? await settle(session, request.onStep) : [];
    const target = named ?? interrupted(session) ?? settled[0];
    if (target === undefined) throw nothingInterrupted();
    refuseElsewhere(session, target);
    if (settled.includes(target)) return reportOf(target, 'its roll-back was interrupted, or its time was over: it is finished now');
    if (target.view.state !== 'applying') return reportOf(target, 'it was not interrupted');
    return await carryOut(session, target, {
      ...(request.onBegun === undefined ? {} : { onBegun: request.onBegun }),
      ...(request.onStep === undefined ? {} : { onStep: request.onStep }),
      ...(request.signal === undefined ? {} : { signal: request.signal }),
      rebooted: target.view.begin.host.boot !== session.here.boot,
    });
  });
}

function interrupted(session: Session): OpenChange | undefined {
  const found = standing(session).filter(({ view }) => view.state === 'applying');
  if (found.length > 1) {
    throw new TautlineError('usage', `${found.length} changes were interrupted`, { hint: `name one of ${found.map(({ id }) => id).join(', ')}` });
  }
  return found[0];
}

function nothingInterrupted(): TautlineError {
  return new TautlineError('usage', 'no change was interrupted', { hint: '`tautline tune status` shows the changes in force' });
}
