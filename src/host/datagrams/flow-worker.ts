import { parentPort, workerData } from 'node:worker_threads';
import { libcUnavailable, loadLibc } from '../libc/index.js';
import { Exchange } from './exchange.js';
import { FlowIo } from './flow-io.js';
import { Progress } from './messages.js';
import type { FlowAnswer, FlowCommand, FlowWorkerData } from './messages.js';

/*
 * The thread of one flow. It works on the socket while an operation runs, and blocks: it is asked for
 * one operation at a time, and reached meanwhile through shared memory only. What few flows need is
 * loaded by those that do, since a flow should be ready soon.
 */
const port = parentPort;
if (port) {
  const libc = loadLibc();
  // Ends the thread, and with it the flow.
  if (!libc) throw new Error(libcUnavailable());
  const flow = workerData as FlowWorkerData;
  const io = new FlowIo(libc, flow);
  const icmp = flow.icmp && new (await import('./icmp-messages.js')).IcmpMessages(flow.icmp, flow.family);

  const perform = async (command: FlowCommand): Promise<FlowAnswer> => {
    const progress = new Progress(command.shared);
    switch (command.op) {
      case 'exchange':
        return { ok: true, log: new Exchange(io, command.plan, { progress, icmp }).run() };
      case 'flood':
        return { ok: true, log: (await import('./flood.js')).flood(io, command.plan, progress) };
      case 'sink':
        return { ok: true, log: new (await import('./sink.js')).Sink(io, command.plan, progress).run() };
    }
  };
  port.on('message', (command: FlowCommand) => {
    void perform(command)
      .catch((cause: unknown): FlowAnswer => ({ ok: false, why: cause instanceof Error ? cause.message : String(cause) }))
      .then((answer) => port.postMessage(answer, transferable(answer)));
  });
}

/** Times and bytes are handed over, not copied. */
function transferable(answer: FlowAnswer): ArrayBuffer[] {
  if (!answer.ok || !('dueNs' in answer.log)) return [];
  const { dueNs, sentNs, callNs, arrivedNs, readNs, length, bytes } = answer.log;
  return [dueNs, sentNs, callNs, arrivedNs, readNs, length, bytes].map((array) => array.buffer as ArrayBuffer);
}
