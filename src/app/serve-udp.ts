import { TautlineError } from '../base/index.js';
import type { ErrorCode } from '../base/index.js';
import { startThread } from '../host/index.js';
import type { Limits } from '../serve/index.js';

/** What the UDP thread of `serve` starts with. */
export interface UdpWorkerInput {
  readonly bind: string;
  readonly port: number;
  readonly limits: Limits;
  readonly key?: Uint8Array;
  /** Of the cookies, new at every start. */
  readonly secret: Uint8Array;
  /** Word 0 other than 0 ends a thread that blocks; a message of any kind ends one that does not. */
  readonly stop: SharedArrayBuffer;
}

export type UdpWorkerMessage =
  | { readonly kind: 'ready'; readonly port: number; readonly fallback?: string }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string; readonly hint?: string }
  /** About once a second, and at the end. */
  | { readonly kind: 'counters'; readonly counters: Readonly<Record<string, number>> };

export interface UdpService {
  readonly port: number;
  /** Why it is less precise than it could be, if it is. */
  readonly fallback: string | undefined;
  /** As of the last second. */
  counters(): Readonly<Record<string, number>>;
  /** Resolves with what went wrong when the service ends without having been closed. */
  readonly failed: Promise<string>;
  /** May be called twice. */
  close(): Promise<void>;
}

/**
 * Serves UDP in a thread of its own, because waiting for a datagram blocks.
 * @throws TautlineError when it cannot listen
 */
export function startUdpService(options: Omit<UdpWorkerInput, 'stop'>): Promise<UdpService> {
  const stop = new SharedArrayBuffer(4);
  return new Promise((resolve, reject) => {
    let counters: Readonly<Record<string, number>> = {};
    let closing: Promise<void> | undefined;
    let onFailed: (why: string) => void = () => {};
    let onExited: () => void = () => {};
    const exited = new Promise<void>((done) => (onExited = done));
    const thread = startThread({
      entry: new URL('./serve-udp-worker.js', import.meta.url),
      name: 'tautline udp',
      data: { ...options, stop } satisfies UdpWorkerInput,
      onMessage(data) {
        const message = data as UdpWorkerMessage;
        if (message.kind === 'counters') counters = message.counters;
        else if (message.kind === 'failed')
          reject(new TautlineError(message.code, message.message, message.hint === undefined ? {} : { hint: message.hint }));
        else
          resolve({
            port: message.port,
            fallback: message.fallback,
            counters: () => counters,
            failed: new Promise((fail) => (onFailed = fail)),
            close,
          });
      },
      onExit(failure) {
        reject(new TautlineError('io', `the UDP side could not be started: ${failure ?? 'its thread ended'}`));
        if (!closing) onFailed(failure ?? 'its thread ended');
        onExited();
      },
    });
    const close = (): Promise<void> => {
      closing ??= (async (): Promise<void> => {
        Atomics.store(new Int32Array(stop), 0, 1);
        thread.post('stop');
        await exited;
      })();
      return closing;
    };
  });
}
