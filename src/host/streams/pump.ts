import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Clock, PumpLog, PumpPlan } from '../../base/index.js';
import { TautlineError } from '../../base/index.js';
import { SocketConnection } from './connection.js';
import { CHUNK_BYTES } from './pump-loop.js';
import type { PumpJob } from './pump-loop.js';
import { PumpMeter } from './pump-meter.js';
import { runNodePump } from './pump-node.js';
import { PumpMemory, STATE } from './pump-shared.js';
import type { PumpWorkerInput, PumpWorkerMessage } from './pump-worker.js';
import { loadSocketCalls, monotonicMs, tcpInfoOf } from './socket-calls.js';
import type { SocketCalls } from './socket-calls.js';

export interface PumpChoices {
  /** Uses Node's streams even where libc can be reached. */
  readonly method?: 'node';
}

/** More threads than this never helped; each costs several megabytes. */
const THREADS_MAX = 4;
/** A paced writer hands over at most this much time's worth of bytes at once. */
const PACED_WRITE_MS = 4;
const PACED_WRITE_BYTES_MIN = 1448;
/** How much a paced sender keeps in the kernel beyond what is on its way, as time. */
const PACED_UNSENT_MS = 20;

/** Moves bulk data over connections: in worker threads on their descriptors, or with Node's streams where that cannot be. */
export async function pump(clock: Clock, plan: PumpPlan, choices: PumpChoices = {}): Promise<PumpLog> {
  const connections = plan.connections.map((connection) => {
    if (connection instanceof SocketConnection) return connection;
    throw new TautlineError('unsupported', 'this pump only moves data over connections of its own');
  });
  const memory = new PumpMemory(connections.length);
  const run = new PumpRun(plan, connections, memory, choices);
  const cpuBefore = process.cpuUsage();
  const startMs = clock.nowMs();
  const onAbort = (): void => memory.stop();
  if (plan.signal?.aborted) memory.stop();
  plan.signal?.addEventListener('abort', onAbort, { once: true });
  try {
    const figures = await run.run();
    const used = process.cpuUsage(cpuBefore);
    return run.log(figures, (used.user + used.system) / 1000, clock.nowMs() - startMs, plan.signal?.aborted ?? false);
  } finally {
    plan.signal?.removeEventListener('abort', onAbort);
  }
}

interface ThreadFigures {
  readonly method: 'native' | 'node';
  /** Processor time of the pump's own threads, where it is known apart from the process's. */
  readonly cpuMs?: number;
  readonly busiest?: number;
}

class PumpRun {
  readonly #plan: PumpPlan;
  readonly #connections: readonly SocketConnection[];
  readonly #memory: PumpMemory;
  readonly #choices: PumpChoices;
  readonly #meter: PumpMeter;
  readonly #fallbacks: string[] = [];

  constructor(plan: PumpPlan, connections: readonly SocketConnection[], memory: PumpMemory, choices: PumpChoices) {
    this.#plan = plan;
    this.#connections = connections;
    this.#memory = memory;
    this.#choices = choices;
    const source = {
      streams: connections.length,
      originMs: () => memory.originMs,
      bytes: (stream: number) => memory.bytes(stream),
      tcp: (stream: number) => tcpInfoOf(connections[stream]?.fd),
      nowMs: monotonicMs,
      after: (ms: number, call: () => void) => {
        const timer = setTimeout(call, ms);
        return () => clearTimeout(timer);
      },
    };
    this.#meter = new PumpMeter(source, plan.intervalMs, plan.onInterval);
  }

  async run(): Promise<ThreadFigures> {
    if (this.#connections.length === 0) return { method: 'node' };
    const calls = this.#choices.method === 'node' ? undefined : loadSocketCalls();
    const reason = this.#choices.method === 'node' ? 'plain Node streams were asked for' : calls === undefined ? 'libc cannot be reached' : undefined;
    const lent = this.#connections.map((connection) => connection.lend());
    const unread = lent.some((part) => part.unread !== undefined);
    if (calls && !unread) {
      const fds = this.#duplicate(calls);
      if (fds) {
        try {
          return await this.#native(calls, fds);
        } finally {
          for (const fd of fds) calls.close(fd);
        }
      }
    }
    this.#fallbacks.push(
      `bulk data moved by Node streams, which are slower: ${reason ?? (unread ? 'the peer had begun early' : 'this Node does not show socket descriptors')}`,
    );
    return await this.#node(lent);
  }

  log(figures: ThreadFigures, processCpuMs: number, wallMs: number, aborted: boolean): PumpLog {
    const streams = this.#connections.map((_, i) => i);
    const moved = streams.filter((i) => this.#memory.bytes(i) > 0);
    const origin = this.#memory.originMs;
    const elapsedMs = origin === undefined ? 0 : Math.max(0, ...moved.map((i) => this.#memory.lastMs(i) - origin));
    const broken = streams.filter((i) => this.#memory.state(i) === STATE.broken).length;
    const busiest = figures.busiest ?? (figures.method === 'node' && wallMs > 0 ? Math.min(1, processCpuMs / wallMs) : undefined);
    return {
      intervals: this.#meter.finish(elapsedMs),
      bytes: streams.map((i) => this.#memory.bytes(i)),
      elapsedMs,
      tcp: this.#connections.map((connection) => tcpInfoOf(connection.fd)),
      method: figures.method,
      fallbacks: this.#fallbacks,
      cpuMs: figures.cpuMs ?? processCpuMs,
      ...(busiest === undefined ? {} : { busiest }),
      broken,
      aborted,
    };
  }

  /**
   * The threads work on duplicates of the descriptors: when Node closes a socket in the meantime, its
   * number may be given to another file, and the threads must not write into that.
   */
  #duplicate(calls: SocketCalls): number[] | undefined {
    const fds: number[] = [];
    for (const connection of this.#connections) {
      const fd = connection.fd === undefined ? -1 : calls.dup(connection.fd);
      if (fd < 0) {
        for (const open of fds) calls.close(open);
        return undefined;
      }
      fds.push(fd);
    }
    return fds;
  }

  async #native(calls: SocketCalls, fds: readonly number[]): Promise<ThreadFigures> {
    const kernelPaces = this.#pace(calls, fds);
    const threads = Math.max(1, Math.min(fds.length, THREADS_MAX, Math.floor(availableParallelism() / 2)));
    const base = {
      ...this.#job(kernelPaces ? undefined : this.#streamRateBps()),
      paced: kernelPaces && this.#streamRateBps() !== undefined,
    };
    const jobs = Array.from({ length: threads }, (_, thread): PumpJob => ({
      ...base,
      streams: fds.map((fd, index) => ({ index, fd, ...this.#share(index) })).filter(({ index }) => index % threads === thread),
    }));
    let ready = 0;
    const onMessage = (message: PumpWorkerMessage): void => {
      if (message.kind === 'first') this.#meter.start();
      if (message.kind === 'ready' && ++ready === threads) this.#plan.onReady?.();
    };
    const results = await Promise.all(jobs.map((job) => this.#thread(job, onMessage)));
    const cpuMs = results.reduce((sum, result) => sum + (result?.cpuMs ?? Number.NaN), 0);
    const shares = results.map((result) => (result?.cpuMs === undefined || result.busyMs <= 0 ? Number.NaN : result.cpuMs / result.busyMs));
    const busiest = Math.max(...shares);
    return {
      method: 'native',
      ...(Number.isFinite(cpuMs) ? { cpuMs } : {}),
      ...(Number.isFinite(busiest) ? { busiest: Math.min(1, busiest) } : {}),
    };
  }

  #thread(job: PumpJob, onMessage: (message: PumpWorkerMessage) => void): Promise<Extract<PumpWorkerMessage, { kind: 'done' }> | undefined> {
    return new Promise((resolve) => {
      const workerData: PumpWorkerInput = { job, memory: this.#memory.buffer, streams: this.#memory.streams };
      const worker = new Worker(new URL('./pump-worker.js', import.meta.url), {
        workerData,
        resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 },
      });
      let done: Extract<PumpWorkerMessage, { kind: 'done' }> | undefined;
      worker.on('message', (message: PumpWorkerMessage) => {
        if (message.kind === 'done') done = message;
        else onMessage(message);
      });
      worker.on('error', (error) => this.#fallbacks.push(`a thread failed: ${error.message}`));
      worker.on('exit', () => {
        if (!done) for (const { index } of job.streams) this.#memory.setState(index, STATE.broken);
        resolve(done);
      });
    });
  }

  async #node(lent: readonly ReturnType<SocketConnection['lend']>[]): Promise<ThreadFigures> {
    const streams = lent.map(({ socket, unread }, index) => ({ index, socket, ...(unread ? { unread } : {}), ...this.#share(index) }));
    const running = runNodePump({ ...this.#job(this.#streamRateBps()), streams }, this.#memory, monotonicMs, () => this.#meter.start());
    this.#plan.onReady?.();
    await running;
    return { method: 'node' };
  }

  #job(paceBps: number | undefined): Omit<PumpJob, 'streams'> {
    const { role, durationMs, bytes, idleMs, copy = false } = this.#plan;
    const rate = this.#streamRateBps();
    const writeBytesMax =
      rate === undefined ? CHUNK_BYTES : Math.max(PACED_WRITE_BYTES_MIN, Math.min(CHUNK_BYTES, Math.round((rate / 8e3) * PACED_WRITE_MS)));
    return {
      role,
      idleMs,
      copy,
      writeBytesMax,
      ...(durationMs === undefined || bytes !== undefined ? {} : { durationMs }),
      ...(paceBps === undefined ? {} : { paceBps }),
    };
  }

  /** A stream's part of the bytes to send: equal, the remainder over the first ones. */
  #share(index: number): { readonly bytes?: number } {
    const { bytes, role } = this.#plan;
    if (bytes === undefined || role === 'receive') return {};
    const streams = this.#connections.length;
    return { bytes: Math.floor(bytes / streams) + (index < bytes % streams ? 1 : 0) };
  }

  #streamRateBps(): number | undefined {
    const { rateBps, role } = this.#plan;
    return rateBps === undefined || role === 'receive' ? undefined : rateBps / this.#connections.length;
  }

  /** @returns whether the kernel paces, or nothing has to be paced */
  #pace(calls: SocketCalls, fds: readonly number[]): boolean {
    const rate = this.#streamRateBps();
    if (rate === undefined) return true;
    const unsent = Math.max(16 * 1024, Math.round((rate / 8e3) * PACED_UNSENT_MS));
    const paced = fds.map((fd) => calls.setPacing(fd, rate, unsent));
    if (paced.every(Boolean)) return true;
    this.#fallbacks.push('the rate is kept by timed writes, which is less even than pacing in the kernel');
    return false;
  }
}
