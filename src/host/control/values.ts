import { constants } from 'node:fs';
import { access, open, readFile, stat } from 'node:fs/promises';
import type { HostControl } from '../../base/index.js';
import { isNothing, valueError } from './refusals.js';

/** Values of /proc and /sys. */
export const valueControl: Pick<HostControl, 'readValue' | 'writeValue' | 'mayWrite'> = {
  async readValue(path) {
    try {
      return (await readFile(path, 'utf8')).replace(/\n$/, '');
    } catch (cause) {
      if (isNothing(cause)) return undefined;
      throw valueError('read', path, cause);
    }
  },

  async writeValue(path, text) {
    try {
      // Neither made nor cut off before: a file of /proc is no file, and a wrong path must not become one.
      const handle = await open(path, constants.O_WRONLY);
      try {
        const bytes = Buffer.from(text);
        // In one call: what a second one writes is another value.
        const { bytesWritten } = await handle.write(bytes);
        if (bytesWritten !== bytes.length) throw new Error(`only ${bytesWritten} of ${bytes.length} bytes were taken`);
      } finally {
        await handle.close();
      }
    } catch (cause) {
      throw valueError('write', path, cause, text);
    }
  },

  async mayWrite(path) {
    try {
      // Root passes permission bits (access(2)), and files of /sys without a write bit refuse it all the same.
      if (((await stat(path)).mode & 0o222) === 0) return false;
      await access(path, constants.W_OK);
      return true;
    } catch {
      return false;
    }
  },
};
