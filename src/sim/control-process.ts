import type { SimMachine } from './control-machine.js';

/** What a call gets that a killed process is in the middle of: nothing after it happens, as after SIGKILL. */
export class SimKilled extends Error {
  override readonly name = 'SimKilled';
}

/** How a write looks at which the process dies: it has happened, or as much of it as can happen by itself. */
export type DyingWrite = 'whole' | 'half';

/** A change in two parts: what is refused has thrown before it comes to one. */
export interface Change<T> {
  whole(): T;
  /** What a kill in the middle leaves: half a line, a temporary file. Default: nothing. */
  half?(): void;
}

/** A process of a simulated host. It can be made to die at any one of its writes, and then nothing that it calls answers any more. */
export class SimProcess {
  readonly machine: SimMachine;
  /** What it has written, in order. */
  readonly writes: string[] = [];
  #pid: number;
  #dead = false;
  #left: number | undefined;
  #dying: DyingWrite = 'whole';

  constructor(machine: SimMachine) {
    this.machine = machine;
    this.#pid = machine.startProcess();
  }

  get pid(): number {
    return this.#pid;
  }

  get dead(): boolean {
    return this.#dead;
  }

  /** @throws SimKilled */
  alive(): void {
    if (this.#dead) throw new SimKilled(`process ${this.#pid} was killed`);
  }

  /** It dies at the n-th write from now: the first is 1. */
  dieAfter(writes: number, how: DyingWrite = 'whole'): void {
    this.#left = writes;
    this.#dying = how;
  }

  kill(): void {
    this.#dead = true;
    this.#left = undefined;
    this.machine.endProcess(this.#pid);
  }

  /** The same program, started again. */
  revive(): void {
    if (!this.#dead) this.kill();
    this.#dead = false;
    this.#pid = this.machine.startProcess();
  }

  /** Every change of the host comes through here. @throws SimKilled where it was the last one */
  async change<T>(what: string, prepare: () => Change<T>): Promise<T> {
    this.alive();
    const change = prepare();
    this.writes.push(what);
    if (this.#left === undefined || --this.#left > 0) return change.whole();
    if (this.#dying === 'half') change.half?.();
    else change.whole();
    this.kill();
    throw new SimKilled(`killed at: ${what}`);
  }

  /** Reads answer only to those who live. */
  async look<T>(read: () => T): Promise<T> {
    this.alive();
    return read();
  }
}
