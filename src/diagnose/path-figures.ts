import type { LinkFacts } from '../base/index.js';
import { aboveCeiling } from '../results/index.js';
import type { Measurement, MtuDetails } from '../results/index.js';
import type { PathEvidence } from './evidence.js';

/*
 * What ceilings and findings read out of a path's measurements. Everything may be missing: then the answer is
 * undefined, and nothing is concluded from it.
 */

export type Direction = 'up' | 'down';
export const DIRECTIONS: readonly Direction[] = ['up', 'down'];

/** What `details` of a throughput measurement hold, as far as they are read here (probe/throughput-figures.ts). */
export interface ThroughputDetails {
  readonly streams?: number;
  readonly bytes?: number;
  readonly elapsedMs?: number;
  readonly goodputBps?: number;
  readonly askedBps?: number;
  readonly retransmits?: number;
  readonly congestion?: string;
  readonly sender?: EndDetails;
  readonly receiver?: EndDetails;
  readonly perStream?: readonly StreamDetails[];
  readonly intervals?: readonly IntervalDetails[];
}

export interface EndDetails {
  readonly cpuMs?: number;
  readonly elapsedMs?: number;
  readonly busiest?: number;
  readonly host?: { readonly busy: number; readonly busiestCpu: number; readonly softirq: number; readonly steal: number };
}

export interface StreamDetails {
  readonly bytes?: number;
  readonly bps?: number;
  readonly retransmits?: number;
  readonly mssBytes?: number;
  readonly rttMs?: number;
  readonly minRttMs?: number;
  readonly cwndSegments?: number;
  readonly busyMs?: number;
  readonly receiverLimitedMs?: number;
  readonly senderLimitedMs?: number;
}

export interface IntervalDetails {
  readonly startMs: number;
  readonly endMs: number;
  readonly bps: number;
  readonly retransmits?: number;
  readonly rttMs?: number;
}

/** A TCP test in one direction whose figure stands: whole, possible, and as fast as it went. */
export interface Throughput {
  readonly measurement: Measurement;
  readonly details: ThroughputDetails;
  readonly bps: number;
}

/** The fastest of the tests in that direction: what the path was seen to carry. */
export function throughputOf({ measurements }: Pick<PathEvidence, 'measurements'>, direction: Direction): Throughput | undefined {
  const found = measurements.flatMap((measurement): Throughput[] => {
    const { metric, outcome, summary } = measurement;
    const details = detailsOf<ThroughputDetails>(measurement);
    if (metric !== `throughput.${direction}` || outcome !== 'ok' || summary?.unit !== 'bps' || summary.n === 0) return [];
    if (measurement.partial === true || details.askedBps !== undefined || aboveCeiling(measurement) !== undefined) return [];
    // Where bytes come in bursts with silence between, as after a policer, the median interval is empty.
    const goodput = finite(details.goodputBps) ?? summary.median;
    const bps = summary.median < goodput / 2 ? goodput : summary.median;
    return bps > 0 ? [{ measurement, details, bps }] : [];
  });
  return found.reduce<Throughput | undefined>((best, each) => (best && best.bps >= each.bps ? best : each), undefined);
}

/** The round trip without load. What an echo takes is known best, then a ping's, then a connection's. */
export function idleRtt({ measurements }: Pick<PathEvidence, 'measurements'>): Measurement | undefined {
  for (const [probe, metric] of IDLE_RTTS) {
    const fits = measurements.filter((each) => each.metric === metric && (probe === undefined || each.probe === probe) && worked(each, 'ms'));
    const best = fits.toSorted((a, b) => (b.summary?.n ?? 0) - (a.summary?.n ?? 0))[0];
    if (best) return best;
  }
  return undefined;
}

const IDLE_RTTS: readonly (readonly [probe: string | undefined, metric: string])[] = [
  ['echo', 'rtt'],
  ['ping', 'rtt'],
  [undefined, 'rtt.idle'],
  [undefined, 'connect'],
];

/** The shortest time there and back that was seen: what a window is divided by for an upper bound. */
export function baseRttMs(evidence: Pick<PathEvidence, 'measurements'>): number | undefined {
  const ms = idleRtt(evidence)?.summary?.min;
  return ms !== undefined && ms > 0 ? ms : undefined;
}

/** The largest IP packet of a direction: measured, else what the route or the interface says, else Ethernet's. */
export function mtuOf(evidence: PathEvidence, direction: Direction): { readonly bytes: number; readonly from: string } {
  const measured = evidence.measurements.filter(
    (each) =>
      (each.metric === `mtu.${direction}` || each.metric === 'mtu') && worked(each, 'bytes') && detailsOf<MtuDetails>(each).blackHole !== true,
  );
  const bytes = Math.min(...measured.map((each) => each.summary?.median ?? Number.POSITIVE_INFINITY));
  if (Number.isFinite(bytes) && bytes >= MTU_BYTES_MIN) return { bytes, from: 'measured' };
  const said = [evidence.near?.route?.mtu ?? evidence.near?.link?.mtu, evidence.far?.link?.mtu].filter(
    (mtu): mtu is number => mtu !== undefined && mtu >= MTU_BYTES_MIN,
  );
  return said.length > 0 ? { bytes: Math.min(...said), from: 'of the interfaces' } : { bytes: 1500, from: 'assumed' };
}

const MTU_BYTES_MIN = 576;

export function familyOf({ address }: Pick<PathEvidence, 'address'>): 4 | 6 {
  return address?.includes(':') === true ? 6 : 4;
}

/** The end that sends in a direction, and the one that receives. */
export function endsOf(evidence: PathEvidence, direction: Direction) {
  const { near, far } = evidence;
  return direction === 'up' ? { sender: near, receiver: far } : { sender: far, receiver: near };
}

/**
 * Whether an interface is one that a cable is plugged into. Everything else reports a nominal speed that bounds
 * nothing: a veth pair says 10 Gbit/s (drivers/net/veth.c) and moves several times that.
 */
export function isWired(link: LinkFacts | undefined): boolean {
  return link !== undefined && link.kind === 'ethernet' && !(link.driver !== undefined && NOMINAL_DRIVERS.has(link.driver.toLowerCase()));
}

/** Virtual, paravirtual and emulated adapters; e1000 is for almost everybody the emulated one. */
const NOMINAL_DRIVERS: ReadonlySet<string> = new Set([
  'veth',
  'virtio_net',
  'virtio',
  'vmxnet3',
  'hv_netvsc',
  'xen_netfront',
  'vif',
  'ena',
  'gve',
  'e1000',
  'tun',
  'dummy',
  'bridge',
  'bonding',
  'macvlan',
  'ipvlan',
]);

/** Whether the path runs through an encrypting tunnel, as far as is known. */
export function isTunnelled(evidence: PathEvidence): boolean {
  return evidence.kind === 'tailscale' || evidence.near?.link?.kind === 'tunnel';
}

export function worked(measurement: Measurement, unit: 'ms' | 'bps' | 'bytes' | 'ratio'): boolean {
  return measurement.outcome === 'ok' && measurement.summary?.unit === unit && measurement.summary.n > 0;
}

/** A probe's own details. They came through JSON perhaps, and from another release: every field is checked where it is used. */
export function detailsOf<T extends object>({ details }: Pick<Measurement, 'details'>): Partial<T> {
  return (details ?? {}) as Partial<T>;
}

/** A finite number, else undefined: figures in `details` are whatever a peer or a document said. */
export function finite(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}
