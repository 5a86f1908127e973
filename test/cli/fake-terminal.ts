import type { Terminal } from '../../src/cli/terminal.js';

export interface FakeTerminal extends Terminal {
  readonly out: string[];
  readonly err: string[];
}

/** A terminal that collects what is written to it. */
export function fakeTerminal(overrides: Partial<Terminal> = {}): FakeTerminal {
  const out: string[] = [];
  const err: string[] = [];
  return {
    env: {},
    workingFolder: '/none',
    homeFolder: '/none',
    platform: 'linux',
    stdoutIsTty: false,
    stderrIsTty: false,
    stdinIsTty: false,
    width: 80,
    stdout: (text) => {
      out.push(text);
      return Promise.resolve();
    },
    stderr: (text) => void err.push(text),
    ask: () => Promise.resolve(undefined),
    interruptible: () => ({ signal: new AbortController().signal, release: () => undefined }),
    ...overrides,
    out,
    err,
  };
}
