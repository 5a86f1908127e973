import { assert } from '../base/index.js';
import { bootstrapInterval, mean, quantile, sortedSamples, standardDeviation } from '../stats/index.js';

/*
 * Responsiveness under working conditions, after draft-ietf-ippm-responsiveness-09 (sections 4.2 to 4.4),
 * as a pure machine: it is told what moved and how long probes took, and says how many connections to
 * load with, how often to probe, and when to stop.
 *
 * 1. Start with INP load-generating connections; add INC at the end of every interval, up to MNP.
 * 2. The moving average goodput at an interval is what moved in it and the MAD - 1 before, by their time.
 *    When the standard deviation of the last MAD of these is within SDT of the newest, goodput is stable.
 * 3. Then probe, at most MPS a second, and no more than takes PTC of the goodput.
 * 4. The responsiveness at an interval comes from the probes of it and the MAD - 1 before. When the
 *    standard deviation of the last MAD of these is within SDT of the newest, that one is the result.
 * 5. Each stage ends when its time is up, too. Confidence is low when a stage had fewer than MAD intervals,
 *    medium when it had them and did not become stable, high when it did.
 */

export interface ResponsivenessParameters {
  /** MAD: intervals in a moving average. */
  readonly movingIntervals: number;
  /** ID. The draft is moving from 1 s to 5 s; with 1 s a test fits into a person's patience. */
  readonly intervalMs: number;
  /** TMP: the share of the samples, smallest first, that a trimmed mean is taken over. */
  readonly trimmedShare: number;
  /** SDT: standard deviation over newest value that passes for stable. */
  readonly deviationMax: number;
  /** INP, INC, MNP: connections at the start, added each interval, at most. */
  readonly connectionsFirst: number;
  readonly connectionsAdded: number;
  readonly connectionsMax: number;
  /** MPS: probes a second, both kinds together. */
  readonly probesPerSecondMax: number;
  /** PTC: share of the goodput that probes may take. */
  readonly probeShareMax: number;
}

export const RESPONSIVENESS_PARAMETERS: ResponsivenessParameters = {
  movingIntervals: 4,
  intervalMs: 1000,
  trimmedShare: 0.95,
  deviationMax: 0.05,
  connectionsFirst: 1,
  connectionsAdded: 1,
  connectionsMax: 16,
  probesPerSecondMax: 100,
  probeShareMax: 0.05,
};

/** What a probe of each kind takes on the wire, by the draft's estimate (section 4.3). */
const FOREIGN_PROBE_BYTES = 5000;
const SELF_PROBE_BYTES = 1000;

export type ResponsivenessSample =
  /** On a connection of its own. `tlsMs` is the time of one round trip of the handshake. */
  | { readonly kind: 'foreign'; readonly tcpMs: number; readonly tlsMs?: number; readonly httpMs: number }
  /** On a load-generating connection. */
  | { readonly kind: 'self'; readonly httpMs: number };

export type Confidence = 'low' | 'medium' | 'high';

export interface ResponsivenessScore {
  readonly rpm: number;
  readonly foreignRpm: number;
  /** Undefined where load and probes cannot share a connection. */
  readonly selfRpm: number | undefined;
  readonly foreign: { readonly n: number; readonly tcpMs: number; readonly tlsMs: number | undefined; readonly httpMs: number };
  readonly self: { readonly n: number; readonly httpMs: number } | undefined;
}

export interface ResponsivenessInterval {
  readonly endMs: number;
  readonly goodputBps: number;
  /** Moving average. */
  readonly averageBps: number;
  readonly connections: number;
  readonly stage: 'goodput' | 'responsiveness';
  /** Of the probes in the moving window; undefined while there are too few. */
  readonly rpm: number | undefined;
}

export interface ResponsivenessStep {
  readonly stage: 'goodput' | 'responsiveness' | 'done';
  /** How many connections should load from now on. */
  readonly connections: number;
}

export interface ResponsivenessOptions {
  readonly parameters: ResponsivenessParameters;
  /** The goodput stage gives way to probing after this many intervals, stable or not. */
  readonly goodputIntervalsMax: number;
  /** Whether self probes are possible. */
  readonly multiplexed: boolean;
}

export class ResponsivenessAlgorithm {
  readonly #options: ResponsivenessOptions;
  readonly #intervals: ResponsivenessInterval[] = [];
  readonly #moved: { readonly bytes: number; readonly elapsedMs: number }[] = [];
  readonly #averagesBps: number[] = [];
  /** The samples of each interval since probing began, the running one last. */
  readonly #samples: ResponsivenessSample[][] = [];
  readonly #rpms: (number | undefined)[] = [];
  #stage: ResponsivenessStep['stage'] = 'goodput';
  #goodput: Confidence = 'low';
  #connections: number;

  constructor(options: ResponsivenessOptions) {
    const { movingIntervals, trimmedShare } = options.parameters;
    assert(movingIntervals >= 2 && trimmedShare > 0 && trimmedShare <= 1, 'parameters of responsiveness');
    this.#options = options;
    this.#connections = options.parameters.connectionsFirst;
  }

  get stage(): ResponsivenessStep['stage'] {
    return this.#stage;
  }

  /** A probe has been answered. Probes that were not answered do not count (the draft has no loss). */
  add(sample: ResponsivenessSample): void {
    this.#samples.at(-1)?.push(sample);
  }

  /** The interval is over: `bytes` moved in it on all connections together. */
  endInterval(moved: { readonly bytes: number; readonly elapsedMs: number }): ResponsivenessStep {
    const { parameters } = this.#options;
    assert(moved.elapsedMs > 0, 'an interval of no length');
    this.#moved.push(moved);
    const averageBps = goodputBps(this.#moved.slice(-parameters.movingIntervals));
    this.#averagesBps.push(averageBps);
    const { stage } = this;
    // An interval without answers has no responsiveness: the older ones in its window would look like stability.
    const answered = this.#score(this.#samples.at(-1) ?? []) !== undefined;
    const rpm = answered ? this.#score(this.#window())?.rpm : undefined;
    this.#intervals.push({
      endMs: (this.#intervals.at(-1)?.endMs ?? 0) + moved.elapsedMs,
      goodputBps: goodputBps([moved]),
      averageBps,
      connections: this.#connections,
      stage: stage === 'goodput' ? 'goodput' : 'responsiveness',
      rpm,
    });
    if (stage === 'goodput') this.#judgeGoodput();
    else if (stage === 'responsiveness') this.#judgeResponsiveness(rpm);
    this.#connections = Math.min(parameters.connectionsMax, this.#connections + parameters.connectionsAdded);
    return { stage: this.#stage, connections: this.#connections };
  }

  /** How long to wait between two probes, kinds alternating where there are two. */
  probeEveryMs(): number {
    const { parameters, multiplexed } = this.#options;
    const bytesEach = multiplexed ? (FOREIGN_PROBE_BYTES + SELF_PROBE_BYTES) / 2 : FOREIGN_PROBE_BYTES;
    const affordable = ((this.#averagesBps.at(-1) ?? 0) * parameters.probeShareMax) / (8 * bytesEach);
    return 1000 / Math.min(parameters.probesPerSecondMax, affordable);
  }

  result(): ResponsivenessResult {
    const { parameters, multiplexed } = this.#options;
    const intervals = this.#intervals;
    const responsiveness: Confidence =
      this.#stage === 'done' ? 'high' : this.#rpms.filter((rpm) => rpm !== undefined).length >= parameters.movingIntervals ? 'medium' : 'low';
    const overall = lowest(this.#goodput, responsiveness, multiplexed ? 'high' : 'low');
    const samples = this.#lastWindow();
    return {
      score: this.#score(samples),
      samples,
      confidence: { overall, goodput: this.#goodput, responsiveness },
      goodputBps: this.#averagesBps.at(-1) ?? 0,
      intervals,
    };
  }

  #judgeGoodput(): void {
    const { parameters, goodputIntervalsMax } = this.#options;
    const stable = isStable(this.#averagesBps, parameters);
    if (stable) this.#goodput = 'high';
    else if (this.#averagesBps.length >= parameters.movingIntervals) this.#goodput = 'medium';
    if (!stable && this.#averagesBps.length < goodputIntervalsMax) return;
    this.#stage = 'responsiveness';
    this.#samples.push([]);
  }

  #judgeResponsiveness(rpm: number | undefined): void {
    this.#rpms.push(rpm);
    if (isStable(this.#rpms, this.#options.parameters)) this.#stage = 'done';
    else this.#samples.push([]);
  }

  /** The probes of the moving window, the running interval among them. */
  #window(intervals: readonly ResponsivenessSample[][] = this.#samples): ResponsivenessSample[] {
    return intervals.slice(-this.#options.parameters.movingIntervals).flat();
  }

  /** At the end, an interval that has only just begun does not push another out of the window. */
  #lastWindow(): ResponsivenessSample[] {
    return this.#window(this.#samples.at(-1)?.length === 0 ? this.#samples.slice(0, -1) : this.#samples);
  }

  #score(samples: readonly ResponsivenessSample[]): ResponsivenessScore | undefined {
    return scoreOf(samples, { trimmedShare: this.#options.parameters.trimmedShare, multiplexed: this.#options.multiplexed });
  }
}

export interface ResponsivenessResult {
  /** Undefined when no probe was answered, or none of one kind. */
  readonly score: ResponsivenessScore | undefined;
  /** What the score rests on. */
  readonly samples: readonly ResponsivenessSample[];
  readonly confidence: { readonly overall: Confidence; readonly goodput: Confidence; readonly responsiveness: Confidence };
  readonly goodputBps: number;
  readonly intervals: readonly ResponsivenessInterval[];
}

/**
 * Round trips a minute: the mean of what separate connections and what the loaded ones see, each part of a
 * foreign probe with the same weight (section 4.3.1). Without multiplexing there are only separate ones.
 */
export function scoreOf(
  samples: readonly ResponsivenessSample[],
  options: { trimmedShare: number; multiplexed: boolean },
): ResponsivenessScore | undefined {
  const foreign = samples.filter((sample) => sample.kind === 'foreign');
  const self = samples.filter((sample) => sample.kind === 'self');
  if (foreign.length === 0 || (options.multiplexed && self.length === 0)) return undefined;
  const trim = (values: readonly number[]): number => lowerMean(values, options.trimmedShare);
  const tcpMs = trim(foreign.map((sample) => sample.tcpMs));
  const httpMs = trim(foreign.map((sample) => sample.httpMs));
  const tlsTimes = foreign.flatMap((sample) => sample.tlsMs ?? []);
  const tlsMs = tlsTimes.length === foreign.length ? trim(tlsTimes) : undefined;
  const foreignRpm = 60_000 / mean(tlsMs === undefined ? [tcpMs, httpMs] : [tcpMs, tlsMs, httpMs]);
  const selfMs = options.multiplexed ? trim(self.map((sample) => sample.httpMs)) : undefined;
  const selfRpm = selfMs === undefined ? undefined : 60_000 / selfMs;
  return {
    rpm: selfRpm === undefined ? foreignRpm : (foreignRpm + selfRpm) / 2,
    foreignRpm,
    selfRpm,
    foreign: { n: foreign.length, tcpMs, tlsMs, httpMs },
    self: selfMs === undefined ? undefined : { n: self.length, httpMs: selfMs },
  };
}

/** Resamples of the score's 95 % interval; each trims and averages some hundred probes. */
const RESAMPLES = 500;

/** The 95 % interval of the score, by resampling the probes that it rests on. */
export function scoreInterval(
  samples: readonly ResponsivenessSample[],
  options: { trimmedShare: number; multiplexed: boolean; seed: number },
): [number, number] | undefined {
  const indices = Float64Array.from(samples, (_, i) => i);
  const statistic = (drawn: Float64Array): number =>
    scoreOf(
      Array.from(drawn, (i) => samples[i] as ResponsivenessSample),
      options,
    )?.rpm ?? Number.NaN;
  const interval = bootstrapInterval(indices, statistic, { seed: options.seed, resamples: RESAMPLES });
  return interval?.every(Number.isFinite) === true ? interval : undefined;
}

/** Mean of the smallest `share` of the values: a single-sided trimmed mean. */
export function lowerMean(values: readonly number[], share: number): number {
  const sorted = sortedSamples(values);
  return mean(sorted.subarray(0, Math.ceil(sorted.length * share - 1e-9)));
}

/** Rules 2 and 4: the last MAD values vary by at most SDT of the newest. A value that could not be had is not stable. */
export function isStable(
  values: readonly (number | undefined)[],
  parameters: Pick<ResponsivenessParameters, 'movingIntervals' | 'deviationMax'>,
): boolean {
  const last = values.slice(-parameters.movingIntervals).filter((value) => value !== undefined);
  const newest = last.at(-1);
  if (newest === undefined || !(newest > 0) || last.length < parameters.movingIntervals) return false;
  return standardDeviation(last) <= parameters.deviationMax * newest;
}

function goodputBps(moved: readonly { readonly bytes: number; readonly elapsedMs: number }[]): number {
  const bytes = moved.reduce((sum, interval) => sum + interval.bytes, 0);
  const elapsedMs = moved.reduce((sum, interval) => sum + interval.elapsedMs, 0);
  return (bytes * 8000) / elapsedMs;
}

const ORDER: readonly Confidence[] = ['low', 'medium', 'high'];

export function lowest(...confidences: readonly Confidence[]): Confidence {
  return ORDER[Math.min(...confidences.map((confidence) => ORDER.indexOf(confidence)))] as Confidence;
}

/** The median of what is there; undefined for nothing. */
export function medianOf(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : quantile(sortedSamples(values), 0.5);
}
