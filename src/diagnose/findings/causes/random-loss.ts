import { formatRate, formatRatio, shellWord } from '../../../base/index.js';
import { wilson } from '../../../stats/index.js';
import { idleLoss, isLossy, lossWays } from '../../path-loss.js';
import { throughputOf } from '../../path-figures.js';
import { excluded, unknown } from '../cause.js';
import type { Cause } from '../cause.js';
import { lateRetransmits, limitOf, tested } from '../figures.js';
import { change, look, onOs } from '../steps.js';

/** The poor band of loss. */
const CRITICAL_RATIO = 0.03;
/** One way holds so much of the loss that the other is clean beside it. */
const ONE_WAY_SHARE = 0.8;

export const randomLoss: Cause = {
  id: 'random-loss',
  title: 'Packets are lost on the way, even without load',
  severity: 'warning',
  explains: ['loss', 'loss-under-load', 'low-throughput', 'limited-throughput', 'asymmetry', 'slow-connect'],
  check: 'echoes without load, and which of them arrived at the peer: loss up and down apart',
  fix: 'find the hop, cable or radio that loses: errors of both ends’ links, another cable, another port, a wired path',
  specificity: 1,
  judge(facts) {
    const figure = idleLoss(facts.path);
    if (!figure) return unknown('too few packets were sent without load to tell loss');
    const again = Math.max(0, ...tested(facts).map(({ found }) => lateRetransmits(found)?.ratio ?? 0));
    if (!isLossy(figure) && facts.noticed.some(({ symptom }) => symptom === 'loss-under-load') && figure.ci95[1] >= again)
      return unknown(
        `${figure.lost} of ${figure.sent} packets were lost without load, too few packets to exclude the ${formatRatio(again)} seen under load`,
      );
    if (!isLossy(figure)) return excluded(`${figure.lost} of ${figure.sent} packets were lost without load`);
    const ways = lossWays(figure);
    const whole = ways ? ways.up + ways.down : 0;
    const way = ways && whole > 0 ? (['up', 'down'] as const).find((direction) => ways[direction] >= ONE_WAY_SHARE * whole) : undefined;
    const { ratio, sent } = figure;
    const bounds = (['up', 'down'] as const).flatMap((direction) => {
      const limit = limitOf(facts, 'loss', direction);
      const found = throughputOf(facts.path, direction);
      return limit && found
        ? [
            {
              text: `at this loss ${limit.why}; measured ${formatRate(found.bps)} ${direction}`,
              metric: `throughput.${direction}`,
              value: found.bps,
              unit: 'bps' as const,
              expected: limit.bps,
            },
          ]
        : [];
    });
    const device = shellWord(facts.path.near?.link?.name ?? 'DEV');
    return {
      state: 'supported',
      proof: 'shown',
      title:
        way === undefined
          ? 'Packets are lost on the way, even without load'
          : `Packets are lost on the way ${way === 'up' ? 'to the peer' : 'back from the peer'}, even without load`,
      severity: ratio >= CRITICAL_RATIO ? 'critical' : 'warning',
      evidence: [
        ...(ways
          ? (['up', 'down'] as const).map((direction) => {
              const lost = Math.min(sent, ways[direction]);
              const [low, high] = wilson(lost, sent);
              return {
                text: `${lost} of ${sent} lost ${direction} (${formatRatio(low)} to ${formatRatio(high)})`,
                metric: `loss.${direction}`,
                value: lost / sent,
                unit: 'ratio' as const,
                expected: 0,
              };
            })
          : []),
        ...bounds,
      ],
      next: [
        look('see at which hop it begins', `tautline measure trace ${shellWord(facts.path.address ?? facts.path.peer)}`, 'trace'),
        look(
          'look at the error counters of this end',
          onOs(facts, { linux: `ip -s -s link show dev ${device}; ethtool -S ${device}`, darwin: 'netstat -ib' }),
          'link',
        ),
        change('try another cable, port or, on radio, channel; measure again with the same command'),
      ],
    };
  },
};
