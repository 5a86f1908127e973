/** The process as a command sees it, so that commands can be tested without one. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly workingFolder: string;
  readonly homeFolder: string;
  /** As Node names it: `linux`, `darwin`. */
  readonly platform: string;
  readonly stdoutIsTty: boolean;
  readonly stderrIsTty: boolean;
  readonly width: number;
  /** Resolves when the text has left, or when nobody reads any more (`| head`). */
  stdout(text: string): Promise<void>;
  stderr(text: string): void;
  /** Aborts at the first SIGINT or SIGTERM; a second one ends the process. Call `release` when done. */
  interruptible(): { readonly signal: AbortSignal; release(): void };
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
    width: process.stdout.columns ?? WIDTH_DEFAULT,
    stdout: (text) => new Promise((resolve) => process.stdout.write(text, () => resolve())),
    stderr: (text) => void process.stderr.write(text),
    interruptible,
  };
}

function interruptible(): { readonly signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return {
    signal: controller.signal,
    release: () => {
      process.off('SIGINT', stop);
      process.off('SIGTERM', stop);
    },
  };
}
