import { assert } from '../base/index.js';
import { wilson } from './intervals.js';

/**
 * Loss with Wilson's 95 % interval of the ratio. `received` counts distinct packets; a peer that claims to
 * have received more than was sent is taken to have received all. Ratio 0 over [0, 1] when nothing was sent.
 */
export function lossOf(sent: number, received: number): { sent: number; received: number; ratio: number; ci95: [number, number] } {
  assert(Number.isInteger(sent) && sent >= 0 && Number.isInteger(received) && received >= 0, `loss of ${received} out of ${sent}`);
  const arrived = Math.min(sent, received);
  const lost = sent - arrived;
  return { sent, received: arrived, ratio: sent === 0 ? 0 : lost / sent, ci95: wilson(lost, sent) };
}

/** How losses cluster. Lengths are in packets; figures that need something that did not happen are left out. */
export interface Burstiness {
  sent: number;
  lost: number;
  /** How many runs of consecutive losses there were of each length, by length. */
  runs: { length: number; count: number }[];
  longestRun: number;
  meanRun?: number;
  /**
   * Mean run length over what independent losses of the same ratio would give (BurstR of ITU-T G.107): 1 =
   * random, above 1 = bursty.
   */
  burstRatio?: number;
  /**
   * The simple Gilbert model: p = probability that a loss follows an arrival, r = that an arrival follows a
   * loss, each the observed share of transitions. 1 / r is the mean run length, p / (p + r) the loss ratio.
   */
  gilbert?: { p: number; r: number };
  /**
   * Bursts and gaps of RFC 3611, 4.7.2 with Gmin 16: a burst begins and ends with a loss, and holds fewer
   * than 16 arrivals in a row. Density is the share lost within.
   */
  rfc3611: { bursts: number; burstDensity: number; gapDensity: number; burstMean?: number; gapMean?: number };
}

/** RFC 3611's recommended minimum of consecutive arrivals between two bursts. */
const GMIN = 16;

/** @param receivedFlags one entry a packet in order of sending, truthy where it arrived */
export function burstiness(receivedFlags: ArrayLike<boolean | number>): Burstiness {
  const sent = receivedFlags.length;
  const transitions = { arrivals: 0, arrivalToLoss: 0, losses: 0, lossToArrival: 0 };
  const counts = new Map<number, number>();
  let lost = 0;
  let run = 0;
  const endRun = (): void => {
    if (run > 0) counts.set(run, (counts.get(run) ?? 0) + 1);
    run = 0;
  };
  for (let i = 0; i < sent; i++) {
    const arrived = Boolean(receivedFlags[i]);
    if (!arrived) {
      lost++;
      run++;
    } else endRun();
    if (i + 1 === sent) break;
    const next = Boolean(receivedFlags[i + 1]);
    if (arrived) {
      transitions.arrivals++;
      if (!next) transitions.arrivalToLoss++;
    } else {
      transitions.losses++;
      if (next) transitions.lossToArrival++;
    }
  }
  endRun();
  const runs = [...counts].map(([length, count]) => ({ length, count })).sort((a, b) => a.length - b.length);
  const runCount = runs.reduce((sum, { count }) => sum + count, 0);
  const meanRun = runCount > 0 ? lost / runCount : undefined;
  return {
    sent,
    lost,
    runs,
    longestRun: runs.at(-1)?.length ?? 0,
    ...(meanRun === undefined ? {} : { meanRun }),
    ...(meanRun === undefined || lost === sent ? {} : { burstRatio: meanRun * (1 - lost / sent) }),
    ...(transitions.arrivals > 0 && transitions.losses > 0
      ? { gilbert: { p: transitions.arrivalToLoss / transitions.arrivals, r: transitions.lossToArrival / transitions.losses } }
      : {}),
    rfc3611: burstsAndGaps(receivedFlags),
  };
}

/** Walks from loss to loss; a loss alone, with GMIN arrivals on either side, belongs to the gap around it. */
function burstsAndGaps(receivedFlags: ArrayLike<boolean | number>): Burstiness['rfc3611'] {
  const sent = receivedFlags.length;
  const bursts = { count: 0, packets: 0, losses: 0, first: -1, last: -1 };
  const open = { first: -1, last: -1, losses: 0 };
  let lost = 0;
  const close = (): void => {
    if (open.losses > 1) {
      if (bursts.count === 0) bursts.first = open.first;
      bursts.last = open.last;
      bursts.count++;
      bursts.packets += open.last - open.first + 1;
      bursts.losses += open.losses;
    }
    open.losses = 0;
  };
  for (let i = 0; i < sent; i++) {
    if (receivedFlags[i]) continue;
    lost++;
    if (open.losses > 0 && i - open.last - 1 >= GMIN) close();
    if (open.losses === 0) open.first = i;
    open.losses++;
    open.last = i;
  }
  close();
  const gapPackets = sent - bursts.packets;
  // Bursts are at least GMIN apart, so there is a gap between any two; one at either end only where packets are left.
  const gaps = bursts.count === 0 ? Math.min(1, sent) : bursts.count - 1 + Number(bursts.first > 0) + Number(bursts.last < sent - 1);
  return {
    bursts: bursts.count,
    burstDensity: bursts.packets === 0 ? 0 : bursts.losses / bursts.packets,
    gapDensity: gapPackets === 0 ? 0 : (lost - bursts.losses) / gapPackets,
    ...(bursts.count > 0 ? { burstMean: bursts.packets / bursts.count } : {}),
    ...(gaps > 0 ? { gapMean: gapPackets / gaps } : {}),
  };
}
