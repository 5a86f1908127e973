import { formatRate } from '../../base/index.js';
import type { Limit } from '../../results/index.js';
import type { PathEvidence } from '../evidence.js';
import { finite, isTunnelled, throughputOf } from '../path-figures.js';
import type { Direction, EndDetails } from '../path-figures.js';

/** Below this a processor has so much left that an extrapolation says nothing. */
const BUSY_SHARE_MIN = 0.7;

/** What one core could do if it did nothing else: the measured rate over the share of the time that it was busy. */
export function singleCore(evidence: PathEvidence, direction: Direction): Limit[] {
  const found = throughputOf(evidence, direction);
  if (!found) return [];
  const ends = [
    ['sender', found.details.sender],
    ['receiver', found.details.receiver],
  ] as const;
  return ends.flatMap(([who, end]) => {
    const thread = finite(end?.busiest);
    if (thread === undefined || thread < BUSY_SHARE_MIN) return [];
    const bps = found.bps / Math.min(1, thread);
    return [
      {
        id: `single-core-${who}`,
        kind: 'estimated' as const,
        direction,
        bps,
        why: `the ${who}'s busiest thread computed ${percent(thread)} of the time at ${formatRate(found.bps)}: one core is good for about ${formatRate(bps)}`,
      },
    ];
  });
}

/** User-space WireGuard encrypts on one processor a direction; what the busiest one had left is what the tunnel had left. */
export function vpnEncryption(evidence: PathEvidence, direction: Direction): Limit[] {
  const found = throughputOf(evidence, direction);
  if (!found || !isTunnelled(evidence)) return [];
  const busiest = Math.max(cpuOf(found.details.sender), cpuOf(found.details.receiver));
  if (busiest < BUSY_SHARE_MIN) return [];
  const bps = found.bps / Math.min(1, busiest);
  return [
    {
      id: 'vpn-encryption',
      kind: 'estimated',
      direction,
      bps,
      why: `the busiest processor was at ${percent(busiest)} with ${formatRate(found.bps)} through the tunnel: encryption there is good for about ${formatRate(bps)}`,
    },
  ];
}

function cpuOf(end: EndDetails | undefined): number {
  return finite(end?.host?.busiestCpu) ?? 0;
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}
