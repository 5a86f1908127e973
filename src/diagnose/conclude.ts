import type { Band, Measurement, Subject, Verdict } from '../results/index.js';
import { BANDS, aboveCeiling } from '../results/index.js';
import { DEFAULT_BANDS, type Bands, type BandScale, scaleOf } from './bands.js';
import { type RatingContext, bandOf, rankedByLoss, rate, ratedFigure, ratedSamples, ratingContext, worseBand } from './rate.js';
import { sentenceOf } from './sentence.js';

export interface ConcludeRequest {
  readonly subjects: readonly (Pick<Subject, 'name' | 'role' | 'address' | 'measurements'> & {
    /** The host and port that a person named, where they named one: that it is closed is no side matter then. */
    readonly asked?: string;
  })[];
  readonly bands?: Bands;
  /** Whether a person named what to check; else what answers around this host is all there is. */
  readonly target?: string;
  readonly interrupted?: boolean;
}

/** A measurement with what was made of it. */
export interface Judged {
  readonly subject: string;
  readonly measurement: Measurement;
  readonly scale: BandScale;
  readonly context: RatingContext;
  readonly band: Band;
  readonly stars: number;
  /** Enough samples, not cut short, and not poor only by its own error. */
  readonly sufficient: boolean;
  /** What keeps it from being sufficient is the error of its own measuring. */
  readonly doubtful: boolean;
}

export interface JudgedSubject {
  /** As the sentence calls it: a target's name, `the gateway 10.0.0.1`. */
  readonly name: string;
  readonly role: Subject['role'];
  readonly measurements: readonly Measurement[];
  readonly reachable: boolean;
  /** Rated measurements that worked, the worst first. */
  readonly judged: readonly Judged[];
  /** What was tried and got no answer. */
  readonly failed: readonly Measurement[];
  /** Of those, what a host that is healthy would have answered. */
  readonly brokeOff: readonly Measurement[];
  readonly impossible: readonly Measurement[];
}

/**
 * One verdict over everything that was measured. Rules:
 * 1. Paths are judged (targets, gateways, resolvers); this host's own loopback bounds them and proves nothing
 *    about them, so it counts only where nothing was named and nothing else answered.
 * 2. `unmeasured`: nothing that was to be judged gave a figure.
 * 3. `fail`: a figure of a target with enough samples is poor, or one of several targets is out of reach. A
 *    gateway or resolver that nobody named can be poor, and the sentence says so, but nothing was asked of it.
 * 4. `inconclusive`: cut short, a figure above its ceiling, a probe that broke off on a path that answers, a
 *    path without one figure of enough samples, or a poor figure with too few samples or too large an error
 *    of its own to be held against it.
 * 5. `pass`: the rest. The band is the worst among figures with enough samples.
 */
export function conclude(request: ConcludeRequest): Verdict {
  const { bands = DEFAULT_BANDS, target, interrupted = false } = request;
  const subjects = request.subjects.map((subject) => judgeSubject(subject, bands));
  const paths = subjects.filter(({ role }) => JUDGED_ROLES.includes(role));
  const reachable = paths.filter((subject) => subject.reachable);
  const self = subjects.find(({ role, reachable: answered }) => role === 'self' && answered);
  if (reachable.length === 0) {
    const onlySelf = target === undefined && self !== undefined;
    const outcome = !onlySelf ? 'unmeasured' : interrupted || incomplete(self) ? 'inconclusive' : 'pass';
    return { outcome, sentence: sentenceOf({ kind: onlySelf ? 'self' : 'nothing', outcome, paths, self, interrupted }) };
  }
  const judged = reachable.flatMap((subject) => subject.judged);
  const sufficient = judged.filter((each) => each.sufficient);
  const counted = sufficient.length > 0 ? sufficient : judged;
  const band = counted.map((each) => each.band).reduce<Band | undefined>((worst, each) => (worst ? worseBand(worst, each) : each), undefined);
  const lostTarget = paths.some((subject) => subject.role === 'target' && !subject.reachable);
  const outcome = ((): Verdict['outcome'] => {
    const asked = reachable.filter(({ role }) => role === 'target').flatMap((subject) => subject.judged);
    if (asked.some((each) => each.sufficient && each.band === 'poor') || lostTarget) return 'fail';
    if (interrupted || reachable.some(incomplete)) return 'inconclusive';
    if (asked.some((each) => each.band === 'poor')) return 'inconclusive';
    return 'pass';
  })();
  const worst = [...(outcome === 'inconclusive' ? judged : counted)].sort(worstFirst)[0];
  return { outcome, ...(band ? { band } : {}), sentence: sentenceOf({ kind: 'paths', outcome, band, worst, paths, self, interrupted }) };
}

/** The verdict over the measurements of one probe run. */
export function concludeMeasurements(
  measurements: readonly Measurement[],
  request: Omit<ConcludeRequest, 'subjects' | 'target'> & { readonly target: string },
): Verdict {
  return conclude({ ...request, subjects: [{ name: request.target, role: 'target', measurements: [...measurements] }] });
}

const JUDGED_ROLES: readonly string[] = ['target', 'gateway', 'resolver'];
const NO_ANSWER: readonly string[] = ['lost', 'refused', 'timeout'];
/** A host may drop pings, or offer no TCP port that was guessed, and be healthy. */
const MAY_BE_SILENT: readonly string[] = ['ping', 'tcp'];

function judgeSubject(subject: ConcludeRequest['subjects'][number], bands: Bands): JudgedSubject {
  const { role, measurements } = subject;
  const name = spokenName(subject);
  const judged = measurements.flatMap((measurement): Judged[] => {
    const scale = scaleOf(measurement.metric, bands);
    const context = ratingContext(measurement, measurements);
    const rating = measurement.outcome === 'ok' && scale ? (measurement.rating ?? rate(measurement, bands, context)) : undefined;
    if (!rating || !scale || aboveCeiling(measurement) !== undefined) return [];
    const judged = { subject: name, measurement, scale, context, band: rating.band, stars: rating.stars };
    const enough = ratedSamples(measurement, scale) >= scale.samplesMin && lossHolds(judged, bands);
    const doubtful = !beyondItsError(judged);
    return [{ ...judged, doubtful, sufficient: enough && measurement.partial !== true && !doubtful }];
  });
  const failed = measurements.filter((measurement) => NO_ANSWER.includes(measurement.outcome));
  return {
    name,
    role,
    measurements,
    reachable: measurements.some((measurement) => measurement.outcome === 'ok' || measurement.summary !== undefined),
    judged: judged.sort(worstFirst),
    failed,
    brokeOff: failed.filter(({ probe, target }) => !MAY_BE_SILENT.includes(probe) || (probe === 'tcp' && target === subject.asked)),
    impossible: measurements.filter((measurement) => aboveCeiling(measurement) !== undefined),
  };
}

/**
 * A round trip that is held back by its loss needs enough packets for that, or an interval of the loss that
 * lies in that band as a whole: one ping lost of eight settles nothing.
 */
function lossHolds(judged: Omit<Judged, 'sufficient' | 'doubtful'>, bands: Bands): boolean {
  const { measurement, band } = judged;
  const { loss } = measurement;
  const lossScale = scaleOf('loss', bands);
  if (!rankedByLoss(judged) || !loss || !lossScale || loss.sent >= lossScale.samplesMin) return true;
  return loss.ci95 !== undefined && bandOf(loss.ci95[0], lossScale) === band;
}

/** A figure that may be poor only by the error of its own measuring is not held against the path. */
function beyondItsError({ measurement, scale, context, band }: Omit<Judged, 'sufficient' | 'doubtful'>): boolean {
  const { error } = measurement;
  const figure = ratedFigure(measurement, scale, context);
  // Where it is loss that makes it poor, a better figure would change nothing.
  if (band !== 'poor' || figure === undefined || bandOf(figure, scale) !== 'poor' || error?.unit !== scale.unit) return true;
  const atBest = scale.better === 'higher' ? figure + error.value : Math.max(0, figure - error.value);
  return bandOf(atBest, scale) === 'poor';
}

/** Gateways and resolvers are known by their address, targets by what a person called them. */
function spokenName({ name, role, address }: ConcludeRequest['subjects'][number]): string {
  return role === 'gateway' || role === 'resolver' ? `the ${role} ${address ?? name}` : name;
}

/** Whether a path that answers leaves its verdict open. */
function incomplete(subject: JudgedSubject): boolean {
  const cutShort = subject.measurements.some((measurement) => measurement.partial === true);
  const enough = subject.judged.some((each) => each.sufficient);
  return cutShort || subject.brokeOff.length > 0 || subject.impossible.length > 0 || (!enough && subject.role !== 'self');
}

/** By band, then by stars; as measured where both are equal. */
function worstFirst(a: Judged, b: Judged): number {
  return BANDS.indexOf(b.band) - BANDS.indexOf(a.band) || a.stars - b.stars;
}
