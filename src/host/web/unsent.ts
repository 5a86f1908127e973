import type { Socket } from 'node:net';
import { loadLibc, setInt } from '../libc/index.js';

/** Never so little that the sender runs dry between two turns of the event loop. */
const UNSENT_BYTES_MIN = 16 * 1024;

/**
 * Bounds how much may wait unsent in a socket (TCP_NOTSENT_LOWAT), as the responsiveness draft asks of
 * both ends: left alone, the kernel takes megabytes, and what is sent behind them waits for seconds on a
 * slow path. Where libc cannot be reached, it stays as it is.
 * @returns whether it was set
 */
export function boundUnsent(socket: Socket, bytes: number): boolean {
  const fd = (socket as unknown as { _handle?: { fd?: number } | null })._handle?.fd;
  const libc = socket.destroyed || fd === undefined || fd < 0 ? undefined : loadLibc();
  if (libc === undefined || fd === undefined) return false;
  const { IPPROTO_TCP, TCP_NOTSENT_LOWAT } = libc.constants;
  return setInt(libc, fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, Math.max(UNSENT_BYTES_MIN, Math.round(bytes)));
}
