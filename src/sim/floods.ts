import type { FloodLog, FloodPlan, SinkLog, SinkPlan } from '../base/index.js';
import { FloodCounter } from '../wire/index.js';
import type { FlowSocket } from './datagrams.js';
import type { TimelineEvent } from './timeline.js';

/** Datagrams that are due within this time leave together. */
const BATCH_NS = 50_000;
/** How often a sink asks again for the flood to begin, and then says that it still takes it. */
const REQUEST_EVERY_NS = 200e6;
const REQUEST_EVERY_NS_BEGUN = 500e6;

export function runFlood(socket: FlowSocket, plan: FloodPlan): Promise<FloodLog> {
  const { timeline } = socket.host.network;
  const { clock, datagramNs } = socket.host;
  const { payload, signal } = plan;
  const startNs = timeline.nowNs;
  const done = timeline.deferred<FloodLog>();
  const errors: Record<string, number> = {};
  const everyNs = Math.max(datagramNs, plan.rateBps === undefined ? 0 : (payload.length * 8e9) / plan.rateBps);
  let sent = 0;
  let turn = 0;
  const finish = (aborted: boolean): void => {
    if (done.settled) return;
    signal?.removeEventListener('abort', abort);
    done.resolve({
      sent,
      bytes: sent * payload.length,
      elapsedMs: (timeline.nowNs - startNs) / 1e6,
      errors,
      batching: 'none',
      misses: 0,
      cpuMs: (turn * datagramNs) / 1e6,
      aborted,
    });
  };
  const abort = (): void => finish(true);
  const send = (): void => {
    const sequence = sent;
    const stampNs = clock.nowNs();
    const errno = socket.send(payload.length, () => {
      const bytes = payload.slice();
      const data = new DataView(bytes.buffer);
      data.setUint32(plan.sequenceOffset, sequence);
      data.setBigUint64(plan.stampOffset, stampNs);
      return bytes;
    });
    turn++;
    if (errno) errors[errno] = (errors[errno] ?? 0) + 1;
    else sent++;
  };
  const batch = (): void => {
    if (done.settled) return;
    const untilNs = Math.min(timeline.nowNs + BATCH_NS, startNs + plan.durationNs);
    while (startNs + turn * everyNs < untilNs) send();
    if (plan.onProgress) {
      timeline.wake();
      plan.onProgress(sent);
    }
    const nextNs = startNs + turn * everyNs;
    if (nextNs < startNs + plan.durationNs) timeline.at(nextNs, batch);
    else timeline.at(startNs + plan.durationNs, () => finish(false));
  };
  signal?.addEventListener('abort', abort);
  if (signal?.aborted) finish(true);
  else batch();
  return done.promise;
}

export function runSink(socket: FlowSocket, plan: SinkPlan): Promise<SinkLog> {
  const { timeline } = socket.host.network;
  const { clock, datagramNs } = socket.host;
  const { request, signal } = plan;
  const done = timeline.deferred<SinkLog>();
  const counter = new FloodCounter({ intervalMs: plan.intervalNs / 1e6 });
  const errors: Record<string, number> = {};
  let received = 0;
  let lastNs = 0;
  let idle: TimelineEvent | undefined;
  const fail = (errno: string): void => {
    errors[errno] = (errors[errno] ?? 0) + 1;
  };
  const finish = (aborted: boolean): void => {
    if (done.settled) return;
    signal?.removeEventListener('abort', abort);
    end.cancelled = true;
    if (idle) idle.cancelled = true;
    const kernelDrops = socket.unlisten();
    done.resolve({ count: counter.count(), kernelDrops, cpuMs: (received * datagramNs) / 1e6, errors, aborted });
  };
  const abort = (): void => finish(true);
  // One event that looks when it is due costs less than moving it with every datagram.
  const watch = (): void => {
    idle = timeline.at(lastNs + plan.idleNs, () => (timeline.nowNs >= lastNs + plan.idleNs ? finish(false) : watch()));
  };
  const ask = (): void => {
    if (done.settled || !request) return;
    const errno = socket.send(request.length, () => request.slice());
    if (errno) fail(errno);
    timeline.after(received > 0 ? REQUEST_EVERY_NS_BEGUN : REQUEST_EVERY_NS, ask);
  };
  const take = (payload: Uint8Array, arrivedNs: number): void => {
    if (done.settled || !startsWith(payload, plan.match) || payload.length < Math.max(plan.sequenceOffset + 4, plan.stampOffset + 8)) return;
    const data = new DataView(payload.buffer, payload.byteOffset, payload.length);
    counter.add(data.getUint32(plan.sequenceOffset), Number(data.getBigUint64(plan.stampOffset)), clock.elapsedNs(arrivedNs), payload.length);
    lastNs = timeline.nowNs;
    if (received++ === 0) watch();
    if (plan.onProgress) {
      timeline.wake();
      plan.onProgress(received);
    }
  };
  const end = timeline.after(plan.durationNs, () => finish(false));
  signal?.addEventListener('abort', abort);
  if (signal?.aborted) finish(true);
  else {
    socket.listen({ take, fail });
    ask();
  }
  return done.promise;
}

function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  return prefix.every((byte, i) => bytes[i] === byte);
}
