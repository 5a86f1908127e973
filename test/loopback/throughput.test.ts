import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startServe } from '../../src/app/serve.js';
import type { Serve } from '../../src/app/serve.js';
import { TautlineError, parseTarget } from '../../src/base/index.js';
import { createHostPorts } from '../../src/host/index.js';
import type { HostPorts } from '../../src/host/index.js';
import { createStreams } from '../../src/host/streams/index.js';
import { openControl } from '../../src/probe/control-client.js';
import { throughputProbe } from '../../src/probe/throughput.js';
import type { ThroughputOptions } from '../../src/probe/throughput.js';
import * as v from 'valibot';
import { MeasurementSchema } from '../../src/results/index.js';
import type { Measurement } from '../../src/results/index.js';

const KEY_TEXT = 'a key that both ends know';
const KEY = new TextEncoder().encode(KEY_TEXT);

describe('throughput over loopback', () => {
  let ports: HostPorts;
  let serve: Serve;
  before(async () => {
    ports = createHostPorts({ logLevel: 'none' });
    serve = await startServe(ports, { port: 0 });
  });
  after(async () => {
    await serve.close();
    await ports.close();
  });

  interface Running {
    readonly port?: number;
    readonly signal?: AbortSignal;
    readonly key?: Uint8Array;
    readonly ports?: HostPorts;
    readonly onProgress?: (doing: string, fraction: number) => void;
  }
  async function measure(options: Partial<ThroughputOptions>, running: Running = {}): Promise<Measurement[]> {
    const measurements = await throughputProbe.run({
      target: parseTarget(`127.0.0.1:${running.port ?? serve.port}`),
      path: 'default',
      options: { ...throughputProbe.defaults, ...options },
      ports: running.ports ?? ports,
      seed: 1,
      signal: running.signal ?? new AbortController().signal,
      onProgress: running.onProgress ?? ((): void => {}),
      ...(running.key ? { key: running.key } : {}),
    });
    for (const measurement of measurements) v.parse(MeasurementSchema, measurement);
    return measurements;
  }
  function find(measurements: readonly Measurement[], metric: string): Measurement {
    const found = measurements.find((measurement) => measurement.metric === metric);
    assert.ok(found, `${metric} among ${measurements.map((m) => m.metric).join(', ')}`);
    return found;
  }

  for (const direction of ['up', 'down', 'both'] as const) {
    it(`moves exactly the bytes it was asked to: ${direction}`, async () => {
      const bytes = 20_000_003;
      const measurements = await measure({ direction, bytes, streams: 3 });
      for (const way of direction === 'both' ? ['up', 'down'] : [direction]) {
        const { outcome, summary, details, partial, reason } = find(measurements, `throughput.${way}`);
        assert.deepEqual([outcome, partial], ['ok', undefined], reason);
        assert.equal(details?.['bytes'], bytes);
        assert.deepEqual(
          details?.['perStream'].map((stream: { bytes: number }) => stream.bytes),
          [6_666_668, 6_666_668, 6_666_667],
        );
        assert.equal(summary?.unit, 'bps');
        assert.ok(summary.median > 0);
      }
    });
  }

  it('measures both directions one after the other when none is named, with the round trip before and during each', async () => {
    const measurements = await measure({ durationMs: 600 });
    assert.deepEqual(
      measurements.map((measurement) => measurement.metric),
      ['throughput.up', 'rtt.loaded.up', 'throughput.down', 'rtt.loaded.down', 'rtt.idle'],
    );
    for (const measurement of measurements) assert.equal(measurement.outcome, 'ok', `${measurement.metric}: ${measurement.reason}`);
    const loaded = find(measurements, 'rtt.loaded.down');
    assert.ok((loaded.summary?.n ?? 0) > 10);
    assert.equal(typeof loaded.details?.['increaseMs']?.median, 'number');
  });

  it("leaves out the warm-up and sums up the receiver's intervals", async () => {
    const { summary, details } = find(await measure({ direction: 'down', durationMs: 800, omitMs: 300, intervalMs: 50 }), 'throughput.down');
    assert.ok(details && summary);
    assert.ok(Math.abs(details['omittedMs'] - 300) <= 40, `${details['omittedMs']}`);
    const counted = details['intervals'].filter(
      (interval: { startMs: number; endMs: number }) => interval.startMs >= details['omittedMs'] && interval.endMs - interval.startMs >= 25,
    );
    assert.equal(summary.n, counted.length);
    const total = details['intervals'].reduce((sum: number, interval: { bytes: number }) => sum + interval.bytes, 0);
    assert.equal(total, details['bytes']);
    assert.ok(details['fairness'] > 0.999);
  });

  it('keeps to a rate, up and down', async () => {
    const rateBps = 80e6;
    const measurements = await measure({ direction: 'both', durationMs: 1000, rateBps, streams: 2 });
    for (const way of ['up', 'down']) {
      const { details } = find(measurements, `throughput.${way}`);
      assert.equal(details?.['askedBps'], rateBps);
      // Never faster than asked beyond the first burst; a busy machine may be slower.
      assert.ok(details?.['goodputBps'] < 1.2 * rateBps, `${way} ${details?.['goodputBps']}`);
    }
  });

  it('copies the bytes when asked to', async () => {
    const { details, outcome } = find(await measure({ direction: 'down', bytes: 5_000_000, copy: true }), 'throughput.down');
    assert.deepEqual([outcome, details?.['copy'], details?.['bytes']], ['ok', true, 5_000_000]);
  });

  it('runs with 64 streams', async () => {
    const { details, outcome, reason } = find(await measure({ direction: 'both', bytes: 6_400_000, streams: 64 }), 'throughput.up');
    assert.deepEqual([outcome, details?.['perStream'].length, details?.['bytes']], ['ok', 64, 6_400_000], reason);
  });

  it("falls back to Node's streams on either side, moves the same bytes, and says so", async () => {
    const plain: HostPorts = { ...ports, streams: createStreams(ports.clock, { method: 'node' }) };
    const plainServe = await startServe(plain, { port: 0 });
    try {
      for (const running of [{ ports: plain }, { port: plainServe.port }]) {
        for (const direction of ['up', 'down', 'both'] as const) {
          const measurements = await measure({ direction, bytes: 3_000_001, streams: 2 }, running);
          for (const way of direction === 'both' ? ['up', 'down'] : [direction]) {
            const { outcome, details, error, reason } = find(measurements, `throughput.${way}`);
            assert.deepEqual([outcome, details?.['bytes']], ['ok', 3_000_001], reason);
            const own = 'ports' in running;
            assert.equal(details?.[(way === 'up') === own ? 'sender' : 'receiver'].method, 'node');
            assert.match(error?.from.join('\n') ?? '', /Node streams/);
          }
        }
      }
    } finally {
      await plainServe.close();
    }
  });

  it('keeps what it has measured when it is interrupted', async () => {
    const stop = new AbortController();
    const measurements = await measure(
      { direction: 'both', durationMs: 60_000, omitMs: 0, intervalMs: 50 },
      { signal: stop.signal, onProgress: (_, fraction) => fraction > 0.003 && stop.abort() },
    );
    const both = ['throughput.up', 'throughput.down'].map((metric) => find(measurements, metric));
    // The two ways begin independently, so one may have moved nothing yet.
    for (const { partial, reason } of both) {
      assert.equal(partial, true);
      assert.match(reason ?? '', /interrupted/);
    }
    assert.ok(both.some(({ outcome, summary }) => outcome === 'ok' && (summary?.n ?? 0) >= 1));
  });

  for (const direction of ['up', 'down'] as const) {
    it(`keeps what it has measured when the server dies: ${direction}`, async () => {
      const dying = await startServe(ports, { port: 0 });
      const measurements = await measure(
        { direction, durationMs: 60_000, omitMs: 0, intervalMs: 50 },
        { port: dying.port, onProgress: (_, fraction) => void (fraction > 0.003 && dying.close()) },
      );
      const { outcome, partial, reason, summary } = find(measurements, `throughput.${direction}`);
      assert.deepEqual([outcome, partial], ['ok', true], reason);
      assert.match(reason ?? '', /closed the connection or died|broke off/);
      assert.ok((summary?.n ?? 0) >= 1);
    });
  }

  it('says that nothing listens, that it hangs, or that it is something else, and what to do', async () => {
    const closed = await freePort();
    const [refused] = await measure({ direction: 'up' }, { port: closed });
    assert.equal(refused?.outcome, 'refused');
    assert.match(refused?.reason ?? '', /tautline serve/);
    const odd: readonly (readonly [string, (server: Server) => void, string, RegExp])[] = [
      ['silent', (server): unknown => server.on('connection', () => {}), 'timeout', /said nothing/],
      [
        'an SSH server',
        (server): unknown => server.on('connection', (socket) => socket.write('SSH-2.0-OpenSSH_9.2p1\r\n')),
        'unsupported',
        /not a tautline serve/,
      ],
      ['closing at once', (server): unknown => server.on('connection', (socket) => socket.end()), 'refused', /closed it/],
    ];
    for (const [name, behave, outcome, reason] of odd) {
      const server = createServer();
      behave(server);
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
      server.on('connection', (socket) => socket.on('error', () => {}).resume());
      const [measurement] = await measure({ direction: 'up', timeoutMs: 300 }, { port: (server.address() as AddressInfo).port });
      assert.equal(measurement?.outcome, outcome, name);
      assert.match(measurement?.reason ?? '', reason, name);
      server.close();
    }
  });

  it('refuses impossible options with the range', async () => {
    for (const [options, hint] of [
      [{ streams: 0 }, /1 to 64/],
      [{ streams: 65 }, /1 to 64/],
      [{ bytes: 1000, durationMs: 1000 }, /one of them/],
      [{ durationMs: 1000, omitMs: 1000 }, /shorter --omit/],
      [{ intervalMs: 1 }, /10ms/],
      [{ udp: true, bytes: 5 }, /--duration/],
      [{ udp: true, streams: 4 }, /one flow/],
      [{ udp: true, omitMs: 100 }, /slow start/],
      [{ bytes: 1000, count: 3 }, /one of them/],
    ] as const) {
      await assert.rejects(
        measure(options),
        (error: unknown) => error instanceof TautlineError && error.code === 'usage' && hint.test(error.hint ?? ''),
      );
    }
    const streams = throughputProbe.flags.find((flag) => flag.key === 'streams');
    for (const text of ['0', '65', '-1', '1.5', 'many', ''])
      assert.throws(
        () => streams?.parse(text),
        (error: unknown) => error instanceof TautlineError && /1 to 64/.test(error.hint ?? ''),
        text,
      );
  });

  describe('with a key', () => {
    let folder: string;
    let keyed: Serve;
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'tautline-key-'));
      await writeFile(join(folder, 'tautline.key'), `${KEY_TEXT}\n`, { mode: 0o600 });
      keyed = await startServe(ports, { port: 0, bind: '127.0.0.1', keyFile: join(folder, 'tautline.key') });
    });
    after(async () => {
      await keyed.close();
      await rm(folder, { recursive: true });
    });

    it('measures with the same key', async () => {
      const measurements = await measure({ direction: 'both', bytes: 1_000_000 }, { port: keyed.port, key: KEY });
      for (const measurement of measurements) assert.equal(measurement.outcome, 'ok', `${measurement.metric}: ${measurement.reason}`);
    });

    it('is refused with another key and with none, and says what to do', async () => {
      for (const [key, says] of [
        [new TextEncoder().encode('another key of that length'), /compare the key files/],
        [undefined, /--key-file/],
      ] as const) {
        const [measurement] = await measure({ direction: 'up' }, { port: keyed.port, ...(key ? { key } : {}) });
        assert.equal(measurement?.outcome, 'refused');
        assert.match(measurement?.reason ?? '', says);
      }
    });

    it('does not measure against a server that cannot prove the key', async () => {
      const [measurement] = await measure({ direction: 'up' }, { key: KEY });
      assert.equal(measurement?.outcome, 'refused');
      assert.match(measurement?.reason ?? '', /without a key/);
    });

    it('gives a ticket that opens HTTP on the same port', async () => {
      const url = `http://127.0.0.1:${keyed.port}/bytes/1000`;
      const opened = await openControl({
        ports,
        remote: { host: '127.0.0.1', port: keyed.port, family: 4 },
        key: KEY,
        timeoutMs: 3000,
        signal: new AbortController().signal,
      });
      assert.ok(opened.outcome === 'ok');
      const client = ports.web.client();
      try {
        const without = await client.request({ url, method: 'GET', timeoutMs: 3000 });
        const headers = { 'tautline-ticket': opened.control.ticket };
        const withTicket = await client.request({ url, method: 'GET', headers, timeoutMs: 3000 });
        assert.ok(without.outcome === 'ok' && withTicket.outcome === 'ok');
        assert.deepEqual([without.status, withTicket.status, withTicket.bytes], [401, 200, 1000]);
      } finally {
        client.close();
        opened.control.close();
      }
    });
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}
