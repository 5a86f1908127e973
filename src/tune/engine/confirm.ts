import { TautlineError } from '../../base/index.js';
import { changesFolder } from '../journal/folder.js';
import type { TunePorts } from '../ports.js';
import { carryOut } from './apply.js';
import type { OpenChange } from './open-change.js';
import { reportOf } from './report.js';
import type { ChangeReport } from './report.js';
import { changeNamed, refuseDamage, refuseElsewhere, settle, standing, withChanges } from './session.js';
import type { Session } from './session.js';
import { now } from './undo.js';
import type { OnStep } from './undo.js';

export interface ConfirmRequest {
  readonly folder: string;
  /** Its id or how it begins; without one the only change that awaits it. */
  readonly change?: string;
  readonly onStep?: OnStep;
  readonly signal?: AbortSignal;
}

/**
 * Keeps a change that is undone otherwise, and does what was put off until then. After its time it is undone here and now, if
 * nobody has yet, and that is told.
 * @throws TautlineError `usage` when there is nothing to confirm, or no longer
 */
export async function confirmChange(ports: TunePorts, request: ConfirmRequest): Promise<ChangeReport> {
  if ((await ports.files.list(changesFolder(request.folder))) === undefined) throw nothingToConfirm();
  return await withChanges(ports, request.folder, async (session) => {
    if (request.change === undefined) refuseDamage(session);
    const change = request.change === undefined ? undefined : changeNamed(session, request.change);
    if (change) refuseElsewhere(session, change);
    const settled = session.damaged.length === 0 ? await settle(session) : [];
    const target = change ?? awaiting(session) ?? settled[0];
    if (target === undefined) throw nothingToConfirm();
    refuseElsewhere(session, target);
    refuseUnlessAwaiting(target);
    await target.record({ type: 'confirmed', at: now(ports) });
    return await carryOut(session, target, request);
  });
}

function awaiting(session: Session): OpenChange | undefined {
  const found = standing(session).filter(({ view }) => view.state === 'awaiting-confirmation');
  if (found.length > 1) {
    throw new TautlineError('usage', `${found.length} changes await confirmation`, { hint: `name one of ${found.map(({ id }) => id).join(', ')}` });
  }
  return found[0];
}

function refuseUnlessAwaiting(change: OpenChange): void {
  const { id, view } = change;
  if (view.state === 'awaiting-confirmation') return;
  if (view.undo?.reason === 'unconfirmed') {
    const left =
      view.state === 'rolled-back'
        ? ''
        : `, except for what ${reportOf(change).steps.some(({ outcome }) => outcome === 'conflict') ? 'somebody changed since' : 'could not be'}`;
    throw new TautlineError(
      'usage',
      `the change ${id} was not confirmed before ${view.begin.confirmBefore ?? 'its time'}, and was rolled back${left}`,
      {
        hint: `apply it again; \`tautline tune rollback ${id}\` shows what became of it`,
      },
    );
  }
  const why = {
    applying: 'was interrupted while it was being applied',
    applied: 'is in force and awaits no confirmation',
    'rolling-back': 'is being rolled back',
    'rolled-back': 'was rolled back',
    conflicted: 'was rolled back as far as possible',
  }[view.state];
  throw new TautlineError('usage', `the change ${id} ${why}`, { hint: '`tautline tune status` shows the changes in force' });
}

function nothingToConfirm(): TautlineError {
  return new TautlineError('usage', 'no change awaits confirmation', { hint: '`tautline tune status` shows the changes in force' });
}
