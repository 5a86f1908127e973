import type { Socket } from 'node:net';
import { loadLibc, memory, setInt } from '../libc/index.js';

/** ioctl of Linux: bytes in the send queue that were not sent yet (include/uapi/linux/sockios.h). */
const SIOCOUTQNSD = 0x894b;
const UNSENT_BYTES_MIN = 2 * 1448;

/** What waits unsent in a socket, read and bounded. */
export interface Unsent {
  /** @returns whether the kernel keeps to it (TCP_NOTSENT_LOWAT) */
  bound(bytes: number): boolean;
  /** Undefined where the kernel does not tell. */
  bytes(): number | undefined;
}

/**
 * Left alone, the kernel takes megabytes into a socket, and what is sent behind them waits for seconds
 * on a slow path; the responsiveness draft therefore asks both ends to keep it small. TCP_NOTSENT_LOWAT
 * does so to within one segment of segmentation offload, which is up to 64 KiB; a sender that wants
 * less has to look for itself. Where libc cannot be reached, all stays as it is.
 */
export function unsentOf(socket: Socket): Unsent {
  const libc = loadLibc();
  const fdOf = (): number | undefined => {
    const fd = socket.destroyed ? undefined : (socket as unknown as { _handle?: { fd?: number } | null })._handle?.fd;
    return fd === undefined || fd < 0 ? undefined : fd;
  };
  const word = memory(4);
  const view = new DataView(word.buffer);
  return {
    bound(bytes) {
      const fd = fdOf();
      if (libc === undefined || fd === undefined) return false;
      const { IPPROTO_TCP, TCP_NOTSENT_LOWAT } = libc.constants;
      return setInt(libc, fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, Math.max(UNSENT_BYTES_MIN, Math.round(bytes)));
    },
    bytes() {
      const fd = fdOf();
      if (libc?.platform !== 'linux' || fd === undefined) return undefined;
      return libc.ioctl(fd, SIOCOUTQNSD, word) === 0 ? view.getInt32(0, true) : undefined;
    },
  };
}
