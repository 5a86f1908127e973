import type { Connection } from '../base/index.js';
import { FrameReader } from './control-reader.js';
import type { FrameResult } from './control-reader.js';
import { FRAME_BYTES_MAX, decodePreface, encodeFrame } from './control.js';
import type { ControlFrame } from './control.js';
import { HEADER_BYTES } from './header.js';

export type ChannelEvent =
  | { readonly kind: 'frame'; readonly frame: ControlFrame }
  /** The peer does not speak our protocol (any more); nothing further comes. */
  | { readonly kind: 'garbled'; readonly why: string }
  | { readonly kind: 'ended' }
  | { readonly kind: 'timeout' };

export interface ChannelOptions {
  /** The peer is a client and begins with the preface. */
  readonly preface?: boolean;
  readonly frameBytesMax?: number;
}

/** Frames that may wait for a peer that does not read, before those that can be missed are left out. */
const WAITING_FRAMES_MAX = 16;

/** Frames over a connection, in both directions. One `next` at a time. */
export class FrameChannel {
  readonly connection: Connection;
  readonly #reader: FrameReader;
  readonly #come: FrameResult[] = [];
  #preface: Uint8Array | undefined;
  #garbled = false;
  #waiting = 0;

  constructor(connection: Connection, options: ChannelOptions = {}) {
    this.connection = connection;
    this.#reader = new FrameReader(options.frameBytesMax ?? FRAME_BYTES_MAX);
    this.#preface = options.preface ? new Uint8Array(0) : undefined;
  }

  /** The next frame, within `timeoutMs` of silence. An abort ends the waiting as a timeout does. */
  async next(options: { timeoutMs?: number; signal?: AbortSignal } = {}): Promise<ChannelEvent> {
    for (;;) {
      const ready = this.#come.shift();
      if (ready?.ok) return { kind: 'frame', frame: ready.frame };
      if (ready) this.#garbled = true;
      if (ready && !ready.ok) return { kind: 'garbled', why: ready.why };
      if (this.#garbled) return { kind: 'ended' };
      const bytes = await this.connection.read(options);
      if (!bytes) return { kind: this.connection.ended === 'open' ? 'timeout' : 'ended' };
      this.#take(bytes);
    }
  }

  /**
   * Sends a frame. With `canMiss` it is left out while the peer does not take what waits already.
   * @returns whether the connection accepted it
   */
  async send(frame: ControlFrame, options: { canMiss?: boolean } = {}): Promise<boolean> {
    if (options.canMiss && this.#waiting >= WAITING_FRAMES_MAX) return false;
    this.#waiting++;
    try {
      await this.connection.write(encodeFrame(frame));
      return true;
    } catch {
      return false;
    } finally {
      this.#waiting--;
    }
  }

  #take(bytes: Uint8Array): void {
    if (!this.#preface) {
      this.#come.push(...this.#reader.push(bytes));
      return;
    }
    const head = new Uint8Array(this.#preface.length + bytes.length);
    head.set(this.#preface);
    head.set(bytes, this.#preface.length);
    this.#preface = head;
    if (head.length < HEADER_BYTES) return;
    this.#preface = undefined;
    const preface = decodePreface(head.subarray(0, HEADER_BYTES));
    this.#come.push(...(preface.ok ? this.#reader.push(head.subarray(HEADER_BYTES)) : [{ ok: false as const, why: preface.why }]));
  }
}
