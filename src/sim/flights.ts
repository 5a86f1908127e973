import type { Segment } from './tcp-receiver.js';

/** A train of segments on its way. */
export interface Flight extends Segment {
  /** Flights are numbered in the order in which they left. */
  readonly order: number;
  readonly segments: number;
  readonly sentNs: number;
  /** The path dropped it; the sender finds out later. */
  readonly lost: boolean;
  /** What had been delivered when it left. */
  readonly deliveredThen: number;
  done: boolean;
}

/** What a sender has sent and not yet heard of, oldest first. */
export class Flights {
  bytes = 0;
  #list: Flight[] = [];
  #order = 0;

  get count(): number {
    return this.#list.length;
  }

  get oldest(): Flight | undefined {
    return this.#list[0];
  }

  /** Number of the last one that left. */
  get lastOrder(): number {
    return this.#order - 1;
  }

  add(segment: Segment, state: { segments: number; sentNs: number; lost: boolean; deliveredThen: number }): Flight {
    const { offset, chunk, fin } = segment;
    const flight: Flight = { offset, chunk, fin, ...state, order: this.#order++, done: false };
    this.#list.push(flight);
    this.bytes += chunk.length;
    return flight;
  }

  finish(flight: Flight): void {
    flight.done = true;
    this.bytes -= flight.chunk.length;
  }

  /**
   * Goes through what left before `order` or as that: forgets what is done, or has arrived although its
   * acknowledgement has not (everything before `nextOffset`).
   * @returns what was lost, and how many bytes turned out to have arrived
   */
  sweep(order: number, nextOffset: number): { readonly lost: readonly Flight[]; readonly arrivedBytes: number } {
    const lost: Flight[] = [];
    let arrivedBytes = 0;
    let kept = 0;
    let i = 0;
    for (; i < this.#list.length; i++) {
      const flight = this.#list[i] as Flight;
      if (flight.order > order) break;
      if (flight.done) continue;
      if (flight.lost) {
        this.finish(flight);
        lost.push(flight);
      } else if (flight.offset + flight.chunk.length + (flight.fin ? 1 : 0) <= nextOffset) {
        this.finish(flight);
        arrivedBytes += flight.chunk.length;
      } else this.#list[kept++] = flight;
    }
    this.#list.splice(kept, i - kept);
    return { lost, arrivedBytes };
  }

  /** Takes the latest lost one out, to be sent again. */
  takeLastLost(): Flight | undefined {
    const last = this.#list.findLast((flight) => flight.lost && !flight.done);
    if (last) {
      this.#list.splice(this.#list.indexOf(last), 1);
      this.finish(last);
    }
    return last;
  }

  clear(): void {
    this.#list = [];
    this.bytes = 0;
  }
}
