import { burstiness, quantile, rfc3550Jitter, sortedSamples } from '../stats/index.js';
import type { Burstiness } from '../stats/index.js';
import { ECHO_BYTES_MIN, KIND, readHeader, view } from '../wire/index.js';
import type { SessionReport } from '../wire/index.js';
import { clockSkew } from './clock-skew.js';
import type { SeriesLog } from './series.js';

/** How much of a reply has to be kept: everything up to `highest`. */
export const REPLY_BYTES_KEPT = 52;
/** Sequence numbers that a reply's window covers. */
const WINDOW = 64;
/** What the replies' windows say about an echo that got no answer. */
const UNKNOWN = 0;
const CAME = 1;
const MISSED = 2;

/** What became of a train of echoes. Arrays have one entry an echo that was due, NaN where there was no answer. */
export interface EchoRun {
  readonly sent: number;
  readonly received: number;
  /** Due, but refused by this host's own kernel (a full queue, no route): not lost on the path. */
  readonly unsent: number;
  /** Round trip without the time that the responder held the echo. */
  readonly rttMs: Float64Array;
  /** Round trip with it. */
  readonly rawRttMs: Float64Array;
  /** Transit there and back. The clocks' difference is in each, so only changes mean anything. */
  readonly upMs: Float64Array;
  readonly downMs: Float64Array;
  readonly sentMs: Float64Array;
  readonly latenessMs: Float64Array;
  readonly callMs: Float64Array;
  /** Losses by direction; `unknown` where the responder could not be asked and no later reply tells. */
  readonly lost: { readonly up: number; readonly down: number; readonly unknown: number };
  readonly duplicates: { readonly up: number; readonly down: number };
  readonly reordered: { readonly up: number; readonly down: number };
  readonly losses: Burstiness;
  /** RFC 3550 interarrival jitter at the end of the run. */
  readonly jitterMs: { readonly up: number | undefined; readonly down: number | undefined };
  /** How much faster the peer's clock runs, parts per million; undefined where the run is too short to tell. */
  readonly skewPpm: number | undefined;
  /** When the last answer came and what it answered; undefined when none came. */
  readonly lastAnswer: { readonly sequence: number; readonly atMs: number } | undefined;
  /** Datagrams that came and were not an answer of this session. */
  readonly strays: number;
  /** Answers whose holding time made no sense (the responder's clock stepped); they count with the time held in them. */
  readonly clockSteps: number;
  readonly report: SessionReport | undefined;
  readonly latenessP99Ms: number;
  readonly errors: Readonly<Record<string, number>>;
  readonly kernelDrops: number;
  readonly cpuMs: number;
  readonly elapsedMs: number;
  readonly aborted: boolean;
  /** The peer was silent for so long that the rest was not sent. */
  readonly silent: boolean;
}

/** Takes the replies of one run as they come and adds up what they say. */
export class EchoTally {
  readonly #session: { readonly high: number; readonly low: number };
  readonly #rttMs: Float64Array;
  readonly #rawMs: Float64Array;
  readonly #upMs: Float64Array;
  readonly #downMs: Float64Array;
  /** What is known of each echo's way there. */
  readonly #fate: Uint8Array;
  /** Down transit in order of arrival, for the jitter of that direction as a receiver sees it. */
  readonly #arrivals: Float64Array;
  #received = 0;
  /** Everything below this has come at the peer. */
  #settled = 0;
  #baseHigh = 0;
  #baseLow = 0;
  #latestTxMs = Number.NEGATIVE_INFINITY;
  #duplicatesUp = 0;
  #duplicatesDown = 0;
  #reorderedUp = 0;
  #reorderedDown = 0;
  #strays = 0;
  #clockSteps = 0;
  #lastAnswer: EchoRun['lastAnswer'];

  constructor(session: bigint, count: number) {
    this.#session = { high: Number(session >> 32n), low: Number(session & 0xffffffffn) };
    this.#rttMs = new Float64Array(count).fill(Number.NaN);
    this.#rawMs = new Float64Array(count).fill(Number.NaN);
    this.#upMs = new Float64Array(count).fill(Number.NaN);
    this.#downMs = new Float64Array(count).fill(Number.NaN);
    this.#arrivals = new Float64Array(count);
    this.#fate = new Uint8Array(count);
  }

  /**
   * @param bytes the head of a datagram that came in; anything but an answer of this session is counted as a stray
   * @returns the round trip in milliseconds, undefined unless this is the first answer to its echo
   */
  reply(bytes: Uint8Array, arrivedMs: number, sentMs: Float64Array): number | undefined {
    const sequence = this.#sequenceOf(bytes);
    const sent = sequence === undefined ? Number.NaN : (sentMs[sequence] as number);
    if (sequence === undefined || Number.isNaN(sent)) {
      this.#strays++;
      return undefined;
    }
    const data = view(bytes);
    if (this.#received === 0) {
      this.#baseHigh = data.getUint32(32);
      this.#baseLow = data.getUint32(36);
    }
    const rxMs = this.#peerMs(data, 32);
    const txMs = this.#peerMs(data, 40);
    this.#fate[sequence] = CAME;
    this.#readWindow(data);
    const upMs = rxMs - sent;
    if (!Number.isNaN(this.#upMs[sequence] as number)) {
      // A copy made on the way there was received by the peer twice; one made on the way back carries the same time of reception.
      if (this.#upMs[sequence] === upMs) this.#duplicatesDown++;
      else this.#duplicatesUp++;
      return undefined;
    }
    const rawMs = arrivedMs - sent;
    const heldMs = txMs - rxMs;
    const sensible = heldMs >= 0 && heldMs <= rawMs;
    if (!sensible) this.#clockSteps++;
    if (sequence < data.getUint32(48)) this.#reorderedUp++;
    if (txMs < this.#latestTxMs) this.#reorderedDown++;
    else this.#latestTxMs = txMs;
    this.#rttMs[sequence] = sensible ? rawMs - heldMs : rawMs;
    this.#rawMs[sequence] = rawMs;
    this.#upMs[sequence] = upMs;
    this.#downMs[sequence] = arrivedMs - txMs;
    this.#arrivals[this.#received++] = arrivedMs - txMs;
    if (!this.#lastAnswer || arrivedMs > this.#lastAnswer.atMs) this.#lastAnswer = { sequence, atMs: arrivedMs };
    return rawMs;
  }

  finish(series: SeriesLog, report: SessionReport | undefined): EchoRun {
    const tried = series.tried;
    const sentMs = series.sentMs.subarray(0, tried);
    const latenessMs = series.latenessMs.subarray(0, tried);
    const rttMs = this.#rttMs.subarray(0, tried);
    const upMs = this.#upMs.subarray(0, tried);
    const downMs = this.#downMs.subarray(0, tried);
    // An echo that never left this host is no loss of the path.
    const left = (_: number, i: number): boolean => !Number.isNaN(sentMs[i] as number);
    const skew = clockSkew({ sentMs, rttMs, upMs, downMs });
    if (skew !== undefined) removeSkew(skew, sentMs, upMs, downMs);
    return {
      sent: series.sent,
      received: this.#received,
      unsent: tried - series.sent,
      rttMs,
      rawRttMs: this.#rawMs.subarray(0, tried),
      upMs,
      downMs,
      sentMs,
      latenessMs,
      callMs: series.callMs.subarray(0, tried),
      lost: this.#lost(series, report),
      duplicates: { up: Math.max(this.#duplicatesUp, report?.duplicates ?? 0), down: this.#duplicatesDown },
      reordered: { up: Math.max(this.#reorderedUp, report?.reordered ?? 0), down: this.#reorderedDown },
      losses: burstiness(rttMs.filter(left).map((rtt) => (Number.isNaN(rtt) ? 0 : 1))),
      jitterMs: {
        up: rfc3550Jitter(this.#reorderedUp === 0 ? upMs : inOrderOfArrival(sentMs, upMs)),
        down: rfc3550Jitter(this.#arrivals.subarray(0, this.#received)),
      },
      skewPpm: skew === undefined ? undefined : skew * 1e6,
      lastAnswer: this.#lastAnswer,
      strays: this.#strays,
      clockSteps: this.#clockSteps,
      report,
      latenessP99Ms: tried === 0 ? 0 : Math.max(0, quantile(sortedSamples(latenessMs), 0.99) || 0),
      errors: series.errors,
      kernelDrops: series.kernelDrops,
      cpuMs: series.cpuMs,
      elapsedMs: series.elapsedMs,
      aborted: series.aborted,
      silent: series.silent,
    };
  }

  #sequenceOf(bytes: Uint8Array): number | undefined {
    const header = readHeader(bytes);
    if (!header.ok || header.kind !== KIND.echoReply || bytes.length < Math.min(REPLY_BYTES_KEPT, ECHO_BYTES_MIN)) return undefined;
    const data = view(bytes);
    if (data.getUint32(8) !== this.#session.high || data.getUint32(12) !== this.#session.low) return undefined;
    const sequence = data.getUint32(16);
    return sequence < this.#fate.length ? sequence : undefined;
  }

  /** Milliseconds since the peer received the first echo that was answered. Halves, since 64-bit arithmetic would cost an allocation. */
  #peerMs(data: DataView, offset: number): number {
    return ((data.getUint32(offset) - this.#baseHigh) * 4294967296 + (data.getUint32(offset + 4) - this.#baseLow)) / 1e6;
  }

  /** Learns from a reply which of the 64 echoes up to the highest had come when it was sent. */
  #readWindow(data: DataView): void {
    const highest = data.getUint32(48);
    if (highest >= this.#fate.length) return;
    const high = data.getUint32(24);
    const low = data.getUint32(28);
    for (let i = Math.min(WINDOW - 1, highest - this.#settled); i >= 0; i--) {
      const came = ((i < 32 ? low >>> i : high >>> (i - 32)) & 1) === 1;
      if (came) this.#fate[highest - i] = CAME;
      else if (this.#fate[highest - i] === UNKNOWN) this.#fate[highest - i] = MISSED;
    }
    while (this.#settled <= highest && this.#fate[this.#settled] === CAME) this.#settled++;
  }

  /** The report counts everything that came; without it the replies' windows tell about all but the last echoes. */
  #lost(series: SeriesLog, report: SessionReport | undefined): EchoRun['lost'] {
    const total = series.sent - this.#received;
    if (report) {
      const came = Math.min(series.sent, Math.max(this.#received, report.received));
      return { up: series.sent - came, down: came - this.#received, unknown: 0 };
    }
    let up = 0;
    let down = 0;
    for (let i = 0; i < series.tried; i++) {
      if (!Number.isNaN(this.#rttMs[i] as number) || Number.isNaN(series.sentMs[i] as number)) continue;
      if (this.#fate[i] === CAME) down++;
      else if (this.#fate[i] === MISSED) up++;
    }
    return { up, down, unknown: total - up - down };
  }
}

/** Transits there, in the order in which the peer received them. */
function inOrderOfArrival(sentMs: Float64Array, upMs: Float64Array): Float64Array {
  const arrivedMs = (i: number): number => (sentMs[i] as number) + (upMs[i] as number);
  const answered = Uint32Array.from(upMs.keys()).filter((i) => !Number.isNaN(upMs[i] as number));
  return Float64Array.from(
    answered.sort((a, b) => arrivedMs(a) - arrivedMs(b)),
    (i) => upMs[i] as number,
  );
}

/** Takes the clocks' drift out of both transits, so that what is left is the path's. */
function removeSkew(skew: number, sentMs: Float64Array, upMs: Float64Array, downMs: Float64Array): void {
  for (let i = 0; i < sentMs.length; i++) {
    const driftMs = skew * (sentMs[i] as number);
    upMs[i] = (upMs[i] as number) - driftMs;
    downMs[i] = (downMs[i] as number) + driftMs;
  }
}
