import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import { TautlineError } from '../../base/index.js';

const COMPLAINT_CHARS_MAX = 500;

export interface BackgroundProgram {
  readonly program: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Where it says `ready`. */
  readonly readyOn: 1 | 3;
  readonly readyTimeoutMs: number;
  /** For messages: `the guard`. */
  readonly name: string;
}

/**
 * Starts a program in a session of its own, so that neither the end of this process nor of its terminal reaches it, and lets
 * go of it once it has said that it is ready. @throws TautlineError `io` with what it complained of
 */
export async function startInBackground(asked: BackgroundProgram): Promise<number> {
  const pipeAt = asked.readyOn;
  const child = spawn(asked.program, asked.args, {
    detached: true,
    stdio: ['ignore', pipeAt === 1 ? 'pipe' : 'ignore', 'pipe', ...(pipeAt === 3 ? (['pipe'] as const) : [])],
    env: { ...process.env, ...asked.environment },
  });
  const failure = await readiness(child, asked);
  for (const stream of child.stdio) if (stream && 'destroy' in stream) stream.destroy();
  child.unref();
  if (failure === undefined && child.pid !== undefined) return child.pid;
  if (child.pid !== undefined) end(child.pid);
  throw new TautlineError('io', `${asked.name} did not start: ${failure ?? 'it has no process'}`);
}

function readiness(child: ChildProcess, { readyOn, readyTimeoutMs }: BackgroundProgram): Promise<string | undefined> {
  return new Promise((resolve) => {
    let complaint = '';
    let said = '';
    const timer = setTimeout(() => finish(`it was not ready within ${readyTimeoutMs} ms`), readyTimeoutMs);
    const finish = (failure: string | undefined): void => {
      clearTimeout(timer);
      resolve(failure);
    };
    child.stderr?.on('data', (chunk: Buffer) => {
      if (complaint.length < COMPLAINT_CHARS_MAX) complaint += chunk.toString('utf8');
    });
    const ready = child.stdio[readyOn] as Readable | null;
    ready?.on('data', (chunk: Buffer) => {
      said += chunk.toString('utf8');
      if (said.startsWith('ready\n')) finish(undefined);
    });
    child.once('error', (cause) => finish(cause.message));
    child.once('close', (code, signal) => finish(complaint.trim() || `it ended with ${signal ?? code}`));
  });
}

/** It and what it started: it leads a session. */
function end(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
