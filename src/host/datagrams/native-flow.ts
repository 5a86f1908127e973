import { Worker } from 'node:worker_threads';
import { TautlineError, assert } from '../../base/index.js';
import type { DatagramFlow, Endpoint, ExchangeLog, ExchangePlan, FloodLog, FloodPlan, SinkLog, SinkPlan } from '../../base/index.js';
import type { Libc } from '../libc/index.js';
import { SHARED, checkExchange } from './messages.js';
import type { FlowAnswer, FlowCommand, FlowWorkerData } from './messages.js';
import type { OpenSocket } from './sockets.js';

const PROGRESS_MS = 100;
/** The worker holds typed arrays (outside these limits) and little else. */
const WORKER_LIMITS = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 8, stackSizeMb: 1 };

/** A flow over a native socket, which a thread of its own works on. Closing ends the operation, the thread, then the socket. */
export class NativeFlow implements DatagramFlow {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly stamps: 'kernel' | 'user';
  readonly fallbacks: readonly string[];
  readonly dontFragment: boolean;
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #isIcmp: boolean;
  readonly #worker: Worker;
  #failure: string | undefined;
  #operation: { readonly shared: Int32Array; readonly done: Promise<FlowAnswer>; readonly settle: (answer: FlowAnswer) => void } | undefined;
  #closed: Promise<void> | undefined;

  constructor(libc: Libc, remote: Endpoint, socket: OpenSocket) {
    this.#libc = libc;
    this.#fd = socket.fd;
    this.#isIcmp = socket.icmp !== undefined;
    this.remote = remote;
    this.local = socket.local;
    this.stamps = socket.stamps;
    this.fallbacks = socket.fallbacks;
    this.dontFragment = socket.dontFragment;
    const { fd, icmp, stamps, dontFragment } = socket;
    const data: FlowWorkerData = { fd, family: remote.family, icmp, stamps, dontFragment };
    this.#worker = new Worker(new URL('./flow-worker.js', import.meta.url), {
      workerData: data,
      resourceLimits: WORKER_LIMITS,
      execArgv: [],
      name: 'tautline flow',
    });
    this.#worker.on('message', (answer: FlowAnswer) => this.#operation?.settle(answer));
    this.#worker.on('error', (error) => this.#fail(error instanceof Error ? error.message : String(error)));
    this.#worker.on('exit', () => this.#fail('its thread ended'));
    // A flow that is idle keeps no process alive; one that works does, by its operation.
    this.#worker.unref();
  }

  async exchange(plan: ExchangePlan): Promise<ExchangeLog> {
    checkExchange(plan);
    const { signal, onProgress, ...plain } = plan;
    return this.#perform<ExchangeLog>((shared) => ({ op: 'exchange', plan: plain, shared }), {
      signal,
      onProgress: onProgress && ((words) => onProgress(Atomics.load(words, SHARED.sent), Atomics.load(words, SHARED.received))),
    });
  }

  flood(plan: FloodPlan): Promise<FloodLog> {
    const { signal, onProgress, ...plain } = plan;
    return this.#perform<FloodLog>((shared) => ({ op: 'flood', plan: plain, shared }), {
      signal,
      onProgress: onProgress && ((words) => onProgress(Atomics.load(words, SHARED.sent))),
      udpOnly: true,
    });
  }

  sink(plan: SinkPlan): Promise<SinkLog> {
    const { signal, onProgress, ...plain } = plan;
    return this.#perform<SinkLog>((shared) => ({ op: 'sink', plan: plain, shared }), {
      signal,
      onProgress: onProgress && ((words) => onProgress(Atomics.load(words, SHARED.received))),
      udpOnly: true,
    });
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const operation = this.#operation;
    if (operation) {
      Atomics.store(operation.shared, SHARED.abort, 1);
      await operation.done;
    }
    await this.#worker.terminate();
    this.#libc.close(this.#fd);
  }

  async #perform<L>(
    command: (shared: SharedArrayBuffer) => FlowCommand,
    options: { signal: AbortSignal | undefined; onProgress: ((words: Int32Array) => void) | undefined; udpOnly?: boolean },
  ): Promise<L> {
    assert(!this.#operation, 'a flow has one operation at a time');
    assert(!this.#closed, 'a closed flow has no operations');
    if (options.udpOnly === true && this.#isIcmp) throw new TautlineError('unsupported', 'ICMP has no floods');
    if (this.#failure !== undefined) throw this.#broken();
    const shared = new SharedArrayBuffer(4 * SHARED.words);
    const words = new Int32Array(shared);
    const abort = (): void => void Atomics.store(words, SHARED.abort, 1);
    if (options.signal?.aborted === true) abort();
    options.signal?.addEventListener('abort', abort, { once: true });
    const report = options.onProgress;
    const timer = report && setInterval(() => report(words), PROGRESS_MS);
    let settle: (answer: FlowAnswer) => void = () => undefined;
    const done = new Promise<FlowAnswer>((resolve) => {
      settle = resolve;
    });
    this.#operation = { shared: words, settle, done };
    this.#worker.ref();
    try {
      this.#worker.postMessage(command(shared));
      const answer = await done;
      report?.(words);
      if (!answer.ok) throw new TautlineError('io', `the measuring thread failed: ${answer.why}`);
      return answer.log as L;
    } finally {
      this.#operation = undefined;
      this.#worker.unref();
      clearInterval(timer);
      options.signal?.removeEventListener('abort', abort);
    }
  }

  #fail(why: string): void {
    this.#failure ??= why;
    this.#operation?.settle({ ok: false, why });
  }

  #broken(): TautlineError {
    return new TautlineError('io', `the measuring thread failed: ${this.#failure ?? ''}`);
  }
}
