import type { ChangeDocument, ChangeStep } from '../../results/index.js';
import { confirmChange, rollBack, standingChanges } from '../../tune/index.js';
import type { ChangeReport, TunePorts } from '../../tune/index.js';
import { documentHead } from '../head.js';
import { stepProgress } from './apply.js';
import { changeDocument } from './change-document.js';
import type { TuneConfirmRequest, TuneRollbackRequest } from './requests.js';

/** Keeps what was applied with a time to confirm it, and does what waited for that. */
export async function tuneConfirm(ports: TunePorts, request: TuneConfirmRequest): Promise<ChangeDocument> {
  const startedMs = ports.clock.nowMs();
  const head = await documentHead(ports);
  const report = await confirmChange(ports, request);
  return changeDocument(ports, report, { head, startedMs, action: 'confirm', notDone: [], takesEffect: [] });
}

/** Puts back what a change made, or all that stand, the newest first. */
export async function tuneRollback(ports: TunePorts, request: TuneRollbackRequest): Promise<ChangeDocument> {
  const startedMs = ports.clock.nowMs();
  const head = await documentHead(ports);
  const undo = (change?: string): Promise<ChangeReport> =>
    rollBack(ports, {
      folder: request.folder,
      ...(change === undefined ? {} : { change }),
      force: request.force,
      reason: 'asked',
      onStep: stepProgress(request.progress, 'putting back'),
    });
  const about = { head, startedMs, action: 'rollback' as const, notDone: [], takesEffect: [] };
  if (!request.all) return changeDocument(ports, await undo(request.change), about);
  const reports: ChangeReport[] = [];
  for (const { id } of await standingChanges(ports, request.folder)) {
    if (request.signal.aborted) break;
    reports.push(await undo(id));
  }
  return changeDocument(ports, together(reports), about);
}

/** One report of several roll-backs: whatever is left to do in one of them is left to do in all. */
function together(reports: readonly ChangeReport[]): ChangeReport {
  const [first] = reports;
  if (!first) return { state: 'nothing-to-do', persisted: false, steps: [], why: 'nothing is applied here' };
  if (reports.length === 1) return first;
  const open = reports.find(({ state }) => state !== 'rolled-back' && state !== 'nothing-to-do');
  const whys = reports.flatMap(({ why }) => why ?? []);
  return {
    state: open?.state ?? 'rolled-back',
    persisted: false,
    steps: reports.flatMap(({ steps }): readonly ChangeStep[] => steps),
    ...(whys.length === 0 ? {} : { why: whys.join('; ') }),
  };
}
