import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TautlineError } from '../../src/base/index.js';
import type { DatagramFlow, Endpoint, ExchangeLog, ExchangePlan } from '../../src/base/index.js';
import { FLOOD_BYTES, FLOOD_COUNT, FLOOD_MARK } from './bench.js';
import type { Bench } from './bench.js';

const MS = 1e6;
/** Longer than any test may take: a plan that ends only by its wait is noticed. */
const FOREVER_NS = 3600e9;

export function datagramsBehave(bench: () => Bench): void {
  const over = async <T>(remote: Endpoint, work: (flow: DatagramFlow) => Promise<T>): Promise<T> =>
    bench().run(async () => {
      const flow = await bench().ports.datagrams.open({ protocol: 'udp', remote });
      try {
        return await work(flow);
      } finally {
        await flow.close();
      }
    });
  const exchange = (remote: Endpoint, plan: Partial<ExchangePlan>): Promise<ExchangeLog> =>
    over(remote, (flow) =>
      flow.exchange({
        payload: new Uint8Array(64),
        count: 20,
        intervalNs: 2 * MS,
        waitNs: 500 * MS,
        sequence: { offset: 8, width: 4 },
        stopAfterReplies: plan.count ?? 20,
        ...plan,
      }),
    );

  describe('datagrams: exchange', () => {
    test('datagrams of their own go out in their order, each with its length and number', async () => {
      const lengths = [64, 900, 17, 1200];
      const payloads = lengths.map((length, i) => new Uint8Array(length).fill(i + 1));
      const log = await exchange(bench().udp.echo, { payload: new Uint8Array(0), payloads, count: 4, stopAfterReplies: 4, replyBytesMax: 16 });
      assert.deepEqual(
        [...log.length].sort((a, b) => a - b),
        [17, 64, 900, 1200],
      );
      for (let k = 0; k < log.received; k++) {
        const number = new DataView(log.bytes.buffer, log.bytes.byteOffset).getUint32(k * log.stride + 8);
        assert.deepEqual([log.length[k], log.bytes[k * log.stride]], [lengths[number], number + 1]);
      }
    });

    test('don’t-fragment: the interface refuses what is larger than any packet, and the rest of the train goes on', async () => {
      const log = await bench().run(async () => {
        const flow = await bench().ports.datagrams.open({ protocol: 'udp', remote: bench().udp.echo, dontFragment: true });
        try {
          const payloads = [64, 65_600, 64].map((length) => new Uint8Array(length));
          const plan = {
            payload: new Uint8Array(0),
            payloads,
            count: 3,
            intervalNs: MS,
            waitNs: 500 * MS,
            sequence: { offset: 8, width: 4 },
          } as const;
          return flow.dontFragment === true ? await flow.exchange({ ...plan, stopAfterReplies: 2 }) : undefined;
        } finally {
          await flow.close();
        }
      });
      if (log === undefined) return;
      assert.deepEqual([[...log.sentNs].map(Number.isNaN), log.errors, log.tooBig], [[false, true, false], { EMSGSIZE: 1 }, []]);
      assert.ok(log.received === 2 && (log.pathMtuBytes ?? 1500) >= 1280);
    });

    test("what comes between two exchanges is the second one's, which may only listen", async () => {
      const plan = {
        payload: new Uint8Array(64),
        count: 5,
        intervalNs: 1000,
        waitNs: FOREVER_NS,
        sequence: { offset: 8, width: 4 },
        stopAfterReplies: 1,
      } as const;
      const [first, second] = await over(bench().udp.echo, async (flow) => {
        const one = await flow.exchange(plan);
        const missing = one.sent - one.received;
        return [one, missing === 0 ? undefined : await flow.exchange({ ...plan, count: 0, stopAfterReplies: missing })];
      });
      assert.equal(second?.sent ?? 0, 0);
      assert.deepEqual([...sequences(first, 8, 4), ...(second ? sequences(second, 8, 4) : [])], range(first.sent));
    });

    test('every datagram comes back once, with its number and its bytes', async () => {
      const payload = Uint8Array.from({ length: 100 }, (_, i) => 255 - i);
      const log = await exchange(bench().udp.echo, { payload, count: 30 });
      assert.equal(log.sent, 30);
      assert.equal(log.received, 30);
      assert.deepEqual(sequences(log, 8, 4), range(30));
      assert.deepEqual([...log.bytes.subarray(12, 100)], [...payload.subarray(12)], 'bytes outside the number stay');
      assert.deepEqual(
        [...log.length],
        range(30).map(() => 100),
      );
      assert.deepEqual(log.errors, {});
      assert.equal(log.aborted, false);
    });

    test('numbers of two bytes are written as well', async () => {
      assert.deepEqual(sequences(await exchange(bench().udp.echo, { count: 5, sequence: { offset: 6, width: 2 } }), 6, 2), range(5));
    });

    test('times are in order: due, sent, arrived, read', async () => {
      const log = await exchange(bench().udp.echo, { count: 10 });
      const [first = 0] = log.dueNs;
      assert.deepEqual(
        [...log.dueNs],
        range(10).map((i) => first + i * 2 * MS),
      );
      assert.deepEqual([log.sentNs.length, log.arrivedNs.length, log.readNs.length], [10, 10, 10]);
      sequences(log, 8, 4).forEach((sequence, k) => {
        const sentNs = log.sentNs[sequence] ?? Number.NaN;
        const arrivedNs = log.arrivedNs[k] ?? Number.NaN;
        assert.ok(sentNs >= (log.dueNs[sequence] ?? 0), 'nothing leaves before it is due');
        assert.ok(arrivedNs > sentNs && (log.readNs[k] ?? 0) >= arrivedNs);
      });
      assert.ok(log.elapsedMs > 0 && log.cpuMs >= 0);
    });

    test('only the wanted head of each reply is kept', async () => {
      const log = await exchange(bench().udp.echo, { payload: new Uint8Array(1000), count: 3, replyBytesMax: 24 });
      assert.deepEqual([log.stride, log.bytes.length, log.length[0]], [24, 72, 1000]);
    });

    test('it ends with the last reply that was asked for', async () => {
      const log = await exchange(bench().udp.echo, { count: 1, stopAfterReplies: 1, waitNs: FOREVER_NS });
      assert.deepEqual([log.sent, log.received], [1, 1]);
    });

    test('a silent peer is waited for, then given up', async () => {
      const log = await exchange(bench().udp.counting, { count: 3, waitNs: 50 * MS });
      assert.deepEqual([log.sent, log.received, log.aborted], [3, 0, false]);
    });

    test('a port that nobody listens on shows as ECONNREFUSED', async () => {
      const log = await exchange(bench().udp.closed, { count: 5, intervalNs: 10 * MS, waitNs: 100 * MS });
      assert.equal(log.received, 0);
      assert.ok((log.errors['ECONNREFUSED'] ?? 0) >= 1, JSON.stringify(log.errors));
    });

    test('an abort ends it with what there is', async () => {
      const controller = new AbortController();
      const log = await exchange(bench().udp.echo, {
        count: 1_000_000,
        intervalNs: 5 * MS,
        signal: controller.signal,
        onProgress: (sent, received) => {
          if (received >= 3 && sent >= 3) controller.abort();
        },
      });
      assert.equal(log.aborted, true);
      assert.ok(log.received >= 3 && log.sent >= 3 && log.sent < 1_000_000);
      assert.deepEqual([log.sentNs.length, log.arrivedNs.length, log.bytes.length], [log.sent, log.received, log.received * log.stride]);
    });

    test('aborted before the start it sends nothing', async () => {
      const controller = new AbortController();
      controller.abort();
      const log = await exchange(bench().udp.echo, { signal: controller.signal });
      assert.deepEqual([log.sent, log.received, log.aborted], [0, 0, true]);
    });

    test('a flow is used again, and knows its own address', async () => {
      const logs = await over(bench().udp.echo, async (flow) => {
        assert.ok(flow.local.port > 0);
        assert.deepEqual(flow.remote, bench().udp.echo);
        const plan: ExchangePlan = {
          payload: new Uint8Array(32),
          count: 2,
          intervalNs: MS,
          waitNs: 500 * MS,
          stopAfterReplies: 2,
          sequence: { offset: 0, width: 4 },
        };
        return [await flow.exchange(plan), await flow.exchange(plan)];
      });
      for (const log of logs) assert.deepEqual(sequences(log, 0, 4), [0, 1]);
      assert.ok((logs[1]?.startNs ?? 0n) > (logs[0]?.startNs ?? 0n));
    });

    test('closing twice does no harm', () => over(bench().udp.echo, (flow) => flow.close()));
  });

  describe('datagrams: floods', () => {
    test('as many arrive as were sent, when the rate is one that the receiver can take', async () => {
      const before = bench().udp.counted();
      const log = await over(bench().udp.counting, (flow) =>
        flow.flood({ payload: new Uint8Array(500), sequenceOffset: 4, stampOffset: 8, rateBps: 4e6, durationNs: 200 * MS }),
      );
      // 4 Mbit/s of 500 bytes for 200 ms are 200 datagrams; a late start or end may cost or add one batch.
      assert.ok(log.sent >= 100 && log.sent <= 220, `sent ${log.sent}`);
      assert.equal(log.bytes, log.sent * 500);
      assert.deepEqual([log.errors, log.aborted], [{}, false]);
      await bench().run(() => bench().ports.clock.sleep(50));
      assert.equal(bench().udp.counted() - before, log.sent);
    });

    test('an abort ends a flood', async () => {
      const controller = new AbortController();
      const log = await over(bench().udp.counting, (flow) =>
        flow.flood({
          payload: new Uint8Array(100),
          sequenceOffset: 4,
          stampOffset: 8,
          rateBps: 1e6,
          durationNs: FOREVER_NS,
          signal: controller.signal,
          onProgress: () => controller.abort(),
        }),
      );
      assert.equal(log.aborted, true);
    });

    test('a sink asks for a flood and counts it until it stops', async () => {
      const log = await over(bench().udp.flooding, (flow) =>
        flow.sink({
          match: FLOOD_MARK,
          sequenceOffset: 4,
          stampOffset: 8,
          request: new Uint8Array(64),
          durationNs: FOREVER_NS,
          idleNs: 300 * MS,
          intervalNs: 100 * MS,
        }),
      );
      const { count } = log;
      assert.deepEqual([count.received + log.kernelDrops, count.expected, count.duplicates], [FLOOD_COUNT, FLOOD_COUNT, 0]);
      assert.equal(count.bytes, count.received * FLOOD_BYTES);
      assert.equal(
        count.intervals.reduce((sum, { received }) => sum + received, 0),
        count.received,
      );
      assert.equal(log.aborted, false);
    });

    test('what does not begin as wanted is not counted', async () => {
      const log = await over(bench().udp.flooding, (flow) =>
        flow.sink({
          match: Uint8Array.from([1, 2, 3]),
          sequenceOffset: 4,
          stampOffset: 8,
          request: new Uint8Array(64),
          durationNs: 300 * MS,
          idleNs: 100 * MS,
          intervalNs: 100 * MS,
        }),
      );
      assert.equal(log.count.received, 0);
    });

    test('a sink at which nothing arrives ends after its duration', async () => {
      const log = await over(bench().udp.counting, (flow) =>
        flow.sink({ match: FLOOD_MARK, sequenceOffset: 4, stampOffset: 8, durationNs: 50 * MS, idleNs: FOREVER_NS, intervalNs: 10 * MS }),
      );
      assert.deepEqual([log.count.received, log.count.expected, log.aborted], [0, 0, false]);
    });
  });

  describe('datagrams: ICMP', () => {
    test('pings are answered, with identifier and checksum filled in', async (t) => {
      const remote = bench().pingable;
      const flow = await bench().run(() =>
        bench()
          .ports.datagrams.open({ protocol: 'icmp', remote })
          .catch((error: unknown) => error),
      );
      if (flow instanceof TautlineError && (flow.code === 'permission' || flow.code === 'unsupported')) {
        return t.skip(`this machine does not let programs ping: ${flow.message}`);
      }
      assert.ok(!(flow instanceof Error), String(flow));
      const open = flow as DatagramFlow;
      const payload = new Uint8Array(64);
      payload[0] = remote.family === 4 ? 8 : 128;
      const log = await bench().run(() =>
        open.exchange({ payload, count: 3, intervalNs: 5 * MS, waitNs: 1000 * MS, stopAfterReplies: 3, sequence: { offset: 6, width: 2 } }),
      );
      await bench().run(() => open.close());
      assert.equal(log.received, 3);
      assert.deepEqual(sequences(log, 6, 2), [0, 1, 2]);
      assert.equal(log.bytes[0], remote.family === 4 ? 0 : 129, 'an echo reply, from its type byte on');
    });
  });
}

/** The numbers in the replies, sorted. */
function sequences(log: ExchangeLog, offset: number, width: 2 | 4): number[] {
  const data = new DataView(log.bytes.buffer, log.bytes.byteOffset, log.bytes.length);
  return range(log.received).map((k) => (width === 2 ? data.getUint16(k * log.stride + offset) : data.getUint32(k * log.stride + offset)));
}

function range(length: number): number[] {
  return Array.from({ length }, (_, i) => i);
}
