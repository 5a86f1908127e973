import type { PacketLog, PacketOutcome, PacketSpec } from '../../base/index.js';
import { decodeSockaddr, encodeSockaddr } from '../libc/index.js';
import type { Libc } from '../libc/index.js';
import { DatagramFlow } from './datagram-flow.js';
import { ErrorSocket } from './error-socket.js';
import type { FlowDesk, PacketFlow } from './flow.js';
import { FLOWS_MAX } from './messages.js';
import type { PacketsWorkerData } from './messages.js';
import { Poller } from './poller.js';
import { SocketReader } from './socket-reader.js';
import { Stamps } from './stamps.js';
import { TcpFlow } from './tcp-flow.js';

const OUTSTANDING_DEFAULT = 64;
/** The longest wait in one go: how soon an abort is noticed. */
const WAIT_NS_MAX = 20e6;

/** One flow with the packets that wait for their turn and those that are out. */
interface Lane {
  readonly flow: PacketFlow;
  readonly waiting: number[];
  readonly out: Map<number, { readonly deadlineNs: number }>;
  /** Nothing is sent before: late answers to packets that are asked again have to be over. */
  quietUntilNs: number;
  serial: boolean;
}

/** Carries out a plan. Blocks its thread until the end. */
export class Prober implements FlowDesk {
  readonly #libc: Libc;
  readonly #data: PacketsWorkerData;
  readonly #abort: Int32Array;
  readonly #tell: (index: number, outcome: PacketOutcome) => void;
  readonly #stamps: Stamps;
  readonly #reader: SocketReader;
  readonly #poller: Poller;
  readonly #lanes = new Map<number, Lane>();
  readonly #outcomes: (PacketOutcome | undefined)[];
  readonly #fallbacks = new Set<string>();
  readonly #callNs: number[] = [];
  #errors: ErrorSocket | undefined;
  #left: number;

  constructor(libc: Libc, data: PacketsWorkerData, tell: (index: number, outcome: PacketOutcome) => void) {
    this.#libc = libc;
    this.#data = data;
    this.#abort = new Int32Array(data.abort);
    this.#tell = tell;
    this.#stamps = new Stamps(libc);
    this.#reader = new SocketReader(libc, this.#stamps.baseSeconds);
    this.#poller = new Poller(libc, FLOWS_MAX + 1);
    this.#outcomes = Array.from(data.plan.packets, () => undefined);
    this.#left = data.plan.packets.length;
  }

  /** @throws TautlineError `permission`, `unsupported`, `io` */
  run(): PacketLog {
    const { plan } = this.#data;
    try {
      if (this.#data.errors === 'socket') this.#errors = new ErrorSocket(this.#libc, plan.remote.family, this.#reader);
      plan.packets.forEach((spec, index) => this.#lane(spec.flow ?? 0).waiting.push(index));
      this.#work();
      return this.#log();
    } finally {
      for (const { flow } of this.#lanes.values()) flow.close();
      this.#errors?.close();
    }
  }

  settle(index: number, outcome: PacketOutcome): void {
    if (this.#outcomes[index] !== undefined) return;
    this.#outcomes[index] = outcome;
    this.#left--;
    const lane = this.#laneOf(index);
    lane.out.delete(index);
    lane.flow.forget(index);
    this.#tell(index, outcome);
  }

  confused(flow: PacketFlow): void {
    const lane = [...this.#lanes.values()].find((one) => one.flow === flow);
    if (!lane || lane.serial) return;
    this.#fallbacks.add('answers did not say which packet they were to, so packets of a flow went out one at a time');
    lane.serial = true;
    lane.quietUntilNs = Math.max(...[...lane.out.values()].map(({ deadlineNs }) => deadlineNs));
    const again = [...lane.out.keys()].sort((a, b) => a - b);
    lane.out.clear();
    for (const index of again) flow.forget(index);
    lane.waiting.unshift(...again);
  }

  fallback(why: string): void {
    this.#fallbacks.add(why);
  }

  #work(): void {
    const { plan } = this.#data;
    const { now } = this.#stamps;
    let nextNs = now();
    while (this.#left > 0 && !this.#aborted) {
      this.#expire(now());
      const lane = this.#next(now());
      if (lane && now() >= nextNs) {
        // The schedule does not catch up in a burst after a late start.
        nextNs = Math.max(nextNs, now() - plan.intervalMs * 1e6) + plan.intervalMs * 1e6;
        this.#send(lane);
        continue;
      }
      this.#wait(lane ? nextNs : Number.POSITIVE_INFINITY);
    }
  }

  #send(lane: Lane): void {
    const index = lane.waiting.shift() as number;
    const departed = lane.flow.send(index, this.#data.plan.packets[index] as PacketSpec);
    if (departed.kind === 'answered') return;
    if (departed.kind === 'sent') {
      this.#callNs.push(departed.callNs);
      const waitMs = Math.min(this.#data.plan.timeoutMs, lane.flow.waitMsMax);
      lane.out.set(index, { deadlineNs: departed.sentNs + waitMs * 1e6 });
      return;
    }
    const { errno, mtuBytes } = departed;
    this.settle(index, { outcome: 'unsent', errno, ...(mtuBytes === undefined ? {} : { mtuBytes }) });
  }

  #wait(untilNs: number): void {
    const lanes = [...this.#lanes.values()];
    const deadlines = lanes.flatMap(({ out, quietUntilNs, waiting }) => [
      ...[...out.values()].map(({ deadlineNs }) => deadlineNs),
      ...(waiting.length > 0 && quietUntilNs > this.#stamps.now() ? [quietUntilNs] : []),
    ]);
    const endNs = Math.min(untilNs, ...deadlines);
    this.#poller.wait(
      [...lanes.flatMap(({ flow }) => flow.watched()), ...(this.#errors ? [{ fd: this.#errors.fd, events: this.#libc.constants.POLLIN }] : [])],
      Math.min(WAIT_NS_MAX, endNs - this.#stamps.now()),
    );
    this.#attend(lanes.map(({ flow }) => flow));
  }

  /** Errors come first: with them a socket only knows that something went wrong. */
  #attend(flows: readonly PacketFlow[]): void {
    this.#errors?.attend((error) => {
      for (const { flow } of this.#lanes.values()) flow.told(error);
    });
    for (const flow of flows) flow.attend();
  }

  #expire(nowNs: number): void {
    for (const { flow, out } of this.#lanes.values()) {
      const late = [...out].filter(([, { deadlineNs }]) => deadlineNs <= nowNs);
      if (late.length === 0) continue;
      // What has come in time may not have been read yet.
      this.#attend([flow]);
      for (const [index] of late) this.settle(index, { outcome: 'silent' });
    }
  }

  /** The lane whose first packet comes first in the plan, of those that may send. */
  #next(nowNs: number): Lane | undefined {
    const { outstandingMax = OUTSTANDING_DEFAULT } = this.#data.plan;
    let out = 0;
    let found: Lane | undefined;
    for (const lane of this.#lanes.values()) {
      out += lane.out.size;
      const room = Math.min(lane.flow.capacity, lane.serial ? 1 : Number.POSITIVE_INFINITY);
      if (lane.waiting.length === 0 || lane.out.size >= room || lane.quietUntilNs > nowNs) continue;
      if (!found || (lane.waiting[0] as number) < (found.waiting[0] as number)) found = lane;
    }
    return out < outstandingMax ? found : undefined;
  }

  #lane(number: number): Lane {
    const known = this.#lanes.get(number);
    if (known) return known;
    const { plan, run } = this.#data;
    const context = {
      libc: this.#libc,
      plan,
      remoteHost: decodeSockaddr(this.#libc, encodeSockaddr(this.#libc, plan.remote))?.host ?? plan.remote.host,
      run: (run + number) & 0xffff,
      reader: this.#reader,
      stamps: this.#stamps,
      desk: this,
      portWanted: plan.flowPorts?.[number],
      errors: this.#data.errors,
    };
    const flow = plan.protocol === 'tcp' ? new TcpFlow(context) : new DatagramFlow(context);
    const lane: Lane = { flow, waiting: [], out: new Map(), quietUntilNs: 0, serial: false };
    this.#lanes.set(number, lane);
    return lane;
  }

  #laneOf(index: number): Lane {
    return this.#lane(this.#data.plan.packets[index]?.flow ?? 0);
  }

  get #aborted(): boolean {
    return Atomics.load(this.#abort, 0) !== 0;
  }

  #log(): PacketLog {
    const { plan } = this.#data;
    const [first] = this.#lanes.values();
    const kernelMtuBytes = first?.flow.kernelMtuBytes();
    const flowPorts: Record<number, number> = {};
    for (const [number, { flow }] of this.#lanes) if (flow.port > 0) flowPorts[number] = flow.port;
    return {
      ...(first?.flow.local ? { local: first.flow.local } : {}),
      outcomes: this.#outcomes.map((outcome) => outcome ?? { outcome: 'unasked' }),
      stamps: plan.protocol === 'tcp' ? 'user' : 'kernel',
      fallbacks: [...this.#fallbacks],
      ...(kernelMtuBytes === undefined ? {} : { kernelMtuBytes }),
      flowPorts,
      ...(this.#callNs.length === 0 ? {} : { callMs: (this.#callNs.toSorted((a, b) => a - b)[this.#callNs.length >> 1] as number) / 1e6 }),
      aborted: this.#aborted && this.#left > 0,
    };
  }
}
