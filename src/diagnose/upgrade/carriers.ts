import type { Situation, UpgradeInput } from './input.js';
import { goodputCeilingBps, speedName } from './link-speeds.js';
import type { Bound, Carrier, Carriers } from './workload.js';
import { plainQuantity } from './workload.js';

/** Where nothing was measured: two switches on a local network. */
export const RTT_MS_ASSUMED = 0.3;
/** A solid-state disk on PCIe 3 reads and writes about so much. */
export const DISK_ASSUMED = { bps: 24e9, name: 'an NVMe disk' };
export const DISKS: Readonly<Record<string, { readonly bps: number; readonly name: string }>> = {
  nvme: DISK_ASSUMED,
  sata: { bps: 4e9, name: 'a SATA solid-state disk' },
  hdd: { bps: 1.2e9, name: 'a hard disk' },
};
/** One TCP connection is served by one core at each end; ESnet's hosts reach this without special tuning (fasterdata.es.net, 100G). */
const CORE_BPS_ASSUMED = 25e9;

/** Below this share of what the link can carry, something other than the link limits the path. */
export const LINK_SHARE_MIN = 0.8;

export interface Basis {
  readonly carriers: Carriers;
  readonly assumed: readonly string[];
  readonly ceilingBps: number;
  /** Left out where nothing was measured, or more than is possible. */
  readonly measuredBps?: number;
  /** What was measured is above what the link can carry. */
  readonly impossible: boolean;
  /** What limits the path now, where it is not the link. */
  readonly otherLimit?: Bound;
}

/** The link now and after, each with what bounds it. */
export function basisOf(input: UpgradeInput, situation: Situation): Basis {
  const mtu = input.near?.route?.mtu ?? situation.ends[0]?.link.mtu;
  const framed = mtu === undefined || mtu < 576 ? {} : { mtu };
  const { timestamps } = input.near?.tcp ?? {};
  const carried = (bps: number, stamped: boolean): number => goodputCeilingBps(bps, { ...framed, timestamps: stamped });
  // Without timestamps a little more fits: only what is above that is impossible.
  const ceilingBps = carried(situation.fromBps, timestamps === true);
  const stamped = carried(situation.fromBps, true);
  const impossible = (input.measured?.bps ?? 0) > ceilingBps;
  const measuredBps = impossible ? undefined : input.measured?.bps;
  // What was measured proves that a bound below it does not bind.
  const others = otherBounds(input).filter(({ bps }) => bps >= (measuredBps ?? 0));
  const otherLimit = limitBeside(measuredBps, { fromBps: situation.fromBps, linkBps: stamped, others });
  const assumed: string[] = [];
  const rttMs = input.measured?.rttMs ?? RTT_MS_ASSUMED;
  if (input.measured?.rttMs === undefined) assumed.push(`a round trip of ${RTT_MS_ASSUMED} ms, as on a local network`);
  if (!input.disk)
    assumed.push(`${DISK_ASSUMED.name} at both ends, ${plainQuantity(DISK_ASSUMED.bps / 8, 'bytes')}/s (--disk sata, hdd or a rate says otherwise)`);
  const disk = input.disk ?? DISK_ASSUMED;
  const carrier = (linkBps: number, bounds: readonly Bound[]): Carrier => ({
    linkBps,
    rttMs,
    bounds: [...bounds, ...others],
    disks: [{ what: disk.name, bps: disk.bps }],
  });
  const link = (bps: number): Bound => ({ what: `the ${speedName(bps)} link`, bps: carried(bps, true) });
  const after = carrier(situation.toBps, [link(situation.toBps), ...(otherLimit && !others.includes(otherLimit) ? [otherLimit] : [])]);
  const now = measuredBps === undefined ? link(situation.fromBps) : { what: otherLimit?.what ?? link(situation.fromBps).what, bps: measuredBps };
  // An assumption bounds what may be gained, on either link; it never says that the link is not the limit now.
  const core = situation.toBps > CORE_BPS_ASSUMED && (measuredBps ?? 0) <= CORE_BPS_ASSUMED && !others.some(({ what }) => what === 'one core');
  if (core) assumed.push(`one TCP connection reaches ${speedName(CORE_BPS_ASSUMED)} on one core (--limit core=RATE sets what you measured)`);
  const withCore = (each: Carrier): Carrier => (core ? { ...each, bounds: [...each.bounds, { what: 'one core', bps: CORE_BPS_ASSUMED }] } : each);
  return {
    carriers: { now: withCore(carrier(situation.fromBps, [now])), after: withCore(after) },
    assumed,
    ceilingBps: !impossible && stamped >= (measuredBps ?? 0) && timestamps !== false ? stamped : ceilingBps,
    ...(measuredBps === undefined ? {} : { measuredBps }),
    impossible,
    ...(otherLimit ? { otherLimit } : {}),
  };
}

/** Bounds that a faster link leaves as they are. What is physical is the link itself, here or further on. */
function otherBounds(input: UpgradeInput): readonly Bound[] {
  const limits = (input.limits ?? []).filter(({ kind }) => kind !== 'physical');
  return [...(input.bounds ?? []), ...limits.map(({ why, bps }) => ({ what: why, bps }))];
}

interface Path {
  readonly fromBps: number;
  readonly linkBps: number;
  readonly others: readonly Bound[];
}

function limitBeside(measuredBps: number | undefined, { fromBps, linkBps, others }: Path): Bound | undefined {
  const lowestOther = [...others].sort((a, b) => a.bps - b.bps)[0];
  if (lowestOther && lowestOther.bps < linkBps * LINK_SHARE_MIN) return lowestOther;
  if (measuredBps === undefined || measuredBps >= linkBps * LINK_SHARE_MIN) return undefined;
  return { what: `what keeps the path at ${plainQuantity(measuredBps, 'bps')} now (not the ${speedName(fromBps)} link)`, bps: measuredBps };
}
