/** What kind of thing went wrong; each kind maps to one exit code in `cli/`. */
export const ERROR_CODES = ['usage', 'config', 'measure', 'permission', 'unsupported', 'protocol', 'io', 'interrupted'] as const;
export type ErrorCode = (typeof ERROR_CODES)[number];

/**
 * The one error class. `message` says what happened, `hint` what the person can do about it.
 * What the network did is never an error: a probe reports it as an outcome.
 */
export class TautlineError extends Error {
  override readonly name = 'TautlineError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
  }
}

/** Asserts an invariant of our own code: a failure here is a bug, not an operational error. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`broken invariant: ${message}`);
}
