import { formatBytes, formatMs } from '../base/index.js';
import type { PumpInterval, TcpInfo } from '../base/index.js';
import { summarize } from '../stats/index.js';
import type { Measurement, MeasurementError } from '../results/index.js';
import type { PumpReport } from '../wire/index.js';
import type { Make } from './measuring.js';
import type { DirectionResult } from './stream-test.js';

export interface FigureOptions {
  readonly make: Make;
  readonly seed: number;
  readonly streams: number;
  readonly omitMs: number;
  readonly intervalMs: number;
  /** How long the sender was asked to send, where it was a time and not an amount. */
  readonly durationMs?: number;
  readonly copy: boolean;
  readonly rateBps?: number;
  readonly onSamples?: (metric: string, samples: ArrayLike<number>) => void;
  /** Further causes of error, in words for a person. */
  readonly also: readonly string[];
}

/** A thread that computed for more of the time than this may itself be what was slow. */
const BUSY_SHARE = 0.95;
/** Intervals shorter than this part of what was asked for say little about the rate. */
const WHOLE_SHARE = 0.5;
/** A receiver that saw bytes come for less than this part of the time that they were sent saw a burst, and no rate. */
const SEEN_SHARE = 0.1;
/** Fewer figures than this make a poor summary. */
const INTERVALS_FEW = 4;
/** A receiver fetches at most this much at once, and at high rates what arrives in this time. */
const READ_BYTES = 64 * 1024;
const READ_BYTES_MAX = 1024 * 1024;
const READ_MS = 0.25;

/** One direction of a TCP test as a measurement: the receiver's rates, and what both ends know about them. */
export function throughputMeasurement(result: DirectionResult, options: FigureOptions): Measurement {
  const { make, seed } = options;
  const metric = `throughput.${result.direction}`;
  const moved = result.intervals.reduce((sum, interval) => sum + sumOf(interval.bytes), 0);
  if (moved === 0) {
    const reason = result.cut ?? 'no bytes arrived';
    return make(metric, {
      outcome: result.cut === 'interrupted' ? 'unchecked' : 'lost',
      reason,
      ...(result.cut === undefined ? {} : { partial: true }),
      details: detailsOf(result, options, undefined),
    });
  }
  const figures = figuresOf(result, options);
  const unseen = unseenReason(result, options, { moved, figures });
  if (unseen !== undefined)
    return make(metric, { outcome: 'unchecked', reason: unseen, partial: true, details: detailsOf(result, options, undefined) });
  options.onSamples?.(metric, figures.rates);
  const summary = summarize(figures.rates, { seed });
  return make(metric, {
    outcome: 'ok',
    ...(result.cut === undefined ? {} : { partial: true, reason: `${result.cut}; the figures are what had been measured by then` }),
    ...(summary ? { summary: { unit: 'bps', ...summary } } : {}),
    error: errorOf(result, options, figures),
    details: detailsOf(result, options, figures),
  });
}

interface Figures {
  /** Bits per second of each interval that counts. */
  readonly rates: readonly number[];
  /** What counts, from here to the end. */
  readonly omittedMs: number;
  readonly measuredMs: number;
  readonly goodputBps: number;
  /** By how much the fullest interval exceeded the usual: what may have arrived before the time that counts. */
  readonly burstBytes: number;
  /** The run ended within its warm-up, which therefore counts. */
  readonly tooShort: boolean;
}

function figuresOf(result: DirectionResult, { omitMs, intervalMs }: FigureOptions): Figures {
  const { intervals } = result;
  const half = intervalMs * WHOLE_SHARE;
  // A line that falls within an interval cuts in favour of its larger part.
  const after = intervals.filter((interval) => interval.startMs >= omitMs - half);
  const tooShort = omitMs > 0 && !after.some((interval) => interval.endMs - interval.startMs >= half);
  const counted = tooShort ? intervals : after;
  const whole = counted.filter((interval) => interval.endMs - interval.startMs >= half);
  const omittedMs = counted[0]?.startMs ?? 0;
  const measuredMs = (counted.at(-1)?.endMs ?? 0) - omittedMs;
  const all = counted.reduce((sum, interval) => sum + sumOf(interval.bytes), 0);
  const goodputBps = rateBps(all, measuredMs);
  const rates = whole.map((interval) => rateBps(sumOf(interval.bytes), interval.endMs - interval.startMs));
  const moved = whole.map((interval) => sumOf(interval.bytes)).sort((a, b) => a - b);
  const burstBytes = (moved.at(-1) ?? 0) - (moved[Math.floor(moved.length / 2)] ?? 0);
  return { rates: rates.length > 0 ? rates : [goodputBps], omittedMs, measuredMs, goodputBps, burstBytes, tooShort };
}

/**
 * A receiver that got no processor time, or that a stall kept waiting, reads at the end what had piled up: a window of
 * bytes in next to no time, which makes a rate that no link has.
 */
function unseenReason({ cut }: DirectionResult, { durationMs }: FigureOptions, seen: { moved: number; figures: Figures }): string | undefined {
  const seenMs = seen.figures.omittedMs + seen.figures.measuredMs;
  if (durationMs === undefined || cut !== undefined || seenMs >= SEEN_SHARE * durationMs) return undefined;
  return (
    `no rate can be told: all ${formatBytes(seen.moved)} came within ${formatMs(seenMs)} of the ${formatMs(durationMs)} asked for, ` +
    `as a burst that had waited; the receiver got too little processor time, or the path stalled`
  );
}

/**
 * How far the rate may be off: what one read of the receiver moves, at either end of the time that
 * counts; and where segments were lost, what TCP held back until the missing one had come, which may
 * have arrived before that time.
 */
function errorOf(result: DirectionResult, options: FigureOptions, figures: Figures): MeasurementError {
  const readBytes = Math.min(READ_BYTES_MAX, Math.max(READ_BYTES, (figures.goodputBps / 8e3) * READ_MS));
  const from = [`timed by the receiver, which counts in steps of up to ${formatBytes(readBytes)}`];
  if (figures.tooShort) from.push(`short run: it ended within its warm-up of ${options.omitMs} ms, which therefore counts`);
  if (figures.rates.length < INTERVALS_FEW)
    from.push(`short run: only ${figures.rates.length} interval${figures.rates.length === 1 ? '' : 's'} of ${options.intervalMs} ms`);
  const cuts = [
    ['sender', result.sender],
    ['receiver', result.receiver],
  ] as const;
  for (const [who, report] of cuts) {
    if ((report?.busiest ?? 0) > BUSY_SHARE)
      from.push(
        `processor: the ${who}'s busiest thread computed ${Math.round(100 * (report?.busiest ?? 0))} % of the time, so it may be what limits the rate`,
      );
    for (const fallback of report?.fallbacks ?? []) from.push(`${who}: ${fallback}`);
  }
  const heldBytes = retransmitsOf(result) > 0 ? figures.burstBytes : 0;
  if (heldBytes > readBytes)
    from.push(`retransmissions: bytes that waited for a missing one came at once, up to ${formatBytes(heldBytes)} more than usual in an interval`);
  const value = figures.measuredMs > 0 ? rateBps(2 * readBytes + heldBytes, figures.measuredMs) : figures.goodputBps;
  return { value: Math.min(value, figures.goodputBps), unit: 'bps', from: [...from, ...options.also] };
}

function retransmitsOf(result: DirectionResult): number {
  const tcp = result.sender?.tcp ?? result.senderIntervals.at(-1)?.tcp ?? [];
  return tcp.reduce((sum, info) => sum + (info?.retransmits ?? 0), 0);
}

function detailsOf(result: DirectionResult, options: FigureOptions, figures: Figures | undefined): Record<string, unknown> {
  const { receiver, sender, intervals, senderIntervals } = result;
  const perStream = receiver?.bytes ?? columnSums(intervals, options.streams);
  const elapsedMs = receiver?.elapsedMs ?? intervals.at(-1)?.endMs ?? 0;
  const tcp = sender?.tcp ?? senderIntervals.at(-1)?.tcp ?? [];
  const known = tcp.filter((info) => info !== undefined);
  const congestion = [...new Set(known.flatMap((info) => info.congestion ?? []))];
  return {
    direction: result.direction,
    streams: options.streams,
    bytes: sumOf(perStream),
    elapsedMs,
    ...(figures ? { goodputBps: figures.goodputBps, omittedMs: figures.omittedMs, measuredMs: figures.measuredMs } : {}),
    ...(options.rateBps === undefined ? {} : { askedBps: options.rateBps }),
    ...(known.length === 0 ? {} : { retransmits: known.reduce((sum, info) => sum + info.retransmits, 0) }),
    ...(congestion.length === 0 ? {} : { congestion: congestion.join(', ') }),
    fairness: fairness(perStream),
    copy: options.copy,
    ...ends('sender', sender),
    ...ends('receiver', receiver),
    perStream: perStream.map((bytes, i) => ({ bytes, bps: rateBps(bytes, elapsedMs), ...tcpOf(tcp[i]) })),
    intervals: intervals.map((interval) => intervalOf(interval, senderIntervals)),
  };
}

function ends(who: 'sender' | 'receiver', report: PumpReport | undefined): Record<string, unknown> {
  if (!report) return {};
  const { method, cpuMs, busiest, host, elapsedMs, broken } = report;
  return {
    [who]: {
      method,
      cpuMs,
      ...(busiest === undefined ? {} : { busiest }),
      ...(host === undefined ? {} : { host }),
      elapsedMs,
      ...(broken === 0 ? {} : { broken }),
    },
  };
}

function tcpOf(info: TcpInfo | undefined): Record<string, unknown> {
  if (!info) return {};
  const { congestion: _, ...rest } = info;
  return rest;
}

/** The receiver's bytes with the sender's TCP state nearest in time. The two clocks begin with the first byte, half a round trip apart. */
function intervalOf(interval: PumpInterval, senderIntervals: readonly PumpInterval[]): Record<string, unknown> {
  const nearest = senderIntervals.find((other) => Math.abs(other.endMs - interval.endMs) <= (interval.endMs - interval.startMs) / 2);
  const known = (nearest?.tcp ?? []).filter((info) => info !== undefined);
  return {
    startMs: interval.startMs,
    endMs: interval.endMs,
    bytes: sumOf(interval.bytes),
    bps: rateBps(sumOf(interval.bytes), interval.endMs - interval.startMs),
    ...(known.length === 0
      ? {}
      : {
          retransmits: known.reduce((sum, info) => sum + info.retransmits, 0),
          rttMs: known.reduce((sum, info) => sum + info.rttMs, 0) / known.length,
          ...(known.every((info) => info.cwndSegments !== undefined)
            ? { cwndSegments: known.reduce((sum, info) => sum + (info.cwndSegments ?? 0), 0) }
            : {}),
        }),
  };
}

/** Jain's fairness index: 1 when all streams got the same, 1/n when one got everything (Jain, Chiu, Hawe 1984). */
export function fairness(bytes: readonly number[]): number {
  const squares = bytes.reduce((sum, b) => sum + b * b, 0);
  return squares === 0 ? 1 : sumOf(bytes) ** 2 / (bytes.length * squares);
}

/** The sender's smoothed round trip as TCP itself saw it, averaged over streams and intervals. */
export function tcpRttMs(result: DirectionResult, fromMs: number): number | undefined {
  const rtts = result.senderIntervals
    .filter((interval) => interval.startMs >= fromMs)
    .flatMap((interval) => interval.tcp.flatMap((info) => info?.rttMs ?? []));
  return rtts.length === 0 ? undefined : sumOf(rtts) / rtts.length;
}

function columnSums(intervals: readonly PumpInterval[], streams: number): number[] {
  return Array.from({ length: streams }, (_, i) => intervals.reduce((sum, interval) => sum + (interval.bytes[i] ?? 0), 0));
}

function rateBps(bytes: number, ms: number): number {
  return ms > 0 ? (bytes * 8000) / ms : 0;
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
