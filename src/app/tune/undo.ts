import type { ChangeDocument, ChangeStep } from '../../results/index.js';
import { confirmChange, rollBack, standingChanges } from '../../tune/index.js';
import type { ChangeReport, TunePorts } from '../../tune/index.js';
import { documentHead } from '../head.js';
import { announce } from './announce.js';
import { stepProgress } from './apply.js';
import { changeDocument } from './change-document.js';
import { settleTries } from './try-switch.js';
import type { TuneConfirmRequest, TuneRollbackRequest } from './requests.js';
import { rootsOwn } from './roots-own.js';

/** Keeps what was applied with a time to confirm it, and does what waited for that. */
export async function tuneConfirm(ports: TunePorts, request: TuneConfirmRequest): Promise<ChangeDocument> {
  const startedMs = ports.clock.nowMs();
  const head = await documentHead(ports);
  const report = await confirmChange(ports, request);
  return changeDocument(ports, report, { head, startedMs, action: 'confirm', notDone: [], notes: await announce(ports, report) });
}

/** Puts back what a change made, or all that stand, the newest first. */
export async function tuneRollback(ports: TunePorts, request: TuneRollbackRequest): Promise<ChangeDocument> {
  const startedMs = ports.clock.nowMs();
  // A change that was named is undone whatever else goes on.
  if (request.change === undefined) await settleTries(ports, request.folder);
  const head = await documentHead(ports);
  const undo = (change?: string): Promise<ChangeReport> =>
    rollBack(ports, {
      folder: request.folder,
      ...(change === undefined ? {} : { change }),
      force: request.force,
      reason: 'asked',
      onStep: stepProgress(request.progress, 'putting back'),
    });
  const documentOf = async (report: ChangeReport): Promise<ChangeDocument> => {
    const seen = report.state === 'nothing-to-do' ? await rootsOwn(ports, request) : [];
    return changeDocument(ports, report, { head, startedMs, action: 'rollback', notDone: [], notes: [...seen, ...(await announce(ports, report))] });
  };
  if (!request.all) return await documentOf(await undo(request.change));
  const reports: ChangeReport[] = [];
  for (const { id } of await standingChanges(ports, request.folder)) {
    if (request.signal.aborted) break;
    reports.push(await undo(id));
  }
  return await documentOf(together(reports));
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
    places: reports.flatMap(({ places = [] }) => places),
    takesEffect: [...new Set(reports.flatMap(({ takesEffect = [] }) => takesEffect))],
    ...(whys.length === 0 ? {} : { why: whys.join('; ') }),
  };
}
