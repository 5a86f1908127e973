import type { FileHandle } from 'node:fs/promises';
import { loadLibc, memory } from '../libc/index.js';

/**
 * Sets when a file was last read and changed, to the nanosecond. Node passes times as seconds with a fraction, and what
 * arrives has microseconds at best (libuv, uv_fs_futime), so libc is called; where it cannot be, the microseconds stay.
 */
export async function setTimes(handle: FileHandle, accessedNs: bigint, modifiedNs: bigint): Promise<void> {
  const libc = loadLibc();
  if (libc) {
    const times = memory(2 * libc.layouts.timespec.size);
    const view = new DataView(times.buffer);
    for (const [i, ns] of [accessedNs, modifiedNs].entries()) {
      const at = i * libc.layouts.timespec.size;
      const fraction = ((ns % SECOND) + SECOND) % SECOND;
      view.setBigInt64(at, (ns - fraction) / SECOND, true);
      view.setBigInt64(at + libc.layouts.timespec.nanoseconds, fraction, true);
    }
    if (libc.futimens(handle.fd, times) === 0) return;
  }
  await handle.utimes(Number(accessedNs) / 1e9, Number(modifiedNs) / 1e9);
}

const SECOND = 1_000_000_000n;
