import { spawn } from 'node:child_process';
import type { ChildProcess, ChildProcessByStdio } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { CommandOptions, CommandResult, Commands } from '../base/index.js';

/** Output beyond this is cut: no program that we run has more to say. */
const OUTPUT_BYTES_MAX = 4 * 1024 * 1024;
/** What a program wrote before it was cut short has arrived by then. */
const LAST_WORDS_MS = 50;

export function createCommands(): Commands {
  return { run };
}

/**
 * Runs a program found in PATH, its messages in English so that they can be read by a parser. A
 * program that is cut short, by time or by `signal`, is interrupted first so that it can print its
 * summary (ping does), and killed half a second later.
 */
function run(program: string, args: readonly string[], options: CommandOptions): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = start(program, args, options);
    if (!child) return resolve({ outcome: 'missing' });
    const stdout = collect(child.stdout);
    const stderr = collect(child.stderr);
    let cut = false;
    let kill: NodeJS.Timeout | undefined;
    // Waiting for the end of its output would be waiting for whatever else holds it, such as what a killed script had started.
    const letGo = (): void => {
      child.stdout.destroy();
      child.stderr.destroy();
    };
    const stop = (): void => {
      if (cut) return;
      cut = true;
      if (child.exitCode !== null || child.signalCode !== null) return letGo();
      send(child, 'SIGINT', options);
      kill = setTimeout(() => send(child, 'SIGKILL', options), 500);
      child.once('exit', () => setTimeout(letGo, LAST_WORDS_MS));
    };
    const timer = setTimeout(stop, options.timeoutMs);
    options.signal?.addEventListener('abort', stop, { once: true });
    if (options.signal?.aborted === true) stop();
    const finish = (result: CommandResult): void => {
      clearTimeout(timer);
      clearTimeout(kill);
      options.signal?.removeEventListener('abort', stop);
      resolve(result);
    };
    // A program that cannot be started at all is as good as missing.
    child.on('error', () => finish({ outcome: 'missing' }));
    child.on('close', (code) => {
      const texts = { stdout: stdout(), stderr: stderr() };
      finish(cut ? { outcome: 'timeout', ...texts } : { outcome: 'exited', code: code ?? 128, ...texts });
    });
  });
}

/** Most failures come as an event; but where the system forbids a program (file capabilities beyond ours), spawn throws. */
function start(program: string, args: readonly string[], options: CommandOptions): ChildProcessByStdio<null, Readable, Readable> | undefined {
  try {
    return spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, LC_ALL: 'C', ...options.environment },
      // setsid(2): the new session has no controlling terminal, and /dev/tty cannot be opened in it.
      detached: options.terminal === 'none',
    });
  } catch {
    return undefined;
  }
}

/** To the program, or to all of its session. */
function send(child: ChildProcess, signal: NodeJS.Signals, options: CommandOptions): void {
  if (options.terminal !== 'none' || child.pid === undefined) {
    child.kill(signal);
    return;
  }
  try {
    process.kill(-child.pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  let length = 0;
  stream.on('data', (chunk: Buffer) => {
    if (length >= OUTPUT_BYTES_MAX) return;
    chunks.push(chunk.subarray(0, OUTPUT_BYTES_MAX - length));
    length += chunk.length;
  });
  return () => Buffer.concat(chunks).toString('utf8');
}
