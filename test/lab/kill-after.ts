import { constants, writeSync } from 'node:fs';
import files from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

/**
 * Lets a process die by SIGKILL after any one of the writes that it asks the system for: between making a temporary file and
 * filling it, between that and its new name, between a journal's line and its way to the disk. It counts the calls of
 * node:fs that change something, and whatever else is told to it by `wrote`. Imported before anything else.
 */
export interface Kill {
  readonly after: number;
  /** The process dies in the middle of writing the data, where that is what the n-th write does. */
  readonly half: boolean;
}

export class KillCounter {
  /** What was written since `arm`, in order. */
  readonly writes: string[] = [];
  #kill: Kill | undefined;
  #armed = false;

  /** Counts from here. */
  arm(kill: Kill | undefined): void {
    this.#armed = true;
    this.#kill = kill;
  }

  wrote(what: string): void {
    if (!this.#armed) return;
    this.writes.push(what);
    if (this.#kill?.after === this.writes.length) process.kill(process.pid, 'SIGKILL');
  }

  /** Whether the write that comes next is the one to die in the middle of. */
  diesInNext(): boolean {
    return this.#armed && this.#kill?.half === true && this.#kill.after === this.writes.length + 1;
  }
}

const CALLS = ['chmod', 'chown', 'lchown', 'mkdir', 'rename', 'rmdir', 'rm', 'symlink', 'link', 'unlink'] as const;
const HANDLE_CALLS = ['chown', 'chmod', 'sync', 'truncate', 'utimes', 'write'] as const;
const DATA_CALLS = ['appendFile', 'writeFile'] as const;

type AnyCall = (this: unknown, ...args: never[]) => Promise<unknown>;

/** Puts the counter around node:fs, for every module that was or will be imported. */
export async function countWrites(): Promise<KillCounter> {
  const counter = new KillCounter();
  const around = (object: object, name: string, what = name): void => {
    const calls = object as Record<string, AnyCall>;
    const call = calls[name] as AnyCall;
    calls[name] = async function (this: unknown, ...args: never[]) {
      const result = await call.apply(this, args);
      counter.wrote(what);
      return result;
    };
  };
  const probe = await files.open('/dev/null', 'r');
  const prototype = Object.getPrototypeOf(probe) as object;
  await probe.close();
  for (const name of CALLS) around(files, name);
  for (const name of HANDLE_CALLS) around(prototype, name, `handle.${name}`);
  for (const name of DATA_CALLS) aroundData(prototype as Record<string, AnyCall>, name, counter);
  const open = files.open;
  files.open = async (path, flags, mode) => {
    const handle = await open(path, flags, mode);
    if (typeof flags === 'number' ? (flags & constants.O_CREAT) !== 0 : /[wa]/.test(String(flags ?? 'r'))) counter.wrote('open to make');
    return handle;
  };
  syncBuiltinESMExports();
  return counter;
}

function aroundData(prototype: Record<string, AnyCall>, name: string, counter: KillCounter): void {
  const call = prototype[name] as AnyCall;
  prototype[name] = async function (this: unknown, ...args: never[]) {
    if (counter.diesInNext()) {
      const bytes = Buffer.from(args[0] as unknown as string);
      writeSync((this as FileHandle).fd, bytes.subarray(0, Math.ceil(bytes.length / 2)));
      process.kill(process.pid, 'SIGKILL');
    }
    const result = await call.apply(this, args);
    counter.wrote(`handle.${name}`);
    return result;
  };
}
