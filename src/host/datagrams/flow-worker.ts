import { parentPort, workerData } from 'node:worker_threads';
import { loadLibc } from '../libc/index.js';
import { Exchange } from './exchange.js';
import { FlowIo } from './flow-io.js';
import { flood } from './flood.js';
import { Progress } from './messages.js';
import type { FlowAnswer, FlowCommand, FlowWorkerData } from './messages.js';
import { Sink } from './sink.js';

/*
 * The thread of one flow. It owns the socket while an operation runs, and blocks: it is asked for
 * one operation at a time, and reached meanwhile through shared memory only.
 */
const libc = loadLibc();
const port = parentPort;
if (libc && port) {
  const io = new FlowIo(libc, workerData as FlowWorkerData);
  port.on('message', (command: FlowCommand) => {
    const answer = perform(io, command);
    port.postMessage(answer, transferable(answer));
  });
}

function perform(io: FlowIo, command: FlowCommand): FlowAnswer {
  const progress = new Progress(command.shared);
  try {
    switch (command.op) {
      case 'exchange':
        return { ok: true, log: new Exchange(io, command.plan, progress).run() };
      case 'flood':
        return { ok: true, log: flood(io, command.plan, progress) };
      case 'sink':
        return { ok: true, log: new Sink(io, command.plan, progress).run() };
    }
  } catch (cause) {
    return { ok: false, why: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause) };
  }
}

/** Times and bytes are handed over, not copied. */
function transferable(answer: FlowAnswer): ArrayBuffer[] {
  if (!answer.ok || !('dueNs' in answer.log)) return [];
  const { dueNs, sentNs, arrivedNs, readNs, length, bytes } = answer.log;
  return [dueNs, sentNs, arrivedNs, readNs, length, bytes].map((array) => array.buffer as ArrayBuffer);
}
