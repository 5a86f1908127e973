import { TautlineError, assert } from '../../base/index.js';
import type { DatagramResponder, DueFlood } from '../../wire/index.js';
import { libcUnavailable, loadLibc, setReceiveTimeout } from '../libc/index.js';
import type { Libc } from '../libc/index.js';
import { AnswerSender } from './answer-sender.js';
import { PeerAddresses, sockaddrOf } from './peer-address.js';
import { Receiver, SLOT_BYTES, VIA_BYTES } from './receiver.js';
import { SegmentSender } from './segment-sender.js';
import { SpinWindow } from './spin-window.js';
import { bindUdp } from './udp-socket.js';
import type { ServerSocket } from './udp-socket.js';
import { SystemClocks, Waiter } from './waiter.js';
import { WholeSender } from './whole-sender.js';

export interface UdpLoopOptions {
  /** An IP literal; `::` takes IPv4 too. */
  readonly bind: string;
  /** 0 for any. */
  readonly port: number;
  readonly responder: DatagramResponder;
  /** Over a SharedArrayBuffer; word 0 other than 0 ends the loop within `STOP_NS`. */
  readonly stop: Int32Array;
  /** Called once, with the port. */
  readonly onReady: (port: number) => void;
  /** Called about once a second, from within the loop: a blocked thread has no timers. */
  readonly onTick?: () => void;
}

const SLOTS = 32;
/** How soon a stop is noticed. */
const STOP_NS = 50e6;
const TICK_NS = 1e9;
/** Pauses in a flood are slept through up to the spin window for this interval, and spun from there. */
const FLOOD_INTERVAL_NS = 250_000;
const SLEEP_NS_MIN = 5_000;
const ROOM_NS = 1e6;
const BACK_OFF_NS = 100_000;
const NAME_BYTES = 32;
/** What the responder has to do besides answering and floods (sessions that expire) is done this often. */
const HOUSEKEEPING_NS = 100e6;

/** Whether `runUdpLoop` works here, or why not. */
export function udpLoopUnavailable(): string | undefined {
  return loadLibc() ? undefined : (libcUnavailable() ?? 'no libc');
}

/**
 * Serves UDP on this thread until it is told to stop: it blocks, so it belongs into a worker.
 * @throws TautlineError `io` or `permission` when it cannot listen, `unsupported` without the system's functions
 */
export function runUdpLoop(options: UdpLoopOptions): void {
  const libc = loadLibc();
  if (!libc) throw new TautlineError('unsupported', `no native UDP server: ${libcUnavailable() ?? ''}`);
  const socket = bindUdp(libc, options.bind, options.port);
  try {
    new UdpLoop(libc, socket, options).run();
  } finally {
    libc.close(socket.fd);
  }
}

/**
 * One turn: wait for datagrams or for the next flood to be due, answer what came (each answer leaves
 * before the next datagram is looked at, so that its departure time is true), then send what is due.
 */
class UdpLoop {
  readonly #libc: Libc;
  readonly #socket: ServerSocket;
  readonly #options: UdpLoopOptions;
  readonly #clocks: SystemClocks;
  readonly #baseNs: bigint;
  readonly #waiter: Waiter;
  readonly #receiver: Receiver;
  readonly #answers: AnswerSender;
  readonly #wholes: WholeSender;
  readonly #addresses: PeerAddresses;
  readonly #slots: readonly Uint8Array<ArrayBuffer>[];
  readonly #names: readonly Uint8Array<ArrayBuffer>[];
  /** Whether receiving blocks by itself, for as long as a stop may take to be noticed. */
  readonly #blocking: boolean;
  readonly #spin = new SpinWindow(FLOOD_INTERVAL_NS);
  /** By template: a flood's copies are laid out once. */
  readonly #senders = new WeakMap<Uint8Array, SegmentSender>();
  /** When to ask what is due, wall-clock nanoseconds from the base; infinite when nothing floods. */
  #dueNs = 0;
  #askedNs = 0;
  #dropsTold = 0;
  /** A flood found the send buffer full. */
  #blocked = false;

  constructor(libc: Libc, socket: ServerSocket, options: UdpLoopOptions) {
    assert(options.stop.buffer instanceof SharedArrayBuffer, 'the stop flag is shared memory');
    this.#libc = libc;
    this.#socket = socket;
    this.#options = options;
    this.#clocks = new SystemClocks(libc);
    this.#baseNs = BigInt(this.#clocks.baseSeconds) * 1_000_000_000n;
    this.#waiter = new Waiter(libc, socket.fd);
    this.#receiver = new Receiver(libc, socket.fd, { slots: SLOTS, baseSeconds: this.#clocks.baseSeconds });
    this.#answers = new AnswerSender(libc, socket.fd);
    this.#wholes = new WholeSender(libc, socket, this.#answers);
    this.#addresses = new PeerAddresses(libc);
    this.#slots = Array.from({ length: SLOTS }, (_, i) => this.#receiver.bytes.subarray(i * SLOT_BYTES, (i + 1) * SLOT_BYTES));
    const nameBytes = socket.family === 4 ? 16 : 28;
    this.#names = Array.from({ length: SLOTS }, (_, i) => this.#receiver.names.subarray(i * NAME_BYTES, i * NAME_BYTES + nameBytes));
    this.#blocking = libc.recvmmsg !== undefined && setReceiveTimeout(libc, socket.fd, STOP_NS);
    if (libc.constants.PR_SET_TIMERSLACK !== undefined) libc.prctl?.(libc.constants.PR_SET_TIMERSLACK, 1, 0, 0, 0);
  }

  run(): void {
    const { stop, onReady, onTick } = this.#options;
    onReady(this.#socket.port);
    let tickNs = this.#clocks.realNs();
    while (Atomics.load(stop, 0) === 0) {
      const received = this.#dueNs === Number.POSITIVE_INFINITY ? this.#receiveIdle() : this.#receiveFlooding();
      if (received > 0) this.#answerAll(received);
      const nowNs = this.#clocks.realNs();
      // Whatever came may have started a flood; a wall clock that was set back must not stop the asking.
      if (received > 0 || nowNs >= this.#dueNs || nowNs - this.#askedNs > HOUSEKEEPING_NS || nowNs < this.#askedNs) this.#sendDue(nowNs);
      if (onTick && Math.abs(nowNs - tickNs) >= TICK_NS) {
        tickNs = nowNs;
        onTick();
      }
    }
  }

  /** Nothing to send: sleep until something comes, in one call where the system can. */
  #receiveIdle(): number {
    const c = this.#libc.constants;
    if (!this.#blocking) this.#waiter.wait(STOP_NS, c.POLLIN);
    const received = this.#receiver.receive(this.#blocking ? (c.MSG_WAITFORONE ?? 0) : c.MSG_DONTWAIT);
    const { EAGAIN, EINTR } = this.#libc.errors;
    // Out of memory, say: it may pass, but not by asking again at once.
    if (received < 0 && this.#receiver.errno !== EAGAIN && this.#receiver.errno !== EINTR) this.#waiter.wait(ROOM_NS, 0);
    return received;
  }

  /** A flood goes on: answer what is there, sleep for most of the pause, then look for datagrams until it is over. */
  #receiveFlooding(): number {
    const c = this.#libc.constants;
    for (;;) {
      const received = this.#receiver.receive(c.MSG_DONTWAIT);
      if (received > 0) return received;
      if (this.#blocked) {
        this.#blocked = false;
        this.#waiter.wait(ROOM_NS, c.POLLIN | c.POLLOUT);
        return 0;
      }
      const nowNs = this.#clocks.realNs();
      const leftNs = this.#dueNs - nowNs;
      if (leftNs <= 0) return 0;
      const sleepNs = Math.min(STOP_NS, leftNs - this.#spin.windowNs);
      if (sleepNs < SLEEP_NS_MIN) continue;
      if (this.#waiter.wait(sleepNs, c.POLLIN) === 0) this.#spin.learn(this.#clocks.realNs() - nowNs - sleepNs);
      if (sleepNs === STOP_NS) return 0;
    }
  }

  #answerAll(count: number): void {
    const receiver = this.#receiver;
    if (receiver.drops !== this.#dropsTold) {
      this.#dropsTold = receiver.drops;
      this.#options.responder.dropped(receiver.drops);
    }
    for (let i = 0; i < count; i++) {
      const slot = this.#slots[i];
      const from = this.#addresses.read(receiver.names, i * NAME_BYTES);
      if (!slot || !from) continue;
      const length = receiver.length[i] ?? 0;
      const segment = receiver.segment[i] ?? 0;
      let nowNs = this.#clocks.realNs();
      const stampNs = receiver.stampNs[i] ?? Number.NaN;
      const rxNs = this.#wallNs(stampNs <= nowNs ? stampNs : nowNs);
      let wallNs = this.#wallNs(nowNs);
      const viaLength = receiver.viaLength[i] ?? 0;
      const via = viaLength > 0 ? receiver.via.subarray(i * VIA_BYTES, i * VIA_BYTES + viaLength) : undefined;
      // Datagrams that the kernel joined have one stamp and one sender.
      const step = segment > 0 ? segment : length;
      let at = 0;
      // Once for a datagram of no bytes too.
      do {
        const answer = this.#options.responder.receive(slot.subarray(at, Math.min(at + step, length)), from, rxNs, wallNs, via);
        at += step;
        if (!answer) continue;
        const name = this.#names[i];
        if (name) this.#answers.send(answer, name, via);
        if (at < length) {
          nowNs = this.#clocks.realNs();
          wallNs = this.#wallNs(nowNs);
        }
      } while (at < length);
    }
  }

  #sendDue(nowNs: number): void {
    const { responder } = this.#options;
    this.#askedNs = nowNs;
    const due = responder.due(this.#wallNs(nowNs));
    this.#dueNs = due.nextNs === undefined ? Number.POSITIVE_INFINITY : Number(due.nextNs - this.#baseNs);
    for (const whole of due.wholes ?? []) this.#wholes.send(whole);
    for (const flood of due.floods) {
      const sent = this.#sendFlood(flood);
      if (sent === flood.count) continue;
      responder.unsent(flood, flood.count - sent);
      // They are due again at once; without room or a route they must not be tried again at once.
      this.#blocked = true;
    }
  }

  #sendFlood(flood: DueFlood): number {
    let sender = this.#senders.get(flood.template);
    if (!sender) {
      sender = new SegmentSender(this.#libc, this.#socket.fd, {
        payload: flood.template.subarray(0, flood.sizeBytes),
        sequenceOffset: flood.sequenceOffset,
        stampOffset: flood.stampOffset,
        to: sockaddrOf(this.#libc, flood.to, this.#socket.family),
        ...(flood.via ? { via: flood.via } : {}),
      });
      this.#senders.set(flood.template, sender);
    }
    let sent = 0;
    while (sent < flood.count) {
      const taken = sender.send(Math.min(sender.capacity, flood.count - sent), flood.sequenceStart + sent, process.hrtime.bigint());
      if (taken === 0) {
        // Room shows in poll; any other failure does not, and is slept off.
        if (sender.errno !== this.#libc.errors.EAGAIN) this.#waiter.wait(BACK_OFF_NS, 0);
        break;
      }
      sent += taken;
    }
    return sent;
  }

  #wallNs(ns: number): bigint {
    return this.#baseNs + BigInt(Math.round(ns));
  }
}
