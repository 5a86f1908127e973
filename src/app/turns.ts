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
/** Fewer turns have no interval to compare by; a few samples more cost less than a comparison that settles nothing. */
const TURNS_MIN = 3;
/** TCP needs this long to get going and to be counted. */
const THROUGHPUT_MS_MIN = 700;
const OMIT_MS_MAX = 200;

export function takesTurns(step: Step): boolean {
  return LATENCY_PROBES.includes(step.probe) || (step.probe === 'throughput' && step.options['direction'] !== 'both');
}

/**
 * The same stage of several paths, in turns: A B, B A, A B ... so that whatever drifts while they are measured
 * (the network's load, this machine's) favours none. With two paths this is ABBA; with more, every second
 * round runs backwards. A stage with too few samples for all turns (a path that nothing answers on is asked three
 * times) has fewer, and takes none from the others.
 */
export function interleave(stages: readonly Stage[], counts: TurnCounts): Stage[] {
  const taking = stages.map((stage) => ({ stage, turns: Math.min(...stage.map((step) => turnsOf(step, counts))) }));
  const rounds = Math.max(0, ...taking.map(({ turns }) => turns));
  return Array.from({ length: rounds }, (_, turn) => {
    const order = (turn % 2 === 0 ? taking : taking.toReversed()).filter(({ turns }) => turn < turns);
    return order.map(({ stage, turns }) => stage.map((step) => ({ ...step, options: partOf(step, turns), turn })));
  }).flat();
}

function turnsOf(step: Step, counts: TurnCounts): number {
  if (step.probe === 'throughput') return counts.throughput;
  const { count } = step.options;
  if (typeof count !== 'number') return counts.latency;
  if (count < SAMPLES_MIN) return 1;
  return Math.min(counts.latency, Math.max(TURNS_MIN, Math.floor(count / SAMPLES_MIN)));
}

function partOf(step: Step, rounds: number): Step['options'] {
  const { count, durationMs, omitMs } = step.options;
  if (step.probe !== 'throughput')
    return typeof count === 'number'
      ? { ...step.options, count: rounds === 1 ? count : Math.max(SAMPLES_MIN, Math.ceil(count / rounds)) }
      : step.options;
  const wholeMs = typeof durationMs === 'number' ? durationMs : 0;
  return {
    ...step.options,
    durationMs: Math.max(THROUGHPUT_MS_MIN, Math.round(wholeMs / rounds)),
    ...(typeof omitMs === 'number' ? { omitMs: Math.min(omitMs, OMIT_MS_MAX) } : {}),
  };
}
