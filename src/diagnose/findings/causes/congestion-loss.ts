import { formatBytes, formatMs, shellWord } from '../../../base/index.js';
import { shapingQueue } from '../../ceilings/shaper.js';
import { queueUnderLoad } from '../../path-queue.js';
import { excluded, unknown } from '../cause.js';
import type { Cause, EvidenceItem } from '../cause.js';
import { whoOf } from '../figures.js';
import { change, onOs } from '../steps.js';

/** Where good ends for delay that load adds (bands.ts, after DSLReports): from here on more room is the wrong advice. */
const LONG_MS = 30;

export const congestionLoss: Cause = {
  id: 'queue-overflow',
  title: 'The queue before the bottleneck is too short and overflows',
  severity: 'warning',
  explains: ['loss-under-load', 'low-throughput', 'limited-throughput', 'asymmetry'],
  check: 'loss under load with a short standing queue, none without load; a queue discipline with drops where it can be read',
  fix: 'give the queue room for about one round trip at its rate, and keep it fair (FQ-CoDel, CAKE)',
  judge(facts) {
    const lossy = facts.noticed.filter(({ symptom }) => symptom === 'loss-under-load');
    if (lossy.length === 0) return excluded('no loss under load beyond what TCP provokes itself');
    const read = lossy.flatMap(({ direction }): EvidenceItem[] => {
      const end = direction === 'down' ? facts.path.far : facts.path.near;
      const queue = shapingQueue(end?.link?.qdiscs ?? [])?.queue;
      if (!queue || !direction || (queue.drops ?? 0) <= 0) return [];
      const room =
        queue.limitBytes === undefined
          ? queue.limitPackets === undefined
            ? ''
            : ` with room for ${queue.limitPackets} packets`
          : ` with room for ${formatBytes(queue.limitBytes)}`;
      return [
        {
          text: `${queue.kind} ${queue.handle} on ${whoOf(direction, 'sender').name}${room} dropped ${queue.drops}`,
          value: queue.drops ?? 0,
          unit: 'count',
        },
      ];
    });
    const queues = lossy.flatMap(({ direction }) => (direction ? (queueUnderLoad(facts.path, direction) ?? []) : []));
    if (read.length === 0 && queues.length === 0) return unknown('the round trip under load was not measured');
    if (read.length === 0 && !queues.some(({ stands }) => stands)) return excluded('no queue stood under load');
    const added = Math.max(0, ...queues.map(({ addedMs }) => addedMs));
    if (added > LONG_MS) return excluded(`the queue holds ${formatMs(added)}: it is anything but short`);
    return {
      state: 'supported',
      proof: read.length > 0 ? 'shown' : 'fits',
      evidence: [
        ...read,
        ...(queues.length > 0
          ? [{ text: `load added ${formatMs(added)} to the round trip before packets were dropped`, value: added, unit: 'ms' as const }]
          : []),
      ],
      next: [
        change(
          'make room for about one round trip at the bottleneck, with a queue that stays fair',
          onOs(facts, { linux: `tc qdisc replace dev ${shellWord(facts.path.near?.link?.name ?? 'DEV')} root cake bandwidth RATE` }),
        ),
        change('or let the sender space out its packets', onOs(facts, { linux: 'sysctl -w net.ipv4.tcp_congestion_control=bbr' })),
      ],
    };
  },
};
