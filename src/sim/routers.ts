import { chanceFor, jitterMs } from './chance.js';
import type { DirectionSpec, RouterSpec } from './scenario.js';
import type { Timeline } from './timeline.js';

/** Routers that only `hops` counts have addresses of the documentation's networks (RFC 5737, RFC 3849). */
const NAMELESS = { 4: '192.0.2.', 6: '2001:db8::' } as const;
/** What no TTL was asked for goes as far as any packet can. */
const TTL_DEFAULT = 255;
const BURST_DEFAULT = 6;

/** A packet as routers see it. */
export interface Transit {
  readonly bytes: number;
  readonly family: 4 | 6;
  readonly ttl?: number | undefined;
  readonly dontFragment?: boolean | undefined;
  /** What equal-cost routers hash: the same for all packets of a flow. */
  readonly flowHash: number;
}

/** How far a packet gets. `stopped` without `says` is silence. */
export type Passage =
  | { readonly kind: 'through' }
  | {
      readonly kind: 'stopped';
      readonly says?: { readonly what: RouterError; readonly from: string; readonly afterNs: number; readonly mtuBytes?: number };
    };

export interface Ways {
  readonly forward: DirectionSpec;
  readonly back: DirectionSpec;
}

export type RouterError = 'ttl-exceeded' | 'too-big' | 'unreachable' | 'prohibited';

/** The routers of one direction, in the order in which packets meet them. */
export class SimRouters {
  readonly #timeline: Timeline;
  readonly #chance: { readonly loss: ReturnType<typeof chanceFor>; readonly jitter: ReturnType<typeof chanceFor> };
  /** Answers that each may still give, for those that give few. */
  readonly #budgets = new Map<string, { tokens: number; atNs: number }>();

  constructor(timeline: Timeline, name: string, seed: number) {
    this.#timeline = timeline;
    this.#chance = { loss: chanceFor(seed, `${name} routers`), jitter: chanceFor(seed, `${name} answers`) };
  }

  /** Takes a packet past all routers; `back` is the direction that their answers come by. */
  pass(packet: Transit, ways: Ways): Passage {
    const line = lineOf(ways.forward, packet.family);
    const routers = line.map((side) => side[packet.flowHash % side.length] as RouterSpec);
    let ttl = packet.ttl ?? TTL_DEFAULT;
    let at = 0;
    for (let travelled = 1; at < routers.length; travelled++) {
      const router = routers[at] as RouterSpec;
      if (router.loss !== undefined && this.#chance.loss.next() < router.loss) return SILENCE;
      ttl--;
      const say = (what: RouterError, mtuBytes?: number): Passage =>
        this.#say(router, { ...ways, count: routers.length }, { what, mtuBytes, travelled, at });
      // A router looks for a route first, then at the TTL, and its firewall comes last (net/ipv4/ip_forward.c).
      if (router.forwards === 'unreachable') return say('unreachable');
      if (ttl === 0) return say('ttl-exceeded');
      if (router.forwards === 'nothing') return SILENCE;
      if (router.forwards === 'prohibited') return say('prohibited');
      if (router.mtu !== undefined && packet.bytes > router.mtu && packet.dontFragment === true) {
        const { tooBig = 'told' } = router;
        return tooBig === 'silent' ? SILENCE : say('too-big', tooBig === 'told' ? router.mtu : tooBig);
      }
      if (router.forwards !== 'back') at++;
      // The sending host does not forward what comes back to it.
      else if (--at < 0) return SILENCE;
    }
    return { kind: 'through' };
  }

  /** An error about a packet that the last router cannot send on, or whoever comes before the target. */
  atTheEnd(said: { readonly what: RouterError; readonly mtuBytes: number }, packet: Transit, ways: Ways): Passage {
    const line = lineOf(ways.forward, packet.family);
    const side = line.at(-1);
    const router = side?.[packet.flowHash % side.length] ?? { address: nameless(packet.family, 254) };
    const at = Math.max(0, line.length - 1);
    return this.#say(router, { ...ways, count: Math.max(1, line.length) }, { ...said, travelled: at + 1, at });
  }

  #say(
    router: RouterSpec,
    { forward, back, count }: Ways & { count: number },
    said: { what: RouterError; mtuBytes?: number | undefined; travelled: number; at: number },
  ): Passage {
    if (back.icmp === 'filtered' || forward.blackhole === true || back.blackhole === true || !this.#mayAnswer(router)) return SILENCE;
    const there = router.delayMs ?? ((forward.delayMs ?? 0) * (said.at + 1)) / (count + 1);
    const home = router.delayMs ?? ((back.delayMs ?? 0) * (said.at + 1)) / (count + 1);
    // What went round in a loop has come further than the router is far.
    const loopMs = ((said.travelled - said.at - 1) * (forward.delayMs ?? 0)) / (count + 1);
    const random = this.#chance.jitter;
    const jitter = jitterMs(random, forward.jitter, there) + jitterMs(random, back.jitter, home);
    const afterNs = (there + loopMs + home + jitter + (router.answerMs ?? 0)) * 1e6;
    const { what, mtuBytes } = said;
    return { kind: 'stopped', says: { what, from: router.address, afterNs, ...(mtuBytes === undefined ? {} : { mtuBytes }) } };
  }

  /** A token bucket, as the kernel's of net/ipv4/icmp.c. */
  #mayAnswer({ answers = 'always', address }: RouterSpec): boolean {
    if (answers === 'always') return true;
    if (answers === 'never') return false;
    const { perSecond, burst = BURST_DEFAULT } = answers;
    const nowNs = this.#timeline.nowNs;
    const budget = this.#budgets.get(address) ?? { tokens: burst, atNs: nowNs };
    budget.tokens = Math.min(burst, budget.tokens + ((nowNs - budget.atNs) * perSecond) / 1e9);
    budget.atNs = nowNs;
    this.#budgets.set(address, budget);
    if (budget.tokens < 1) return false;
    budget.tokens--;
    return true;
  }
}

const SILENCE: Passage = { kind: 'stopped' };

/** The routers of a direction; at each place one or several side by side. */
function lineOf({ routers, hops = 0 }: DirectionSpec, family: 4 | 6): readonly (readonly RouterSpec[])[] {
  if (routers) return routers.map((one) => (Array.isArray(one) ? one : [one]));
  return Array.from({ length: hops }, (_, i) => [{ address: nameless(family, i + 1) }]);
}

function nameless(family: 4 | 6, number: number): string {
  return `${NAMELESS[family]}${family === 4 ? number : number.toString(16)}`;
}

/** The smallest MTU of a direction with its routers. */
export function smallestMtu({ mtu = MTU_DEFAULT, routers }: DirectionSpec): number {
  if (!routers) return mtu;
  return Math.min(mtu, ...routers.flat().map((router) => router.mtu ?? Number.POSITIVE_INFINITY));
}

const MTU_DEFAULT = 1500;

/** FNV-1a over what tells flows apart; it has to spread low bits, since few routers stand side by side. */
export function flowHash(parts: readonly (string | number)[]): number {
  let hash = 0x811c9dc5;
  for (const char of parts.join(' ')) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193);
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  return hash >>> 0;
}
