import { connect as netConnect } from 'node:net';
import type { Clock, ConnectOptions, ConnectOutcome } from '../../base/index.js';
import { SocketConnection } from './connection.js';
import { explainConnect } from './failure.js';
import { setDscp } from './socket-calls.js';

/**
 * Makes one connection to an address. The time runs from the call of connect to the event, which
 * includes this process waking up; the SYN itself leaves before a DSCP can be set.
 */
export function connect(clock: Clock, options: ConnectOptions): Promise<ConnectOutcome> {
  const { remote, timeoutMs, dscp, signal } = options;
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve({ ...explainConnect('ABORT_ERR', remote), connectMs: 0 });
    const startMs = clock.nowMs();
    let elapsedMs: number | undefined;
    const socket = netConnect({ host: remote.host, port: remote.port, family: remote.family });
    // Paused before it is connected, so that libuv never starts to read by itself.
    socket.pause();
    const settle = (code: string | undefined): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      socket.removeListener('connect', onConnect);
      const connectMs = elapsedMs ?? clock.nowMs() - startMs;
      if (code === undefined) {
        const connection = new SocketConnection(socket);
        socket.removeListener('error', onError);
        resolve({ outcome: 'ok', connection, connectMs });
        return;
      }
      // The listener stays: a socket that is being destroyed may still report an error.
      socket.destroy();
      resolve({ ...explainConnect(code, remote), connectMs });
    };
    const onConnect = (): void => {
      elapsedMs = clock.nowMs() - startMs;
      settle(undefined);
    };
    const onError = (error: NodeJS.ErrnoException): void => settle(error.code ?? 'unknown');
    const onAbort = (): void => settle('ABORT_ERR');
    const timer = setTimeout(() => settle('ETIMEDOUT'), timeoutMs);
    socket.once('connect', onConnect);
    socket.on('error', onError);
    signal?.addEventListener('abort', onAbort, { once: true });
    if (dscp !== undefined) setDscp((socket as unknown as { _handle?: { fd?: number } })._handle?.fd, dscp, remote.family);
  });
}
