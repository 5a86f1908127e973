import { TautlineError } from '../../base/index.js';
import type { ErrorCode } from '../../base/index.js';
import { fileError } from '../files.js';

interface Refusal {
  readonly code: ErrorCode;
  readonly what: string;
  readonly hint: string;
}

const NOT_TAKEN: Refusal = {
  code: 'unsupported',
  what: 'the kernel does not take this value',
  hint: 'the value is not one that this kernel or driver knows here',
};
const NO_DEVICE: Refusal = {
  code: 'unsupported',
  what: 'the device or driver does not have it',
  hint: 'it may be gone, renamed, or have no such setting',
};
const NOT_ALLOWED: Refusal = {
  code: 'permission',
  what: 'permission denied',
  hint: 'run it as root; root of a container or of a network namespace may not change what belongs to the whole machine',
};

/** What writing a value of /proc or /sys can end with. */
const OF_VALUES: Readonly<Record<string, Refusal>> = {
  EINVAL: NOT_TAKEN,
  ERANGE: NOT_TAKEN,
  EDOM: NOT_TAKEN,
  EOVERFLOW: NOT_TAKEN,
  E2BIG: NOT_TAKEN,
  // Of smp_affinity: the interrupt is the driver's own, or may not be moved (kernel/irq/proc.c, write_irq_affinity).
  EIO: { code: 'unsupported', what: 'the kernel refuses to change it', hint: 'the driver keeps it to itself' },
  // As an answer to what was written: a congestion control or a queue discipline that the kernel does not have.
  ENOENT: { code: 'unsupported', what: 'the kernel has no such thing', hint: 'a kernel module may be missing, or the key is not in this kernel' },
  ENOTDIR: { code: 'unsupported', what: 'the kernel has no such thing', hint: 'the key is not in this kernel' },
  ENODEV: NO_DEVICE,
  ENXIO: NO_DEVICE,
  EOPNOTSUPP: NO_DEVICE,
  ENOTSUP: NO_DEVICE,
  ENOSYS: NO_DEVICE,
  EACCES: NOT_ALLOWED,
  EPERM: NOT_ALLOWED,
  EROFS: {
    code: 'permission',
    what: 'the file system is read-only',
    hint: 'containers have /proc/sys and /sys read-only: apply it on the host, or start the container with the sysctl (docker run --sysctl)',
  },
  EBUSY: { code: 'io', what: 'it is busy', hint: 'try again; another program may be changing it' },
};

/** @param text what was to be written */
export function valueError(doing: 'read' | 'write', path: string, cause: unknown, text?: string): TautlineError {
  const refusal = OF_VALUES[errnoOf(cause) ?? ''];
  // A driver that has nothing to tell answers EINVAL too (the speed of a link that is down).
  const known = doing === 'read' && refusal === NOT_TAKEN ? NO_DEVICE : refusal;
  if (!known) return fileError(doing, path, cause);
  const value = text === undefined ? '' : ` '${text.trim()}' to`;
  return new TautlineError(known.code, `cannot ${doing}${value} ${path}: ${known.what} (${errnoOf(cause)})`, { hint: known.hint, cause });
}

/** As for any file, but an immutable file is told from a missing right. */
export function entryError(path: string, cause: unknown): TautlineError {
  const error = fileError('write', path, cause);
  if (errnoOf(cause) !== 'EPERM') return error;
  return new TautlineError('permission', error.message, {
    hint: 'run it as root; where it is root already, the file may be immutable (lsattr shows an i)',
    cause,
  });
}

export function errnoOf(cause: unknown): string | undefined {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
}

export function isNothing(cause: unknown): boolean {
  return errnoOf(cause) === 'ENOENT' || errnoOf(cause) === 'ENOTDIR';
}
