import type { Measurement } from '../results/index.js';
import { wilson } from '../stats/index.js';
import type { PathEvidence } from './evidence.js';
import type { Direction } from './path-figures.js';
import { detailsOf, finite } from './path-figures.js';

/** Below this lower bound a loss may be chance, or does no harm; the edge of the best band of loss is 0.1 %. */
export const LOSS_RATIO_MIN = 0.002;
/** One or two of a train are no rate. */
const LOST_MIN = 3;
const SENT_MIN = 50;

export interface LossFigure {
  readonly ratio: number;
  readonly ci95: readonly [number, number];
  readonly sent: number;
  readonly lost: number;
  readonly measurement: Measurement;
}

/** The measurement of loss without load that rests on most packets, whether or not any were lost. */
export function idleLoss({ measurements }: Pick<PathEvidence, 'measurements'>): LossFigure | undefined {
  const figures = measurements.flatMap((each) => (each.metric === 'rtt' ? (figureOf(each) ?? []) : []));
  const echoes = figures.filter(({ measurement }) => measurement.probe === 'echo');
  return (echoes.length > 0 ? echoes : figures).toSorted((a, b) => b.sent - a.sent)[0];
}

/** The whole train's loss; undefined where nothing came back, which is no loss but silence, or where few were sent. */
export function figureOf(measurement: Measurement): LossFigure | undefined {
  const { loss, outcome, partial } = measurement;
  if (!loss || loss.sent < SENT_MIN || loss.received === 0 || outcome !== 'ok' || partial === true) return undefined;
  const lost = loss.sent - loss.received - ownLost(measurement);
  if (!(lost >= 0 && lost <= loss.sent)) return undefined;
  return { ratio: lost / loss.sent, ci95: wilson(lost, loss.sent), sent: loss.sent, lost, measurement };
}

/** What this host or the peer dropped itself after it had arrived is no loss of the path. */
function ownLost(measurement: Measurement): number {
  const details = detailsOf<{ kernelDrops: number; kernelDropsAtPeer: number }>(measurement);
  return Math.max(0, finite(details.kernelDrops) ?? 0) + Math.max(0, finite(details.kernelDropsAtPeer) ?? 0);
}

export function isLossy(figure: LossFigure | undefined): boolean {
  return figure !== undefined && figure.lost >= LOST_MIN && figure.ci95[0] >= LOSS_RATIO_MIN;
}

/** Loss in one direction without load, where it is certain; of a whole train whose directions are not known, half counts. */
export function lossOn(evidence: Pick<PathEvidence, 'measurements'>, direction: Direction): { ratio: number } | undefined {
  const whole = idleLoss(evidence);
  if (!whole || !isLossy(whole)) return undefined;
  const ways = lossWays(whole);
  if (!ways) return { ratio: whole.ratio / 2 };
  const lost = ways[direction];
  return lost >= LOST_MIN ? { ratio: lost / whole.sent } : undefined;
}

/** How many were lost on either way; undefined where that is not known of most. */
export function lossWays({ measurement, lost }: LossFigure): { up: number; down: number } | undefined {
  const counted = detailsOf<{ lost: { up: number; down: number; unknown: number } }>(measurement).lost;
  const [up, down] = [finite(counted?.up), finite(counted?.down)];
  if (up === undefined || down === undefined || !(up >= 0 && down >= 0) || up + down < lost / 2) return undefined;
  return { up, down };
}
