import { formatMs, shellWord } from '../../../base/index.js';
import type { TraceDetails } from '../../../results/index.js';
import { finite, idleRtt, isTunnelled } from '../../path-figures.js';
import { excluded, unknown } from '../cause.js';
import type { Cause } from '../cause.js';
import { all, boundsMs, detailsOf, isLocal, msItem, percent } from '../figures.js';
import { change, look, onOs } from '../steps.js';

/** One hop that takes this share of the way, and so much, is where the way becomes long. */
const JUMP_SHARE = 0.5;
const JUMP_MS = 5;

export interface Jump {
  readonly ttl: number;
  readonly address: string;
  readonly ms: number;
  readonly share: number;
}

/** The hop from which on most of the round trip is there. Its least times count: routers answer late when they are busy. */
export function jumpOf({ hops }: Partial<TraceDetails>): Jump | undefined {
  const leasts = (hops ?? []).flatMap(({ ttl, nodes }) => {
    const node = nodes.find(({ rttMs }) => finite(rttMs?.min) !== undefined);
    return node?.rttMs ? [{ ttl, address: node.name ?? node.address, ms: node.rttMs.min }] : [];
  });
  const whole = leasts.at(-1)?.ms ?? 0;
  let before = 0;
  let largest: Jump | undefined;
  for (const [i, hop] of leasts.entries()) {
    // A hop that is slower than all behind it answers late; the way itself is not.
    const ms = Math.min(...leasts.slice(i).map((each) => each.ms));
    const step = ms - before;
    if (!largest || step > largest.ms) largest = { ttl: hop.ttl, address: hop.address, ms: step, share: whole > 0 ? step / whole : 0 };
    before = ms;
  }
  return largest && largest.ms >= JUMP_MS && largest.share >= JUMP_SHARE ? largest : undefined;
}

export const detour: Cause = {
  id: 'detour',
  title: 'The path makes a detour',
  severity: 'warning',
  explains: ['high-latency'],
  check: 'a trace, hop by hop: where the round trip jumps; within one site more than one router, or a gateway where the peer is in the same network',
  fix: 'correct the route, or take the direct path',
  specificity: 1,
  judge(facts) {
    const { path, siblings } = facts;
    const rtt = idleRtt(path);
    const bounds = rtt && boundsMs(rtt);
    if (!rtt || !bounds) return unknown('no round trip was measured');
    const trace = all(path, 'trace').find(({ details }) => Array.isArray(details?.['hops']));
    const details = trace && detailsOf<TraceDetails>(trace);
    const jump = details && jumpOf(details);
    const hops = details?.hops?.length ?? 0;
    const gateway = path.near?.route?.gateway;
    const better = siblings.find((other) => {
      const theirs = idleRtt(other);
      return theirs && (boundsMs(theirs)?.high ?? Number.POSITIVE_INFINITY) < bounds.low / 2;
    });
    const why = isTunnelled(path) ? 'tunnel' : undefined;
    const signs = [
      ...(jump
        ? [
            msItem(`hop ${jump.ttl} (${jump.address}) adds ${formatMs(jump.ms)}, ${percent(jump.share)} of the round trip`, {
              metric: 'rtt',
              value: jump.ms,
            }),
          ]
        : []),
      ...(hops > 1 ? [{ text: `${hops} hops to a peer of the same site`, value: hops, unit: 'count' as const, expected: 1 }] : []),
      ...(hops === 0 && gateway !== undefined ? [{ text: `packets go through the gateway ${gateway}` }] : []),
      ...(better ? [{ text: `the path ${better.path} takes less than half: ${formatMs(idleRtt(better)?.summary?.median ?? 0)}` }] : []),
    ];
    const next = [
      look(
        'see which way packets take',
        onOs(facts, {
          linux: `ip route get ${shellWord(path.address ?? path.peer)}`,
          darwin: `route -n get ${shellWord(path.address ?? path.peer)}`,
        }),
      ),
      look('see where on the way the time goes', `tautline measure trace ${shellWord(path.address ?? path.peer)}`, 'trace'),
      ...(better
        ? [change(`use the path ${better.path}`)]
        : [change('correct the route at the hop where the time jumps, or connect the two directly')]),
    ];
    if (why === 'tunnel') return unknown('the way inside the tunnel is not seen from here');
    if (isLocal(facts)) {
      if (jump && hops > 1) return { state: 'supported', proof: 'shown', evidence: signs, next };
      if (hops === 1) return excluded('the trace shows no router between');
      return signs.length > 0 ? { state: 'supported', proof: 'fits', evidence: signs, next } : unknown('the way was not traced');
    }
    if (better && jump) return { state: 'supported', proof: 'fits', evidence: signs, next };
    return details
      ? excluded(better ? 'no single hop takes most of the time' : 'no shorter path to the peer is known')
      : unknown('the way was not traced');
  },
};
