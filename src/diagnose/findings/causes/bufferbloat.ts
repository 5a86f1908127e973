import { formatMs, shellWord } from '../../../base/index.js';
import { throughputOf } from '../../path-figures.js';
import { excluded } from '../cause.js';
import type { Cause, EvidenceItem } from '../cause.js';
import { msItem, tcpRtts } from '../figures.js';
import { change, onOs } from '../steps.js';

/** From here on a conversation breaks down: the poor band of responsiveness. */
const CRITICAL_MS = 300;

export const bufferbloat: Cause = {
  id: 'bufferbloat',
  title: 'A queue on the way is too long (bufferbloat)',
  severity: 'warning',
  explains: ['delay-under-load', 'asymmetry'],
  check: 'the round trip during a load against the one without, by echoes beside the load and by TCP itself',
  fix: 'limit the rate slightly below the bottleneck with CAKE or FQ-CoDel where the queue stands, so that it stands there and is kept short',
  specificity: 1,
  judge(facts) {
    const noticed = facts.noticed.filter(({ symptom }) => symptom === 'delay-under-load');
    if (noticed.length === 0) return excluded('load adds less than 60 ms to the round trip');
    const worst = Math.max(...noticed.map(({ evidence }) => (evidence.value ?? 0) - (evidence.expected ?? 0)));
    const kernel = noticed.flatMap(({ direction }): EvidenceItem[] => {
      const found = direction && throughputOf(facts.path, direction);
      const rtts = found && tcpRtts(found);
      if (!rtts || rtts.loadedMs < 2 * rtts.leastMs) return [];
      return [
        msItem(`TCP's own round trip ${direction} was ${formatMs(rtts.loadedMs)} under load, ${formatMs(rtts.leastMs)} at least`, {
          value: rtts.loadedMs,
          expected: rtts.leastMs,
        }),
      ];
    });
    const device = shellWord(facts.path.near?.link?.name ?? 'DEV');
    return {
      state: 'supported',
      proof: 'shown',
      severity: worst >= CRITICAL_MS ? 'critical' : 'warning',
      evidence: kernel,
      next: [
        change(
          'keep the queue short where it stands: on the router of the slower line, or here if this host sends faster than the line takes; set the bandwidth a little below the measured rate',
          onOs(facts, { linux: `tc qdisc replace dev ${device} root cake bandwidth RATE` }),
        ),
        change(
          'or let bulk transfers use a congestion control that does not fill queues',
          onOs(facts, { linux: 'sysctl -w net.ipv4.tcp_congestion_control=bbr' }),
        ),
      ],
    };
  },
};
