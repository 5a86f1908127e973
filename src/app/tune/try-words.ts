import { formatMs } from '../../base/index.js';
import type { ExperimentDocument } from '../../results/index.js';
import { BLOCK_RUNS, EXPERIMENT_METRICS } from '../../tune/index.js';
import type { Design } from '../../tune/index.js';
import type { ExperimentTimes } from './try-times.js';

export interface DesignFacts {
  readonly design: Design;
  readonly groups: number;
  readonly times: ExperimentTimes;
  readonly settleMs: number;
  /** Why TCP's memory of peers could not be cleared; undefined when it was. */
  readonly notForgotten: string | undefined;
}

/** How it was done, so that somebody who does not believe it can do it again. */
export function designSentence({ design, groups, times, settleMs, notForgotten }: DesignFacts): string {
  const { run } = times;
  const least = EXPERIMENT_METRICS.map(({ leastRatio }) => leastRatio);
  return [
    `${groups === 1 ? 'The settings were' : `Each of ${groups} groups of settings was`} switched on and off in ${design.blocks} blocks of ${BLOCK_RUNS} runs, ABBA or BAAB by lot (A without, B with; seed ${design.seed}), ${formatMs(settleMs)} or more before the first run after each switch.`,
    `A run opens connections of its own: ${run.echoes} echoes and ${run.connects} connects without load, then loads up and down of which ${formatMs(run.loadMs)} count after ${formatMs(run.omitMs)} of warm-up (${formatMs(run.loadMsMin)} where nothing that is tried could change them), with echoes beside them.`,
    notForgotten === undefined
      ? 'What the kernel remembers of its peers (tcp_metrics) was forgotten before each run.'
      : `What the kernel remembers of its peers (tcp_metrics) could not be forgotten before each run (${notForgotten}), so one run's window may have started the next one's.`,
    "A run's figure is the median of its samples, of a load the bytes that arrived in the time that counts; a block's is the ratio of its runs with to those without (geometric means). Student's t over the logarithms of the blocks' ratios, and the exact randomisation test beside it.",
    `All ${design.comparisons} comparisons (groups times metrics) were planned before the first run and are corrected by Holm's procedure: where nothing has any effect, the chance that one is reported is at most ${100 * design.alpha} %. A difference below a factor of ${Math.min(...least)} (rates) to ${Math.max(...least)} (processor time, delay under load), or within what the measuring may be off, is called no change however certain it is.`,
    'Settings of this host change what it sends and how it takes what comes; what the peer sends follows the settings of the peer.',
  ].join(' ');
}

type Groups = ExperimentDocument['groups'];

export interface VerdictFacts {
  readonly groups: Groups;
  readonly interrupted: boolean;
  readonly kept: string | undefined;
  readonly notUndone: string | undefined;
  /** Why nothing was measured at all. */
  readonly unmeasured: string | undefined;
}

/** A profile of which something harms fails; that nothing changes measurably is an answer like any other. */
export function experimentVerdict({ groups, interrupted, kept, notUndone, unmeasured }: VerdictFacts): ExperimentDocument['verdict'] {
  const named = (decision: Groups[number]['decision']): string[] => groups.flatMap((each) => (each.decision === decision ? [each.group] : []));
  const [keep, reject, nothing, untried] = [named('keep'), named('reject'), named('no measurable change'), named('not tried')];
  const parts = [
    ...(keep.length > 0 ? [`helps: ${keep.join(', ')}`] : []),
    ...(reject.length > 0 ? [`harms and is rejected: ${reject.join(', ')}`] : []),
    ...(nothing.length > 0 ? [`no measurable change: ${nothing.join(', ')}`] : []),
    ...(untried.length > 0 ? [`not tried: ${untried.join(', ')}`] : []),
  ];
  const end =
    notUndone !== undefined
      ? `Not everything could be put back: ${notUndone}.`
      : kept === undefined
        ? 'Everything is as it was before.'
        : `What helps is applied as ${kept}.`;
  const said = parts.length === 0 ? 'nothing to try' : parts.join('; ');
  const sentence = `${interrupted ? 'Interrupted: ' : ''}${unmeasured === undefined ? capital(said) : `Nothing was measured: ${unmeasured}`}. ${end}`;
  if (notUndone !== undefined) return { outcome: 'fail', sentence };
  if (interrupted) return { outcome: 'inconclusive', sentence };
  if (keep.length + reject.length + nothing.length === 0) return { outcome: 'unmeasured', sentence };
  return { outcome: reject.length > 0 ? 'fail' : 'pass', sentence };
}

function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
