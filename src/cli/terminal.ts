/** The process as a command sees it, so that commands can be tested without one. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly workingFolder: string;
  readonly homeFolder: string;
  /** As Node names it: `linux`, `darwin`. */
  readonly platform: string;
  readonly stdoutIsTty: boolean;
  readonly stderrIsTty: boolean;
  /** Whether a person can be asked. */
  readonly stdinIsTty: boolean;
  readonly width: number;
  /** Resolves when the text has left, or when nobody reads any more (`| head`). */
  stdout(text: string): Promise<void>;
  stderr(text: string): void;
  /** Asks on stderr. @returns the line that was typed, undefined when there is none any more or `signal` aborts */
  ask(question: string, signal: AbortSignal): Promise<string | undefined>;
  /**
   * Aborts at the first SIGINT, SIGTERM or SIGHUP; a second one ends the process, unless it is SIGHUP. Where ending it would
   * leave something half done, `warning` is told at the second and a third ends it. Call `release` when done.
   */
  interruptible(warning?: string): { readonly signal: AbortSignal; release(): void };
}

const WIDTH_DEFAULT = 100;

export function processTerminal(): Terminal {
  // A reader that went away is not our error; what is written then is dropped.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') process.stderr.write(`tautline: cannot write to stdout: ${error.message}\n`);
    if (error.code !== 'EPIPE') process.exitCode = 3;
  });
  process.stderr.on('error', () => undefined);
  return {
    env: process.env,
    workingFolder: process.cwd(),
    homeFolder: process.env['HOME'] ?? '/',
    platform: process.platform,
    stdoutIsTty: process.stdout.isTTY === true,
    stderrIsTty: process.stderr.isTTY === true,
    stdinIsTty: process.stdin.isTTY === true,
    width: process.stdout.columns ?? WIDTH_DEFAULT,
    stdout: (text) => new Promise((resolve) => process.stdout.write(text, () => resolve())),
    stderr: (text) => void process.stderr.write(text),
    ask,
    interruptible,
  };
}

function ask(question: string, signal: AbortSignal): Promise<string | undefined> {
  const { stdin } = process;
  process.stderr.write(question);
  return new Promise((resolve) => {
    let typed = '';
    const done = (answer: string | undefined): void => {
      stdin.off('data', onData).off('end', onEnd).off('error', onEnd);
      signal.removeEventListener('abort', onEnd);
      // A terminal that is still read would keep the process.
      stdin.pause();
      resolve(answer);
    };
    const onEnd = (): void => done(undefined);
    const onData = (part: Buffer | string): void => {
      typed += part.toString();
      if (typed.includes('\n')) done(typed.slice(0, typed.indexOf('\n')).trim());
    };
    if (signal.aborted) return done(undefined);
    signal.addEventListener('abort', onEnd);
    stdin.on('data', onData).on('end', onEnd).on('error', onEnd).resume();
  });
}

function interruptible(warning?: string): { readonly signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  let warned = warning === undefined;
  const stop = (): void => {
    if (!controller.signal.aborted) return controller.abort();
    if (warned) process.exit(130);
    warned = true;
    process.stderr.write(`tautline: ${warning}\n`);
  };
  // A connection that is cut off is told by the terminal and by the shell; what is to be put back then takes a moment.
  const hangUp = (): void => controller.abort();
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  process.on('SIGHUP', hangUp);
  return {
    signal: controller.signal,
    release: () => {
      process.off('SIGINT', stop);
      process.off('SIGTERM', stop);
      process.off('SIGHUP', hangUp);
    },
  };
}
