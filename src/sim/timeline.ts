/** How many events happen between two looks at the waiting code when nothing has been promised to it. */
const BATCH_EVENTS_MAX = 1024;
/** Turns of the event loop without anything to do after which the run waits in real time, for example for a module that is being loaded. */
const IDLE_TURNS = 1000;
/** How long it does so before it is called stuck. */
const PATIENCE_MS = 1500;
/** A run that needs more virtual time than this is stuck in a loop. */
const RUN_MS_MAX = 24 * 3600e3;

export interface RunOptions {
  /** Virtual time that the work may take; default a day. */
  readonly limitMs?: number;
  /** Real time that it may wait for something outside the simulation; default 1500. */
  readonly patienceMs?: number;
}

export interface TimelineEvent {
  readonly atNs: number;
  cancelled: boolean;
}

interface Scheduled extends TimelineEvent {
  readonly order: number;
  readonly action: () => void;
}

export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly settled: boolean;
  resolve(value: T): void;
  reject(error: unknown): void;
}

/**
 * Virtual time: a queue of events in the order of their time, and among equal times in the order in
 * which they were scheduled. Time is whole nanoseconds from the start of the simulation and moves
 * only from event to event, after every promise that the previous ones settled has had its
 * consequences. So nothing waits, and the same events always happen in the same order.
 */
export class Timeline {
  #nowNs = 0;
  #order = 0;
  #woken = false;
  readonly #heap: Scheduled[] = [];

  get nowNs(): number {
    return this.#nowNs;
  }

  /** Schedules an action, never earlier than asked; times that have passed are now. */
  at(atNs: number, action: () => void): TimelineEvent {
    const event: Scheduled = { atNs: Math.max(this.#nowNs, Math.ceil(atNs)), order: this.#order++, action, cancelled: false };
    this.#push(event);
    return event;
  }

  after(delayNs: number, action: () => void): TimelineEvent {
    return this.at(this.#nowNs + delayNs, action);
  }

  /** A promise for code outside the simulation; settling it lets that code run before time moves on. */
  deferred<T>(): Deferred<T> {
    const timeline = this;
    let settled = false;
    let resolve!: (value: T) => void;
    let reject!: (error: unknown) => void;
    const promise = new Promise<T>((yes, no) => {
      resolve = yes;
      reject = no;
    });
    return {
      promise,
      get settled() {
        return settled;
      },
      resolve(value) {
        settled = true;
        timeline.wake();
        resolve(value);
      },
      reject(error) {
        settled = true;
        timeline.wake();
        reject(error);
      },
    };
  }

  /** Says that code outside the simulation has something to do at this very moment. */
  wake(): void {
    this.#woken = true;
  }

  /**
   * Lets time pass until `work` settles.
   * @throws Error when nothing is left to happen that could settle it (after `patienceMs` of real time), or after `limitMs` of virtual time
   */
  async run<T>(work: Promise<T> | (() => Promise<T>), options: RunOptions = {}): Promise<T> {
    const { limitMs = RUN_MS_MAX, patienceMs = PATIENCE_MS } = options;
    const promise = typeof work === 'function' ? work() : work;
    let settled = false;
    const settle = (): void => {
      settled = true;
    };
    promise.then(settle, settle);
    const limitNs = this.#nowNs + limitMs * 1e6;
    for (let idle = 0; ;) {
      await turn(idle);
      if (settled) return promise;
      if (this.#advance()) idle = 0;
      else if (++idle > IDLE_TURNS + patienceMs)
        throw new Error(`simulation is stuck at ${this.#nowNs / 1e6} ms: nothing is left to happen, and the work has not ended`);
      if (this.#nowNs > limitNs) throw new Error(`simulation ran for ${limitMs} ms of virtual time and the work has not ended`);
    }
  }

  /** Makes the next events happen. @returns false when there are none */
  #advance(): boolean {
    this.#woken = false;
    for (let n = 0; n < BATCH_EVENTS_MAX && !this.#woken; n++) {
      const event = this.#pop();
      if (!event) return n > 0;
      this.#nowNs = event.atNs;
      event.action();
    }
    return true;
  }

  #push(event: Scheduled): void {
    const heap = this.#heap;
    let i = heap.length;
    heap.push(event);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      const above = heap[parent] as Scheduled;
      if (before(above, event)) break;
      heap[i] = above;
      i = parent;
    }
    heap[i] = event;
  }

  #pop(): Scheduled | undefined {
    for (;;) {
      const first = this.#heap[0];
      const last = this.#heap.pop();
      if (!first || !last) return undefined;
      if (first !== last) this.#sink(last);
      if (!first.cancelled) return first;
    }
  }

  #sink(event: Scheduled): void {
    const heap = this.#heap;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      const left = heap[child];
      if (!left) break;
      const right = heap[child + 1];
      let smaller = left;
      if (right && before(right, left)) {
        smaller = right;
        child++;
      }
      if (before(event, smaller)) break;
      heap[i] = smaller;
      i = child;
    }
    heap[i] = event;
  }
}

function before(a: Scheduled, b: Scheduled): boolean {
  return a.atNs < b.atNs || (a.atNs === b.atNs && a.order < b.order);
}

/** One turn of the real event loop: every settled promise's consequences have happened when it ends. */
function turn(idle: number): Promise<void> {
  return new Promise((resolve) => (idle <= IDLE_TURNS ? setImmediate(resolve) : setTimeout(resolve, 1)));
}
