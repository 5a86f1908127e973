import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { lstat, mkdir, open, readFile, readdir, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ErrorCode, FileStatus, Files } from '../base/index.js';
import { TautlineError } from '../base/index.js';

/** The port's files, and a check that only a real file system needs. */
export interface HostFiles extends Files {
  /**
   * Finds out before a long run whether its result can be written: makes and removes a small file
   * where the result will be. @throws TautlineError `io` or `permission`
   */
  checkWritable(path: string): Promise<void>;
  /** Whether every user of this host may read the file; false where that cannot be told. */
  othersMayRead(path: string): Promise<boolean>;
}

export function createFiles(): HostFiles {
  return { readText, writeText, list, status, makeFolder, remove, checkWritable, othersMayRead };
}

/** A result is rarely larger than this; a disk that cannot take it is better known before measuring. */
const CHECK_BYTES = 64 * 1024;

/** Some 5 MB in pieces of 4 KB: a thread that reads it hands each piece over, which takes twice as long as all the reading. */
const SYMBOLS = '/proc/kallsyms';

async function readText(path: string): Promise<string | undefined> {
  try {
    return path === SYMBOLS ? readFileSync(path, 'utf8') : await readFile(path, 'utf8');
  } catch (cause) {
    if (isNothing(cause)) return undefined;
    throw fileError('read', path, cause);
  }
}

async function writeText(path: string, text: string, options: { readonly mode?: number } = {}): Promise<void> {
  try {
    const place = await placeOf(path, options.mode);
    if (place.special) await writeDirectly(place.path, text);
    else await replace(place.path, text, place.mode);
  } catch (cause) {
    throw fileError('write', path, cause);
  }
}

async function list(folder: string): Promise<readonly string[] | undefined> {
  try {
    return (await readdir(folder)).sort();
  } catch (cause) {
    if (isNothing(cause)) return undefined;
    throw fileError('read', folder, cause);
  }
}

async function status(path: string, options: { readonly follow?: boolean } = {}): Promise<FileStatus | undefined> {
  try {
    const found = await (options.follow === true ? stat : lstat)(path);
    const kind = found.isFile() ? 'file' : found.isDirectory() ? 'folder' : found.isSocket() ? 'socket' : found.isSymbolicLink() ? 'link' : 'other';
    return { kind, sizeBytes: found.size, modifiedMs: found.mtimeMs, mode: found.mode & 0o777, ownerId: found.uid };
  } catch (cause) {
    if (isNothing(cause)) return undefined;
    throw fileError('read', path, cause);
  }
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw fileError('write', path, cause);
  }
}

async function remove(path: string): Promise<void> {
  try {
    await rm(path, { force: true });
  } catch (cause) {
    throw fileError('write', path, cause);
  }
}

function isNothing(cause: unknown): boolean {
  return codeOf(cause) === 'ENOENT' || codeOf(cause) === 'ENOTDIR';
}

async function checkWritable(path: string): Promise<void> {
  try {
    const place = await placeOf(path);
    if (place.special) return;
    const scratch = scratchBeside(place.path);
    try {
      await writeDirectly(scratch, '\0'.repeat(CHECK_BYTES), 0o600);
    } finally {
      await rm(scratch, { force: true });
    }
  } catch (cause) {
    throw fileError('write', path, cause);
  }
}

async function othersMayRead(path: string): Promise<boolean> {
  return await stat(path).then(
    ({ mode }) => (mode & 0o004) !== 0,
    () => false,
  );
}

/** Where the bytes go: a link's end is replaced, not the link; a device or pipe is written as it is. */
async function placeOf(path: string, newMode = 0o644): Promise<{ path: string; special: boolean; mode: number }> {
  const real = await realpath(path).catch((cause: unknown) => {
    if (codeOf(cause) === 'ENOENT') return path;
    throw cause;
  });
  const found = await stat(real).catch(() => undefined);
  if (found?.isDirectory()) throw Object.assign(new Error('is a directory'), { code: 'EISDIR' });
  return { path: real, special: found !== undefined && !found.isFile(), mode: (found?.mode ?? newMode) & 0o777 };
}

/** Temporary file, fsync, rename, fsync of the folder: a reader sees the old file or the new one, never half of one. */
async function replace(path: string, text: string, mode: number): Promise<void> {
  const scratch = scratchBeside(path);
  try {
    await writeDirectly(scratch, text, mode);
    await rename(scratch, path);
  } catch (cause) {
    await rm(scratch, { force: true });
    throw cause;
  }
  await syncFolder(dirname(path));
}

async function writeDirectly(path: string, text: string, mode?: number): Promise<void> {
  const handle = await open(path, mode === undefined ? 'w' : 'wx', mode);
  try {
    await handle.writeFile(text);
    // Pipes and devices cannot be synced, and need not be.
    if (mode !== undefined) await handle.sync();
  } finally {
    await handle.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r').catch(() => undefined);
  // Some file systems refuse to sync a folder; the file itself is safe by then.
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

function scratchBeside(path: string): string {
  return join(dirname(path), `.tautline-${randomBytes(6).toString('hex')}.tmp`);
}

const REASONS: Readonly<Record<string, { code: ErrorCode; what: string; hint: string }>> = {
  ENOSPC: { code: 'io', what: 'the disk is full', hint: 'free some space or write to another disk' },
  EDQUOT: { code: 'io', what: 'your disk quota is used up', hint: 'free some space or write to another disk' },
  EACCES: { code: 'permission', what: 'permission denied', hint: 'choose a file that you may access, or change its permissions' },
  EPERM: { code: 'permission', what: 'operation not permitted', hint: 'choose a file that you may access, or change its permissions' },
  EROFS: { code: 'permission', what: 'the file system is read-only', hint: 'choose a file on another file system' },
  EISDIR: { code: 'io', what: 'it is a directory', hint: 'name a file inside it' },
  ENOTDIR: { code: 'io', what: 'a part of the path is not a directory', hint: 'check the path' },
  ENOENT: { code: 'io', what: 'the directory does not exist', hint: 'create it first' },
  ENAMETOOLONG: { code: 'io', what: 'the name is too long', hint: 'choose a shorter name' },
  ELOOP: { code: 'io', what: 'its symbolic links go in a circle', hint: 'check the path' },
  EFBIG: { code: 'io', what: 'the file would be too large', hint: 'raise the limit on file sizes (ulimit -f) or write elsewhere' },
  EMFILE: { code: 'io', what: 'too many open files', hint: 'raise the limit on open files (ulimit -n)' },
};

export function fileError(doing: 'read' | 'write', path: string, cause: unknown): TautlineError {
  if (cause instanceof TautlineError) return cause;
  const known = REASONS[codeOf(cause) ?? ''];
  const what = known?.what ?? (cause instanceof Error ? cause.message : String(cause));
  return new TautlineError(known?.code ?? 'io', `cannot ${doing} ${path}: ${what}`, { ...(known ? { hint: known.hint } : {}), cause });
}

function codeOf(cause: unknown): string | undefined {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
}
