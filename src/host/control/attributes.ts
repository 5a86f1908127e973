import { TautlineError } from '../../base/index.js';
import { loadLibc, memory } from '../libc/index.js';

const NAMES_BYTES_MAX = 64 * 1024;
const VALUE_BYTES_MAX = 64 * 1024;

/**
 * Extended attributes (access lists, capabilities, labels) of a file that is about to be replaced go to the one that
 * replaces it: they are part of what the file is, and nobody asked for them to change. Linux; elsewhere nothing happens.
 * @throws TautlineError `permission` where one cannot be kept
 */
export function keepAttributes(from: number, to: number, path: string): void {
  const libc = loadLibc();
  if (!libc?.flistxattr || !libc.fgetxattr || !libc.fsetxattr) return;
  const names = memory(NAMES_BYTES_MAX);
  const length = libc.flistxattr(from, names, names.length);
  // The file system has none, or more than anybody keeps.
  if (length <= 0) return;
  const value = memory(VALUE_BYTES_MAX);
  for (const name of Buffer.from(names.subarray(0, length)).toString('utf8').split('\0')) {
    if (name === '') continue;
    const size = libc.fgetxattr(from, name, value, value.length);
    if (size < 0 || libc.fsetxattr(to, name, value, size, 0) === 0) continue;
    // The security policy labels new files by itself.
    if (name === 'security.selinux') continue;
    throw new TautlineError('permission', `cannot write ${path}: its attribute ${name} cannot be kept (${libc.errnoName(libc.errno())})`, {
      hint: 'run it as root',
    });
  }
}
