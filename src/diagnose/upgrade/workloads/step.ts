import type { Carriers, Judged, Outcome } from '../workload.js';
import { durationText, factorText, verdictOf } from '../workload.js';

/** Communication may take this share of a step before machines that compute are seen to wait. */
export const SHARE_MAX = 0.1;

export interface Stepped {
  readonly title: string;
  /** Computing time of one step. */
  readonly stepSeconds: number;
  /** Time that communication adds to the step, once what overlaps with computing is taken off, and what bounds it. */
  readonly exposed: (carrier: Carriers['now']) => { readonly seconds: number; readonly bps: number; readonly limitedBy: string };
  readonly note?: string;
  readonly assumed?: readonly string[];
}

/** Work in steps that compute and then exchange: what counts is the share of a step that is spent waiting. */
export function judgeSteps(work: Stepped, { now, after }: Carriers): Judged {
  const [before, then] = [look(work, now), look(work, after)];
  const factor = (work.stepSeconds + before.seconds) / (work.stepSeconds + then.seconds);
  const verdict = verdictOf(factor, { now: before.share <= SHARE_MAX, after: then.share <= SHARE_MAX });
  const gain = factor < 1.1 ? 'a step takes as long either way' : `steps run ${factorText(factor)} as fast`;
  const need = `waiting is to be at most ${SHARE_MAX * 100} % of a step: ${before.share <= SHARE_MAX ? 'met now' : then.share <= SHARE_MAX ? 'met only then' : 'missed either way'}`;
  return {
    title: work.title,
    now: before.outcome,
    after: then.outcome,
    factor,
    verdict,
    why: `${gain}; waiting goes from ${percent(before.share)} to ${percent(then.share)} of a step; then ${then.outcome.limitedBy} limits the exchange; ${need}${work.note === undefined ? '' : `; ${work.note}`}`,
    ...(work.assumed ? { assumed: work.assumed } : {}),
  };
}

function look(work: Stepped, carrier: Carriers['now']): { outcome: Outcome; seconds: number; share: number } {
  const { seconds, bps, limitedBy } = work.exposed(carrier);
  const share = seconds / (work.stepSeconds + seconds);
  const text = `${durationText(work.stepSeconds + seconds)} a step, ${percent(share)} of it waiting`;
  return { outcome: { text, seconds: work.stepSeconds + seconds, bps, limitedBy }, seconds, share };
}

function percent(share: number): string {
  return `${share < 0.1 ? Number((share * 100).toPrecision(2)) : Math.round(share * 100)} %`;
}
