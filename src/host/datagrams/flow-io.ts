import { readOption } from '../libc/index.js';
import type { Libc } from '../libc/index.js';
import { ClockOffset } from './clock-offset.js';
import type { FlowWorkerData } from './messages.js';
import { Receiver } from './receiver.js';
import { SocketErrors } from './socket-errors.js';
import { SystemClocks, Waiter, startClock } from './waiter.js';
import type { Now } from './waiter.js';

const SLOTS = 32;
/** Where `SO_MEMINFO` has the count of dropped datagrams (SK_MEMINFO_DROPS). */
const MEMINFO_DROPS = 8;
/** Apple slews the wall clock alone, at 500 ppm at most; on Linux both clocks are slewed together. */
const DARWIN_DRIFT_PPM = 500;
const FIRST_SAMPLES = 16;

/** Everything that an operation on a flow works with, made once a worker. */
export class FlowIo {
  readonly libc: Libc;
  readonly fd: number;
  readonly flow: FlowWorkerData;
  readonly now: Now;
  readonly originNs: bigint;
  readonly waiter: Waiter;
  readonly receiver: Receiver;
  readonly errors: SocketErrors;
  readonly #clocks: SystemClocks;
  readonly #offset: ClockOffset;
  #dropsSeen = 0;

  constructor(libc: Libc, flow: FlowWorkerData) {
    this.libc = libc;
    this.fd = flow.fd;
    this.flow = flow;
    const { now, originNs } = startClock();
    this.now = now;
    this.originNs = originNs;
    this.waiter = new Waiter(libc, flow.fd);
    this.#clocks = new SystemClocks(libc);
    this.receiver = new Receiver(libc, flow.fd, { slots: SLOTS, baseSeconds: this.#clocks.baseSeconds });
    this.errors = new SocketErrors(libc, flow.fd);
    this.#offset = new ClockOffset(libc.platform === 'darwin' ? DARWIN_DRIFT_PPM : 0);
    // The kernel may be 50 us late on purpose, to wake sleepers together; a measuring thread does not want that.
    if (libc.constants.PR_SET_TIMERSLACK !== undefined) libc.prctl?.(libc.constants.PR_SET_TIMERSLACK, 1, 0, 0, 0);
    for (let i = 0; i < FIRST_SAMPLES; i++) this.sampleClocks();
  }

  /** Compares the wall clock with the monotonic one. @returns whether the wall clock was set meanwhile */
  sampleClocks(): boolean {
    const beforeNs = this.now();
    const realNs = this.#clocks.realNs();
    return this.#offset.sample(beforeNs, realNs, this.now());
  }

  toMonotonicNs(realNs: number): number {
    return this.#offset.toMonotonicNs(realNs);
  }

  threadCpuMs(): number {
    return this.#clocks.threadCpuMs();
  }

  /** Datagrams that the receive buffer has dropped since the socket was made. */
  drops(): number {
    const { constants: c } = this.libc;
    const info = readOption(this.libc, this.fd, { level: c.SOL_SOCKET, option: c.SO_MEMINFO, sizeBytesMax: 64 });
    if (!info || info.length < 4 * (MEMINFO_DROPS + 1)) return this.receiver.drops;
    return new DataView(info.buffer).getUint32(4 * MEMINFO_DROPS, true);
  }

  /** Datagrams that the receive buffer has dropped since this was last asked. */
  dropsSince(): number {
    const total = this.drops();
    const since = Math.max(0, total - this.#dropsSeen);
    this.#dropsSeen = total;
    return since;
  }

  /** Throws away what came before the operation began: it belongs to an earlier one. */
  drain(): void {
    this.errors.reset();
    while (this.receiver.receive(this.libc.constants.MSG_DONTWAIT) > 0);
    this.errors.reset();
  }
}
