import type { DatagramFlow, ExchangeLog } from '../base/index.js';

/** Once answers have come, the missing ones are waited for three times as long as the slowest took (as irtt does), and at least this long. */
const LISTEN_MS_MIN = 250;
const LISTEN_RTTS = 3;
/** Copies make an exchange end before the last answer; it is then taken up again this many times at most. */
const LISTEN_ROUNDS_MAX = 16;
/** An interrupted run listens no longer than this: what is under way is not lost, but a person waits. */
const LISTEN_MS_ABORTED = 300;

/**
 * A long train of datagrams goes out in cars of this many, since the log of an exchange grows with
 * its length. 16 bits of sequence number count within the car; its number goes into the template.
 */
const CAR_DATAGRAMS = 65_536;

export interface SeriesPlan {
  /** Gives the datagram for the car that begins with sequence number `first`. */
  readonly payload: (first: number) => Uint8Array;
  /** Where the lower 16 bits of the sequence number go. */
  readonly sequenceOffset: number;
  readonly count: number;
  readonly intervalMs: number;
  /** The longest to listen after the last datagram. */
  readonly waitMs: number;
  /** How much of each reply is kept. */
  readonly replyBytesMax: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (sent: number, received: number) => void;
  /**
   * Called for each reply in order of arrival, times in milliseconds from the series' origin.
   * `first` is the first sequence number of the car that was under way. `bytes` is valid during the call.
   * @returns the round trip in milliseconds of a first answer; undefined for a copy or anything else
   */
  readonly onReply: (reply: { bytes: Uint8Array; lengthBytes: number; arrivedMs: number; first: number }, series: SeriesLog) => number | undefined;
}

/** What happened on the sending side. Arrays have one entry for each datagram up to `tried`. */
export interface SeriesLog {
  /** Datagrams that were due. */
  tried: number;
  /** Datagrams that the kernel took. */
  sent: number;
  /** When each was sent, from the series' origin; NaN where the kernel refused it. */
  readonly sentMs: Float64Array;
  /** Sent minus due. */
  readonly latenessMs: Float64Array;
  /** How long handing each to the kernel took: it left within this time. */
  readonly callMs: Float64Array;
  readonly errors: Record<string, number>;
  kernelDrops: number;
  cpuMs: number;
  elapsedMs: number;
  aborted: boolean;
  /** A whole car went by without one answer: the rest was not sent. */
  silent: boolean;
}

/** Sends `count` datagrams on a schedule, however many, in memory that is a few numbers a datagram. */
export async function runSeries(flow: DatagramFlow, plan: SeriesPlan): Promise<SeriesLog> {
  const series: SeriesLog = {
    tried: 0,
    sent: 0,
    sentMs: new Float64Array(plan.count),
    latenessMs: new Float64Array(plan.count),
    callMs: new Float64Array(plan.count),
    errors: {},
    kernelDrops: 0,
    cpuMs: 0,
    elapsedMs: 0,
    aborted: false,
    silent: false,
  };
  const train = new Train(flow, plan, series);
  for (let first = 0; first < plan.count && !series.aborted && !series.silent; first += CAR_DATAGRAMS) {
    await train.sendCar(first);
  }
  await train.listen();
  return series;
}

class Train {
  readonly #flow: DatagramFlow;
  readonly #plan: SeriesPlan;
  readonly #series: SeriesLog;
  #originNs: bigint | undefined;
  #answered = 0;
  #slowestMs = 0;

  constructor(flow: DatagramFlow, plan: SeriesPlan, series: SeriesLog) {
    this.#flow = flow;
    this.#plan = plan;
    this.#series = series;
  }

  /** What is still under way when a car ends is read afterwards: the kernel has stamped its arrival. */
  async sendCar(first: number): Promise<void> {
    const series = this.#series;
    const count = Math.min(CAR_DATAGRAMS, this.#plan.count - first);
    const log = await this.#exchange(first, { count, waitNs: 0 });
    const shiftMs = this.#shiftMs(log);
    for (let i = 0; i < log.sent; i++) {
      const sentMs = (log.sentNs[i] as number) / 1e6;
      series.sentMs[first + i] = shiftMs + sentMs;
      series.latenessMs[first + i] = sentMs - (log.dueNs[i] as number) / 1e6;
      series.callMs[first + i] = (log.callNs[i] as number) / 1e6;
      if (sentMs === sentMs) series.sent++;
    }
    series.tried = first + log.sent;
    const before = this.#answered;
    this.#read(log, first);
    series.silent = count === CAR_DATAGRAMS && this.#answered === before;
  }

  /** Waits for the answers that are missing after the last datagram. */
  async listen(): Promise<void> {
    const series = this.#series;
    const first = Math.floor(Math.max(0, series.tried - 1) / CAR_DATAGRAMS) * CAR_DATAGRAMS;
    let listenedMs = 0;
    for (let round = 0; round < LISTEN_ROUNDS_MAX && this.#answered < series.sent; round++) {
      const enoughMs = this.#answered === 0 ? this.#plan.waitMs : Math.max(LISTEN_MS_MIN, LISTEN_RTTS * this.#slowestMs);
      const leftMs = Math.min(this.#plan.waitMs, enoughMs, series.aborted ? LISTEN_MS_ABORTED : Number.POSITIVE_INFINITY) - listenedMs;
      if (leftMs <= 0) return;
      const log = await this.#exchange(first, { count: 0, waitNs: Math.round(leftMs * 1e6), stopAfterReplies: series.sent - this.#answered });
      listenedMs += log.elapsedMs;
      this.#read(log, first);
    }
  }

  async #exchange(first: number, plan: { count: number; waitNs: number; stopAfterReplies?: number }): Promise<ExchangeLog> {
    const log = await this.#flow.exchange({
      ...plan,
      payload: this.#plan.payload(first),
      intervalNs: Math.round(this.#plan.intervalMs * 1e6),
      sequence: { offset: this.#plan.sequenceOffset, width: 2 },
      replyBytesMax: this.#plan.replyBytesMax,
      // Once aborted, it only listens, and not for long.
      ...(this.#plan.signal && !this.#series.aborted ? { signal: this.#plan.signal } : {}),
      onProgress: (sent, received) => this.#plan.onProgress?.(Math.max(this.#series.tried, first + sent), this.#answered + received),
    });
    this.#originNs ??= log.startNs;
    const series = this.#series;
    for (const [name, n] of Object.entries(log.errors)) series.errors[name] = (series.errors[name] ?? 0) + n;
    series.kernelDrops += log.kernelDrops;
    series.cpuMs += log.cpuMs;
    series.elapsedMs += log.elapsedMs;
    series.aborted ||= log.aborted;
    return log;
  }

  #read(log: ExchangeLog, first: number): void {
    const shiftMs = this.#shiftMs(log);
    for (let k = 0; k < log.received; k++) {
      const at = k * log.stride;
      const lengthBytes = log.length[k] as number;
      const bytes = log.bytes.subarray(at, at + Math.min(log.stride, lengthBytes));
      const rttMs = this.#plan.onReply({ bytes, lengthBytes, arrivedMs: shiftMs + (log.arrivedNs[k] as number) / 1e6, first }, this.#series);
      if (rttMs === undefined) continue;
      this.#answered++;
      if (rttMs > this.#slowestMs) this.#slowestMs = rttMs;
    }
  }

  #shiftMs(log: ExchangeLog): number {
    return Number(log.startNs - (this.#originNs ?? log.startNs)) / 1e6;
  }
}
