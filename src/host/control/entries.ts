import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { chmod, chown, lchown, lstat, mkdir, open, readlink, realpath, rename, rmdir, symlink, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { TautlineError } from '../../base/index.js';
import type { Entry, HostControl } from '../../base/index.js';
import { fileError } from '../files.js';
import { keepAttributes } from './attributes.js';
import { setTimes } from './file-times.js';
import { entryError, errnoOf, isNothing } from './refusals.js';

/** Nothing that is tuned comes near; what does is not meant. */
const FILE_BYTES_MAX = 16 * 1024 * 1024;
const LINKS_FOLLOWED_MAX = 40;
const NAME_BYTES_MAX = 255;

/** Files, links and folders, whole. */
export const entryControl: Pick<HostControl, 'readEntry' | 'writeEntry' | 'removeEntry' | 'realPath'> = {
  async readEntry(path) {
    try {
      return await readEntry(path);
    } catch (cause) {
      if (isNothing(cause)) return undefined;
      throw fileError('read', path, cause);
    }
  },

  async writeEntry(path, entry) {
    try {
      if (entry.kind === 'other') throw new TautlineError('unsupported', `cannot write ${path}: a ${entry.is} cannot be made`);
      await refuseForeignLinks(path);
      if (entry.kind === 'folder') await putFolder(path, entry);
      else await putBeside(path, entry);
      await syncFolder(dirname(path));
    } catch (cause) {
      throw entryError(path, cause);
    }
  },

  async removeEntry(path) {
    try {
      await refuseForeignLinks(path);
      const found = await lstat(path).catch(nothing);
      await unlink(besides(path)).catch(nothing);
      if (found?.isDirectory()) await rmdir(path).catch(full);
      else if (found) await unlink(path);
      await syncFolder(dirname(path)).catch(nothing);
    } catch (cause) {
      throw entryError(path, cause);
    }
  },

  async realPath(path) {
    try {
      return await realPath(resolve(path), { left: LINKS_FOLLOWED_MAX });
    } catch (cause) {
      throw fileError('read', path, cause);
    }
  },
};

async function readEntry(path: string): Promise<Entry> {
  const found = await lstat(path, { bigint: true });
  const owner = { ownerId: Number(found.uid), groupId: Number(found.gid) };
  if (found.isSymbolicLink()) return { kind: 'link', target: await readlink(path), ...owner };
  if (found.isDirectory()) return { kind: 'folder', mode: modeOf(found), ...owner };
  if (!found.isFile()) return { kind: 'other', is: found.isSocket() ? 'socket' : 'other' };
  const handle = await openUnnoticed(path);
  try {
    // What was opened may be another file by now, so it is told of what is read.
    const opened = await handle.stat({ bigint: true });
    if (!opened.isFile()) return { kind: 'other', is: 'other' };
    if (opened.size > FILE_BYTES_MAX) {
      throw new TautlineError('unsupported', `cannot read ${path}: it has ${opened.size} bytes, and files of at most ${FILE_BYTES_MAX} are kept`);
    }
    return {
      kind: 'file',
      bytesBase64: (await handle.readFile()).toString('base64'),
      links: Number(opened.nlink),
      mode: modeOf(opened),
      ownerId: Number(opened.uid),
      groupId: Number(opened.gid),
      modifiedNs: String(opened.mtimeNs),
      accessedNs: String(opened.atimeNs),
    };
  } finally {
    await handle.close();
  }
}

/** So that reading changes no time: O_NOATIME is for the owner and root, on Linux (open(2)). */
async function openUnnoticed(path: string): Promise<FileHandle> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  // Not on every system, whatever the declaration says.
  const unnoticed = (constants.O_NOATIME as number | undefined) ?? 0;
  try {
    return await open(path, flags | unnoticed);
  } catch (cause) {
    if (errnoOf(cause) !== 'EPERM' || unnoticed === 0) throw cause;
    return await open(path, flags);
  }
}

/**
 * Root writes in folders of users too (their SSH configuration), and a user who put a link in a folder's place since could
 * lead it anywhere. So a link above the path is followed only where root or the one who writes has made it.
 */
async function refuseForeignLinks(path: string): Promise<void> {
  const parts = dirname(resolve(path)).split('/').slice(1);
  for (const [at] of parts.entries()) {
    const above = `/${parts.slice(0, at + 1).join('/')}`;
    const found = await lstat(above).catch(nothing);
    if (found === undefined) return;
    if (!found.isSymbolicLink() || found.uid === 0 || found.uid === process.geteuid?.()) continue;
    throw new TautlineError('permission', `cannot write ${path}: ${above} is a link that user ${found.uid} made, who could lead it anywhere`, {
      hint: 'do it as that user',
    });
  }
}

async function putFolder(path: string, entry: Extract<Entry, { kind: 'folder' }>): Promise<void> {
  const found = await lstat(path).catch(nothing);
  if (found && !found.isDirectory()) throw Object.assign(new Error('it is not a directory'), { code: 'EEXIST' });
  if (!found) await mkdir(path, { mode: 0o700 });
  await chown(path, entry.ownerId, entry.groupId);
  await chmod(path, entry.mode);
  await syncFolder(path);
}

/** Under another name first, so that whoever looks sees the old one or the new one; what an earlier try left there goes. */
async function putBeside(path: string, entry: Extract<Entry, { kind: 'file' | 'link' }>): Promise<void> {
  const scratch = besides(path);
  await unlink(scratch).catch(nothing);
  try {
    if (entry.kind === 'link') {
      await symlink(entry.target, scratch);
      await lchown(scratch, entry.ownerId, entry.groupId);
    } else {
      await writeFile(scratch, path, entry);
    }
    await rename(scratch, path);
  } catch (cause) {
    await unlink(scratch).catch(() => undefined);
    throw cause;
  }
}

async function writeFile(scratch: string, path: string, entry: Extract<Entry, { kind: 'file' }>): Promise<void> {
  const handle = await open(scratch, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
  try {
    await handle.writeFile(Buffer.from(entry.bytesBase64, 'base64'));
    // In this order: a new owner takes the set-user-ID bit and capabilities away (chown(2)).
    await handle.chown(entry.ownerId, entry.groupId);
    await keepAttributesOf(path, handle);
    await handle.chmod(entry.mode);
    if (entry.modifiedNs !== undefined || entry.accessedNs !== undefined) {
      const now = await handle.stat({ bigint: true });
      await setTimes(handle, BigInt(entry.accessedNs ?? now.atimeNs), BigInt(entry.modifiedNs ?? now.mtimeNs));
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function keepAttributesOf(path: string, to: FileHandle): Promise<void> {
  const found = await lstat(path).catch(nothing);
  if (found?.isFile() !== true) return;
  const from = await openUnnoticed(path);
  try {
    keepAttributes(from.fd, to.fd, path);
  } finally {
    await from.close();
  }
}

/** The same name every time, so that what a killed process left is found again; no program that reads folders of configuration takes it for one. */
function besides(path: string): string {
  const name = `.tautline-${basename(path)}.tmp`;
  const short = Buffer.byteLength(name) <= NAME_BYTES_MAX ? name : `.tautline-${createHash('sha256').update(basename(path)).digest('hex')}.tmp`;
  return join(dirname(path), short);
}

/** @throws where the disk could not take it; a file system that syncs no folders (EINVAL) has its own way. */
export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY);
  try {
    await handle.sync();
  } catch (cause) {
    if (!['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'EPERM'].includes(errnoOf(cause) ?? '')) throw cause;
  } finally {
    await handle.close();
  }
}

/** As realpath(3), and for what is not there as far as it is there: a link may lead to a file that is still to be made. */
async function realPath(path: string, budget: { left: number }): Promise<string> {
  try {
    return await realpath(path);
  } catch (cause) {
    if (errnoOf(cause) !== 'ENOENT' || dirname(path) === path) throw cause;
  }
  const here = join(await realPath(dirname(path), budget), basename(path));
  const target = await readlink(here).catch(() => undefined);
  if (target === undefined) return here;
  if (--budget.left < 0) throw Object.assign(new Error('too many links'), { code: 'ELOOP' });
  return await realPath(resolve(dirname(here), target), budget);
}

function modeOf(found: BigIntStats): number {
  return Number(found.mode) & 0o7777;
}

function nothing(cause: unknown): undefined {
  if (isNothing(cause)) return undefined;
  throw cause;
}

/** A folder with something in it stays. */
function full(cause: unknown): undefined {
  if (['ENOTEMPTY', 'EEXIST'].includes(errnoOf(cause) ?? '')) return undefined;
  throw cause;
}
