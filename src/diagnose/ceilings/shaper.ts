import { formatBytes, formatMs, formatRate } from '../../base/index.js';
import type { QueueFacts } from '../../base/index.js';
import type { Limit } from '../../results/index.js';
import type { PathEvidence } from '../evidence.js';
import { endsOf, throughputOf } from '../path-figures.js';
import type { Direction } from '../path-figures.js';
import { queueUnderLoad } from '../path-queue.js';
import { plateauOf } from '../plateau.js';
import { framingOf } from './ceiling.js';
import { ETHERNET_HEADER_BYTES, tcpShare } from './framing.js';

/** A queue discipline with a rate at the end that sends. */
export function shaper(evidence: PathEvidence, direction: Direction): Limit[] {
  const { sender } = endsOf(evidence, direction);
  const found = shapingQueue(sender?.link?.qdiscs ?? []);
  if (!sender?.link || !found) return [];
  const { queue, rateBps } = found;
  const bps = rateBps * tcpShare({ ...framingOf(evidence, direction), aroundBytes: ETHERNET_HEADER_BYTES });
  const whose = direction === 'up' ? "this host's" : "the peer's";
  const why = `the queue discipline ${queue.kind} ${queue.handle} on ${whose} ${sender.link.name} lets ${formatRate(rateBps)} through, ${formatRate(bps)} of it payload`;
  return [{ id: 'shaper', kind: 'configured', direction, bps, ...(holdsAll(queue) ? { burstBytes: queue.burstBytes } : {}), why }];
}

/** A token bucket at the root lets nothing past it. A class may be lent to, or not be the one that a connection is in. */
function holdsAll(queue: QueueFacts): queue is QueueFacts & { readonly burstBytes: number } {
  return queue.kind === 'tbf' && queue.parent === 'root' && queue.burstBytes !== undefined;
}

/**
 * The queue discipline that holds traffic back: the lowest rate of those without classes; of classes the one that
 * moved most, since the others may be for other traffic. Its parents lend to it, so their rates bound it too.
 */
export function shapingQueue(qdiscs: readonly QueueFacts[]): { queue: QueueFacts; rateBps: number } | undefined {
  const shaping = qdiscs.flatMap((queue) =>
    queue.rateBps !== undefined && queue.rateBps > 0 && queue.parent !== 'ingress' ? [{ queue, rateBps: queue.rateBps }] : [],
  );
  const classful = shaping.filter(({ queue }) => CLASSFUL.has(queue.kind));
  const most = classful.toSorted((a, b) => (b.queue.sentBytes ?? 0) - (a.queue.sentBytes ?? 0) || b.rateBps - a.rateBps)[0];
  const candidates = [...shaping.filter(({ queue }) => !CLASSFUL.has(queue.kind)), ...(most ? [most] : [])];
  return candidates.toSorted((a, b) => a.rateBps - b.rateBps)[0];
}

const CLASSFUL: ReadonlySet<string> = new Set(['htb', 'hfsc', 'cbq', 'drr', 'class']);

/** A rate that something on the way holds a test to, seen by how evenly it ran while a queue stood. */
export function seenShaper(evidence: PathEvidence, direction: Direction): Limit[] {
  const found = throughputOf(evidence, direction);
  const plateau = found && plateauOf(found);
  const queue = queueUnderLoad(evidence, direction);
  if (!plateau || (!plateau.burst && queue?.stands !== true)) return [];
  const signs = [
    `it ran at ${formatRate(plateau.bps)} within ${(100 * plateau.spread).toFixed(0)} %`,
    ...(queue?.stands === true ? [`while ${formatMs(queue.addedMs)} of queue stood`] : []),
    ...(plateau.burst ? [`after ${formatBytes(plateau.burst.bytes)} had come at up to ${formatRate(plateau.burst.bps)}`] : []),
  ];
  return [{ id: 'bottleneck', kind: 'estimated', direction, bps: plateau.bps, why: `something on the way holds the rate: ${signs.join(' ')}` }];
}
