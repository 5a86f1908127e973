import { formatMs, shellWord } from '../../../base/index.js';
import type { TraceDetails } from '../../../results/index.js';
import { idleRtt } from '../../path-figures.js';
import { excluded, unknown } from '../cause.js';
import type { Cause } from '../cause.js';
import { all, detailsOf, isLocal, percent } from '../figures.js';
import { look } from '../steps.js';
import { jumpOf } from './detour.js';

/** Light in fibre: 200 km a millisecond, there and back 100. */
const KM_PER_RTT_MS = 100;
/** A round trip that varies by less than this is not made of queues. */
const STEADY_SHARE = 0.1;

export const distance: Cause = {
  id: 'distance',
  title: 'The peer is far away, or the way to it is long',
  severity: 'notice',
  explains: ['high-latency'],
  check: 'a round trip that is steady without load, on a path that leaves this site; a trace shows where it comes from',
  fix: 'nothing on this path shortens it: move the work, or open fewer connections and round trips',
  judge(facts) {
    const rtt = idleRtt(facts.path)?.summary;
    if (!rtt) return unknown('no round trip was measured');
    if (isLocal(facts)) return excluded('the path stays within one site');
    if (rtt.p95 - rtt.min > STEADY_SHARE * rtt.median + 2)
      return excluded(`the round trip varies from ${formatMs(rtt.min)} to ${formatMs(rtt.p95)} (p95), which distance does not`);
    const trace = all(facts.path, 'trace').find(({ details }) => details?.['reached'] === true);
    const jump = trace && jumpOf(detailsOf<TraceDetails>(trace));
    return {
      state: 'supported',
      proof: 'fits',
      evidence: [
        {
          text: `the round trip is steady without load: ${formatMs(rtt.min)} at least, ${formatMs(rtt.p95)} in 95 % of cases; light takes it ${Math.round(rtt.min * KM_PER_RTT_MS)} km of fibre at most`,
          value: rtt.min,
          unit: 'ms',
        },
        ...(jump ? [{ text: `${percent(jump.share)} of it begins at hop ${jump.ttl}, ${jump.address}` }] : []),
      ],
      next: [look('see where on the way the time goes', `tautline measure trace ${shellWord(facts.path.address ?? facts.path.peer)}`, 'trace')],
    };
  },
};
