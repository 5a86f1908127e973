import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';

/** What became of a program that ran to its end. */
export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly elapsedMs: number;
}

export interface RunOptions {
  readonly timeoutMs?: number;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

const TIMEOUT_MS = 60_000;

/** Runs a program to its end; never rejects. One that does not end is killed, and `signal` says so. */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const program = new Program(argv, options);
  const timer = setTimeout(() => program.kill('SIGKILL'), options.timeoutMs ?? TIMEOUT_MS);
  try {
    return await program.finished;
  } finally {
    clearTimeout(timer);
  }
}

/** Runs a program that has to succeed. @returns its stdout. @throws with all that it said */
export async function mustRun(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const { code, signal, stdout, stderr } = await run(argv, options);
  if (code !== 0) throw new Error(`${argv.join(' ')} ended with ${signal ?? code}: ${stderr.trim() || stdout.trim()}`);
  return stdout;
}

/** Whether a program is installed. */
export async function installed(program: string): Promise<boolean> {
  return (await run(['sh', '-c', 'command -v "$0"', program])).code === 0;
}

/** A program that runs beside the test. Its owner calls `stop()`, which may be called twice. */
export class Program {
  readonly finished: Promise<Finished>;
  readonly #child: ChildProcess;
  #stdout = '';
  #stderr = '';

  constructor(argv: readonly string[], options: RunOptions = {}) {
    const startedMs = performance.now();
    const [program = '', ...args] = argv;
    this.#child = spawn(program, args, { cwd: options.cwd, env: options.env ?? process.env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.#stdout += text));
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text));
    this.finished = new Promise((resolve) => {
      const end = (code: number | null, signal: NodeJS.Signals | null): void =>
        resolve({ code, signal, stdout: this.#stdout, stderr: this.#stderr, elapsedMs: performance.now() - startedMs });
      this.#child.once('error', (error) => {
        this.#stderr += error.message;
        end(127, null);
      });
      this.#child.once('close', end);
    });
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  get output(): string {
    return this.#stdout + this.#stderr;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Resolves when `ready` says so. @throws when the program ends before, or after `timeoutMs` */
  async until(ready: (output: string) => boolean | Promise<boolean>, timeoutMs = 15_000): Promise<void> {
    const endMs = performance.now() + timeoutMs;
    while (!(await ready(this.output))) {
      if (!this.running) throw new Error(`it ended before it was ready: ${this.output}`);
      if (performance.now() > endMs) throw new Error(`it was not ready within ${timeoutMs} ms: ${this.output}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async stop(): Promise<Finished> {
    this.kill('SIGTERM');
    const timer = setTimeout(() => this.kill('SIGKILL'), 5_000);
    const finished = await this.finished;
    clearTimeout(timer);
    return finished;
  }
}
