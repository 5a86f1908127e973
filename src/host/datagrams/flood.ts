import type { FloodLog, FloodPlan } from '../../base/index.js';
import type { FlowIo } from './flow-io.js';
import type { Progress } from './messages.js';
import { Pacer } from './pacer.js';
import { SegmentSender } from './segment-sender.js';

/** A batch that leaves later than this is a miss. */
const MISS_NS = 1e6;
/** Datagrams that are due within this time of each other leave together. */
const BURST_NS = 250_000;
const BURST_DATAGRAMS_MAX = 64;
/** A sender that was held up catches up with at most this much. */
const CATCH_UP_NS = 20e6;
/** Wait for room in the send buffer, or for a full queue below it to empty. */
const ROOM_NS = 5e6;
const BACK_OFF_NS = 100_000;
/** How often an unpaced flood looks at the clock's other duties (abort, progress, errors). */
const ATTEND_NS = 5e6;

type Plan = Omit<FloodPlan, 'signal' | 'onProgress'>;

/** Sends one way, at a rate or as fast as it goes. Blocks its thread until the end. */
export function flood(io: FlowIo, plan: Plan, progress: Progress): FloodLog {
  io.drain();
  const sender = new SegmentSender(io.libc, io.fd, plan);
  const sizeBytes = plan.payload.length;
  const intervalNs = plan.rateBps === undefined ? 0 : (sizeBytes * 8e9) / plan.rateBps;
  const batch = intervalNs === 0 ? sender.capacity : Math.max(1, Math.min(BURST_DATAGRAMS_MAX, sender.capacity, Math.round(BURST_NS / intervalNs)));
  const receiver = io.receiver;
  const attend = (): boolean => {
    // Nothing that arrives counts here, but it would keep poll from waiting.
    while (receiver.receive(io.libc.constants.MSG_DONTWAIT) > 0);
    io.errors.collect();
    return !progress.aborted;
  };
  const pacer = new Pacer({ libc: io.libc, now: io.now, waiter: io.waiter, intervalNs: intervalNs * batch, onReady: attend });
  const cpuMs = io.threadCpuMs();
  const startNs = io.now();
  const endNs = startNs + plan.durationNs;
  let scheduleNs = startNs;
  let sent = 0;
  let misses = 0;
  let attendedNs = startNs;
  for (;;) {
    let nowNs = io.now();
    if (nowNs >= endNs || progress.aborted) break;
    let count = batch;
    if (intervalNs > 0) {
      // A batch leaves when its first datagram is due, and the last moment for that is the end.
      if (scheduleNs >= endNs) break;
      nowNs = pacer.waitUntil(scheduleNs);
      if (progress.aborted) break;
      const lateNs = nowNs - scheduleNs;
      if (lateNs > MISS_NS) misses++;
      if (lateNs > CATCH_UP_NS) scheduleNs = nowNs - CATCH_UP_NS;
      count = Math.min(batch, Math.max(1, Math.ceil((endNs - scheduleNs) / intervalNs)));
    }
    const taken = sender.send(count, sent, io.originNs + BigInt(Math.floor(nowNs)));
    if (taken > 0) {
      sent += taken;
      scheduleNs += taken * intervalNs;
    } else {
      makeRoom(io, sender.errno);
    }
    if (nowNs - attendedNs > ATTEND_NS) {
      attendedNs = nowNs;
      progress.sent(sent);
      attend();
    }
  }
  const elapsedMs = (io.now() - startNs) / 1e6;
  progress.sent(sent);
  io.errors.collect();
  return {
    sent,
    bytes: sent * sizeBytes,
    elapsedMs,
    errors: io.errors.byName(),
    batching: batch === 1 ? 'none' : sender.batching,
    misses,
    cpuMs: io.threadCpuMs() - cpuMs,
    aborted: progress.aborted,
  };
}

/** After a send that took nothing: wait for room, take an error off the socket, or rest a little. */
function makeRoom(io: FlowIo, errno: number): void {
  const { libc, waiter, errors } = io;
  const { EAGAIN, ENOBUFS, EINTR } = libc.errors;
  if (errno === EAGAIN) waiter.wait(ROOM_NS, libc.constants.POLLOUT);
  // With IP_RECVERR a full device queue is told instead of hidden: nothing was sent, and nothing is lost.
  else if (errno === ENOBUFS) waiter.wait(BACK_OFF_NS, 0);
  else if (errno !== EINTR && !errors.afterFailure(errno)) waiter.wait(BACK_OFF_NS, 0);
}
