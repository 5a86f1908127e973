import type { Distribution, SampleSummary } from '../stats/index.js';
import type { Measurement, MeasurementError, Summary } from '../results/index.js';
import { distributionOf, summarize } from '../stats/index.js';
import type { CommonOptions, ProbeRequest } from './probe.js';

export type Make = (metric: string, rest: Pick<Measurement, 'outcome'> & Partial<Measurement>) => Measurement;

/** Fills in what all measurements of one run share. */
export function makerOf(probe: string, request: Pick<ProbeRequest<CommonOptions>, 'target' | 'path' | 'ports'>): Make {
  const { clock } = request.ports;
  const startedMs = clock.nowMs();
  const startedAt = new Date(clock.wallMs()).toISOString();
  return (metric, rest) => ({
    probe,
    metric,
    target: request.target.text,
    path: request.path,
    startedAt,
    durationMs: clock.nowMs() - startedMs,
    provenance: request.ports.provenance ?? 'measured',
    ...rest,
  });
}

/** Samples in milliseconds, in short; undefined when there are none. */
export function summaryMs(samplesMs: ArrayLike<number>, seed: number): Summary | undefined {
  const summary: SampleSummary | undefined = summarize(samplesMs, { seed });
  return summary && { unit: 'ms', ...summary };
}

/** `{ summary }` when there is something to sum up, for spreading into a measurement. */
export function withSummary(samplesMs: ArrayLike<number>, seed: number): { summary?: Summary } {
  const summary = summaryMs(samplesMs, seed);
  return summary === undefined ? {} : { summary };
}

/** The same, for figures whose samples others may join with those of further runs and whose distribution is worth keeping. */
export function sampledMs(
  metric: string,
  samplesMs: ArrayLike<number>,
  request: { readonly seed: number; readonly onSamples?: ProbeRequest<unknown>['onSamples'] },
): { summary?: Summary; distribution: { distribution?: Distribution } } {
  request.onSamples?.(metric, samplesMs);
  const distribution = distributionOf(samplesMs);
  return { ...withSummary(samplesMs, request.seed), distribution: distribution === undefined ? {} : { distribution } };
}

/**
 * How far times may be off that this process takes itself, from how long it was busy within each
 * sample: while it was, it could neither see an event nor read the clock.
 */
export function ownTimeError(ownMs: readonly (number | undefined)[], also: readonly string[] = []): { error?: MeasurementError } {
  const known = summarize(ownMs.filter((ms) => ms !== undefined));
  if (known === undefined) return also.length === 0 ? {} : { error: { value: 0, unit: 'ms', from: [...also] } };
  return {
    error: { value: known.median, unit: 'ms', from: ['timed by this process; it was itself busy for that long in each sample (median)', ...also] },
  };
}
