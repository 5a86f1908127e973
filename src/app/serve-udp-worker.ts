import { randomBytes } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { TautlineError } from '../base/index.js';
import { runUdpLoop, runUdpNode, udpLoopUnavailable } from '../host/index.js';
import { UdpResponder, limitsOf } from '../serve/index.js';

/** What the worker is started with. */
export interface ServeUdpOptions {
  /** An IP literal; `::` takes IPv4 too. */
  readonly bind: string;
  /** 0 for any. */
  readonly port: number;
  /** The pre-shared key, in hexadecimal. */
  readonly keyHex?: string;
  /** Limits other than the defaults. */
  readonly limits?: Readonly<Record<string, number>>;
  /** One 32-bit word: set it to 1, and the worker ends by itself and closes its socket. */
  readonly stop: SharedArrayBuffer;
}

/** What the worker posts. Counters come about once a second while they change, and at the end. */
export type ServeUdpMessage =
  | { readonly type: 'ready'; readonly port: number; readonly method: 'native' | 'node'; readonly fallbacks: readonly string[] }
  | { readonly type: 'counters'; readonly counters: Readonly<Record<string, number>> }
  | { readonly type: 'error'; readonly code: string; readonly message: string; readonly hint: string | undefined };

const SECRET_BYTES = 32;
const STOP_CHECK_MS = 50;
const TICK_MS = 1000;

if (parentPort) await serve(workerData as ServeUdpOptions, (message) => parentPort?.postMessage(message));

/** Answers UDP until told to stop; it reports what went wrong instead of throwing it. */
async function serve(options: ServeUdpOptions, post: (message: ServeUdpMessage) => void): Promise<void> {
  try {
    const key = options.keyHex === undefined ? {} : { key: Uint8Array.from(Buffer.from(options.keyHex, 'hex')) };
    const responder = new UdpResponder({ secret: randomBytes(SECRET_BYTES), ...key, limits: limitsOf(options.limits ?? {}) });
    const stop = new Int32Array(options.stop);
    let posted = '';
    const onTick = (): void => {
      const counters = responder.counters();
      const text = JSON.stringify(counters);
      if (text !== posted) post({ type: 'counters', counters });
      posted = text;
    };
    const common = { bind: options.bind, port: options.port, responder };
    const missing = udpLoopUnavailable();
    if (missing === undefined) runUdpLoop({ ...common, stop, onTick, onReady: (port) => post({ type: 'ready', port, method: 'native', fallbacks: [] }) });
    else await serveByNode({ ...common, stop, onTick, onReady: (port) => post({ type: 'ready', port, method: 'node', fallbacks: [missing] }) });
    onTick();
  } catch (error) {
    const known = error instanceof TautlineError ? error : new TautlineError('io', error instanceof Error ? (error.stack ?? error.message) : String(error));
    post({ type: 'error', code: known.code, message: known.message, hint: known.hint });
  }
}

async function serveByNode(options: Omit<Parameters<typeof runUdpNode>[0], 'signal'> & { stop: Int32Array; onTick: () => void }): Promise<void> {
  const { stop, onTick, ...rest } = options;
  const ended = new AbortController();
  const watch = setInterval(() => Atomics.load(stop, 0) !== 0 && ended.abort(), STOP_CHECK_MS);
  const tick = setInterval(onTick, TICK_MS);
  try {
    await runUdpNode({ ...rest, signal: ended.signal });
  } finally {
    clearInterval(watch);
    clearInterval(tick);
  }
}
