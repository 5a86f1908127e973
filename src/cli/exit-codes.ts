import { TautlineError } from '../base/index.js';

export const EXIT = { pass: 0, fail: 1, usage: 2, unmeasured: 3, inconclusive: 4, interrupted: 130 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_HELP = `
Exit codes:
  0    pass
  1    fail: an objective was missed, or a change failed or no longer holds
  2    usage or configuration error
  3    could not measure
  4    inconclusive
  130  interrupted; what had been measured was printed`;

export function exitCodeOf(error: unknown): ExitCode {
  if (!(error instanceof TautlineError)) return EXIT.unmeasured;
  if (error.code === 'usage' || error.code === 'config') return EXIT.usage;
  return error.code === 'interrupted' ? EXIT.interrupted : EXIT.unmeasured;
}
