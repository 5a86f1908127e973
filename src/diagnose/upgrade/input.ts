import type { HostAbout, LinkFacts } from '../../base/index.js';
import type { Limit } from '../../results/index.js';
import type { Cable } from './cables.js';
import type { PriceList } from './prices.js';
import type { Bound, DeclaredWorkload } from './workload.js';

/** Everything that advice can be computed from. What is missing is assumed, and the advice names the assumption. */
export interface UpgradeInput {
  /** Declared speeds; else what both ends negotiated, and what both support. */
  readonly fromBps?: number;
  readonly toBps?: number;
  /** Both ends, as far as they told. */
  readonly near?: HostAbout;
  readonly far?: HostAbout;
  /** The path as it was measured: TCP payload in the better direction, and the round trip without load. */
  readonly measured?: { readonly bps?: number; readonly rttMs?: number };
  /** What bounds the path beside its links: windows, encryption, processors. */
  readonly limits?: readonly Limit[];
  readonly workloads?: readonly DeclaredWorkload[];
  /** Hosts that are to be connected at the higher speed; default 2. */
  readonly hosts?: number;
  readonly distanceMetres?: number;
  /** The cable that is there now. */
  readonly cable?: Cable;
  /** Whether each host has a free port of the higher speed. */
  readonly freePorts?: boolean;
  /** What the fast ports of the hosts take: a plug for twisted pair, or a cage for modules. */
  readonly ports?: 'rj45' | 'sfp';
  readonly disk?: { readonly bps: number; readonly name: string };
  /** Further bounds that were declared, such as `vpn=2G`. */
  readonly bounds?: readonly Bound[];
  readonly prices?: PriceList;
  /** The day on which this is read, as ISO date: prices age. */
  readonly today?: string;
}

/** The two speeds, where they come from, and what kind of ends they are. */
export interface Situation {
  readonly fromBps: number;
  readonly toBps: number;
  readonly from: 'declared' | 'negotiated';
  readonly to: 'declared' | 'supported';
  readonly ends: readonly End[];
}

export interface End {
  readonly name: string;
  readonly side: 'near' | 'far';
  readonly os?: string;
  readonly link: LinkFacts;
}

/** Undefined where either speed is neither declared nor known at both ends, or no wire is involved. */
export function situationOf(input: UpgradeInput): Situation | undefined {
  const ends = (['near', 'far'] as const).flatMap((side): End[] => {
    const about = input[side];
    return about?.link ? [{ name: about.name, side, link: about.link, ...(about.os === 'unknown' ? {} : { os: about.os }) }] : [];
  });
  if (ends.some(({ link }) => link.kind !== 'ethernet')) return undefined;
  const negotiated = bothEnds(ends, ({ speedBps }) => speedBps);
  const supported = bothEnds(ends, ({ supportedBpsMax }) => supportedBpsMax);
  const fromBps = input.fromBps ?? negotiated;
  const toBps = input.toBps ?? supported;
  if (fromBps === undefined || toBps === undefined || toBps <= fromBps) return undefined;
  return {
    fromBps,
    toBps,
    from: input.fromBps === undefined ? 'negotiated' : 'declared',
    to: input.toBps === undefined ? 'supported' : 'declared',
    ends,
  };
}

/** The lower figure of both ends; undefined unless both tell. */
function bothEnds(ends: readonly End[], figure: (link: LinkFacts) => number | undefined): number | undefined {
  const figures = ends.flatMap(({ link }) => figure(link) ?? []);
  return figures.length === 2 ? Math.min(...figures) : undefined;
}
