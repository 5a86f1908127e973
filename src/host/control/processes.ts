import { readFileSync } from 'node:fs';

/**
 * When a process was started, in the kernel's own count: together with its number it names one process for good, as
 * numbers are used again. Undefined where there is none (any more), or the system does not tell.
 */
export function startOf(pid: number): string | undefined {
  const fields = statOf(pid);
  return fields && fields[0] !== 'Z' && fields[0] !== 'X' ? fields[19] : undefined;
}

/** Whether it runs: one that has ended and was not yet fetched by its parent (a zombie) does not. */
export function isAlive(pid: number): boolean {
  const fields = statOf(pid);
  if (fields) return fields[0] !== 'Z' && fields[0] !== 'X';
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    // It is there, and somebody else's.
    return cause instanceof Error && 'code' in cause && cause.code === 'EPERM';
  }
}

/** /proc/PID/stat from its third field on: the second is the name in parentheses, which may have any characters (proc(5)). */
function statOf(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}
