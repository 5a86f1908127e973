import type { PumpMemory, StreamState } from './pump-shared.js';
import { STATE } from './pump-shared.js';

/** What a pump's thread needs of the kernel. Results below zero are negated error numbers, as inside the kernel. */
export interface PumpCalls {
  send(fd: number, bytes: Uint8Array, length: number): number;
  /** With `discard` the kernel drops the bytes instead of copying them, where it can. */
  recv(fd: number, bytes: Uint8Array, length: number, discard: boolean): number;
  /** `entries`: a pair a stream, the descriptor (negative = skip) and events as in poll(2): asked for in the low, found in the high half. */
  poll(entries: Int32Array, timeoutMs: number): number;
  /** Ends the sending direction. */
  shutdownSend(fd: number): void;
  /** How many bytes a receiver must have before it is woken. */
  setWakeBytes(fd: number, bytes: number): void;
  /** How many bytes may wait in a sender's socket beyond those on their way. */
  setUnsentMax(fd: number, bytes: number): void;
  /** Bytes that are not acknowledged yet, or undefined where the kernel does not tell. */
  unackedBytes(fd: number): number | undefined;
  nowMs(): number;
  readonly again: readonly number[];
}

export interface PumpJob {
  readonly role: 'send' | 'receive';
  /** `index` is the stream's place in the shared memory; `bytes` how much a sender sends, undefined = until the time is over. */
  readonly streams: readonly { readonly index: number; readonly fd: number; readonly bytes?: number }[];
  readonly durationMs?: number;
  readonly idleMs: number;
  readonly copy: boolean;
  /** Bits per second of each stream, where the kernel does not pace by itself. */
  readonly paceBps?: number;
  /** The kernel paces by itself, and has been told how much may wait. */
  readonly paced?: boolean;
  /** Longest single write; smaller for low rates, so that the rate is even. */
  readonly writeBytesMax: number;
}

/**
 * One call moves up to this much. Fewer, larger calls leave the processor to the network, but what is larger than
 * its cache is fetched from memory again for every call: with four streams 1 MiB was half as fast.
 */
export const CHUNK_BYTES = 512 * 1024;
/** Stop flags are looked at least this often. */
const POLL_MS = 50;
const POLLIN = 1;
const POLLOUT = 4;

/** Moves bytes until the job is done or stopped. Blocks its thread. */
export function runPump(job: PumpJob, memory: PumpMemory, calls: PumpCalls, onFirst: () => void): void {
  if (job.role === 'receive') receive(job, memory, calls, onFirst);
  else send(job, memory, calls, onFirst);
}

function receive(job: PumpJob, memory: PumpMemory, calls: PumpCalls, onFirst: () => void): void {
  const { entries, finish, active } = track(job, memory, POLLIN);
  const wake = new WakeBytes(job, memory, calls);
  const bytes = new Uint8Array(CHUNK_BYTES);
  let lastMs = calls.nowMs();
  while (active() > 0 && !memory.stopped) {
    const ready = calls.poll(entries, POLL_MS);
    let nowMs = calls.nowMs();
    // A raised wake threshold hides what came in below it; after a timeout it is fetched all the same.
    const fetchAll = ready <= 0 && wake.lower();
    for (let i = 0; i < job.streams.length; i++) {
      const stream = job.streams[i];
      if (!stream || (entries[2 * i] ?? -1) < 0 || !(fetchAll || found(entries, i))) continue;
      const got = calls.recv(stream.fd, bytes, bytes.length, !job.copy);
      nowMs = calls.nowMs();
      if (got > 0) {
        lastMs = nowMs;
        if (memory.add(stream.index, got, nowMs)) onFirst();
      } else if (got === 0) finish(i, STATE.done);
      else if (!calls.again.includes(got)) finish(i, STATE.broken);
    }
    wake.adapt(nowMs);
    if (nowMs - lastMs > job.idleMs) {
      job.streams.forEach((_, i) => finish(i, STATE.broken));
    }
  }
}

function send(job: PumpJob, memory: PumpMemory, calls: PumpCalls, onFirst: () => void): void {
  const { entries, finish, active } = track(job, memory, POLLOUT);
  const bytes = new Uint8Array(Math.min(CHUNK_BYTES, job.writeBytesMax));
  const left = job.streams.map((stream) => stream.bytes ?? Number.POSITIVE_INFINITY);
  const startMs = calls.nowMs();
  const endMs = job.durationMs === undefined ? Number.POSITIVE_INFINITY : startMs + job.durationMs;
  let lastMs = startMs;
  const allowed = (i: number, nowMs: number): number => {
    if (job.paceBps === undefined) return Number.POSITIVE_INFINITY;
    return (job.paceBps / 8e3) * (nowMs - startMs) - memory.bytes(job.streams[i]?.index ?? 0);
  };
  const unsent = job.paced ? undefined : new UnsentBytes(job, memory, calls);
  const draining: number[] = [];
  const end = (i: number): void => {
    const stream = job.streams[i];
    if (!stream || (entries[2 * i] ?? -1) < 0) return;
    calls.shutdownSend(stream.fd);
    finish(i, STATE.done);
    draining.push(i);
  };
  job.streams.forEach((_, i) => left[i] === 0 && end(i));
  while (active() > 0) {
    let nowMs = calls.nowMs();
    if (nowMs >= endMs || memory.stopped) {
      job.streams.forEach((_, i) => end(i));
      break;
    }
    let waitMs = Math.min(POLL_MS, endMs - nowMs);
    if (job.paceBps !== undefined) waitMs = restPaced(job, entries, allowed, nowMs, waitMs);
    const ready = calls.poll(entries, Math.ceil(waitMs));
    for (let i = 0; ready > 0 && i < job.streams.length; i++) {
      const stream = job.streams[i];
      if (!stream || (entries[2 * i] ?? -1) < 0 || !found(entries, i)) continue;
      const length = Math.min(bytes.length, left[i] ?? 0);
      const sent = calls.send(stream.fd, bytes, length);
      nowMs = calls.nowMs();
      if (sent > 0) {
        lastMs = nowMs;
        if (memory.add(stream.index, sent, nowMs)) onFirst();
        left[i] = (left[i] ?? 0) - sent;
        if (left[i] === 0) end(i);
      } else if (sent < 0 && !calls.again.includes(sent)) finish(i, STATE.broken);
    }
    unsent?.adapt(nowMs);
    // Sending by bytes has no end of its own when the peer stops reading.
    if (endMs === Number.POSITIVE_INFINITY && nowMs - lastMs > job.idleMs) job.streams.forEach((_, i) => finish(i, STATE.broken));
  }
  drain(job, draining, memory, calls);
}

/** Waits until everything is acknowledged, so that the last TCP_INFO covers the whole run and a peer that is gone shows. */
function drain(job: PumpJob, draining: readonly number[], memory: PumpMemory, calls: PumpCalls): void {
  const none = new Int32Array(0);
  const giveUpMs = calls.nowMs() + job.idleMs;
  let open = draining.map((i) => job.streams[i]).filter((stream) => stream !== undefined);
  let waitMs = 1;
  while (open.length > 0 && !memory.stopped) {
    open = open.filter((stream) => (calls.unackedBytes(stream.fd) ?? 0) > 0);
    if (open.length === 0) return;
    if (calls.nowMs() > giveUpMs) {
      for (const stream of open) memory.setState(stream.index, STATE.broken);
      return;
    }
    calls.poll(none, waitMs);
    waitMs = Math.min(2 * waitMs, 20);
  }
}

/** Takes streams that are ahead of their rate out of the poll set, and sleeps while all of them are. @returns how long to poll then */
function restPaced(job: PumpJob, entries: Int32Array, allowed: (i: number, nowMs: number) => number, nowMs: number, waitMs: number): number {
  const perMs = (job.paceBps ?? 1) / 8e3;
  let soonestMs = waitMs;
  let anyDue = false;
  job.streams.forEach((_, i) => {
    const due = allowed(i, nowMs);
    if ((entries[2 * i] ?? -1) < 0) return;
    entries[2 * i + 1] = due >= 0 ? POLLOUT : 0;
    if (due >= 0) anyDue = true;
    else soonestMs = Math.min(soonestMs, -due / perMs);
  });
  return anyDue ? soonestMs : Math.max(1, soonestMs);
}

interface Tracking {
  readonly entries: Int32Array;
  finish(i: number, state: StreamState): void;
  active(): number;
}

function track(job: PumpJob, memory: PumpMemory, events: number): Tracking {
  const entries = new Int32Array(2 * job.streams.length);
  job.streams.forEach((stream, i) => {
    entries[2 * i] = stream.fd;
    entries[2 * i + 1] = events;
  });
  let active = job.streams.length;
  return {
    entries,
    active: () => active,
    finish(i, state) {
      const stream = job.streams[i];
      if (!stream || (entries[2 * i] ?? -1) < 0) return;
      // poll(2) skips negative descriptors.
      entries[2 * i] = -1;
      memory.setState(stream.index, state);
      active--;
    },
  };
}

function found(entries: Int32Array, i: number): boolean {
  return (entries[2 * i + 1] ?? 0) >>> 16 !== 0;
}

/** What each stream moved since it was last asked, as bytes per millisecond. */
class Rates {
  readonly #job: PumpJob;
  readonly #memory: PumpMemory;
  readonly #before: Float64Array;
  #atMs: number;

  constructor(job: PumpJob, memory: PumpMemory, nowMs: number) {
    this.#job = job;
    this.#memory = memory;
    this.#before = new Float64Array(job.streams.length);
    this.#atMs = nowMs;
  }

  /** Calls back for each stream that still runs, if `everyMs` have passed. */
  every(everyMs: number, nowMs: number, call: (stream: number, fd: number, bytesPerMs: number) => void): void {
    const passedMs = nowMs - this.#atMs;
    if (passedMs < everyMs) return;
    this.#atMs = nowMs;
    this.#job.streams.forEach(({ index, fd }, i) => {
      const bytes = this.#memory.bytes(index);
      const rate = (bytes - (this.#before[i] ?? 0)) / passedMs;
      this.#before[i] = bytes;
      if (this.#memory.state(index) === STATE.running) call(i, fd, rate);
    });
  }
}

/**
 * How much may wait in a sender's socket (TCP_NOTSENT_LOWAT). Left alone, the kernel takes megabytes,
 * which on a slow path go on arriving for seconds after the run. So it is what leaves in KEEP_MS at
 * the rate just seen, and unbounded on fast paths, where more calls would cost rate.
 */
class UnsentBytes {
  static readonly #EVERY_MS = 50;
  static readonly #KEEP_MS = 20;
  static readonly #MIN = 64 * 1024;
  static readonly #MAX = 4 * 1024 * 1024;
  static readonly #UNBOUNDED = 0x7fff_ffff;
  readonly #rates: Rates;
  readonly #calls: PumpCalls;
  readonly #current: Int32Array;

  constructor(job: PumpJob, memory: PumpMemory, calls: PumpCalls) {
    this.#rates = new Rates(job, memory, calls.nowMs());
    this.#calls = calls;
    this.#current = new Int32Array(job.streams.length).fill(UnsentBytes.#UNBOUNDED);
  }

  adapt(nowMs: number): void {
    this.#rates.every(UnsentBytes.#EVERY_MS, nowMs, (i, fd, bytesPerMs) => {
      const power = 2 ** Math.ceil(Math.log2(Math.max(1, bytesPerMs * UnsentBytes.#KEEP_MS)));
      const bytes = power > UnsentBytes.#MAX ? UnsentBytes.#UNBOUNDED : Math.max(UnsentBytes.#MIN, power);
      if (this.#current[i] === bytes) return;
      this.#current[i] = bytes;
      this.#calls.setUnsentMax(fd, bytes);
    });
  }
}

/**
 * How much must be there before the receiver is woken (SO_RCVLOWAT). At tens of gigabits a second
 * every wake-up costs more than the bytes it fetches; at low rates waiting for bytes would distort
 * their arrival. So the threshold is what arrives in WAKE_MS at the rate just seen, and nothing on
 * paths where that is little.
 */
class WakeBytes {
  static readonly #EVERY_MS = 10;
  static readonly #WAKE_MS = 0.2;
  static readonly #MIN = 32 * 1024;
  static readonly #MAX = 512 * 1024;
  readonly #job: PumpJob;
  readonly #rates: Rates;
  readonly #calls: PumpCalls;
  readonly #current: Int32Array;

  constructor(job: PumpJob, memory: PumpMemory, calls: PumpCalls) {
    this.#job = job;
    this.#rates = new Rates(job, memory, calls.nowMs());
    this.#calls = calls;
    this.#current = new Int32Array(job.streams.length).fill(1);
  }

  adapt(nowMs: number): void {
    this.#rates.every(WakeBytes.#EVERY_MS, nowMs, (i, fd, bytesPerMs) => {
      const power = 2 ** Math.floor(Math.log2(Math.max(1, bytesPerMs * WakeBytes.#WAKE_MS)));
      this.#set(i, fd, power < WakeBytes.#MIN ? 1 : Math.min(power, WakeBytes.#MAX));
    });
  }

  /** Back to waking at every byte. @returns whether any threshold had been raised */
  lower(): boolean {
    const raised = this.#current.some((bytes) => bytes > 1);
    if (raised) this.#job.streams.forEach(({ fd }, i) => this.#set(i, fd, 1));
    return raised;
  }

  #set(i: number, fd: number, bytes: number): void {
    if (this.#current[i] === bytes) return;
    this.#current[i] = bytes;
    this.#calls.setWakeBytes(fd, bytes);
  }
}
