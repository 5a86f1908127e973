import { constants } from 'node:fs';
import { link, open, readFile, unlink, writeFile } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { TautlineError } from '../../base/index.js';
import type { HostLock } from '../../base/index.js';
import { fileError } from '../files.js';
import { loadLibc } from '../libc/index.js';
import type { Libc } from '../libc/index.js';
import { isAlive, startOf } from './processes.js';
import { errnoOf } from './refusals.js';

/** sys/file.h, the same on Linux and macOS. */
const LOCK_EX = 2;
const LOCK_NB = 4;
/** A lock that its holder left behind is taken over so often before it is somebody's. */
const TAKE_OVERS_MAX = 3;

/**
 * A lock that the kernel lets go of when its holder ends, however it does (flock(2)). The file stays, empty: taking it away
 * would let two processes hold locks on two files of one name.
 */
export async function lock(path: string): Promise<HostLock | { readonly heldBy: number | undefined }> {
  const libc = loadLibc();
  try {
    return libc ? await lockByKernel(libc, path) : await lockByFile(path);
  } catch (cause) {
    throw fileError('write', path, cause);
  }
}

async function lockByKernel(libc: Libc, path: string): Promise<HostLock | { readonly heldBy: number | undefined }> {
  const handle = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  try {
    if (libc.flock(handle.fd, LOCK_EX | LOCK_NB) !== 0) {
      const errno = libc.errnoName(libc.errno());
      if (errno !== 'EAGAIN' && errno !== 'EWOULDBLOCK') throw new TautlineError('io', `cannot lock ${path}: ${errno}`);
      const heldBy = holderIn((await handle.readFile('utf8')) ?? '')?.pid;
      await handle.close();
      return { heldBy };
    }
    await handle.truncate(0);
    await handle.write(`${process.pid} ${startOf(process.pid) ?? ''}\n`, 0).catch(nameless);
  } catch (cause) {
    await handle.close().catch(() => undefined);
    throw cause;
  }
  return { release: () => release(handle) };
}

/** On a full disk the lock holds all the same, and others are not told whose it is: putting things back must not need room. */
function nameless(cause: unknown): void {
  if (!['ENOSPC', 'EDQUOT'].includes(errnoOf(cause) ?? '')) throw cause;
}

async function release(handle: FileHandle): Promise<void> {
  await handle.truncate(0).catch(() => undefined);
  // Closing lets go. A second time there is nothing to let go of.
  await handle.close().catch(() => undefined);
}

/** Without libc: a file that is there while the lock is held. What a killed holder left is told by its number and start. */
export async function lockByFile(path: string): Promise<HostLock | { readonly heldBy: number | undefined }> {
  const own = `${path}.${process.pid}`;
  const held = `${path}.held`;
  await writeFile(own, `${process.pid} ${startOf(process.pid) ?? ''}\n`, { mode: 0o600 });
  try {
    for (let tries = 0; tries < TAKE_OVERS_MAX; tries++) {
      // Atomic, unlike making it and then writing who holds it.
      const taken = await link(own, held).then(
        () => true,
        (cause: unknown) => {
          if (errnoOf(cause) === 'EEXIST') return false;
          throw cause;
        },
      );
      if (taken) return { release: () => unlink(held).catch(() => undefined) };
      const holder = holderIn(await readFile(held, 'utf8').catch(() => ''));
      if (holder && isAlive(holder.pid) && (holder.start === '' || startOf(holder.pid) === holder.start)) return { heldBy: holder.pid };
      await unlink(held).catch(() => undefined);
    }
    return { heldBy: undefined };
  } finally {
    await unlink(own).catch(() => undefined);
  }
}

function holderIn(text: string): { readonly pid: number; readonly start: string } | undefined {
  const [, pid, start = ''] = /^(\d+) (\d*)\n/.exec(text) ?? [];
  return pid === undefined ? undefined : { pid: Number(pid), start };
}
