import { readFileSync } from 'node:fs';

/** Figures of another implementation; see fixtures/generate.py. Read from the source tree, wherever the tests were built to. */
export interface ScipyFigures {
  readonly logGamma: readonly [number, number][];
  readonly incompleteBeta: readonly [number, number, number, number][];
  readonly binomialCdf: readonly [number, number, number, number][];
  readonly normalQuantile: readonly [number, number][];
  readonly studentTQuantile: readonly [number, number, number][];
  readonly wilson: readonly [number, number, number, [number, number]][];
  readonly samples: Readonly<Record<string, SampleFigures>>;
  readonly bursts: readonly BurstFigures[];
  readonly jitter: { readonly transit: readonly (number | null)[]; readonly rfc3550: number; readonly ipdv: readonly number[] };
}

export interface SampleFigures {
  readonly samples: readonly number[];
  readonly mean: number;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly stddev: number;
  readonly quantiles: readonly [number, number][];
  readonly harrellDavis: readonly [number, number][];
  readonly trimmed: readonly [number, number][];
  readonly meanIntervals?: readonly [number, [number, number]][];
  readonly bootstrapMedian?: readonly [number, number];
  readonly quantileIntervals: readonly [number, number, [number, number] | null][];
}

export interface BurstFigures {
  readonly pattern: string;
  readonly lost: number;
  readonly runs: readonly [number, number][];
  readonly gilbert: readonly [number, number] | null;
  readonly bursts: number;
  readonly burstDensity: number;
  readonly gapDensity: number;
  readonly burstMean: number | null;
  readonly gapMean: number | null;
}

export function scipyFigures(): ScipyFigures {
  return JSON.parse(readFileSync(new URL('../../../test/stats/fixtures/scipy.json', import.meta.url), 'utf8')) as ScipyFigures;
}

/** Whether `actual` is `expected` to a relative 1e-9 (absolute below 1e-9). */
export function near(actual: number | undefined, expected: number, tolerance = 1e-9): boolean {
  return actual !== undefined && Math.abs(actual - expected) <= tolerance * Math.max(1, Math.abs(expected));
}
