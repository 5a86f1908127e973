import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TautlineError } from '../../src/base/index.js';
import type { Connection, Endpoint, PumpPlan } from '../../src/base/index.js';
import { SOURCE_BYTES, sourceBytes } from './bench.js';
import type { Bench } from './bench.js';

const LONG_MS = 3600e3;

export function streamsBehave(bench: () => Bench): void {
  const connect = async (remote: Endpoint): Promise<Connection> => {
    const made = await bench().ports.streams.connect({ remote, timeoutMs: 5000 });
    assert.ok(made.outcome === 'ok', made.outcome === 'ok' ? '' : made.reason);
    return made.connection;
  };
  const over = <T>(remote: Endpoint, work: (connection: Connection) => Promise<T>): Promise<T> =>
    bench().run(async () => {
      const connection = await connect(remote);
      try {
        return await work(connection);
      } finally {
        connection.close();
      }
    });

  describe('streams: connections', () => {
    test('a listening port is connected to, in some time, from an own address', async () => {
      const remote = bench().tcp.echo;
      const made = await bench().run(() => bench().ports.streams.connect({ remote, timeoutMs: 5000 }));
      assert.ok(made.outcome === 'ok' && made.connectMs > 0);
      assert.deepEqual(made.connection.remote, remote);
      assert.ok(made.connection.local.port > 0 && made.connection.local.port !== remote.port);
      assert.equal(made.connection.ended, 'open');
      made.connection.close();
    });

    test('a port that nobody listens on refuses, with a reason that names it', async () => {
      const remote = bench().tcp.closed;
      const made = await bench().run(() => bench().ports.streams.connect({ remote, timeoutMs: 5000 }));
      assert.ok(made.outcome === 'refused' && made.reason.includes(String(remote.port)));
    });

    test('an aborted attempt fails', async () => {
      const controller = new AbortController();
      controller.abort();
      const made = await bench().run(() => bench().ports.streams.connect({ remote: bench().tcp.echo, timeoutMs: 5000, signal: controller.signal }));
      assert.equal(made.outcome, 'failed');
    });

    test('bytes come back in order', async () => {
      const bytes = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7) & 0xff);
      const back = await over(bench().tcp.echo, async (connection) => {
        const writing = connection.write(bytes);
        const read = await readExactly(connection, bytes.length);
        await writing;
        return read;
      });
      assert.deepEqual(Buffer.compare(back, bytes), 0);
    });

    test('after the last byte comes the end', async () => {
      const bytes = await over(bench().tcp.source, async (connection) => {
        const read = await readExactly(connection, SOURCE_BYTES);
        assert.equal(await connection.read(), undefined);
        assert.equal(await connection.read(), undefined, 'and it stays the end');
        assert.equal(connection.ended, 'end');
        return read;
      });
      assert.equal(Buffer.compare(bytes, sourceBytes()), 0);
    });

    test('a peer that says nothing is waited for as long as asked, and the connection stays', () =>
      over(bench().tcp.mute, async (connection) => {
        assert.equal(await connection.read({ timeoutMs: 20 }), undefined);
        assert.equal(connection.ended, 'open');
      }));

    test('an abort ends a read, not the connection', () =>
      over(bench().tcp.mute, async (connection) => {
        const controller = new AbortController();
        const reading = connection.read({ signal: controller.signal });
        controller.abort();
        assert.equal(await reading, undefined);
        assert.equal(connection.ended, 'open');
      }));

    test('a connection that the peer breaks off ends as reset', () =>
      over(bench().tcp.breaking, async (connection) => {
        await connection.write(new Uint8Array(1));
        while (await connection.read({ timeoutMs: LONG_MS }));
        assert.equal(connection.ended, 'reset');
      }));

    test('a closed connection is closed, takes nothing more, and may be closed again', () =>
      over(bench().tcp.echo, async (connection) => {
        connection.close();
        assert.equal(connection.ended, 'closed');
        assert.equal(await connection.read(), undefined);
        await assert.rejects(
          () => connection.write(new Uint8Array(1)),
          (error) => error instanceof TautlineError && error.code === 'io',
        );
      }));

    test('what the kernel tells about a connection is about this one', () =>
      over(bench().tcp.echo, async (connection) => {
        await connection.write(new Uint8Array(100));
        await readExactly(connection, 100);
        const info = connection.tcpInfo();
        if (info) assert.ok(info.rttMs > 0 && info.rttMs < LONG_MS && info.retransmits >= 0);
      }));
  });

  describe('streams: pump', () => {
    const pump = async (remote: Endpoint, streams: number, plan: Partial<PumpPlan>) =>
      bench().run(async () => {
        const connections: Connection[] = [];
        for (let i = 0; i < streams; i++) connections.push(await connect(remote));
        const log = await bench().ports.streams.pump({ connections, role: 'send', idleMs: 5000, intervalMs: 50, ...plan });
        return { log, connections };
      });

    for (const streams of [1, 3]) {
      test(`exactly the wanted bytes leave, over ${streams} at once, and all arrive`, async () => {
        const before = bench().tcp.counted().length;
        const { log, connections } = await pump(bench().tcp.counting, streams, { bytes: 2_000_003 });
        assert.equal(log.bytes.length, streams);
        assert.equal(sum(log.bytes), 2_000_003);
        assert.deepEqual([log.broken, log.aborted], [0, false]);
        await bench().run(async () => {
          // The counting side ends its direction once it has seen the end of ours.
          for (const connection of connections) assert.equal(await connection.read({ timeoutMs: 10_000 }), undefined);
        });
        for (const connection of connections) connection.close();
        assert.equal(sum(bench().tcp.counted().slice(before)), 2_000_003);
      });
    }

    test('a receiver counts every byte until the peers end', async () => {
      const { log, connections } = await pump(bench().tcp.source, 2, { role: 'receive' });
      for (const connection of connections) connection.close();
      assert.deepEqual([...log.bytes], [SOURCE_BYTES, SOURCE_BYTES]);
      assert.equal(sum(log.intervals.flatMap(({ bytes }) => bytes)), 2 * SOURCE_BYTES, 'the intervals add up');
      for (const { startMs, endMs, bytes, tcp } of log.intervals) {
        assert.ok(endMs > startMs && bytes.length === 2 && tcp.length === 2);
      }
      assert.deepEqual([log.broken, log.aborted], [0, false]);
      assert.ok(log.elapsedMs > 0);
    });

    test('copied or not, the count is the same', async () => {
      const { log, connections } = await pump(bench().tcp.source, 1, { role: 'receive', copy: true });
      for (const connection of connections) connection.close();
      assert.deepEqual([...log.bytes], [SOURCE_BYTES]);
    });

    test('a sender stops when its time is over', async () => {
      const { log, connections } = await pump(bench().tcp.counting, 1, { durationMs: 100, rateBps: 50e6 });
      for (const connection of connections) connection.close();
      assert.ok(sum(log.bytes) > 0);
      assert.ok(log.elapsedMs <= 5000);
    });

    test('a receiver gives a silent peer up', async () => {
      const { log, connections } = await pump(bench().tcp.mute, 1, { role: 'receive', idleMs: 50 });
      for (const connection of connections) connection.close();
      assert.deepEqual([...log.bytes], [0]);
      assert.equal(log.elapsedMs, 0);
    });

    test('a peer that breaks off is counted as broken', async () => {
      const log = await over(bench().tcp.breaking, async (connection) => {
        await connection.write(new Uint8Array(1));
        return bench().ports.streams.pump({ connections: [connection], role: 'receive', idleMs: 5000, intervalMs: 50 });
      });
      assert.equal(log.broken, 1);
    });

    test('an abort ends a pump with what it has', async () => {
      const controller = new AbortController();
      const { log, connections } = await pump(bench().tcp.counting, 1, {
        rateBps: 20e6,
        intervalMs: 20,
        signal: controller.signal,
        onInterval: () => controller.abort(),
      });
      for (const connection of connections) connection.close();
      assert.equal(log.aborted, true);
      assert.ok(sum(log.bytes) > 0);
    });

    test('it tells when it is ready', async () => {
      let ready = 0;
      const { connections } = await pump(bench().tcp.counting, 2, { bytes: 1000, onReady: () => ready++ });
      for (const connection of connections) connection.close();
      assert.equal(ready, 1);
    });
  });
}

async function readExactly(connection: Connection, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let at = 0;
  while (at < length) {
    const part = await connection.read({ timeoutMs: LONG_MS });
    assert.ok(part, `ended (${connection.ended}) after ${at} of ${length} bytes`);
    assert.ok(at + part.length <= length, 'no more than was expected');
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function sum(figures: readonly number[]): number {
  return figures.reduce((total, figure) => total + figure, 0);
}
