import type { Clock, DatagramFlow, ExchangeLog, TooBig } from '../base/index.js';
import { Pace } from './mtu-channel.js';

/** Kept of each answer: an echo's reply up to `highest`, an MTU reply without its padding. */
const KEPT_BYTES = 64;
/** Larger packets hardly ever leave, so they are not waited for. */
const PACED_BYTES_MAX = 9216;

/** A datagram, and how long the packet is that it causes on the way that is measured. */
export interface Outgoing {
  readonly payload: Uint8Array;
  readonly packetBytes: number;
}

export type Sent = 'sent' | 'refused' | 'unsent';

/** Rounds of datagrams over a session's flow, and whatever comes back. */
export class SessionSender {
  readonly pace: Pace;
  /** What this host's kernel believes of the path, as of the last datagram. */
  pathMtuBytes: number | undefined;
  readonly #flow: DatagramFlow;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #onAnswer: (bytes: Uint8Array, at: { readonly lengthBytes: number; readonly arrivedMs: number }) => void;
  #tooBig: TooBig[] = [];

  constructor(options: {
    readonly flow: DatagramFlow;
    readonly clock: Clock;
    readonly timeoutMs: number;
    readonly signal: AbortSignal;
    readonly onAnswer: (bytes: Uint8Array, at: { readonly lengthBytes: number; readonly arrivedMs: number }) => void;
  }) {
    this.#flow = options.flow;
    this.#clock = options.clock;
    this.#signal = options.signal;
    this.#onAnswer = options.onAnswer;
    this.pace = new Pace(options.timeoutMs);
  }

  get aborted(): boolean {
    return this.#signal.aborted;
  }

  /** What routers said since this was last asked. */
  takeTooBig(): readonly TooBig[] {
    const taken = this.#tooBig;
    this.#tooBig = [];
    return taken;
  }

  /**
   * Sends one after the other. Answers that come meanwhile are handed over at the end, after `onSent` was told when each
   * datagram left. @param paddingOffset two bytes of each that nobody reads. @returns what became of each at home
   */
  async send(datagrams: readonly Outgoing[], paddingOffset: number, onSent: (index: number, sentMs: number) => void): Promise<Sent[]> {
    const bytes = datagrams.reduce((sum, { packetBytes }) => sum + Math.min(packetBytes, PACED_BYTES_MAX), 0);
    const log = await this.#flow.exchange({
      payload: new Uint8Array(paddingOffset + 2),
      payloads: datagrams.map(({ payload }) => payload),
      count: datagrams.length,
      intervalNs: Math.round(this.pace.gapMs(bytes / datagrams.length) * 1e6),
      waitNs: 0,
      sequence: { offset: paddingOffset, width: 2 },
      replyBytesMax: KEPT_BYTES,
      signal: this.#signal,
    });
    const startMs = Number(log.startNs) / 1e6;
    const sent = Array.from(log.sentNs, (ns, i): Sent => {
      if (Number.isNaN(ns)) return (log.errors['EMSGSIZE'] ?? 0) > 0 ? 'refused' : 'unsent';
      onSent(i, startMs + ns / 1e6);
      return 'sent';
    });
    this.#take(log);
    return sent;
  }

  /** Listens until `enough` or for this long. */
  async listen(waitMs: number, enough: () => boolean): Promise<void> {
    const endMs = this.#clock.nowMs() + waitMs;
    while (!enough() && !this.#signal.aborted) {
      const leftMs = endMs - this.#clock.nowMs();
      // What rounds to no nanosecond would be waited for without end.
      if (leftMs < 0.001) return;
      this.#take(
        await this.#flow.exchange({
          payload: new Uint8Array(2),
          count: 0,
          intervalNs: 0,
          waitNs: Math.round(leftMs * 1e6),
          sequence: { offset: 0, width: 2 },
          stopAfterReplies: 1,
          replyBytesMax: KEPT_BYTES,
          signal: this.#signal,
        }),
      );
    }
  }

  #take(log: ExchangeLog): void {
    this.#tooBig.push(...(log.tooBig ?? []));
    this.pathMtuBytes = log.pathMtuBytes ?? this.pathMtuBytes;
    const startMs = Number(log.startNs) / 1e6;
    for (let k = 0; k < log.received; k++) {
      const lengthBytes = log.length[k] as number;
      const bytes = log.bytes.subarray(k * log.stride, k * log.stride + Math.min(log.stride, lengthBytes));
      this.#onAnswer(bytes, { lengthBytes, arrivedMs: startMs + (log.arrivedNs[k] as number) / 1e6 });
    }
  }
}
