import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as v from 'valibot';
import { measure, succeeded } from '../../src/app/measure.js';
import type { MeasureRequest } from '../../src/app/measure.js';
import { NO_PROGRESS } from '../../src/app/progress.js';
import { resolveBands } from '../../src/diagnose/index.js';
import { definePeer } from '../../src/paths/index.js';
import { MeasureDocumentSchema } from '../../src/results/index.js';
import type { Measurement } from '../../src/results/index.js';
import { SimNetwork } from '../../src/sim/index.js';
import { serveOn } from './sim-serve.js';

const KEY = 'a key of the right length';

function network(): SimNetwork {
  const made = new SimNetwork({
    hosts: { near: { addresses: ['10.0.0.1'], files: { '/k': KEY, '/short': 'abc' } }, far: { addresses: ['10.0.0.2'] } },
    paths: [{ from: 'near', to: 'far', delayMs: 2 }],
  });
  serveOn(made.host('far'), { port: 7227, key: new TextEncoder().encode(KEY) });
  return made;
}

function request(overrides: Partial<MeasureRequest>): MeasureRequest {
  return {
    probe: 'echo',
    target: '10.0.0.2',
    options: { count: 20, intervalMs: 1 },
    peers: [],
    bands: resolveBands({}),
    seed: 1,
    signal: new AbortController().signal,
    progress: NO_PROGRESS,
    ...overrides,
  };
}

describe('one probe', () => {
  test('gives a document with its measurements rated', async () => {
    const made = network();
    const document = await made.run(() =>
      measure(made.ports('near'), request({ keyFile: '/k', bands: resolveBands({ rtt: { excellent: 1, good: 2, fair: 3 } }) })),
    );
    assert.ok(v.is(MeasureDocumentSchema, JSON.parse(JSON.stringify(document))));
    const [rtt] = document.measurements;
    assert.ok(Math.abs((rtt?.summary?.median ?? 0) - 4) < 0.1);
    assert.equal(rtt?.rating?.band, 'poor');
    assert.equal(succeeded(document), true);
  });

  test("a peer's own key wins over the general one, and its path is named", async () => {
    const made = network();
    const peers = [definePeer('far', { paths: { lan: '10.0.0.2' }, keyFile: '/k' })];
    const document = await made.run(() => measure(made.ports('near'), request({ target: 'far', peers, keyFile: '/none' })));
    assert.deepEqual([document.measurements[0]?.outcome, document.measurements[0]?.path, document.target], ['ok', 'lan', 'far']);
  });

  test("ssh goes to its own port, and not to that of the peer's responder", async () => {
    const made = network();
    const peers = [definePeer('far', { paths: { lan: '10.0.0.2:7227' } })];
    const document = await made.run(() => measure(made.ports('near'), request({ probe: 'ssh', target: 'far', peers, options: { count: 1 } })));
    const [connect] = document.measurements;
    assert.deepEqual([connect?.target, connect?.outcome, connect?.details?.['port']], ['10.0.0.2', 'refused', 22]);
  });

  test('what was asked for in vain is an error before anything is sent', async () => {
    const made = network();
    const cases: readonly (readonly [Partial<MeasureRequest>, RegExp])[] = [
      [{ probe: 'ecko' }, /there is no probe 'ecko'/],
      [{ target: 'ftp://x' }, /is not a target/],
      [{ keyFile: '/none' }, /there is no key file \/none/],
      [{ keyFile: '/short' }, /shorter than 16 characters/],
    ];
    for (const [overrides, message] of cases)
      await assert.rejects(
        made.run(() => measure(made.ports('near'), request(overrides))),
        message,
      );
    assert.equal(made.path('near', 'far').counters.offered, 0);
  });
});

describe('whether a probe got what it was asked for', () => {
  const of = (metric: string, outcome: Measurement['outcome'], partial?: true): Measurement => ({
    probe: 'p',
    metric,
    target: 't',
    path: 'default',
    outcome,
    startedAt: '',
    durationMs: 0,
    provenance: 'measured',
    ...(partial ? { partial } : {}),
  });
  const cases: readonly (readonly [string, readonly Measurement[], boolean])[] = [
    ['a figure', [of('rtt', 'ok'), of('jitter', 'ok')], true],
    ['nothing', [], false],
    ['silence', [of('rtt', 'lost')], false],
    ['a figure that was cut short', [of('rtt', 'lost', true)], false],
    ['a rate without its latency under load', [of('throughput.up', 'ok'), of('rtt.loaded.up', 'timeout')], true],
    ['latency without the rate', [of('throughput.up', 'refused'), of('rtt.idle', 'ok')], false],
    ['one direction of two', [of('throughput.up', 'ok'), of('throughput.down', 'timeout')], false],
    ['one resolver of two', [of('dns', 'timeout'), of('dns', 'ok')], true],
    ['what this host cannot do', [of('rtt', 'unsupported')], false],
    ['a figure beside what the server does not do', [of('http.total', 'ok'), of('http.keepalive.ttfb', 'unsupported')], true],
  ];
  for (const [name, measurements, expected] of cases) {
    test(`${name}: ${expected ? 'yes' : 'no'}`, () => {
      assert.equal(succeeded({ measurements: [...measurements] }), expected);
    });
  }
});
