import type { Band, Measurement, Rating } from '../results/index.js';
import { BANDS, aboveCeiling, idleBeside } from '../results/index.js';
import { type Bands, type BandScale, scaleOf } from './bands.js';

/** What a measurement is rated against beyond itself. */
export interface RatingContext {
  /** Median round trip without load on the same path, for what load adds to it. */
  readonly idleMs?: number;
}

/**
 * The rating of one measurement. Its band is that of the figure that the scale names; a round trip that is
 * known only for what came back is rated no better than its loss. Five stars are excellent, four good, three
 * fair, two poor; one is left for a figure an order of magnitude beyond fair, and for what did not work at all.
 * @returns undefined where there is nothing to rate: no scale for the metric, not tried, not possible here,
 *   or a figure above its ceiling
 */
export function rate(measurement: Measurement, bands: Bands, context: RatingContext = {}): Rating | undefined {
  const scale = scaleOf(measurement.metric, bands);
  if (!scale) return undefined;
  if (measurement.outcome !== 'ok') {
    return DID_NOT_WORK.includes(measurement.outcome) && measurement.partial !== true ? { band: 'poor', stars: 1 } : undefined;
  }
  if (aboveCeiling(measurement) !== undefined) return undefined;
  const figure = ratedFigure(measurement, scale, context);
  if (figure === undefined) return undefined;
  const own = ratingOf(figure, scale);
  const lossScale = scaleOf('loss', bands);
  if (scale.of === 'loss' || !lossScale || !measurement.loss || measurement.loss.sent === 0) return own;
  const byLoss = ratingOf(measurement.loss.ratio, lossScale);
  return byLoss.stars < own.stars ? byLoss : own;
}

/** All measurements of one path with their ratings, what load adds to the round trip among them. */
export function rateAll(measurements: readonly Measurement[], bands: Bands): Measurement[] {
  return measurements.map((measurement) => {
    const rating = measurement.rating ?? rate(measurement, bands, ratingContext(measurement, measurements));
    return rating ? { ...measurement, rating } : measurement;
  });
}

/** What a measurement is rated against among the others of its path. */
export function ratingContext(measurement: Measurement, among: readonly Measurement[]): RatingContext {
  const idle = idleBeside(measurement, among)?.summary;
  return idle ? { idleMs: idle.median } : {};
}

/** The band that a figure falls into; see `BandScale` for which side of an edge belongs to which. */
export function bandOf(figure: number, scale: BandScale): Band {
  if (scale.better === 'lower') return figure < scale.excellent ? 'excellent' : figure < scale.good ? 'good' : figure < scale.fair ? 'fair' : 'poor';
  return figure > scale.excellent ? 'excellent' : figure > scale.good ? 'good' : figure >= scale.fair ? 'fair' : 'poor';
}

/** The figure that a scale rates, in the scale's unit; undefined where the measurement does not have it. */
export function ratedFigure(measurement: Measurement, scale: BandScale, context: RatingContext = {}): number | undefined {
  const { summary, loss } = measurement;
  if (scale.onlyWith !== undefined && measurement.details?.[scale.onlyWith] === undefined) return undefined;
  if (scale.of === 'loss') return loss && loss.sent > 0 ? loss.ratio : summary?.unit === 'ratio' ? summary.median : undefined;
  if (!summary || summary.unit !== scale.unit) return undefined;
  if (scale.of === 'median') return summary.median;
  return context.idleMs === undefined ? undefined : Math.max(0, summary.median - context.idleMs);
}

/** The interval of the rated figure, by the same rule. */
export function ratedInterval(measurement: Measurement, scale: BandScale, context: RatingContext = {}): readonly [number, number] | undefined {
  if (scale.of === 'loss') return measurement.loss?.ci95;
  const interval = measurement.summary?.ci95;
  if (!interval || scale.of === 'median') return interval;
  const { idleMs } = context;
  return idleMs === undefined ? undefined : [Math.max(0, interval[0] - idleMs), Math.max(0, interval[1] - idleMs)];
}

/** Samples behind the rated figure. */
export function ratedSamples(measurement: Measurement, scale: BandScale): number {
  return scale.of === 'loss' && measurement.loss ? measurement.loss.sent : (measurement.summary?.n ?? 0);
}

/** Whether it is the loss that gives a measurement its band, the figure itself being better. */
export function rankedByLoss(rated: {
  readonly measurement: Measurement;
  readonly scale: BandScale;
  readonly context: RatingContext;
  readonly band: Band;
}): boolean {
  const { measurement, scale, context, band } = rated;
  if (scale.of === 'loss' || !measurement.loss) return false;
  const figure = ratedFigure(measurement, scale, context);
  return figure !== undefined && bandOf(figure, scale) !== band;
}

/** The worse of two bands. */
export function worseBand(a: Band, b: Band): Band {
  return BANDS.indexOf(a) >= BANDS.indexOf(b) ? a : b;
}

const DID_NOT_WORK: readonly string[] = ['lost', 'refused', 'timeout'];
const STARS: Readonly<Record<Band, number>> = { excellent: 5, good: 4, fair: 3, poor: 2 };
/** So many times beyond the last edge a figure has one star. */
const FAR = 10;

function ratingOf(figure: number, scale: BandScale): Rating {
  const band = bandOf(figure, scale);
  const far = scale.better === 'lower' ? figure >= scale.fair * FAR : figure <= scale.fair / FAR;
  // A share cannot be ten times 30 %: there everything lost is the far end.
  return { band, stars: far || (scale.unit === 'ratio' && figure >= 1) ? 1 : STARS[band] };
}
