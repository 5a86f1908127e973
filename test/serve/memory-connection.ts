import type { Connection, Endpoint } from '../../src/base/index.js';

/** Two ends of a connection in memory. What one writes, the other reads; closing one ends the other. */
export function connectionPair(client: Partial<Endpoint> = {}): [MemoryConnection, MemoryConnection] {
  const here: Endpoint = { host: '10.0.0.1', port: 40000, family: 4, ...client };
  const there: Endpoint = { host: '10.0.0.2', port: 7227, family: 4 };
  const a = new MemoryConnection(here, there);
  const b = new MemoryConnection(there, here);
  a.peer = b;
  b.peer = a;
  return [a, b];
}

export class MemoryConnection implements Connection {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  peer: MemoryConnection | undefined;
  ended: Connection['ended'] = 'open';
  /** Writes never finish while this is set. */
  stuck = false;
  readonly #come: Uint8Array[] = [];
  #wake: (() => void) | undefined;

  constructor(local: Endpoint, remote: Endpoint) {
    this.local = local;
    this.remote = remote;
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.ended !== 'open') return Promise.reject(new Error('gone'));
    if (this.stuck) return new Promise(() => {});
    this.peer?.take(bytes.slice());
    return Promise.resolve();
  }

  async read(options: { timeoutMs?: number; signal?: AbortSignal } = {}): Promise<Uint8Array | undefined> {
    if (this.#come.length === 0 && this.ended === 'open' && !options.signal?.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        options.signal?.addEventListener('abort', () => resolve(), { once: true });
        this.onRead?.(options.timeoutMs, resolve);
      });
      this.#wake = undefined;
    }
    return this.#come.shift();
  }

  /** Lets a test end a read by its timeout. */
  onRead: ((timeoutMs: number | undefined, timeOut: () => void) => void) | undefined;

  take(bytes: Uint8Array): void {
    this.#come.push(bytes);
    this.#wake?.();
  }

  end(how: 'end' | 'closed'): void {
    if (this.ended !== 'open') return;
    this.ended = how;
    this.#wake?.();
  }

  tcpInfo(): undefined {
    return undefined;
  }

  close(): void {
    this.end('closed');
    this.peer?.end('end');
  }
}
