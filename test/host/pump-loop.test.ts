import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runPump } from '../../src/host/streams/pump-loop.js';
import type { PumpCalls, PumpJob } from '../../src/host/streams/pump-loop.js';
import { PumpMemory, STATE } from '../../src/host/streams/pump-shared.js';

const AGAIN = -11;
const RESET = -104;
const POLLIN = 1;
const POLLOUT = 4;

/** One descriptor of the kernel below: what is there to read, or what became of what was written. */
interface FakeSocket {
  /** Results of further reads or writes, in order; then `rest`. A number above zero moves so many bytes. */
  results: number[];
  rest: number;
  /** Not ready before this time. */
  readyAtMs: number;
  moved: number;
  wakeBytes: number[];
  unsentMax: number[];
  shut: boolean;
  unacked: number[];
  discarded: boolean[];
}

/** A kernel in virtual time: calls take a little, poll sleeps until something is ready. */
class FakeKernel implements PumpCalls {
  readonly again = [AGAIN];
  readonly sockets = new Map<number, FakeSocket>();
  timeMs = 1000;
  polls = 0;
  callMs = 0.01;
  onPoll: () => void = () => {};

  socket(fd: number, parts: Partial<FakeSocket> = {}): FakeSocket {
    const socket: FakeSocket = {
      results: [],
      rest: 0,
      readyAtMs: 0,
      moved: 0,
      wakeBytes: [],
      unsentMax: [],
      shut: false,
      unacked: [],
      discarded: [],
      ...parts,
    };
    this.sockets.set(fd, socket);
    return socket;
  }

  nowMs(): number {
    return this.timeMs;
  }

  poll(entries: Int32Array, timeoutMs: number): number {
    this.polls++;
    this.onPoll();
    assert.ok(this.polls < 1e6, 'the pump spins');
    let ready = 0;
    for (const untilMs of [this.timeMs, this.timeMs + timeoutMs]) {
      this.timeMs = ready > 0 ? this.timeMs : untilMs;
      for (let i = 0; i < entries.length / 2 && ready === 0; i++) {
        const socket = this.sockets.get(entries[2 * i] ?? -1);
        const wanted = (entries[2 * i + 1] ?? 0) & 0xffff;
        if (!socket || wanted === 0 || socket.readyAtMs > this.timeMs) continue;
        ready++;
      }
    }
    for (let i = 0; i < entries.length / 2; i++) {
      const wanted = (entries[2 * i + 1] ?? 0) & 0xffff;
      const socket = this.sockets.get(entries[2 * i] ?? -1);
      entries[2 * i + 1] = wanted | (socket && socket.readyAtMs <= this.timeMs ? wanted << 16 : 0);
    }
    return ready;
  }

  recv(fd: number, _: Uint8Array, length: number, discard: boolean): number {
    this.sockets.get(fd)?.discarded.push(discard);
    return this.#move(fd, length);
  }

  send(fd: number, bytes: Uint8Array, length: number): number {
    assert.ok(length <= bytes.length && length > 0);
    return this.#move(fd, length);
  }

  shutdownSend(fd: number): void {
    const socket = this.sockets.get(fd);
    if (socket) socket.shut = true;
  }

  setWakeBytes(fd: number, bytes: number): void {
    this.sockets.get(fd)?.wakeBytes.push(bytes);
  }

  setUnsentMax(fd: number, bytes: number): void {
    this.sockets.get(fd)?.unsentMax.push(bytes);
  }

  unackedBytes(fd: number): number | undefined {
    return this.sockets.get(fd)?.unacked.shift() ?? 0;
  }

  #move(fd: number, length: number): number {
    this.timeMs += this.callMs;
    const socket = this.sockets.get(fd);
    assert.ok(socket, `descriptor ${fd} is not open`);
    const result = socket.results.shift() ?? socket.rest;
    const moved = Math.min(result, length);
    if (moved > 0) socket.moved += moved;
    return moved;
  }
}

function job(role: 'send' | 'receive', fds: number[], more: Partial<PumpJob> = {}): PumpJob {
  return { role, streams: fds.map((fd, index) => ({ index, fd })), idleMs: 1000, copy: false, writeBytesMax: 1 << 20, ...more };
}

function run(kernel: FakeKernel, work: PumpJob, memory = new PumpMemory(work.streams.length)): { memory: PumpMemory; firsts: number } {
  let firsts = 0;
  runPump(work, memory, kernel, () => firsts++);
  return { memory, firsts };
}

describe('receiving pump', () => {
  it('counts each stream until its end, with the times of its first and last byte', () => {
    const kernel = new FakeKernel();
    kernel.socket(3, { results: [100, AGAIN, 50, 0] });
    kernel.socket(4, { results: [7, 0], readyAtMs: 1020 });
    const { memory, firsts } = run(kernel, job('receive', [3, 4]));
    assert.deepEqual([memory.bytes(0), memory.bytes(1)], [150, 7]);
    assert.deepEqual([memory.state(0), memory.state(1)], [STATE.done, STATE.done]);
    assert.equal(firsts, 1);
    assert.equal(memory.originMs, memory.firstMs(0));
    assert.ok(memory.lastMs(0) > memory.firstMs(0));
    assert.ok(memory.firstMs(1) >= 1020);
  });

  it('lets the kernel discard the bytes, unless they are to be copied', () => {
    for (const copy of [false, true]) {
      const kernel = new FakeKernel();
      const socket = kernel.socket(3, { results: [100, 0] });
      run(kernel, job('receive', [3], { copy }));
      assert.deepEqual(socket.discarded, [!copy, !copy]);
    }
  });

  it('counts a reset stream as broken and goes on with the others', () => {
    const kernel = new FakeKernel();
    kernel.socket(3, { results: [100, RESET] });
    kernel.socket(4, { results: [100, 100, 100, 0] });
    const { memory } = run(kernel, job('receive', [3, 4]));
    assert.deepEqual([memory.state(0), memory.state(1)], [STATE.broken, STATE.done]);
    assert.deepEqual([memory.bytes(0), memory.bytes(1)], [100, 300]);
  });

  it('gives up when nothing has come for the idle time, and not before', () => {
    const kernel = new FakeKernel();
    const socket = kernel.socket(3, { results: [100], rest: AGAIN });
    kernel.onPoll = () => (socket.readyAtMs = socket.results.length > 0 ? 0 : Number.POSITIVE_INFINITY);
    const { memory } = run(kernel, job('receive', [3], { idleMs: 400 }));
    assert.equal(memory.state(0), STATE.broken);
    assert.ok(kernel.timeMs > 1400 && kernel.timeMs < 1600, String(kernel.timeMs));
  });

  it('ends within one poll of the stop flag, leaving the streams as they are', () => {
    const kernel = new FakeKernel();
    kernel.socket(3, { rest: 1000 });
    const memory = new PumpMemory(1);
    kernel.onPoll = () => kernel.polls === 5 && memory.stop();
    run(kernel, job('receive', [3]), memory);
    assert.equal(kernel.polls, 5);
    assert.equal(memory.state(0), STATE.running);
    assert.equal(memory.bytes(0), 5000);
  });

  it('raises the wake threshold at high rates only', () => {
    const fast = new FakeKernel();
    const slow = new FakeKernel();
    const fastSocket = fast.socket(3, { results: Array<number>(5000).fill(50_000) });
    const slowSocket = slow.socket(3, { results: Array<number>(500).fill(1000) });
    run(fast, job('receive', [3]));
    run(slow, job('receive', [3]));
    assert.ok(Math.max(...fastSocket.wakeBytes) >= 256 * 1024);
    assert.deepEqual(slowSocket.wakeBytes, []);
  });

  it('fetches what came in below a raised threshold after a timeout, and lowers it', () => {
    const kernel = new FakeKernel();
    const socket = kernel.socket(3, { results: [...Array<number>(3000).fill(50_000), 77, 0] });
    // The threshold hides the last bytes from poll, as the kernel would.
    kernel.onPoll = () => (socket.readyAtMs = socket.results.length <= 2 && (socket.wakeBytes.at(-1) ?? 1) > 1 ? Number.POSITIVE_INFINITY : 0);
    const { memory } = run(kernel, job('receive', [3]));
    assert.equal(memory.bytes(0), 3000 * 50_000 + 77);
    assert.equal(memory.state(0), STATE.done);
    assert.equal(socket.wakeBytes.at(-1), 1);
  });
});

describe('sending pump', () => {
  it('sends for its duration, ends its direction, and waits until everything is acknowledged', () => {
    const kernel = new FakeKernel();
    const socket = kernel.socket(3, { rest: 1 << 20, unacked: [500, 400, 0] });
    const { memory } = run(kernel, job('send', [3], { durationMs: 100 }));
    assert.equal(memory.bytes(0), socket.moved);
    assert.ok(memory.lastMs(0) <= 1100.02);
    assert.equal(socket.shut, true);
    assert.deepEqual(socket.unacked, []);
    assert.equal(memory.state(0), STATE.done);
  });

  it('sends exactly the bytes it was told, through partial writes and full buffers', () => {
    const kernel = new FakeKernel();
    const first = kernel.socket(3, { results: [1, 70_000, AGAIN, 3], rest: 1 << 30 });
    const second = kernel.socket(4, { rest: 12_345 });
    const streams = [
      { index: 0, fd: 3, bytes: 3_000_001 },
      { index: 1, fd: 4, bytes: 100_000 },
    ];
    const { memory } = run(kernel, { ...job('send', []), streams }, new PumpMemory(2));
    assert.deepEqual([first.moved, second.moved], [3_000_001, 100_000]);
    assert.deepEqual([memory.bytes(0), memory.bytes(1)], [3_000_001, 100_000]);
    assert.ok(first.shut && second.shut);
  });

  it('ends a stream that has nothing to send', () => {
    const kernel = new FakeKernel();
    const socket = kernel.socket(3, { rest: 10 });
    const { memory } = run(kernel, { ...job('send', []), streams: [{ index: 0, fd: 3, bytes: 0 }] }, new PumpMemory(1));
    assert.equal(socket.moved, 0);
    assert.equal(socket.shut, true);
    assert.equal(memory.state(0), STATE.done);
  });

  it('counts a peer that is gone as broken, also when it stops reading or never acknowledges', () => {
    const gone = new FakeKernel();
    gone.socket(3, { results: [100, RESET] });
    assert.equal(run(gone, job('send', [3], { durationMs: 100 })).memory.state(0), STATE.broken);

    const full = new FakeKernel();
    full.socket(3, { readyAtMs: Number.POSITIVE_INFINITY });
    assert.equal(run(full, { ...job('send', []), streams: [{ index: 0, fd: 3, bytes: 10 }] }, new PumpMemory(1)).memory.state(0), STATE.broken);

    const silent = new FakeKernel();
    silent.socket(3, { rest: 100, unacked: Array<number>(10_000).fill(9) });
    assert.equal(run(silent, job('send', [3], { durationMs: 10 })).memory.state(0), STATE.broken);
  });

  it('keeps to a rate by timed writes, never ahead by more than one of them', () => {
    const kernel = new FakeKernel();
    kernel.socket(3, { rest: 1 << 20 });
    const memory = new PumpMemory(1);
    const bytesPerMs = 8e6 / 8e3;
    kernel.onPoll = () => assert.ok(memory.bytes(0) <= bytesPerMs * (kernel.timeMs - 1000) + 4000, `${memory.bytes(0)} at ${kernel.timeMs}`);
    run(kernel, job('send', [3], { durationMs: 1000, paceBps: 8e6, writeBytesMax: 4000 }), memory);
    assert.ok(Math.abs(memory.bytes(0) - 1e6) <= 8000, String(memory.bytes(0)));
    assert.ok(kernel.polls < 2000);
  });

  it('lets little wait in the socket at low rates, sets no bound at high ones, and leaves a paced socket alone', () => {
    const unsentAt = (chunk: number, more: Partial<PumpJob> = {}): number[] => {
      const kernel = new FakeKernel();
      kernel.callMs = 1;
      const socket = kernel.socket(3, { rest: chunk });
      run(kernel, job('send', [3], { durationMs: 300, ...more }));
      return socket.unsentMax;
    };
    assert.deepEqual(unsentAt(2_500), [64 * 1024]);
    assert.deepEqual(unsentAt(25_000), [512 * 1024]);
    assert.deepEqual(unsentAt(1_000_000), []);
    assert.deepEqual(unsentAt(2_500, { paced: true }), []);
  });

  it('stops early and still ends its direction', () => {
    const kernel = new FakeKernel();
    const socket = kernel.socket(3, { rest: 1000, unacked: [5, 5, 5] });
    const memory = new PumpMemory(1);
    kernel.onPoll = () => kernel.polls === 3 && memory.stop();
    run(kernel, job('send', [3], { durationMs: 1e6 }), memory);
    assert.equal(socket.shut, true);
    assert.equal(kernel.polls, 3);
  });
});

describe('poll events', () => {
  it('ask for reading to receive and for writing to send', () => {
    for (const [role, event] of [
      ['receive', POLLIN],
      ['send', POLLOUT],
    ] as const) {
      const kernel = new FakeKernel();
      kernel.socket(3, { results: [10, 0], rest: 10 });
      const asked: number[] = [];
      const poll = kernel.poll.bind(kernel);
      kernel.poll = (entries, timeoutMs) => {
        if (entries.length > 0) asked.push((entries[1] ?? 0) & 0xffff);
        return poll(entries, timeoutMs);
      };
      run(kernel, job(role, [3], role === 'send' ? { durationMs: 1 } : {}));
      assert.deepEqual([...new Set(asked)], [event]);
    }
  });
});
