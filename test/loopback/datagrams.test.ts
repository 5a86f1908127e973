import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import { after, before, describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { TautlineError } from '../../src/base/index.js';
import type { DatagramFlow, Datagrams, Endpoint, ExchangeLog, ExchangePlan, FlowOptions } from '../../src/base/index.js';
import { createDatagrams } from '../../src/host/datagrams/index.js';
import { createClock, runUdpLoop, runUdpNode, udpLoopUnavailable } from '../../src/host/index.js';
import { ASK, FLOOD_MARK, SEQUENCE_OFFSET, STAMP_OFFSET, floodRequest, readWhole, scriptedResponder, wholeRequest } from './scripted-responder.js';

const MS = 1e6;
const FOREVER_NS = 3600e9;
const clock = createClock();
const unavailable = udpLoopUnavailable() ?? false;
const noIpv6 = Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === '::1') === true)
  ? false
  : 'this machine has no ::1';

interface Server {
  readonly port: number;
  /** Stops it. @returns its counters at the end */
  stop(): Promise<Readonly<Record<string, number>>>;
}

async function nativeServer(bind: string): Promise<Server> {
  const stop = new SharedArrayBuffer(4);
  const worker = new Worker(new URL('./udp-loop-worker.js', import.meta.url), { workerData: { bind, stop } });
  const [ready] = (await once(worker, 'message')) as [{ port: number }];
  return {
    port: ready.port,
    async stop() {
      const ended = once(worker, 'message') as Promise<[{ counters: Readonly<Record<string, number>> }]>;
      const exited = once(worker, 'exit');
      Atomics.store(new Int32Array(stop), 0, 1);
      const [{ counters }] = await ended;
      await exited;
      return counters;
    },
  };
}

async function nodeServer(bind: string): Promise<Server> {
  const responder = scriptedResponder();
  const ended = new AbortController();
  let running: Promise<void> = Promise.resolve();
  const port = await new Promise<number>((resolve, reject) => {
    running = runUdpNode({ bind, port: 0, responder, signal: ended.signal, onReady: resolve });
    running.catch(reject);
  });
  return {
    port,
    async stop() {
      ended.abort();
      await running;
      return responder.counters();
    },
  };
}

async function over<T>(
  datagrams: Datagrams,
  remote: Endpoint,
  work: (flow: DatagramFlow) => Promise<T>,
  options: Partial<FlowOptions> = {},
): Promise<T> {
  const flow = await datagrams.open({ protocol: 'udp', remote, ...options });
  try {
    return await work(flow);
  } finally {
    await flow.close();
  }
}

function echoPlan(count: number, plan: Partial<ExchangePlan> = {}): ExchangePlan {
  const payload = new Uint8Array(64);
  payload[0] = ASK.echo;
  return { payload, count, intervalNs: MS, waitNs: FOREVER_NS, stopAfterReplies: count, sequence: { offset: SEQUENCE_OFFSET, width: 4 }, ...plan };
}

function sequences(log: ExchangeLog): number[] {
  const view = new DataView(log.bytes.buffer, log.bytes.byteOffset, log.bytes.length);
  return Array.from({ length: log.received }, (_, k) => view.getUint32(k * log.stride + SEQUENCE_OFFSET)).sort((a, b) => a - b);
}

const range = (length: number): number[] => Array.from({ length }, (_, i) => i);

/** Every pairing of our clients and servers must get along. */
const notLinux = process.platform === 'linux' ? false : 'other platforms have one loopback address';

describe('a server at every address', { skip: unavailable || notLinux }, () => {
  for (const bind of ['::', '0.0.0.0']) {
    if (bind === '::' && noIpv6) continue;
    test(`answers and floods from the address that was asked: ${bind}`, async () => {
      const server = await nativeServer(bind);
      try {
        await over(CLIENTS.native.datagrams, { host: '127.0.0.2', port: server.port, family: 4 }, async (flow) => {
          assert.deepEqual(sequences(await flow.exchange(echoPlan(5))), range(5));
          const log = await flow.sink({
            match: FLOOD_MARK,
            sequenceOffset: SEQUENCE_OFFSET,
            stampOffset: STAMP_OFFSET,
            request: floodRequest(300, 300),
            durationNs: 5000 * MS,
            idleNs: 200 * MS,
            intervalNs: 100 * MS,
          });
          assert.equal(log.count.received, 300);
          const whole = await flow.exchange(echoPlan(1, { payload: wholeRequest(1400) }));
          assert.deepEqual([readWhole(whole.bytes).how, whole.length[0]], ['whole', 1400]);
        });
      } finally {
        await server.stop();
      }
    });
  }
});

const SERVERS = { native: { make: nativeServer, skip: unavailable }, node: { make: nodeServer, skip: false } };
const CLIENTS = {
  native: { datagrams: createDatagrams(clock), skip: unavailable },
  node: { datagrams: createDatagrams(clock, { native: 'never' }), skip: false },
};

for (const [serverName, { make, skip: noServer }] of Object.entries(SERVERS)) {
  for (const [clientName, { datagrams, skip: noClient }] of Object.entries(CLIENTS)) {
    describe(`a ${clientName} flow to a ${serverName} server`, { skip: noServer || noClient }, () => {
      let server: Server;
      let remote: Endpoint;
      before(async () => {
        server = await make('::');
        remote = { host: '127.0.0.1', port: server.port, family: 4 };
      });
      after(() => server.stop());

      test('a datagram in one piece has the size that was asked for, or says why not', () =>
        over(datagrams, remote, async (flow) => {
          const log = await flow.exchange(echoPlan(1, { payload: wholeRequest(3000) }));
          const { how, pathMtuBytes } = readWhole(log.bytes);
          if (serverName === 'native') {
            assert.deepEqual([how, log.length[0]], ['whole', 3000]);
            assert.ok(process.platform !== 'linux' || pathMtuBytes >= 65_535, `${pathMtuBytes} on loopback`);
          } else assert.deepEqual([how, log.length[0]], ['unable', 16]);
          // The next datagram may be fragmented again.
          assert.equal((await flow.exchange(echoPlan(1))).received, 1);
        }));

      test('echoes come back, and the server saw the flow’s own address', () =>
        over(datagrams, remote, async (flow) => {
          const log = await flow.exchange(echoPlan(20));
          assert.deepEqual(sequences(log), range(20));
          assert.deepEqual(
            [log.bytes[1], ((log.bytes[2] ?? 0) << 8) | (log.bytes[3] ?? 0)],
            [4, flow.local.port],
            'IPv4 is IPv4 on a socket for both families',
          );
          assert.deepEqual([log.errors, log.aborted], [{}, false]);
        }));

      test('IPv6 works alike', { skip: noIpv6 }, () =>
        over(datagrams, { host: '::1', port: server.port, family: 6 }, async (flow) => {
          const log = await flow.exchange(echoPlan(10));
          assert.deepEqual(sequences(log), range(10));
          assert.equal(log.bytes[1], 6);
          assert.equal(flow.local.host, '::1');
        }),
      );

      test('an empty datagram is one like any other: echoes go on after it', async () => {
        const stranger = createSocket('udp4');
        await new Promise((resolve) => stranger.send(new Uint8Array(0), remote.port, remote.host, resolve));
        await over(datagrams, remote, async (flow) => assert.deepEqual(sequences(await flow.exchange(echoPlan(3))), range(3)));
        await new Promise<void>((resolve) => stranger.close(resolve));
      });

      test('a flood that is asked for is counted to the last datagram, while echoes go on', async () => {
        const sink = over(datagrams, remote, (flow) =>
          flow.sink({
            match: FLOOD_MARK,
            sequenceOffset: SEQUENCE_OFFSET,
            stampOffset: STAMP_OFFSET,
            request: floodRequest(2000, 300),
            durationNs: FOREVER_NS,
            idleNs: 300 * MS,
            intervalNs: 100 * MS,
          }),
        );
        const echoes = await over(datagrams, remote, (flow) => flow.exchange(echoPlan(30)));
        assert.deepEqual(sequences(echoes), range(30));
        const { count, kernelDrops, errors } = await sink;
        assert.deepEqual([count.received, count.expected, count.bytes, count.duplicates, kernelDrops], [2000, 2000, 600_000, 0, 0]);
        assert.deepEqual(errors, {});
      });
    });

    test(`a ${clientName} flood to a ${serverName} server arrives whole`, { skip: noServer || noClient }, async () => {
      const server = await make('127.0.0.1');
      const payload = new Uint8Array(400);
      payload[0] = ASK.count;
      const log = await over(datagrams, { host: '127.0.0.1', port: server.port, family: 4 }, (flow) =>
        flow.flood({ payload, sequenceOffset: SEQUENCE_OFFSET, stampOffset: STAMP_OFFSET, rateBps: 64e6, durationNs: 100 * MS }),
      );
      assert.ok(log.sent > 0 && log.bytes === log.sent * 400);
      // An echo after the flood comes back only when the server has read the flood.
      await over(datagrams, { host: '127.0.0.1', port: server.port, family: 4 }, (flow) => flow.exchange(echoPlan(1)));
      const counters = await server.stop();
      assert.deepEqual([counters['counted'], counters['countedBytes'], counters['lateStamps']], [log.sent, log.bytes, 0]);
    });
  }
}

describe('a native flow', { skip: unavailable }, () => {
  const datagrams = createDatagrams(clock);
  let server: Server;
  let remote: Endpoint;
  before(async () => {
    server = await nativeServer('127.0.0.1');
    remote = { host: '127.0.0.1', port: server.port, family: 4 };
  });
  after(() => server.stop());

  test('has kernel stamps, which lie between sending and reading', () =>
    over(datagrams, remote, async (flow) => {
      assert.deepEqual([flow.stamps, flow.fallbacks], ['kernel', []]);
      const log = await flow.exchange(echoPlan(50));
      const view = new DataView(log.bytes.buffer);
      for (let k = 0; k < log.received; k++) {
        const sentNs = log.sentNs[view.getUint32(k * log.stride + SEQUENCE_OFFSET)] ?? Number.NaN;
        assert.ok((log.arrivedNs[k] ?? 0) > sentNs && (log.arrivedNs[k] ?? 0) <= (log.readNs[k] ?? 0));
      }
      assert.ok((log.stampFallbacks ?? 0) === 0 && log.arrivedNs.some((arrivedNs, k) => arrivedNs < (log.readNs[k] ?? 0)));
    }));

  test('sends without an interval as fast as it goes, and each is due when it leaves', () =>
    over(datagrams, remote, async (flow) => {
      const log = await flow.exchange(echoPlan(500, { intervalNs: 0 }));
      assert.deepEqual(sequences(log), range(500));
      assert.deepEqual([...log.dueNs], [...log.sentNs]);
    }));

  test('floods with sequence numbers that have no gaps, in one call many at a time', async () => {
    const own = await nativeServer('127.0.0.1');
    const payload = new Uint8Array(64);
    payload[0] = ASK.silence;
    const log = await over(datagrams, { ...remote, port: own.port }, (flow) =>
      flow.flood({ payload, sequenceOffset: SEQUENCE_OFFSET, stampOffset: STAMP_OFFSET, durationNs: 20 * MS }),
    );
    assert.ok(log.sent > 100);
    if (process.platform === 'linux') assert.equal(log.batching, 'segment');
    await own.stop();
  });

  test('datagrams that are too large for segments of the path are sent singly', () =>
    over(datagrams, remote, async (flow) => {
      const log = await flow.flood({
        payload: new Uint8Array(60_000),
        sequenceOffset: SEQUENCE_OFFSET,
        stampOffset: STAMP_OFFSET,
        rateBps: 48e6,
        durationNs: 50 * MS,
      });
      assert.ok(log.sent > 0 && log.batching !== 'segment');
      assert.deepEqual(log.errors, {});
    }));

  test('what no datagram can hold is an error by its name, and the flood ends with its time', () =>
    over(datagrams, remote, async (flow) => {
      const log = await flow.flood({
        payload: new Uint8Array(65_536),
        sequenceOffset: SEQUENCE_OFFSET,
        stampOffset: STAMP_OFFSET,
        durationNs: 20 * MS,
      });
      assert.equal(log.sent, 0);
      assert.ok((log.errors['EMSGSIZE'] ?? 0) > 0);
      const exchange = await flow.exchange(echoPlan(2, { payload: new Uint8Array(65_536), waitNs: 0 }));
      assert.equal(exchange.sent, 2);
      assert.ok(exchange.sentNs.every(Number.isNaN));
      assert.deepEqual(exchange.errors, { EMSGSIZE: 2 });
    }));

  test('counts every refusal once', async () => {
    const gone = await nativeServer('127.0.0.1');
    await gone.stop();
    const log = await over(datagrams, { ...remote, port: gone.port }, (flow) => flow.exchange(echoPlan(10, { intervalNs: 5 * MS, waitNs: 50 * MS })));
    assert.deepEqual([log.sent, log.received], [10, 0]);
    assert.ok(
      log.sentNs.every((ns) => ns > 0),
      'an error that came back is not one of the next datagram',
    );
    // The kernel limits how many such errors it sends, so there may be fewer, never more.
    const refusals = log.errors['ECONNREFUSED'] ?? 0;
    assert.ok(refusals >= 1 && refusals <= 10, JSON.stringify(log.errors));
  });

  test('sets DSCP, TTL and don’t-fragment', () =>
    over(
      datagrams,
      remote,
      async (flow) => {
        assert.deepEqual(flow.fallbacks, []);
        assert.equal((await flow.exchange(echoPlan(3))).received, 3);
      },
      { dscp: 46, ttl: 3, dontFragment: true },
    ));

  test('with don’t-fragment the interface refuses what it does not take whole, and the kernel’s belief is told', () =>
    over(
      datagrams,
      remote,
      async (flow) => {
        assert.equal(flow.dontFragment, true);
        const payload = new Uint8Array(65_507);
        payload[0] = ASK.silence;
        const log = await flow.exchange(echoPlan(2, { payload, waitNs: 20 * MS }));
        // 65,536 on Linux, 16,384 on macOS.
        const fits = (log.pathMtuBytes ?? 65_536) >= 65_535;
        assert.deepEqual([log.sentNs.some(Number.isNaN), log.tooBig], [!fits, []]);
      },
      { dontFragment: true },
    ));

  test('closing ends what goes on, and says so', async () => {
    const flow = await datagrams.open({ protocol: 'udp', remote });
    const running = flow.exchange(echoPlan(1, { payload: Uint8Array.of(ASK.silence, ...new Uint8Array(15)) }));
    await flow.close();
    assert.equal((await running).aborted, true);
    await assert.rejects(flow.exchange(echoPlan(1)), /closed flow/);
  });

  test('does one thing at a time', () =>
    over(datagrams, remote, async (flow) => {
      const first = flow.exchange(echoPlan(5));
      await assert.rejects(flow.exchange(echoPlan(5)), /one operation at a time/);
      assert.equal((await first).received, 5);
    }));

  test('an address without a route is an error that names it', () =>
    assert.rejects(
      datagrams.open({ protocol: 'udp', remote: { host: 'fe80::1', port: 9, family: 6 } }),
      (error) => error instanceof TautlineError && error.code === 'io' && error.message.includes('[fe80::1]:9') && error.hint !== undefined,
    ));
});

describe('ICMP', { skip: unavailable }, () => {
  const datagrams = createDatagrams(clock);
  for (const [host, family] of [
    ['127.0.0.1', 4],
    ['::1', 6],
  ] as const) {
    test(`${host} answers pings of two flows apart`, { skip: family === 6 && noIpv6 }, async (t) => {
      const remote: Endpoint = { host, port: 0, family };
      const open = (): Promise<DatagramFlow> => datagrams.open({ protocol: 'icmp', remote });
      let flows: DatagramFlow[];
      try {
        flows = [await open(), await open()];
      } catch (error) {
        if (error instanceof TautlineError && ['permission', 'unsupported'].includes(error.code)) return t.skip(error.message);
        throw error;
      }
      const payload = new Uint8Array(40);
      payload[0] = family === 4 ? 8 : 128;
      const plan: ExchangePlan = { payload, count: 5, intervalNs: 2 * MS, waitNs: 100 * MS, sequence: { offset: 6, width: 2 } };
      const logs = await Promise.all(flows.map((flow) => flow.exchange(plan)));
      await assert.rejects(
        flows[0]?.flood({ payload, sequenceOffset: 8, stampOffset: 12, durationNs: 1 }) ?? Promise.resolve(),
        /ICMP has no floods/,
      );
      await Promise.all(flows.map((flow) => flow.close()));
      for (const log of logs) {
        assert.equal(log.received, 5, 'replies to the other flow are not ours');
        assert.deepEqual([...log.length], [40, 40, 40, 40, 40]);
        assert.equal(log.bytes[0], family === 4 ? 0 : 129);
      }
    });
  }
});

describe('without the system’s functions', () => {
  const datagrams = createDatagrams(clock, { native: 'never' });

  test('a flow says what it cannot do', async () => {
    const flow = await datagrams.open({ protocol: 'udp', remote: { host: '127.0.0.1', port: 9, family: 4 }, dscp: 46, ttl: 9, dontFragment: true });
    await flow.close();
    await flow.close();
    assert.equal(flow.stamps, 'user');
    assert.match(flow.fallbacks.join('\n'), /without kernel timestamps\nDSCP 46 .*\ndon't-fragment/);
  });

  test('there is no ICMP', () =>
    assert.rejects(
      datagrams.open({ protocol: 'icmp', remote: { host: '127.0.0.1', port: 0, family: 4 } }),
      (error) => error instanceof TautlineError && error.code === 'unsupported',
    ));

  test('refusals are counted, and an abort ends it', async () => {
    const gone = await nodeServer('127.0.0.1');
    await gone.stop();
    const remote: Endpoint = { host: '127.0.0.1', port: gone.port, family: 4 };
    const log = await over(datagrams, remote, (flow) => flow.exchange(echoPlan(5, { intervalNs: 5 * MS, waitNs: 50 * MS })));
    assert.ok((log.errors['ECONNREFUSED'] ?? 0) >= 1);
    const controller = new AbortController();
    const aborted = await over(datagrams, remote, (flow) =>
      flow.exchange(echoPlan(1000, { intervalNs: 5 * MS, signal: controller.signal, onProgress: (sent) => sent >= 3 && controller.abort() })),
    );
    assert.equal(aborted.aborted, true);
    assert.ok(aborted.sent >= 3 && aborted.sent < 1000);
  });
});

describe('a server that cannot listen', () => {
  const options = { responder: scriptedResponder(), onReady: () => undefined };

  test('says what is wrong and what to do', { skip: unavailable }, async () => {
    const other = await nativeServer('127.0.0.1');
    const stop = new Int32Array(new SharedArrayBuffer(4));
    const taken = (error: unknown): boolean =>
      error instanceof TautlineError &&
      error.code === 'io' &&
      error.message === `cannot listen on UDP 127.0.0.1:${other.port}: EADDRINUSE` &&
      /--port/.test(error.hint ?? '');
    assert.throws(() => runUdpLoop({ ...options, bind: '127.0.0.1', port: other.port, stop }), taken);
    await assert.rejects(runUdpNode({ ...options, bind: '127.0.0.1', port: other.port, signal: new AbortController().signal }), taken);
    assert.throws(() => runUdpLoop({ ...options, bind: '192.0.2.1', port: 0, stop }), /192\.0\.2\.1.*EADDRNOTAVAIL/);
    await other.stop();
  });
});
