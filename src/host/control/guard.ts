import { closeSync, openSync, writeSync } from 'node:fs';
import { startInBackground } from './background.js';

/** Where a guard tells that it is ready, by the number of an open file. */
const READY_VARIABLE = 'TAUTLINE_GUARD_READY_FD';
const READY_FD = 3;

/** Starts this program again, with these arguments. */
export function startGuard(program: string, args: readonly string[], readyTimeoutMs: number): Promise<number> {
  return startInBackground({
    program: process.execPath,
    args: [...process.execArgv, program, ...args],
    environment: { [READY_VARIABLE]: String(READY_FD) },
    readyOn: READY_FD,
    readyTimeoutMs,
    name: 'the guard',
  });
}

/**
 * A guard's own part: from here on no end of a terminal or connection reaches it, it writes nowhere, and whoever started it
 * knows that it watches. Does nothing in a process that nobody waits for.
 */
export function announceReady(): void {
  const fd = Number(process.env[READY_VARIABLE]);
  if (fd !== READY_FD) return;
  delete process.env[READY_VARIABLE];
  process.on('SIGHUP', () => undefined);
  // What it started with ends with its starter, and writing there would then fail.
  closeSync(2);
  openSync('/dev/null', 'w');
  writeSync(fd, 'ready\n');
  closeSync(fd);
}
