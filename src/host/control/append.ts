import { constants } from 'node:fs';
import { open, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileError } from '../files.js';
import { syncFolder } from './entries.js';
import { errnoOf } from './refusals.js';

/** Adds text to a file and returns when it is on the disk. What could not be added whole is taken back, so that no half line stays. */
export async function append(path: string, text: string): Promise<void> {
  try {
    const { handle, made } = await openEnd(path);
    try {
      const { size } = await handle.stat();
      try {
        await handle.appendFile(text);
        await handle.sync();
      } catch (cause) {
        await handle.truncate(size).catch(() => undefined);
        if (made) await unlink(path).catch(() => undefined);
        throw cause;
      }
    } finally {
      await handle.close();
    }
    if (made) await syncFolder(dirname(path));
  } catch (cause) {
    throw fileError('write', path, cause);
  }
}

async function openEnd(path: string): Promise<{ readonly handle: FileHandle; readonly made: boolean }> {
  const flags = constants.O_WRONLY | constants.O_APPEND;
  try {
    return { handle: await open(path, flags), made: false };
  } catch (cause) {
    if (errnoOf(cause) !== 'ENOENT') throw cause;
    return { handle: await open(path, flags | constants.O_CREAT | constants.O_EXCL, 0o600), made: true };
  }
}
