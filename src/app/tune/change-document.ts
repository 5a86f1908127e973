import type { ChangeDocument, ChangeStep, NotDone } from '../../results/index.js';
import type { ChangeReport, TunePorts } from '../../tune/index.js';
import type { Head } from '../head.js';

export interface AboutChange {
  readonly head: Head;
  readonly startedMs: number;
  readonly action: ChangeDocument['action'];
  readonly notDone: readonly NotDone[];
  readonly notes?: readonly string[];
  /** Aborted when the person stopped it. */
  readonly signal?: AbortSignal;
}

export function changeDocument(ports: TunePorts, report: ChangeReport, about: AboutChange): ChangeDocument {
  const { notes = [] } = about;
  return {
    schema: 'tautline.change/1',
    ...about.head,
    durationMs: ports.clock.nowMs() - about.startedMs,
    action: about.action,
    ...(about.signal?.aborted === true && report.state === 'rolled-back' ? { interrupted: true } : {}),
    ...(report.change === undefined ? {} : { change: report.change }),
    ...(report.profile === undefined ? {} : { profile: report.profile }),
    state: report.state,
    persisted: report.persisted,
    ...(report.confirmBefore === undefined ? {} : { confirmBefore: report.confirmBefore }),
    steps: [...report.steps],
    notDone: [...about.notDone],
    takesEffect: effectsOf(report, about.action),
    ...(notes.length === 0 ? {} : { notes: [...notes] }),
    verdict: verdictOf(report, about),
  };
}

/** A change that failed was put back before anybody could have done these. */
function effectsOf({ state, takesEffect = [] }: ChangeReport, action: ChangeDocument['action']): string[] {
  const done =
    state === 'applied' || state === 'awaiting-confirmation' || (action === 'rollback' && (state === 'rolled-back' || state === 'conflicted'));
  return done ? [...takesEffect] : [];
}

function verdictOf(report: ChangeReport, { action, notDone }: AboutChange): ChangeDocument['verdict'] {
  const { steps, state } = report;
  const why = report.why === undefined ? '' : `: ${report.why}`;
  const outcomes = (outcome: ChangeStep['outcome']): number => steps.filter((step) => step.outcome === outcome).length;
  switch (state) {
    case 'nothing-to-do': {
      const hindered = notDone.filter(({ reason }) => reason === 'needs-root' || reason === 'read-only').length;
      if (action !== 'apply') return { outcome: 'pass', sentence: report.why ?? 'there is nothing to undo' };
      if (hindered > 0)
        return { outcome: 'fail', sentence: `nothing was changed: ${count(hindered, 'setting')} may not be changed by this user or in this place` };
      return { outcome: 'pass', sentence: 'nothing to change: this host is already as the profile wants it' };
    }
    case 'applied':
      return {
        outcome: 'pass',
        sentence: `${action === 'confirm' ? 'confirmed' : 'applied'}: ${count(outcomes('applied'), 'place')} changed${alreadyText(outcomes('already'))}${why}`,
      };
    case 'awaiting-confirmation':
      return {
        outcome: 'pass',
        sentence: `${count(outcomes('applied'), 'place')} changed; at ${report.confirmBefore ?? 'its time'} everything is undone unless 'tautline tune confirm' comes before`,
      };
    case 'rolled-back':
      return action === 'rollback'
        ? { outcome: 'pass', sentence: `rolled back: ${count(outcomes('undone'), 'place')} as before${why}` }
        : { outcome: 'fail', sentence: `everything is as it was before${why}` };
    case 'conflicted': {
      const kept = outcomes('conflict') + outcomes('failed');
      const reasons =
        kept === 1 ? 'somebody changed it since, or it could not be written' : 'somebody changed them since, or they could not be written';
      return { outcome: 'fail', sentence: `${count(kept, 'place')} kept as found: ${reasons}${why}` };
    }
    default:
      return { outcome: 'unmeasured', sentence: `it stopped half way (${state})${why}` };
  }
}

function alreadyText(already: number): string {
  return already === 0 ? '' : `, ${already} were so already`;
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}
