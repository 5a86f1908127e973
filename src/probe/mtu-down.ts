import { DATAGRAM_BYTES_MAX, MTU_PROBE_BYTES, decodeServerDatagram, encodeMtuProbe } from '../wire/index.js';
import type { MtuReply } from '../wire/index.js';
import type { EchoSession } from './echo-session.js';
import { CHANCE, headersBytes } from './mtu-channel.js';
import type { Fate, RoundLog, SizeChannel } from './mtu-channel.js';
import { SessionSender } from './mtu-session.js';

const PADDING = MTU_PROBE_BYTES - 2;

/**
 * The way back from a `tautline serve`: small questions, each answered by one datagram of the size that was asked for,
 * which the server sends whole. It says when its own interface does not take a size, and what its kernel believes.
 */
export class DownChannel implements SizeChannel {
  readonly controlBytes: number;
  readonly sizeBytesMax: number;
  readonly sizesAtOnce = 12;
  readonly copies = 2;
  readonly chance = CHANCE;
  /** What the server's kernel believed of the path before anything large was sent, and last; undefined where it does not tell. */
  believedFirstBytes: number | undefined;
  believedBytes: number | undefined;
  readonly #session: EchoSession;
  readonly #headersBytes: number;
  readonly #sender: SessionSender;
  #next = 0;
  #first = 0;
  #fates: (Fate | undefined)[] = [];
  #unable = false;
  #latest = -1;
  #heard = false;
  readonly #sentMs = new Map<number, number>();

  constructor(session: EchoSession, options: { timeoutMs: number; signal: AbortSignal }) {
    this.#session = session;
    this.#headersBytes = headersBytes(session.flow.remote.family);
    this.controlBytes = this.#headersBytes + MTU_PROBE_BYTES;
    this.sizeBytesMax = this.#headersBytes + DATAGRAM_BYTES_MAX;
    this.#sender = new SessionSender({
      ...options,
      flow: session.flow,
      clock: session.clock,
      onAnswer: (bytes, at) => this.#answer(bytes, at),
    });
  }

  /** Whether the responder has ever answered such a question: older releases do not. */
  get heard(): boolean {
    return this.#heard;
  }

  async send(sizes: readonly number[]): Promise<RoundLog> {
    this.#first = this.#next;
    this.#fates = [];
    this.#sentMs.clear();
    const sent = await this.#all(sizes);
    const { pace } = this.#sender;
    const settled = (): boolean => Array.from({ length: sent }, (_, i) => this.#fates[i]).every((fate) => fate !== undefined);
    await this.#sender.listen(pace.waitMs, () => settled() || this.#latest >= this.#next - 1);
    if (!settled()) await this.#sender.listen(pace.reorderMs, settled);
    return {
      fates: Array.from({ length: sent }, (_, i): Fate => this.#fates[i] ?? 'silent'),
      tooBig: [],
      ...(this.#unable ? { over: UNABLE } : {}),
    };
  }

  /** @returns how many questions were sent */
  async #all(sizes: readonly number[]): Promise<number> {
    const first = this.#next;
    this.#next += sizes.length;
    // What comes back is as long as what was asked for, and is what has to be paced.
    const outgoing = sizes.map((packetBytes, i) => {
      const sizeBytes = packetBytes - this.#headersBytes;
      return { payload: encodeMtuProbe({ session: this.#session.id, sequence: first + i, sizeBytes }), packetBytes };
    });
    const sent = await this.#sender.send(outgoing, PADDING, (i, sentMs) => this.#sentMs.set(first + i, sentMs));
    sent.forEach((how, i) => {
      if (how !== 'sent') this.#fates[i] = 'unsent';
    });
    return sent.length;
  }

  #answer(bytes: Uint8Array, { lengthBytes, arrivedMs }: { lengthBytes: number; arrivedMs: number }): void {
    const reply = decodeServerDatagram(bytes);
    if (reply.kind !== 'mtuReply' || reply.session !== this.#session.id) return;
    this.#heard = true;
    if (reply.pathMtuBytes > 0) {
      this.believedFirstBytes ??= reply.pathMtuBytes;
      this.believedBytes = reply.pathMtuBytes;
    }
    const place = reply.sequence - this.#first;
    if (place < 0 || reply.sequence >= this.#next) return;
    const sentMs = this.#sentMs.get(reply.sequence);
    if (sentMs !== undefined) this.#sender.pace.learn(Math.max(0, arrivedMs - sentMs));
    this.#latest = Math.max(this.#latest, reply.sequence);
    this.#fates[place] ??= this.#fateOf(reply, lengthBytes);
  }

  #fateOf(reply: MtuReply, lengthBytes: number): Fate | undefined {
    if (reply.code === 'size') return 'refused';
    if (reply.code === 'unable') this.#unable = true;
    return reply.code === 'whole' && lengthBytes === reply.sizeBytes ? 'passed' : undefined;
  }
}

const UNABLE = {
  outcome: 'unsupported',
  reason: 'the responder cannot send datagrams that nobody fragments: it runs without the system’s functions (see its log)',
} as const;
