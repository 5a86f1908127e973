import type { Carrier, Outcome, WorkloadKind } from '../workload.js';
import { lowest, plainQuantity, verdictOf } from '../workload.js';

/** Above this share of the link queues build up whenever two senders meet. */
const SHARE_MAX = 0.8;

/** Data that has to flow at a rate, such as sensor or video feeds: it fits or it does not. */
export const dataStream: WorkloadKind = {
  id: 'stream',
  title: 'real-time data streaming',
  main: 'rate',
  keys: { rate: { takes: 'rate', help: 'what has to flow all the time', min: 1, max: 1e13, required: true } },
  example: 'stream=800M',
  judge: ({ rate = 0 }, { now, after }) => {
    const [before, then] = [look(now, rate), look(after, rate)];
    const met = { now: before.share <= SHARE_MAX, after: then.share <= SHARE_MAX };
    // What fits is not faster on a larger link; what does not gets through by so much more.
    const factor = Math.min(rate, then.bps) / Math.min(rate, before.bps);
    const verdict = met.now ? 'sufficient now' : met.after ? 'needs it' : verdictOf(factor, met);
    const need = `it is to take at most ${SHARE_MAX * 100} % of what the path carries, so that no queue builds up`;
    return {
      title: `a stream of ${plainQuantity(rate, 'bps')}`,
      now: before.outcome,
      after: then.outcome,
      factor,
      verdict,
      why: `${need}: ${Math.round(before.share * 100)} % now, ${Number((then.share * 100).toPrecision(2))} % then`,
    };
  },
  sufficient: {
    need: `a stream takes at most ${SHARE_MAX * 100} % of what the path carries`,
    upTo: ({ bounds }) => `streams of up to ${plainQuantity(lowest(bounds).bound.bps * SHARE_MAX, 'bps')}`,
  },
};

function look(carrier: Carrier, rate: number): { outcome: Outcome; share: number; bps: number } {
  const { bound } = lowest(carrier.bounds);
  const share = rate / bound.bps;
  const text = share > 1 ? `${plainQuantity(bound.bps, 'bps')} of it gets through` : `fits, ${Number((share * 100).toPrecision(2))} % of the path`;
  const limitedBy = share > SHARE_MAX ? bound.what : 'the source';
  return { outcome: { text, bps: Math.min(rate, bound.bps), limitedBy }, share, bps: bound.bps };
}
