import { parentPort, workerData } from 'node:worker_threads';
import { runPump } from './pump-loop.js';
import type { PumpJob } from './pump-loop.js';
import { PumpMemory } from './pump-shared.js';
import { loadSocketCalls } from './socket-calls.js';

/** What the main thread hands to each thread of a pump. */
export interface PumpWorkerInput {
  readonly job: PumpJob;
  readonly memory: SharedArrayBuffer;
  readonly streams: number;
}

/** In this order: ready, first (only from the thread that moved the pump's first byte), done. */
export type PumpWorkerMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'first' }
  | { readonly kind: 'done'; readonly cpuMs: number | undefined; readonly busyMs: number };

const input = workerData as PumpWorkerInput;
const calls = loadSocketCalls();
if (!calls || !parentPort) throw new Error('libc cannot be reached from this thread');
const port = parentPort;
const tell = (message: PumpWorkerMessage): void => port.postMessage(message);
const cpuBeforeMs = calls.threadCpuMs();
const startMs = calls.nowMs();
tell({ kind: 'ready' });
runPump(input.job, new PumpMemory(input.streams, input.memory), calls, () => tell({ kind: 'first' }));
const cpuAfterMs = calls.threadCpuMs();
tell({
  kind: 'done',
  cpuMs: cpuBeforeMs === undefined || cpuAfterMs === undefined ? undefined : cpuAfterMs - cpuBeforeMs,
  busyMs: calls.nowMs() - startMs,
});
