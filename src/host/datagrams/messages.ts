import { assert } from '../../base/index.js';
import type { ExchangeLog, ExchangePlan, FloodLog, FloodPlan, SinkLog, SinkPlan } from '../../base/index.js';

/** How a socket's bytes and ICMP messages relate. */
export interface IcmpSocket {
  /** The kernel fills in identifier and checksum, and hands over our replies only. */
  readonly managed: boolean;
  /** What arrives begins with the IPv4 header. */
  readonly withIpHeader: boolean;
  /** The identifier that we put in, where the kernel does not. */
  readonly identifier: number;
}

/** What a flow's worker is started with. */
export interface FlowWorkerData {
  readonly fd: number;
  readonly family: 4 | 6;
  readonly icmp: IcmpSocket | undefined;
  readonly stamps: 'kernel' | 'user';
  readonly dontFragment: boolean;
}

type Plain<P> = Omit<P, 'signal' | 'onProgress'>;

/** What the flow asks of its worker: a plan, and shared memory for aborting and progress. */
export type FlowCommand = { readonly shared: SharedArrayBuffer } & (
  | { readonly op: 'exchange'; readonly plan: Plain<ExchangePlan> }
  | { readonly op: 'flood'; readonly plan: Plain<FloodPlan> }
  | { readonly op: 'sink'; readonly plan: Plain<SinkPlan> }
);

export type FlowAnswer = { readonly ok: true; readonly log: ExchangeLog | FloodLog | SinkLog } | { readonly ok: false; readonly why: string };

/** A longer train goes out in several exchanges; this one's times alone take 256 MB. */
export const EXCHANGE_COUNT_MAX = 1 << 24;

export function checkExchange({ count, payload, payloads, sequence }: ExchangePlan): void {
  assert(count >= 0 && count <= EXCHANGE_COUNT_MAX, `an exchange sends at most ${EXCHANGE_COUNT_MAX} datagrams`);
  assert(payloads === undefined || payloads.length === count, 'every datagram of its own is sent once');
  const room = payloads === undefined ? payload.length : Math.min(...payloads.map(({ length }) => length));
  assert(sequence.offset >= 0 && sequence.offset + sequence.width <= room, 'the payload has room for the sequence number');
}

/** The shared memory: three 32-bit words. */
export const SHARED = { abort: 0, sent: 1, received: 2, words: 3 } as const;

/** The worker's side of the shared memory. */
export class Progress {
  readonly #words: Int32Array;

  constructor(shared: SharedArrayBuffer) {
    this.#words = new Int32Array(shared);
  }

  get aborted(): boolean {
    return Atomics.load(this.#words, SHARED.abort) !== 0;
  }

  sent(count: number): void {
    Atomics.store(this.#words, SHARED.sent, count);
  }

  received(count: number): void {
    Atomics.store(this.#words, SHARED.received, count);
  }
}
