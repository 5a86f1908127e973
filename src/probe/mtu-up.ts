import { DATAGRAM_BYTES_MAX, ECHO_BYTES_MIN, decodeServerDatagram, encodeData, encodeEcho } from '../wire/index.js';
import type { EchoSession } from './echo-session.js';
import { CHANCE, headersBytes } from './mtu-channel.js';
import type { Fate, RoundLog, SizeChannel } from './mtu-channel.js';
import { SessionSender } from './mtu-session.js';
import type { Outgoing, Sent } from './mtu-session.js';

/** Two bytes that nobody reads: the last of the data's stamp, and of an echo's zeros. */
const PADDING = 26;
/** How often the peer is asked what it has got before a round is taken for lost. */
const FENCES_MAX = 4;
/** Numbers that a reply tells about. */
const WINDOW = 64;

/**
 * The way to a `tautline serve`: datagrams of each size that the peer only counts, and small echoes between them whose
 * replies say which of the last 64 numbers have come. Any release of the responder can do that.
 */
export class UpChannel implements SizeChannel {
  readonly controlBytes: number;
  readonly sizeBytesMax: number;
  readonly sizesAtOnce = 12;
  readonly copies = 2;
  readonly chance = CHANCE;
  readonly #session: EchoSession;
  readonly #headersBytes: number;
  readonly #sender: SessionSender;
  #next = 0;
  /** Of this round: its first number, which have come, and the highest echo that was answered. */
  #first = 0;
  #arrived: boolean[] = [];
  #answered = -1;
  readonly #sentMs = new Map<number, number>();

  constructor(session: EchoSession, options: { timeoutMs: number; signal: AbortSignal }) {
    this.#session = session;
    this.#headersBytes = headersBytes(session.flow.remote.family);
    this.controlBytes = this.#headersBytes + ECHO_BYTES_MIN;
    this.sizeBytesMax = this.#headersBytes + DATAGRAM_BYTES_MAX;
    this.#sender = new SessionSender({
      ...options,
      flow: session.flow,
      clock: session.clock,
      onAnswer: (bytes, { arrivedMs }) => this.#answer(bytes, arrivedMs),
    });
  }

  /** What this host's kernel believes of the path. */
  get believedBytes(): number | undefined {
    return this.#sender.pathMtuBytes;
  }

  async send(sizes: readonly number[]): Promise<RoundLog> {
    this.#first = this.#next;
    this.#arrived = [];
    this.#sentMs.clear();
    const kept = await this.#all(sizes);
    await this.#fence();
    const fates = kept.map((how, i): Fate => (this.#arrived[i] === true ? 'passed' : how === 'sent' ? 'silent' : how));
    return { fates, tooBig: this.#sender.takeTooBig() };
  }

  async #all(sizes: readonly number[]): Promise<Sent[]> {
    const first = this.#next;
    this.#next += sizes.length;
    const { id } = this.#session;
    const outgoing = sizes.map((packetBytes, i): Outgoing => {
      const payload = packetBytes === this.controlBytes ? encodeEcho(id, first + i) : encodeData(id, first + i, 0n, packetBytes - this.#headersBytes);
      return { payload, packetBytes };
    });
    return this.#sender.send(outgoing, PADDING, (i, sentMs) => sizes[i] === this.controlBytes && this.#sentMs.set(first + i, sentMs));
  }

  /** Waits for the last echo's reply, gives what was overtaken a little longer, and asks once more. */
  async #fence(): Promise<void> {
    const { pace } = this.#sender;
    const last = Math.max(...this.#sentMs.keys());
    await this.#sender.listen(pace.waitMs, () => this.#answered >= last);
    await this.#sender.listen(pace.reorderMs, () => false);
    for (let i = 0; i < FENCES_MAX && !this.#sender.aborted; i++) {
      const fence = this.#next;
      await this.#all([this.controlBytes]);
      await this.#sender.listen(pace.waitMs, () => this.#answered >= fence);
      if (this.#answered >= fence) return;
    }
  }

  #answer(bytes: Uint8Array, arrivedMs: number): void {
    const reply = decodeServerDatagram(bytes);
    if (reply.kind !== 'reply' || reply.session !== this.#session.id) return;
    const sentMs = this.#sentMs.get(reply.sequence);
    if (sentMs !== undefined) this.#sender.pace.learn(Math.max(0, arrivedMs - sentMs));
    this.#answered = Math.max(this.#answered, reply.sequence);
    for (let i = 0; i < WINDOW; i++) {
      const number = reply.highest - i;
      if (number >= this.#first && ((reply.window >> BigInt(i)) & 1n) === 1n) this.#arrived[number - this.#first] = true;
    }
  }
}
