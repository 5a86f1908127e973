import type { OverTime } from '../results/index.js';
import { quantile, sortedSamples } from '../stats/index.js';

/** Steps of time that a train is told in: more than a picture shows would only make documents larger. */
const STEPS_MAX = 80;
/** A step holds this many samples on average, or its median would say nothing. */
const SAMPLES_A_STEP = 4;

/**
 * How round trips went over time, for `details`, in at most 80 steps however many samples there were.
 * @param samplesMs in order of sending, NaN where no answer came
 * @param sentMs when each was sent, from the start of the train; NaN where it was not
 * @param startMs when the train began, from the start of the load
 */
export function overTimeOf(samplesMs: ArrayLike<number>, sentMs: ArrayLike<number>, startMs = 0): { readonly overTime?: OverTime } {
  const times = sortedSamples(sentMs);
  const first = times[0];
  const last = times[times.length - 1];
  const steps = Math.min(STEPS_MAX, Math.floor(times.length / SAMPLES_A_STEP));
  if (first === undefined || last === undefined || last <= first || steps < 2) return {};
  const stepMs = (last - first) / steps;
  const held: number[][] = Array.from({ length: steps }, () => []);
  for (let i = 0; i < samplesMs.length; i++) {
    const step = Math.min(steps - 1, Math.floor(((sentMs[i] as number) - first) / stepMs));
    const sample = samplesMs[i] as number;
    if (!Number.isNaN(sample)) held[step]?.push(sample);
  }
  const sorted = held.map((samples) => sortedSamples(samples));
  return {
    overTime: {
      unit: 'ms',
      startMs: brief(startMs + first),
      stepMs: brief(stepMs),
      medians: sorted.map((samples) => (samples.length === 0 ? null : brief(quantile(samples, 0.5)))),
      maxima: sorted.map((samples) => (samples.length === 0 ? null : brief(samples[samples.length - 1] as number))),
    },
  };
}

/** Four digits are more than a picture shows, and a third of the size. */
function brief(value: number): number {
  return Number(value.toPrecision(4));
}
