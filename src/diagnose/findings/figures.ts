import { formatMs, formatRate } from '../../base/index.js';
import type { Limit, Measurement } from '../../results/index.js';
import type { PathEvidence } from '../evidence.js';
import { detailsOf, finite, isTunnelled, isWired, throughputOf } from '../path-figures.js';
import type { Direction, Throughput } from '../path-figures.js';
import type { Context, EvidenceItem } from './cause.js';

/** A figure that several symptoms and causes read, each with the margin that its noise needs. */

/** From here on a path runs at its bound. */
const REACHED_SHARE = 0.9;
/** Below this it stays clearly behind. */
const BEHIND_SHARE = 0.8;

export function physicalLimit({ limits }: Pick<Context, 'limits'>, direction: Direction): Limit | undefined {
  return limits.find((limit) => limit.kind === 'physical' && (limit.direction === direction || limit.direction === 'both'));
}

export function limitOf({ limits }: Pick<Context, 'limits'>, id: string, direction: Direction): Limit | undefined {
  return limits.find((limit) => limit.id === id && (limit.direction === direction || limit.direction === 'both'));
}

/** Whether the path runs as fast as its links let it: then nothing else is in the way. */
export function atLinkRate(context: Context, direction: Direction): boolean {
  const limit = physicalLimit(context, direction);
  const found = throughputOf(context.path, direction);
  return limit !== undefined && found !== undefined && found.bps >= REACHED_SHARE * limit.bps;
}

/** Whether both ends' cables are known: only then is a slower path between them not simply somebody's radio or old port. */
export function bothEndsWired({ path }: Pick<Context, 'path'>): boolean {
  return [path.near?.link, path.far?.link].every((link) => isWired(link) && link?.speedBps !== undefined);
}

export function isWireless({ path }: Pick<Context, 'path'>): boolean {
  return path.near?.link?.kind === 'wireless' || path.far?.link?.kind === 'wireless';
}

/** Whether it stays clearly behind its links, even at the best that its interval and its own error allow. */
export function belowLinkRate(context: Context, direction: Direction): boolean {
  const limit = physicalLimit(context, direction);
  const found = throughputOf(context.path, direction);
  return limit !== undefined && found !== undefined && !isWireless(context) && atBestBps(found) < BEHIND_SHARE * limit.bps;
}

/** The most that the figure can have been: its interval, its own error, and the later half alone, where a slow start is over. */
export function atBestBps({ measurement, details, bps }: Throughput): number {
  const error = measurement.error?.unit === 'bps' ? measurement.error.value : 0;
  const intervals = details.intervals ?? [];
  const late = intervals.slice(Math.floor(intervals.length / 2)).flatMap((each) => finite(each.bps) ?? []);
  const settled = late.length < 2 ? bps : (late.toSorted((a, b) => a - b)[Math.floor(late.length / 2)] ?? bps);
  return Math.max(bps + error, measurement.summary?.ci95?.[1] ?? bps, settled);
}

/** Enough intervals that a median says something. */
export function isSolid({ measurement }: Throughput): boolean {
  return (measurement.summary?.n ?? 0) >= 4;
}

/**
 * What TCP says it waited for, as shares of the time that it had something to send (tcpi_busy_time, tcpi_rwnd_limited,
 * tcpi_sndbuf_limited in include/uapi/linux/tcp.h), and the share of the run in which it had nothing to send.
 */
export function waits({ details }: Throughput): { receiver: number; buffer: number; idle: number | undefined } | undefined {
  const streams = details.perStream ?? [];
  const sum = (pick: (stream: (typeof streams)[number]) => unknown): number | undefined => {
    const known = streams.map((stream) => finite(pick(stream)));
    return known.length === 0 || known.includes(undefined) ? undefined : known.reduce<number>((total, ms) => total + (ms ?? 0), 0);
  };
  const busy = sum(({ busyMs }) => busyMs);
  if (busy === undefined || busy <= 0) return undefined;
  const elapsedMs = finite(details.sender?.elapsedMs) ?? finite(details.elapsedMs);
  const idle = elapsedMs !== undefined && elapsedMs > 0 ? Math.max(0, 1 - busy / (elapsedMs * streams.length)) : undefined;
  return { receiver: (sum((each) => each.receiverLimitedMs) ?? 0) / busy, buffer: (sum((each) => each.senderLimitedMs) ?? 0) / busy, idle };
}

/** The round trip as TCP saw it in the later part of a run, and its least. */
export function tcpRtts({ details }: Throughput): { loadedMs: number; leastMs: number } | undefined {
  const late = (details.intervals ?? []).slice(Math.floor((details.intervals?.length ?? 0) * LATE_SHARE)).flatMap(({ rttMs }) => finite(rttMs) ?? []);
  const least = Math.min(...(details.perStream ?? []).flatMap(({ minRttMs }) => finite(minRttMs) ?? []));
  const loadedMs = late.toSorted((a, b) => a - b)[Math.floor(late.length / 2)];
  return loadedMs === undefined || !Number.isFinite(least) ? undefined : { loadedMs, leastMs: least };
}

const LATE_SHARE = 0.4;

/**
 * The share of segments that were sent again once slow start was over: its overshoot, and what follows from it for
 * some round trips, says nothing about the path. Where no figures came during the run, its whole counts if it was so
 * long that slow start is lost in it.
 */
export function lateRetransmits(found: Throughput): { ratio: number; segments: number } | undefined {
  const { details } = found;
  const intervals = (details.intervals ?? []).filter(({ retransmits }) => finite(retransmits) !== undefined);
  const mss = finite(details.perStream?.[0]?.mssBytes) ?? 1448;
  const rttMs = tcpRtts(found)?.loadedMs ?? finite(details.perStream?.[0]?.rttMs) ?? 0;
  const last = intervals.at(-1);
  const from = intervals.find(({ endMs }, i) => i >= Math.floor(intervals.length * LATE_SHARE) && endMs >= SETTLING_RTTS * rttMs);
  if (!(mss > 0)) return undefined;
  if (intervals.length === 0) {
    const [again, bytes, ms] = [finite(details.retransmits), finite(details.bytes), finite(details.elapsedMs)];
    if (again === undefined || bytes === undefined || ms === undefined || ms < LONG_RTTS * Math.max(rttMs, 0.1)) return undefined;
    return { ratio: again / (bytes / mss + again), segments: bytes / mss };
  }
  if (!from || !last || last.endMs - from.endMs < Math.max(1, SETTLED_RTTS_MIN * rttMs)) return undefined;
  const after = intervals.filter(({ startMs }) => startMs >= from.endMs - 1e-6);
  const bytes = after.reduce((sum, { bps, startMs, endMs }) => sum + (bps * (endMs - startMs)) / 8000, 0);
  const segments = bytes / mss;
  const again = (last.retransmits ?? 0) - (from.retransmits ?? 0);
  return segments > 0 && again >= 0 ? { ratio: again / (segments + again), segments } : undefined;
}

const LONG_RTTS = 200;
const SETTLING_RTTS = 15;
const SETTLED_RTTS_MIN = 10;

/** From here on throughput is excellent (bands.ts): where no link is known that would allow more, nothing is held against it. */
const ENOUGH_BPS = 400e6;

export function isEnough(context: Context, direction: Direction, { bps }: Throughput): boolean {
  return bps >= ENOUGH_BPS && !belowLinkRate(context, direction);
}

/** Whether the path stays within one site: there a round trip of 10 ms or a rate of half the link's needs an explanation. */
export function isLocal({ path }: Pick<Context, 'path'>): boolean {
  return path.kind === 'lan' && !isTunnelled(path);
}

export function find(path: PathEvidence, metric: string, probe?: string): Measurement | undefined {
  return path.measurements.find((each) => each.metric === metric && (probe === undefined || each.probe === probe));
}

export function all(path: PathEvidence, probe: string): Measurement[] {
  return path.measurements.filter((each) => each.probe === probe);
}

/** The lower and the upper bound of a median: its interval where there is one, widened by the measuring's own error. */
export function boundsMs({ summary, error }: Measurement): { low: number; high: number } | undefined {
  if (summary?.unit !== 'ms' || summary.n === 0) return undefined;
  const own = error?.unit === 'ms' ? error.value : 0;
  // Where samples are too few for an interval their spread has to do.
  const [low, high] = summary.ci95 ?? [summary.min, summary.max];
  return { low: Math.max(0, low - own), high: high + own };
}

export function msItem(text: string, rest: { metric?: string; value: number; expected?: number }): EvidenceItem {
  return { text, unit: 'ms', ...rest };
}

export function bpsItem(text: string, rest: { metric?: string; value: number; expected?: number }): EvidenceItem {
  return { text, unit: 'bps', ...rest };
}

export function throughputItem(direction: Direction, bps: number, expected?: number): EvidenceItem {
  return bpsItem(`throughput ${direction} ${formatRate(bps)}`, {
    metric: `throughput.${direction}`,
    value: bps,
    ...(expected === undefined ? {} : { expected }),
  });
}

export function rttItem(measurement: Measurement): EvidenceItem {
  const { summary } = measurement;
  return msItem(`round trip ${formatMs(summary?.median ?? 0)} without load (median of ${summary?.n ?? 0})`, {
    metric: measurement.metric,
    value: summary?.median ?? 0,
  });
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
}

/** The directions in which a test has a figure that can be judged. */
export function tested(context: Context): { direction: Direction; found: Throughput }[] {
  return (['up', 'down'] as const).flatMap((direction) => {
    const found = throughputOf(context.path, direction);
    return found && isSolid(found) ? [{ direction, found }] : [];
  });
}

export function whoOf(direction: Direction, end: 'sender' | 'receiver'): { name: string; of: 'near' | 'far' } {
  const near = (direction === 'up') === (end === 'sender');
  return near ? { name: 'this host', of: 'near' } : { name: 'the peer', of: 'far' };
}

export { detailsOf };
