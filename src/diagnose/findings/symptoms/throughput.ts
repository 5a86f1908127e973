import { formatRate } from '../../../base/index.js';
import { DIRECTIONS, throughputOf } from '../../path-figures.js';
import { atBestBps, belowLinkRate, bothEndsWired, bpsItem, isLocal, isWireless, physicalLimit, tested, throughputItem } from '../figures.js';
import { stoppedAnswering } from './state.js';
import type { Symptom } from './symptom.js';

export const lowThroughput: Symptom<'low-throughput'> = {
  id: 'low-throughput',
  title: 'low throughput',
  why: 'within one site less than 80 % of what the links of both ends leave for payload, at the best that interval and error allow; elsewhere the access lines between are not known, and nothing is held against them',
  kind: 'trouble',
  notice(context) {
    if (!isLocal(context) || !bothEndsWired(context)) return [];
    return tested(context).flatMap(({ direction, found }) => {
      const limit = physicalLimit(context, direction);
      if (!limit || !belowLinkRate(context, direction)) return [];
      const text = `throughput ${direction} ${formatRate(found.bps)}, where ${limit.why}`;
      return [{ direction, evidence: bpsItem(text, { metric: `throughput.${direction}`, value: found.bps, expected: limit.bps }) }];
    });
  },
};

export const limitedThroughput: Symptom<'limited-throughput'> = {
  id: 'limited-throughput',
  title: 'what limits the throughput',
  why: 'asked of every throughput test; an answer needs direct evidence of a limit that is not the links',
  kind: 'question',
  notice: (context) => tested(context).map(({ direction, found }) => ({ direction, evidence: throughputItem(direction, found.bps) })),
};

const ASYMMETRY = 0.5;

export const asymmetry: Symptom<'asymmetry'> = {
  id: 'asymmetry',
  title: 'one direction is much slower',
  why: 'within one site one direction carries less than half of the other although links are symmetrical; access lines elsewhere are asymmetrical by design',
  kind: 'trouble',
  notice(context) {
    const [up, down] = [throughputOf(context.path, 'up'), throughputOf(context.path, 'down')];
    if (!isLocal(context) || isWireless(context) || !up || !down || tested(context).length < 2) return [];
    const direction = up.bps < down.bps ? 'up' : 'down';
    const [slow, fast] = direction === 'up' ? [up, down] : [down, up];
    // Beyond a gigabit the two ends' processors differ as much, where no link is known that bounds them.
    if (!physicalLimit(context, direction) && slow.bps > 1e9) return [];
    if (atBestBps(slow) >= ASYMMETRY * (fast.measurement.summary?.ci95?.[0] ?? fast.bps)) return [];
    const text = `throughput ${direction} ${formatRate(slow.bps)}, the other way ${formatRate(fast.bps)}`;
    return [{ direction, evidence: bpsItem(text, { metric: `throughput.${direction}`, value: slow.bps, expected: fast.bps }) }];
  },
};

export const stalledTransfer: Symptom<'stalled-transfer'> = {
  id: 'stalled-transfer',
  title: 'a bulk transfer stalls',
  why: 'a throughput test moved nothing, or broke off, on a path that answers otherwise, and nobody interrupted it',
  kind: 'trouble',
  notice(context) {
    const { path } = context;
    // Where nothing answers any more, it says nothing of large packets that these do not come through.
    if (stoppedAnswering.notice(context).length > 0) return [];
    const answers = path.measurements.some(({ metric, outcome }) => (metric === 'rtt' || metric === 'connect') && outcome === 'ok');
    return DIRECTIONS.flatMap((direction) => {
      const stuck = path.measurements.find(
        ({ metric, outcome, partial, reason }) =>
          metric === `throughput.${direction}` && (outcome === 'lost' || (partial === true && reason?.includes('broke off') === true)),
      );
      return stuck && answers
        ? [{ direction, evidence: { text: `throughput ${direction}: ${stuck.reason ?? 'no bytes arrived'}`, metric: stuck.metric } }]
        : [];
    });
  },
};
