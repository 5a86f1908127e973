import { formatMs } from '../base/index.js';
import type { PacketOutcome } from '../base/index.js';
import type { TraceDetails } from '../results/index.js';
import { quantile, sortedSamples } from '../stats/index.js';
import { flowsNeeded, losesMoreByChance } from './multipath.js';

export type Hop = TraceDetails['hops'][number];
export type Answer = Extract<PacketOutcome, { outcome: 'reply' | 'error' }>;

/** What became of one packet of a trace; packets that were not sent, or not waited for, are none. */
export interface Observation {
  readonly ttl: number;
  readonly flow: number;
  readonly outcome: Answer | { readonly outcome: 'silent' };
}

/** An address that is met this often on one way is in a loop: twice in a row may be a router that forwards with TTL 0. */
const LOOP_VISITS = 3;
/** How unlikely it has to be that a hop loses more than those behind it by chance. */
const CHANCE_MAX = 0.01;

/** Whether this answer comes from the target: whatever it says, the path leads there. */
export function isFromTarget(outcome: Observation['outcome'], target: string): boolean {
  if (outcome.outcome === 'silent') return false;
  return outcome.outcome === 'reply' || (outcome.from === target && outcome.what !== 'ttl-exceeded');
}

/** An answer that ends a way before the target: nothing gets past who says so. */
export function endsTheWay(outcome: Observation['outcome'], target: string): boolean {
  return outcome.outcome === 'error' && outcome.what !== 'ttl-exceeded' && !isFromTarget(outcome, target);
}

/** What is behind the end of each flow's way says nothing of the way: it is left out. */
export function withinTheWay(observations: readonly Observation[], target: string): readonly Observation[] {
  const ends = new Map<number, number>();
  for (const { ttl, flow, outcome } of observations) {
    if (isFromTarget(outcome, target) || endsTheWay(outcome, target)) ends.set(flow, Math.min(ttl, ends.get(flow) ?? ttl));
  }
  const last = Math.max(...ends.values());
  return observations.filter(({ ttl, flow }) => ttl <= (ends.get(flow) ?? (ends.size === 0 ? Number.POSITIVE_INFINITY : last)));
}

/** The hops from the first to the last that something is known of, silent ones between them included. */
export function hopsOf(observations: readonly Observation[], target: string): Hop[] {
  const known = observations.filter(({ outcome }) => outcome.outcome !== 'silent').map(({ ttl }) => ttl);
  const tried = observations.map(({ ttl }) => ttl);
  const reached = observations.some(({ outcome }) => isFromTarget(outcome, target));
  // Where nobody answers any more, the first silent hop says where that begins.
  const last = reached ? Math.max(0, ...known) : Math.min(Math.max(0, ...known) + 1, Math.max(0, ...tried));
  const hops: Hop[] = [];
  for (let ttl = 1; ttl <= last; ttl++) {
    hops.push(
      hopOf(
        ttl,
        observations.filter((one) => one.ttl === ttl),
      ),
    );
  }
  return hops.map((hop, i) => {
    const answers = answersOf(hop, hops.slice(i + 1));
    return answers === undefined ? hop : { ...hop, answers };
  });
}

function hopOf(ttl: number, observations: readonly Observation[]): Hop {
  const byAddress = new Map<string, { flows: Set<number>; rttMs: number[] }>();
  let ended: string | undefined;
  for (const { flow, outcome } of observations) {
    if (outcome.outcome === 'silent') continue;
    const node = byAddress.get(outcome.from) ?? { flows: new Set(), rttMs: [] };
    node.flows.add(flow);
    node.rttMs.push(outcome.rttMs);
    byAddress.set(outcome.from, node);
    if (outcome.outcome === 'error' && outcome.what !== 'ttl-exceeded') ended = endOf(outcome);
  }
  return {
    ttl,
    sent: observations.length,
    answered: observations.filter(({ outcome }) => outcome.outcome !== 'silent').length,
    nodes: [...byAddress].map(([address, { flows, rttMs }]) => {
      const sorted = sortedSamples(rttMs);
      return {
        address,
        answered: rttMs.length,
        flows: [...flows].sort((a, b) => a - b),
        rttMs: { min: sorted[0] ?? 0, median: quantile(sorted, 0.5), max: sorted.at(-1) ?? 0 },
      };
    }),
    ...(ended === undefined ? {} : { ended }),
  };
}

/** `prohibited (ICMP type 3, code 13)`. */
export function endOf({ what, type, code }: Extract<Answer, { outcome: 'error' }>): string {
  const words = what === 'too-big' ? 'too big' : what;
  return `${words} (ICMP type ${type}, code ${code})`;
}

/**
 * Loss on the way to a hop is felt by every hop behind it, so loss that is at a hop alone is the hop's: routers
 * limit how many errors they send, and forward packets all the same.
 */
function answersOf(hop: Hop, behind: readonly Hop[]): Hop['answers'] {
  const answering = behind.filter(({ answered }) => answered > 0);
  if (answering.length === 0 || hop.sent === 0 || hop.answered === hop.sent) return undefined;
  if (hop.answered === 0) return 'silent';
  const own = { sent: hop.sent, lost: hop.sent - hop.answered };
  // The last one is mostly the target, which answers more readily; the others have more packets in all.
  const chances = [answering, answering.slice(-1)].map((pool) =>
    losesMoreByChance(own, {
      sent: pool.reduce((sum, { sent }) => sum + sent, 0),
      lost: pool.reduce((sum, { sent, answered }) => sum + sent - answered, 0),
    }),
  );
  return Math.min(...chances) <= CHANCE_MAX ? 'limited' : undefined;
}

/** The routers of a loop: one flow's packets meet the same address again and again. */
export function loopOf(observations: readonly Observation[], target: string): readonly string[] | undefined {
  const visits = new Map<string, Set<number>>();
  for (const { ttl, flow, outcome } of observations) {
    if (outcome.outcome === 'silent' || isFromTarget(outcome, target) || endsTheWay(outcome, target)) continue;
    const key = `${flow} ${outcome.from}`;
    visits.set(key, (visits.get(key) ?? new Set()).add(ttl));
  }
  const looping = [...visits].filter(([, ttls]) => ttls.size >= LOOP_VISITS).map(([key]) => key.split(' ')[1] ?? '');
  if (looping.length === 0) return undefined;
  const twice = [...visits].filter(([, ttls]) => ttls.size >= LOOP_VISITS - 1).map(([key]) => key.split(' ')[1] ?? '');
  return [...new Set([...looping, ...twice])];
}

/** `1. 10.0.0.1 (0.31 ms), 2. silent, 3. 10.0.2.1 (2.10 ms) or 10.0.3.1 (2.41 ms); 4 of 6 answered`. */
export function wayInWords(hops: readonly Hop[]): string {
  return hops
    .map(({ ttl, nodes, sent, answered, answers, ended }) => {
      if (nodes.length === 0) return `${ttl}. silent`;
      const missing = answered < sent && answers === undefined ? `; ${answered} of ${sent} answered` : '';
      const named = nodes.map(({ address, rttMs }) => `${address} (${formatMs(rttMs?.median ?? 0)})`).join(' or ');
      return `${ttl}. ${named}${missing}${answers === 'limited' ? '; it limits its answers' : ''}${ended === undefined ? '' : `: ${ended}`}`;
    })
    .join(', ');
}

/** Where flows part and meet again: the last hop before there are several routers, and the first after. */
export function partingOf(hops: readonly Hop[]): TraceDetails['parting'] {
  const first = hops.findIndex(({ nodes }) => nodes.length > 1);
  if (first < 0) return undefined;
  const meeting = hops.findIndex(({ nodes }, i) => i > first && nodes.length === 1);
  return { fromTtl: (hops[first]?.ttl ?? 1) - 1, toTtl: hops[meeting < 0 ? hops.length - 1 : meeting]?.ttl ?? 1 };
}

/** The hops at which more flows have to be sent until it is sure enough that all routers were seen, and how many in all. */
export function flowsWanted(hops: readonly Hop[], used: number): { readonly flows: number; readonly ttls: readonly number[] } {
  const lacking = hops.filter(({ nodes }) => nodes.length > 0 && flowsNeeded(nodes.length) > used);
  return { flows: Math.max(0, ...lacking.map(({ nodes }) => flowsNeeded(nodes.length))), ttls: lacking.map(({ ttl }) => ttl) };
}

/** Whether at every hop as many flows were answered as certainty takes. */
export function allRoutersSeen(hops: readonly Hop[]): boolean {
  return hops.every(({ nodes }) => new Set(nodes.flatMap(({ flows }) => flows)).size >= flowsNeeded(nodes.length) || nodes.length === 0);
}
