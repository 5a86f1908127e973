/**
 * What bounds a path's throughput: one file a ceiling, each with its reason in words and numbers. `physical` bounds
 * cannot be exceeded, so a figure above one is a measuring error; `configured` ones could be other; `estimated` ones
 * were computed from figures that vary.
 *
 *     const limits = limitsOf(evidence);                        // the lowest first
 *     const shown = attachCeilings(evidence.measurements, limits);
 */
import { formatBytes, formatRate } from '../../base/index.js';
import type { Limit, Measurement } from '../../results/index.js';
import type { PathEvidence } from '../evidence.js';
import { DIRECTIONS, detailsOf, finite, throughputOf } from '../path-figures.js';
import type { Ceiling } from './ceiling.js';
import { udpShare } from './framing.js';
import { linkRate } from './link-rate.js';
import { lossBound } from './loss-bound.js';
import { singleCore, vpnEncryption } from './processor.js';
import { seenShaper, shaper } from './shaper.js';
import { windows } from './window.js';

export { receiveWindow } from './window.js';
export { shapingQueue } from './shaper.js';
export { tcpShare, udpShare, wireguardBytes } from './framing.js';

/** A new ceiling is one file and one entry here. */
const CEILINGS: readonly Ceiling[] = [linkRate, windows, shaper, seenShaper, singleCore, vpnEncryption, lossBound];

/** What bounds a path's throughput in each direction, the lowest bound first. */
export function limitsOf(evidence: PathEvidence): Limit[] {
  const limits = DIRECTIONS.flatMap((direction) => {
    const measured = throughputOf(evidence, direction)?.bps;
    return CEILINGS.flatMap((ceiling) => ceiling(evidence, direction))
      .filter(({ bps }) => Number.isFinite(bps) && bps > 0)
      .map((limit) => (measured === undefined ? limit : { ...limit, reached: measured / limit.bps }));
  });
  return limits.sort((a, b) => a.bps - b.bps);
}

/** Datagrams up to this size fit one Ethernet packet over IPv4 or IPv6. */
const UNFRAGMENTED_BYTES = 1452;

/**
 * Throughput and UDP measurements with the lowest bound of their direction that nothing can exceed: the physical ones,
 * and, where it is exceeded, a token bucket that everything goes through, with what it holds in each interval. A figure that lies above
 * it by no more than its own error or interval proves nothing impossible: it keeps no ceiling, and `Limit.reached` tells.
 */
export function attachCeilings(measurements: readonly Measurement[], limits: readonly Limit[]): Measurement[] {
  return measurements.map((measurement) => {
    const { metric, summary } = measurement;
    const [kind, direction] = metric.split('.');
    if (summary?.unit !== 'bps' || measurement.ceiling || (kind !== 'throughput' && kind !== 'udp')) return measurement;
    const error = measurement.error?.unit === 'bps' ? measurement.error.value : 0;
    const least = Math.min(summary.median - error, summary.ci95?.[0] ?? summary.median);
    const firm = limits.filter(({ direction: of }) => of === 'both' || of === direction);
    const bounds = firm.flatMap((limit): { limit: Limit; bps: number }[] => {
      if (limit.kind === 'physical') return [{ limit, bps: kind === 'udp' ? udpBound(limit, measurement) : limit.bps }];
      // What a bucket lets through beyond its rate depends on the intervals: it tells what is impossible, and not how good a figure is.
      const bps = bucketBound(limit, measurement);
      return least > bps ? [{ limit, bps }] : [];
    });
    const lowest = bounds.toSorted((a, b) => a.bps - b.bps)[0];
    if (!lowest) return measurement;
    if (summary.median > lowest.bps && least <= lowest.bps) return measurement;
    return { ...measurement, ceiling: { value: lowest.bps, unit: 'bps', why: whyOf(lowest) } };
  });
}

function whyOf({ limit, bps }: { readonly limit: Limit; readonly bps: number }): string {
  if (limit.burstBytes === undefined) return limit.why;
  return `${limit.why}, and ${formatBytes(limit.burstBytes)} at once; in intervals this short ${formatRate(bps)} at most`;
}

/** A datagram's headers are smaller than a segment's, by at most this share of a packet of 576 bytes or more. */
const UDP_SHARE_MORE = 1.05;

/** Each interval of a figure may begin with a full bucket. */
function bucketBound({ bps, burstBytes }: Limit, measurement: Measurement): number {
  const { measuredMs, elapsedMs } = detailsOf<{ measuredMs: number; elapsedMs: number }>(measurement);
  const overMs = finite(measuredMs) ?? finite(elapsedMs) ?? 0;
  if (burstBytes === undefined || !(overMs > 0)) return Number.POSITIVE_INFINITY;
  const full = (burstBytes * 8000 * (measurement.summary?.n ?? 1)) / overMs;
  return bps * (measurement.metric.startsWith('udp') ? UDP_SHARE_MORE : 1) + full;
}

/** Datagrams have other headers than TCP's segments, and their own size. */
function udpBound(limit: Limit, measurement: Measurement): number {
  if (limit.linkBps === undefined) return limit.bps;
  const sizeBytes = finite(detailsOf<{ sizeBytes: number }>(measurement).sizeBytes);
  return sizeBytes === undefined || sizeBytes > UNFRAGMENTED_BYTES ? limit.linkBps : limit.linkBps * udpShare(sizeBytes, 4);
}
