import type { Socket } from 'node:net';
import { startReading } from './connection.js';
import type { PumpCalls } from './pump-loop.js';
import type { PumpMemory } from './pump-shared.js';
import { STATE } from './pump-shared.js';

/** The same job as `PumpJob`, over Node's streams on the main thread. */
export interface NodePumpJob {
  readonly role: 'send' | 'receive';
  readonly streams: readonly { readonly index: number; readonly socket: Socket; readonly unread?: Uint8Array; readonly bytes?: number }[];
  readonly durationMs?: number;
  readonly idleMs: number;
  readonly paceBps?: number;
  readonly writeBytesMax: number;
}

const WRITE_BYTES = 256 * 1024;
const CHECK_MS = 20;

/** Moves bytes with plain `net` streams, for where the descriptors or libc cannot be reached. Slower, and timed by this thread. */
export function runNodePump(job: NodePumpJob, memory: PumpMemory, nowMs: PumpCalls['nowMs'], onFirst: () => void): Promise<void> {
  return job.role === 'receive' ? receive(job, memory, nowMs, onFirst) : send(job, memory, nowMs, onFirst);
}

function receive(job: NodePumpJob, memory: PumpMemory, nowMs: () => number, onFirst: () => void): Promise<void> {
  let lastMs = nowMs();
  const add = (index: number, bytes: number): void => {
    lastMs = nowMs();
    if (memory.add(index, bytes, lastMs)) onFirst();
  };
  return watch(
    job,
    memory,
    (settle) => {
      for (const { index, socket, unread } of job.streams) {
        if (unread) add(index, unread.length);
        const onData = (bytes: Uint8Array): void => add(index, bytes.length);
        socket.on('data', onData);
        socket.once('end', () => settle(index, STATE.done));
        socket.resume();
        startReading(socket);
      }
      return () => nowMs() - lastMs > job.idleMs;
    },
    () => job.streams.forEach(({ socket }) => socket.pause()),
  );
}

function send(job: NodePumpJob, memory: PumpMemory, nowMs: () => number, onFirst: () => void): Promise<void> {
  const startMs = nowMs();
  let lastMs = startMs;
  const endMs = job.durationMs === undefined ? Number.POSITIVE_INFINITY : startMs + job.durationMs;
  const block = new Uint8Array(Math.min(WRITE_BYTES, job.writeBytesMax));
  const timers = new Set<NodeJS.Timeout>();
  return watch(
    job,
    memory,
    (settle) => {
      for (const stream of job.streams) {
        const { index, socket } = stream;
        let left = stream.bytes ?? Number.POSITIVE_INFINITY;
        const next = (): void => {
          if (memory.state(index) !== STATE.running) return;
          const now = nowMs();
          if (left <= 0 || now >= endMs || memory.stopped) {
            // Ends when the kernel has everything and the end of the stream.
            socket.end((error?: Error | null) => settle(index, error ? STATE.broken : STATE.done));
            left = Number.NaN;
            return;
          }
          const aheadMs = job.paceBps === undefined ? 0 : memory.bytes(index) / (job.paceBps / 8e3) - (now - startMs);
          if (aheadMs > 0) {
            const timer = setTimeout(() => (timers.delete(timer), next()), Math.min(aheadMs, endMs - now, CHECK_MS));
            timers.add(timer);
            return;
          }
          const length = Math.min(block.length, left);
          socket.write(length === block.length ? block : block.subarray(0, length), (error) => {
            if (error) return settle(index, STATE.broken);
            lastMs = nowMs();
            left -= length;
            if (memory.add(index, length, lastMs)) onFirst();
            next();
          });
        };
        next();
      }
      return () => nowMs() > Math.min(endMs, lastMs) + job.idleMs && nowMs() - lastMs > job.idleMs;
    },
    () => timers.forEach(clearTimeout),
  );
}

/** Runs until every stream has settled, the stop flag is up, or `start`'s result says that nothing moves any more. */
function watch(
  job: NodePumpJob,
  memory: PumpMemory,
  start: (settle: (index: number, state: 1 | 2) => void) => () => boolean,
  cleanUp: () => void,
): Promise<void> {
  return new Promise((resolve) => {
    let open = job.streams.length;
    let done = false;
    let idle = (): boolean => false;
    const timer = setInterval(() => {
      if (memory.stopped) {
        if (job.role === 'send') for (const { socket } of job.streams) socket.end();
        return end();
      }
      if (!idle()) return;
      for (const { index } of job.streams) settle(index, STATE.broken);
      end();
    }, CHECK_MS);
    const end = (): void => {
      if (done) return;
      done = true;
      clearInterval(timer);
      cleanUp();
      resolve();
    };
    const settle = (index: number, state: 1 | 2): void => {
      if (done || memory.state(index) !== STATE.running) return;
      memory.setState(index, state);
      if (--open === 0) end();
    };
    for (const { index, socket } of job.streams) {
      if (socket.destroyed) settle(index, STATE.broken);
      socket.once('error', () => settle(index, STATE.broken));
      socket.once('close', () => settle(index, STATE.broken));
    }
    if (!done) idle = start(settle);
  });
}
