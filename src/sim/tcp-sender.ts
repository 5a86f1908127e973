import type { TcpInfo } from '../base/index.js';
import { createCongestion } from './congestion.js';
import type { Congestion } from './congestion.js';
import { Flights } from './flights.js';
import type { Flight } from './flights.js';
import type { SimPath } from './path.js';
import { RoundTrips, RTO_MS_MAX } from './round-trips.js';
import type { Chunk, Segment, TcpReceiver } from './tcp-receiver.js';
import type { Timeline, TimelineEvent } from './timeline.js';

/** A window leaves in about this many events: bounds their number on fast paths. */
const EVENTS_PER_WINDOW_MIN = 8;
/** Segments that the path sends within this time travel as one event. */
const TRAIN_NS = 50_000;
const TRAIN_SEGMENTS_MAX = 512;
/** A paced sender sends at most this much of its rate at once (Linux' tcp_tso_autosize: a millisecond). */
const PACED_TRAIN_NS = 1e6;
/** Linux' tcp_retries2. */
const RETRIES_MAX = 15;
const ACKNOWLEDGEMENT_BYTES_IP4 = 52;

export interface TcpSenderOptions {
  readonly timeline: Timeline;
  readonly forward: SimPath;
  readonly back: SimPath;
  readonly receiver: TcpReceiver;
  readonly family: 4 | 6;
  readonly congestion: 'cubic' | 'reno';
  readonly sendBufferBytes: number;
  /** Whether both ends are there at all: a dead host neither sends nor acknowledges. */
  readonly alive: () => { readonly sender: boolean; readonly receiver: boolean };
  /** Nothing came back for so long that the sender gives up. */
  readonly onGiveUp: () => void;
}

/**
 * The sending half of one direction of a TCP connection: a window of segments clocked by
 * acknowledgements, over a path whose queue it shares with everything else. What is simplified: every
 * segment is acknowledged by itself (as with selective acknowledgements); the sender knows which of the
 * segments before an acknowledged one were lost and never resends needlessly; acknowledgements wait in
 * the queue of the way back but are not lost there; segments that the path sends within 50 us travel together.
 */
export class TcpSender {
  /** Called when there is room to write, and when all is acknowledged. */
  onProgress: (() => void) | undefined;
  /** Called when bytes leave for the first time. */
  onSent: ((bytes: number) => void) | undefined;
  paceBps: number | undefined;
  readonly mssBytes: number;
  readonly #options: TcpSenderOptions;
  readonly #congestion: Congestion;
  readonly #headerBytes: number;
  readonly #queue: Chunk[] = [];
  /** Asks for up to so many zeros to send; undefined when there is no endless supply. */
  #source: ((bytesMax: number) => number) | undefined;
  #queuedBytes = 0;
  readonly #flights = new Flights();
  readonly #rtt = new RoundTrips();
  #again: Segment[] = [];
  #offset = 0;
  #recoveryOrder = -1;
  #finWanted = false;
  #finSent = false;
  #allowedOffset: number;
  #paceFreeNs = 0;
  #paced: TimelineEvent | undefined;
  #timer: TimelineEvent | undefined;
  #deadlineNs = Number.POSITIVE_INFINITY;
  #probed = false;
  #timeouts = 0;
  #stopped = false;
  #delivered = 0;
  #deliveryRateBps = 0;
  #retransmits = 0;
  #limited: { since: number; by: 'path' | 'receiver' | 'sender' } = { since: 0, by: 'sender' };
  readonly #limitedMs = { path: 0, receiver: 0, sender: 0 };

  constructor(options: TcpSenderOptions) {
    this.#options = options;
    // IP and TCP headers with the timestamps option.
    this.#headerBytes = (options.family === 4 ? 20 : 40) + 32;
    this.mssBytes = options.forward.mtu - this.#headerBytes;
    this.#congestion = createCongestion(options.congestion, this.mssBytes);
    this.#allowedOffset = options.receiver.allowedOffset;
  }

  // --- What the owner does -------------------------------------------------------------------

  /** The handshake's round trip is the first sample. */
  seedRtt(rttMs: number): void {
    this.#rtt.sample(rttMs);
  }

  /** Bytes that the send buffer can still take. */
  get room(): number {
    return this.#options.sendBufferBytes - this.#queuedBytes - this.#flights.bytes;
  }

  get drained(): boolean {
    return this.#queuedBytes === 0 && this.#flights.count === 0 && this.#again.length === 0 && (!this.#finWanted || this.#finSent);
  }

  write(chunk: Chunk): void {
    if (chunk.length === 0 || this.#stopped || this.#finWanted) return;
    this.#queue.push(chunk);
    this.#queuedBytes += chunk.length;
    this.#send();
  }

  /** Sends zeros as fast as it goes, after what was written: the source says how many of the wanted ones there are. */
  supply(source: ((bytesMax: number) => number) | undefined): void {
    this.#source = source;
    this.#send();
  }

  /** Ends the direction once all has been sent. */
  end(): void {
    this.#finWanted = true;
    this.#source = undefined;
    this.#send();
  }

  /** Forgets everything: the connection is over. */
  stop(): void {
    this.#stopped = true;
    this.#queue.length = 0;
    this.#queuedBytes = 0;
    this.#flights.clear();
    this.#again = [];
    if (this.#timer) this.#timer.cancelled = true;
    if (this.#paced) this.#paced.cancelled = true;
  }

  /** The receiver has read, and tells that there is room again. */
  windowOpened(): void {
    const { timeline, back } = this.#options;
    const arrivesNs = back.offerAcknowledgement(this.#acknowledgementBytes());
    if (arrivesNs < 0) return;
    const allowed = this.#options.receiver.allowedOffset;
    timeline.at(arrivesNs, () => {
      this.#allowedOffset = Math.max(this.#allowedOffset, allowed);
      this.#send();
    });
  }

  tcpInfo(): TcpInfo {
    this.#limit(this.#limited.by);
    const roundSpan = Math.max(this.#rtt.smoothedMs, 1e-6);
    return {
      retransmits: this.#retransmits,
      cwndSegments: Math.floor(this.#congestion.windowBytes / this.mssBytes),
      mssBytes: this.mssBytes,
      rttMs: this.#rtt.smoothedMs,
      rttVarMs: this.#rtt.varianceMs,
      ...(Number.isFinite(this.#rtt.minMs) ? { minRttMs: this.#rtt.minMs } : {}),
      deliveryRateBps: this.#deliveryRateBps,
      pacingRateBps: this.paceBps ?? ((this.#congestion.slowStart ? 2 : 1.2) * this.#congestion.windowBytes * 8e3) / roundSpan,
      busyMs: this.#limitedMs.path + this.#limitedMs.receiver,
      receiverLimitedMs: this.#limitedMs.receiver,
      senderLimitedMs: 0,
      congestion: this.#congestion.name,
    };
  }

  // --- Sending -------------------------------------------------------------------------------

  #send(): void {
    while (!this.#stopped && this.#options.alive().sender) {
      if (this.#flights.count > 0 && this.#flights.bytes >= this.#congestion.windowBytes) return this.#limit('path');
      const { timeline } = this.#options;
      if (this.#paceFreeNs > timeline.nowNs) return this.#sendAt(this.#paceFreeNs);
      const lost = this.#again.shift();
      if (lost) {
        this.#launch(lost, true);
        continue;
      }
      const room = this.#allowedOffset - this.#offset;
      const next = this.#next(Math.min(room, this.#trainSegments() * this.mssBytes));
      if (!next) {
        // A receiver without room may never tell that it has some again; ask, as a window probe does.
        if (room <= 0 && this.#wantsToSend() && this.#flights.count === 0) this.#arm(this.#rtt.timeoutMs);
        return this.#limit(room <= 0 ? 'receiver' : 'sender');
      }
      this.#launch(next, false);
    }
  }

  #wantsToSend(): boolean {
    return this.#queue.length > 0 || this.#source !== undefined;
  }

  #next(bytesMax: number): Segment | undefined {
    const offset = this.#offset;
    const first = this.#queue[0];
    let chunk: Chunk = { length: 0, bytes: undefined };
    if (bytesMax > 0 && first) {
      const length = Math.min(first.length, bytesMax);
      chunk = head(first, length);
      if (length === first.length) this.#queue.shift();
      else this.#queue[0] = tail(first, length);
      this.#queuedBytes -= length;
    } else if (bytesMax > 0 && this.#source) {
      const length = Math.floor(this.#source(bytesMax));
      if (length > 0) chunk = { length, bytes: undefined };
    }
    const fin = this.#finWanted && !this.#finSent && this.#queue.length === 0 && this.#source === undefined;
    if (chunk.length === 0 && !fin) return undefined;
    if (fin) this.#finSent = true;
    this.#offset += chunk.length + (fin ? 1 : 0);
    return { offset, chunk, fin };
  }

  #trainSegments(): number {
    const inTime = Math.floor((this.#options.forward.streamBps * TRAIN_NS) / 8e9 / this.#options.forward.mtu);
    const inWindow = Math.floor(this.#congestion.windowBytes / this.mssBytes / EVENTS_PER_WINDOW_MIN);
    const inPace = this.paceBps === undefined ? TRAIN_SEGMENTS_MAX : Math.floor((this.paceBps * PACED_TRAIN_NS) / 8e9 / this.mssBytes);
    return Math.max(1, Math.min(inTime, inWindow, inPace, TRAIN_SEGMENTS_MAX));
  }

  #launch(segment: Segment, again: boolean): void {
    const { timeline, forward, receiver } = this.#options;
    const { offset, chunk, fin } = segment;
    const segments = Math.max(1, Math.ceil(chunk.length / this.mssBytes));
    const each = Math.ceil(chunk.length / segments);
    const { passed, arrivesNs } = forward.offerBurst(segments, each + this.#headerBytes);
    const bytesPassed = Math.min(chunk.length, passed * each);
    if (again) this.#retransmits += segments;
    else if (chunk.length > 0) this.onSent?.(chunk.length);
    if (this.paceBps !== undefined) this.#paceFreeNs = Math.max(this.#paceFreeNs, timeline.nowNs) + (chunk.length * 8e9) / this.paceBps;
    if (passed > 0) {
      const whole = passed === segments;
      const flight = this.#fly({ offset, chunk: head(chunk, bytesPassed), fin: fin && whole }, passed, false);
      timeline.at(arrivesNs, () => this.#arrive(flight, receiver));
    }
    if (passed < segments) {
      this.#fly({ offset: offset + bytesPassed, chunk: tail(chunk, bytesPassed), fin }, segments - passed, true);
    }
    if (!Number.isFinite(this.#deadlineNs)) this.#armForFlight();
    this.#limit('path');
  }

  #fly(segment: Segment, segments: number, lost: boolean): Flight {
    return this.#flights.add(segment, { segments, sentNs: this.#options.timeline.nowNs, lost, deliveredThen: this.#delivered });
  }

  #sendAt(atNs: number): void {
    if (this.#paced) this.#paced.cancelled = true;
    this.#paced = this.#options.timeline.at(atNs, () => this.#send());
  }

  // --- Acknowledgements ----------------------------------------------------------------------

  #arrive(flight: Flight, receiver: TcpReceiver): void {
    const { timeline, back, alive } = this.#options;
    // What is on its way arrives, even when its sender is no more.
    if (!alive().receiver) return;
    receiver.take(flight);
    const state = { allowedOffset: receiver.allowedOffset, nextOffset: receiver.nextOffset };
    // One for every second segment (RFC 1122, 4.2.3.2).
    const arrivesNs = back.offerAcknowledgement(this.#acknowledgementBytes() * Math.ceil(flight.segments / 2));
    if (arrivesNs >= 0) timeline.at(arrivesNs, () => this.#acknowledge(flight, state));
  }

  #acknowledge(flight: Flight, { allowedOffset, nextOffset }: { allowedOffset: number; nextOffset: number }): void {
    const { timeline, alive } = this.#options;
    if (this.#stopped || !alive().sender) return;
    this.#allowedOffset = Math.max(this.#allowedOffset, allowedOffset);
    if (!flight.done) {
      const bytes = flight.chunk.length;
      const tookNs = timeline.nowNs - flight.sentNs;
      const windowUsed = this.#windowUsed();
      this.#flights.finish(flight);
      this.#delivered += bytes;
      this.#timeouts = 0;
      this.#probed = false;
      this.#rtt.sample(tookNs / 1e6);
      if (tookNs > 0) this.#deliveryRateBps = ((this.#delivered - flight.deliveredThen) * 8e9) / tookNs;
      const anyLost = this.#sweep(flight.order, nextOffset);
      const nowMs = timeline.nowNs / 1e6;
      if (anyLost && flight.order > this.#recoveryOrder) {
        this.#recoveryOrder = this.#flights.lastOrder;
        this.#congestion.lost(nowMs);
      } else if (flight.order > this.#recoveryOrder && windowUsed) this.#congestion.acknowledged(bytes, nowMs, tookNs / 1e6);
    }
    this.#armForFlight();
    this.#send();
    this.onProgress?.();
  }

  /** A window that the sender does not fill must not grow (RFC 9293 leaves it open; Linux' tcp_is_cwnd_limited). */
  #windowUsed(): boolean {
    const { slowStart, windowBytes } = this.#congestion;
    return slowStart ? 2 * this.#flights.bytes >= windowBytes : this.#flights.bytes + this.#trainSegments() * this.mssBytes >= windowBytes;
  }

  /** Takes what was lost before `order` back for sending again. @returns whether anything was */
  #sweep(order: number, nextOffset: number): boolean {
    const { lost, arrivedBytes } = this.#flights.sweep(order, nextOffset);
    this.#delivered += arrivedBytes;
    this.#again.push(...lost);
    return lost.length > 0;
  }

  // --- When nothing comes back ---------------------------------------------------------------

  #armForFlight(): void {
    if (this.#flights.count === 0 && this.#again.length === 0) {
      this.#deadlineNs = Number.POSITIVE_INFINITY;
      return;
    }
    // RFC 8985, section 7: a tail loss probe after two round trips comes before the timeout.
    const probeMs = this.#rtt.smoothedMs > 0 && !this.#probed ? Math.min(this.#rtt.timeoutMs, 2 * this.#rtt.smoothedMs + 2) : this.#rtt.timeoutMs;
    this.#arm(probeMs * 2 ** this.#timeouts);
  }

  #arm(afterMs: number): void {
    const { timeline } = this.#options;
    this.#deadlineNs = timeline.nowNs + Math.min(RTO_MS_MAX, afterMs) * 1e6;
    // One event that looks when it is due costs less than moving it with every acknowledgement.
    if (!this.#timer || this.#timer.cancelled || this.#timer.atNs <= timeline.nowNs || this.#timer.atNs > this.#deadlineNs) this.#watch();
  }

  #watch(): void {
    if (this.#timer) this.#timer.cancelled = true;
    this.#timer = this.#options.timeline.at(this.#deadlineNs, () => {
      this.#timer = undefined;
      if (this.#stopped || !Number.isFinite(this.#deadlineNs)) return;
      if (this.#options.timeline.nowNs < this.#deadlineNs) this.#watch();
      else this.#expired();
    });
  }

  #expired(): void {
    if (!this.#options.alive().sender) return;
    if (this.#flights.count === 0) {
      // The receiver had no room: its acknowledgement of a probe would tell whether it has now.
      this.#allowedOffset = Math.max(this.#allowedOffset, this.#options.receiver.allowedOffset);
      this.#deadlineNs = Number.POSITIVE_INFINITY;
      this.#send();
      return;
    }
    if (!this.#probed) {
      this.#probed = true;
      const last = this.#flights.takeLastLost();
      if (last) this.#launch(last, true);
      this.#deadlineNs = Number.POSITIVE_INFINITY;
      return this.#armForFlight();
    }
    if (++this.#timeouts > RETRIES_MAX) {
      this.stop();
      return this.#options.onGiveUp();
    }
    const lost = this.#sweep(Number.POSITIVE_INFINITY, 0);
    if (lost) {
      this.#congestion.timedOut();
      this.#recoveryOrder = this.#flights.lastOrder;
    }
    // Nothing was lost, but no acknowledgement came: sending the oldest again asks for one.
    const { oldest } = this.#flights;
    if (!lost && oldest) this.#again.push(oldest);
    this.#deadlineNs = Number.POSITIVE_INFINITY;
    const first = this.#again.shift();
    if (first) this.#launch(first, true);
    this.#armForFlight();
    this.#send();
  }

  #acknowledgementBytes(): number {
    return ACKNOWLEDGEMENT_BYTES_IP4 + (this.#options.family === 4 ? 0 : 20);
  }

  #limit(by: 'path' | 'receiver' | 'sender'): void {
    const nowMs = this.#options.timeline.nowNs / 1e6;
    this.#limitedMs[this.#limited.by] += nowMs - this.#limited.since;
    this.#limited = { since: nowMs, by };
  }
}

function head(chunk: Chunk, bytes: number): Chunk {
  return bytes === chunk.length ? chunk : { length: bytes, bytes: chunk.bytes?.subarray(0, bytes) };
}

function tail(chunk: Chunk, bytes: number): Chunk {
  return bytes === 0 ? chunk : { length: chunk.length - bytes, bytes: chunk.bytes?.subarray(bytes), note: chunk.note };
}
