import type { Stage, Step } from './plan-check.js';

/** How often each path has its turn at a probe; more turns make a narrower interval of their ratio. */
export interface TurnCounts {
  readonly latency: number;
  readonly throughput: number;
}

/** Probes whose samples can be taken in several turns and joined afterwards. */
const LATENCY_PROBES: readonly string[] = ['ping', 'echo', 'tcp'];
/** A turn with fewer samples has no median worth comparing. */
const SAMPLES_MIN = 4;
/** TCP needs this long to get going and to be counted. */
const THROUGHPUT_MS_MIN = 700;
const OMIT_MS_MAX = 200;

export function takesTurns(step: Step): boolean {
  return LATENCY_PROBES.includes(step.probe) || (step.probe === 'throughput' && step.options['direction'] !== 'both');
}

/**
 * The same stage of several paths, in turns: A B, B A, A B ... so that whatever drifts while they are measured
 * (the network's load, this machine's) favours none. With two paths this is ABBA; with more, every second
 * round runs backwards.
 */
export function interleave(stages: readonly Stage[], counts: TurnCounts): Stage[] {
  if (stages.length === 0) return [];
  const rounds = Math.max(1, Math.min(...stages.flat().map((step) => turnsOf(step, counts))));
  return Array.from({ length: rounds }, (_, turn) => {
    const order = turn % 2 === 0 ? stages : stages.toReversed();
    return order.map((stage) => stage.map((step) => ({ ...step, options: partOf(step, rounds), turn })));
  }).flat();
}

function turnsOf(step: Step, counts: TurnCounts): number {
  if (step.probe === 'throughput') return counts.throughput;
  const { count } = step.options;
  return typeof count === 'number' ? Math.max(1, Math.min(counts.latency, Math.floor(count / SAMPLES_MIN))) : counts.latency;
}

function partOf(step: Step, rounds: number): Step['options'] {
  const { count, durationMs, omitMs } = step.options;
  if (step.probe !== 'throughput')
    return typeof count === 'number' ? { ...step.options, count: Math.max(1, Math.ceil(count / rounds)) } : step.options;
  const wholeMs = typeof durationMs === 'number' ? durationMs : 0;
  return {
    ...step.options,
    durationMs: Math.max(THROUGHPUT_MS_MIN, Math.round(wholeMs / rounds)),
    ...(typeof omitMs === 'number' ? { omitMs: Math.min(omitMs, OMIT_MS_MAX) } : {}),
  };
}
