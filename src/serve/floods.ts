import { DATA_SEQUENCE_OFFSET, DATA_STAMP_OFFSET, encodeData } from '../wire/index.js';
import type { DueFlood } from '../wire/index.js';
import type { Session } from './sessions.js';

/** At most this much of one flood is handed out at a time, so that echoes get their turn in between. */
const BURST_DATAGRAMS_MAX = 256;
const BURST_BYTES_MAX = 256 * 1024;
/** A sender that was held up catches up with at most this much; what is older is not sent, and the achieved rate shows it. */
const CATCH_UP_MS = 20;
/** Datagrams that are due closer together than this leave together. */
const BATCH_MS = 0.25;

export interface FloodOrder {
  readonly nonce: number;
  readonly sizeBytes: number;
  /** Payload bits per second. */
  readonly rateBps: number;
  readonly durationMs: number;
  /** Send as fast as the loop can: `rateBps` is only the limit. */
  readonly unpaced: boolean;
  /** It ends after this long without a word of the client. */
  readonly silenceMs: number;
  /** See DueFlood. */
  readonly via?: Uint8Array;
}

/** One flood towards a client, paced by a credit that grows with time. */
export class Flood {
  readonly nonce: number;
  sent = 0;
  bytes = 0;
  readonly #order: FloodOrder;
  readonly #session: Session;
  readonly #template: Uint8Array;
  readonly #perMs: number;
  readonly #burst: number;
  readonly #creditMax: number;
  readonly #endMs: number;
  #credit = 1;
  #lastMs: number;
  #heardMs: number;
  #stopped = false;
  #handed: DueFlood | undefined;

  constructor(session: Session, order: FloodOrder, nowMs: number) {
    this.nonce = order.nonce;
    this.#session = session;
    this.#order = order;
    this.#template = encodeData(session.id, 0, 0n, order.sizeBytes);
    this.#perMs = order.rateBps / 8000 / order.sizeBytes;
    this.#burst = Math.max(1, Math.min(BURST_DATAGRAMS_MAX, Math.floor(BURST_BYTES_MAX / order.sizeBytes)));
    this.#creditMax = Math.max(1, this.#perMs * CATCH_UP_MS);
    this.#lastMs = this.#heardMs = nowMs;
    this.#endMs = nowMs + order.durationMs;
  }

  get sizeBytes(): number {
    return this.#order.sizeBytes;
  }

  ended(nowMs: number): boolean {
    return this.#stopped || nowMs >= this.#endMs || nowMs - this.#heardMs >= this.#order.silenceMs;
  }

  /** The client still takes it. */
  heard(nowMs: number): void {
    if (!this.ended(nowMs)) this.#heardMs = nowMs;
  }

  stop(): void {
    this.#stopped = true;
  }

  /** What is to be sent now; the count goes into the flood's figures at once. */
  due(nowMs: number): DueFlood | undefined {
    this.#credit = Math.min(this.#creditMax, this.#credit + Math.max(0, nowMs - this.#lastMs) * this.#perMs);
    this.#lastMs = nowMs;
    const count = Math.min(this.#burst, Math.floor(this.#credit));
    if (count < 1) return undefined;
    this.#credit -= count;
    this.#handed = {
      to: this.#session.address,
      template: this.#template,
      sizeBytes: this.#order.sizeBytes,
      count,
      sequenceStart: this.sent,
      sequenceOffset: DATA_SEQUENCE_OFFSET,
      stampOffset: DATA_STAMP_OFFSET,
      ...(this.#order.via ? { via: this.#order.via } : {}),
    };
    this.#count(count);
    return this.#handed;
  }

  /** When to ask again. */
  nextMs(nowMs: number): number {
    const batch = this.#order.unpaced ? 1 : Math.min(this.#burst, Math.max(1, Math.floor(this.#perMs * BATCH_MS)));
    return Math.min(this.#endMs, nowMs + Math.max(0, batch - this.#credit) / this.#perMs);
  }

  /** Whether it was this flood that handed `flood` out; then its last datagrams become due again. */
  takeBack(flood: DueFlood, missing: number): boolean {
    if (flood !== this.#handed) return false;
    const count = Math.min(Math.max(0, missing), flood.count);
    this.#count(-count);
    this.#credit = Math.min(this.#creditMax, this.#credit + count);
    return true;
  }

  #count(datagrams: number): void {
    this.sent += datagrams;
    this.bytes += datagrams * this.#order.sizeBytes;
  }
}
