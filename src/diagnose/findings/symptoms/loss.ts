import { formatRatio } from '../../../base/index.js';
import type { MtuDetails } from '../../../results/index.js';
import { detailsOf } from '../../path-figures.js';
import { figureOf, idleLoss, isLossy } from '../../path-loss.js';
import { all, lateRetransmits, percent, tested } from '../figures.js';
import type { Symptom } from './symptom.js';

export const loss: Symptom<'loss'> = {
  id: 'loss',
  title: 'packets are lost',
  why: 'at least three of at least 50 packets, and the lower bound of the ratio (Wilson, 95 %) is 0.2 % or more: beyond the 0.1 % that ITU-T Y.1541 allows',
  kind: 'trouble',
  notice({ path }) {
    const figure = idleLoss(path);
    if (!figure || !isLossy(figure)) return [];
    const text = `${figure.lost} of ${figure.sent} packets lost without load (${formatRatio(figure.ratio)}, at least ${formatRatio(figure.ci95[0])})`;
    return [{ evidence: { text, metric: figure.measurement.metric, value: figure.ratio, unit: 'ratio', expected: 0 } }];
  },
};

/** CUBIC and Reno probe for room by losing some: at windows of 20 segments and more that is below half of this. */
const AGAIN_SHARE = 0.01;
const SEGMENTS_MIN = 300;
const LOADED_LOSS = 0.02;

export const lossUnderLoad: Symptom<'loss-under-load'> = {
  id: 'loss-under-load',
  title: 'packets are lost under load',
  why: 'TCP sent 1 % and more of its segments again once slow start was over, or the lower bound of the loss of echoes beside a load is 2 % or more, where none is lost without load',
  kind: 'trouble',
  notice(context) {
    const { path } = context;
    if (isLossy(idleLoss(path))) return [];
    return tested(context).flatMap(({ direction, found }) => {
      const again = lateRetransmits(found);
      const beside = path.measurements.find(({ metric }) => metric === `rtt.loaded.${direction}`);
      const echoes = beside && figureOf(beside);
      const lossy = echoes !== undefined && isLossy(echoes) && echoes.ci95[0] >= LOADED_LOSS;
      const resent = again !== undefined && again.segments >= SEGMENTS_MIN && again.ratio >= AGAIN_SHARE;
      if (!resent && !lossy) return [];
      const signs = [
        ...(resent ? [`TCP sent ${percent(again.ratio)} of its segments again`] : []),
        ...(lossy ? [`${echoes.lost} of ${echoes.sent} echoes were lost beside it`] : []),
      ];
      const value = resent ? again.ratio : (echoes?.ratio ?? 0);
      return [
        {
          direction,
          evidence: {
            text: `under ${direction}load ${signs.join(', and ')}`,
            metric: `throughput.${direction}`,
            value,
            unit: 'ratio' as const,
            expected: 0,
          },
        },
      ];
    });
  },
};

export const largePacketsVanish: Symptom<'large-packets-vanish'> = {
  id: 'large-packets-vanish',
  title: 'large packets vanish',
  why: 'packets above a size are lost every time, and nobody says so',
  kind: 'trouble',
  notice({ path }) {
    const holes = all(path, 'mtu').filter((each) => detailsOf<MtuDetails>(each).blackHole === true);
    return holes.map((each) => {
      const { passesBytes, failsBytes, direction } = detailsOf<MtuDetails>(each);
      const text = `packets of ${passesBytes ?? 'some'} bytes pass ${direction === 'both' ? 'both ways' : (direction ?? '')}, ${failsBytes === undefined ? 'larger ones' : `of ${failsBytes}`} vanish without an answer`;
      const rest = passesBytes === undefined ? {} : { value: passesBytes, unit: 'bytes' as const };
      return { ...(direction === 'up' || direction === 'down' ? { direction } : {}), evidence: { text, metric: each.metric, ...rest } };
    });
  },
};
