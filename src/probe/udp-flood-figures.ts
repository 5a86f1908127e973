import { formatRate } from '../base/index.js';
import type { FloodCount } from '../base/index.js';
import { lossOf, summarize } from '../stats/index.js';
import type { Measurement, MeasurementError, Outcome } from '../results/index.js';
import type { SessionReport } from '../wire/index.js';
import type { Make } from './measuring.js';

/** Figures are kept for every tenth of a second, as the responder keeps them. */
export const FLOOD_INTERVAL_MS = 100;
/** Below this share of the asked rate a sender did not keep it. */
const KEPT_SHARE = 0.98;
/** A flood that ended before this share of its time did not end by itself. */
const WHOLE_SHARE = 0.8;

/** What was asked for, of either direction. */
export interface AskedFlood {
  readonly sizeBytes: number;
  readonly durationMs: number;
  /** What rates are told for: `FLOOD_INTERVAL_MS` or a multiple. */
  readonly intervalMs: number;
  readonly seed: number;
  readonly aborted: boolean;
}

export interface FloodResult {
  /** As the sender counted; undefined when it does not say. */
  readonly sent: number | undefined;
  /** How long the sender took, for the rate that it reached. */
  readonly sentMs: number;
  readonly count: FloodCount | undefined;
  /** What the receiver's own buffer dropped, in datagrams or in batches that its kernel had joined (UDP_GRO): a lower bound. */
  readonly kernelDrops: number;
  readonly askedBps: number | undefined;
  readonly failure?: { readonly outcome: Exclude<Outcome, 'ok'>; readonly reason: string };
  readonly causes: readonly string[];
  readonly details: Record<string, unknown>;
  readonly aborted: boolean;
}

/** The responder reports datagrams an interval; all are of one size. */
export function countOf(report: SessionReport): FloodCount {
  const { received, bytes, duplicates, reordered } = report;
  const elapsedMs = report.elapsedNs / 1e6;
  const sizeBytes = received === 0 ? 0 : bytes / received;
  return {
    received,
    bytes,
    duplicates,
    reordered,
    expected: received === 0 ? 0 : report.highest + 1,
    elapsedMs,
    jitterMs: report.jitterNs / 1e6,
    intervals: report.intervals.map((datagrams, i) => ({
      endMs: Math.min(elapsedMs, (i + 1) * report.intervalMs),
      received: datagrams,
      bytes: datagrams * sizeBytes,
    })),
  };
}

/** One direction's measurement: goodput and loss by the receiver's count, and what else bears on them. */
export function floodMeasurement(make: Make, metric: string, { result, asked }: { result: FloodResult; asked: AskedFlood }): Measurement {
  const { seed, aborted } = asked;
  const { failure } = result;
  const count = result.count && { ...result.count, intervals: joined(result.count.intervals, asked.intervalMs) };
  const partial = result.aborted || aborted ? { partial: true } : {};
  const details = {
    direction: metric.slice('udp.'.length),
    sizeBytes: asked.sizeBytes,
    ...(result.askedBps === undefined ? {} : { askedBps: result.askedBps }),
    ...result.details,
  };
  if (!count || count.received === 0 || failure) {
    const outcome = result.aborted
      ? { outcome: 'unchecked' as const, reason: 'interrupted before anything was counted' }
      : (failure ?? { outcome: 'lost' as const, reason: `none of ${result.sent ?? 0} datagrams arrived` });
    // Where nobody says what arrived, nothing is known of loss.
    return make(metric, {
      ...outcome,
      ...partial,
      ...(result.sent === undefined || !count ? {} : { loss: lossOf(result.sent, count.received) }),
      details: { ...details, ...(result.sent === undefined ? {} : { sent: result.sent }) },
    });
  }
  // The first datagram begins the time that the others took; one alone says nothing about time but the sender's.
  const spanMs = count.elapsedMs > 0 ? (count.elapsedMs * count.received) / (count.received - 1) : result.sentMs;
  const goodputBps = spanMs > 0 ? (count.bytes * 8000) / spanMs : 0;
  const rates = ratesOf(count, asked.intervalMs);
  const summary = summarize(rates.length > 1 ? rates : [goodputBps], { seed });
  const sent = Math.max(result.sent ?? count.expected, count.received);
  const sentBps = result.sentMs > 0 ? (sent * asked.sizeBytes * 8000) / result.sentMs : 0;
  const kept = result.askedBps === undefined || sentBps >= KEPT_SHARE * result.askedBps;
  const lost = sent - count.received;
  return make(metric, {
    ...endOf(result, { spanMs, durationMs: asked.durationMs }),
    ...partial,
    ...(summary ? { summary: { unit: 'bps', ...summary } } : {}),
    loss: lossOf(sent, count.received),
    error: floodError(result, { goodputBps, sentBps, kept, count, lost }),
    details: {
      ...details,
      goodputBps,
      packetsPerSecond: spanMs > 0 ? (count.received * 1000) / spanMs : 0,
      sent,
      received: count.received,
      bytes: count.bytes,
      sentBps,
      keptRate: kept,
      lost: { total: lost, receiverBufferAtLeast: Math.min(lost, result.kernelDrops) },
      jitterMs: count.jitterMs,
      duplicates: count.duplicates,
      reordered: count.reordered,
      elapsedMs: count.elapsedMs,
      intervals: count.intervals.map((interval, i) => ({
        endMs: interval.endMs,
        received: interval.received,
        ...(rates[i] === undefined ? {} : { bps: rates[i] }),
      })),
    },
  });
}

/** Whether the flood ran its time. One that stopped and whose sender does not answer either has died. */
function endOf(
  result: FloodResult,
  { spanMs, durationMs }: { spanMs: number; durationMs: number },
): { outcome: Outcome; reason?: string; partial?: true } {
  const after = `after ${Math.round(spanMs)} ms of ${Math.round(durationMs)}`;
  if (result.aborted) return { outcome: 'ok', reason: `interrupted ${after}`, partial: true };
  if (spanMs >= WHOLE_SHARE * result.sentMs) return { outcome: 'ok' };
  if (result.sent === undefined) return { outcome: 'lost', reason: `the flood stopped ${after}: the responder or the path went away`, partial: true };
  return { outcome: 'ok', reason: `the flood stopped ${after}`, partial: true };
}

/** Intervals as long as was asked for, of those that were counted. */
function joined(counted: FloodCount['intervals'], intervalMs: number): FloodCount['intervals'] {
  const each = Math.max(1, Math.round(intervalMs / FLOOD_INTERVAL_MS));
  return Array.from({ length: Math.ceil(counted.length / each) }, (_, i) => {
    const part = counted.slice(i * each, (i + 1) * each);
    const sum = (of: 'received' | 'bytes'): number => part.reduce((total, interval) => total + interval[of], 0);
    return { endMs: part.at(-1)?.endMs ?? 0, received: sum('received'), bytes: sum('bytes') };
  });
}

/** Bits per second of each whole interval; the last, which ends with the last datagram, is left out where it is short. */
function ratesOf(count: FloodCount, intervalMs: number): number[] {
  let startMs = 0;
  const rates: number[] = [];
  for (const { endMs, bytes } of count.intervals) {
    const lengthMs = endMs - startMs;
    startMs = endMs;
    if (lengthMs >= intervalMs * 0.99) rates.push((bytes * 8000) / lengthMs);
  }
  return rates;
}

/**
 * How far the goodput may be off: one datagram more or less; and where the receiving host dropped some
 * after they had arrived, everything that was lost, since nobody counts the datagrams in what it dropped.
 */
function floodError(
  result: FloodResult,
  figures: { goodputBps: number; sentBps: number; kept: boolean; count: FloodCount; lost: number },
): MeasurementError {
  const { goodputBps, sentBps, kept, count, lost } = figures;
  const datagramBps = goodputBps / Math.max(1, count.received - 1);
  const from = ["counted by the receiver between the first and the last datagram's arrival"];
  if (!kept && result.askedBps !== undefined) from.push(`sender: it reached ${formatRate(sentBps)} of the ${formatRate(result.askedBps)} asked for`);
  if (result.kernelDrops > 0)
    from.push(`socket buffer: the receiving host dropped at least ${result.kernelDrops} datagrams after they had arrived; they count as lost`);
  return { value: datagramBps * (1 + (result.kernelDrops > 0 ? lost : 0)), unit: 'bps', from: [...from, ...result.causes] };
}
