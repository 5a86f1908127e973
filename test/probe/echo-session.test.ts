import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openEchoSession } from '../../src/probe/index.js';
import { SimNetwork } from '../../src/sim/index.js';
import { serveOn } from '../app/sim-serve.js';

test('a session that was prepared begins its next train at once, where a handshake would take two more round trips', async () => {
  const network = new SimNetwork({
    hosts: { near: { addresses: ['10.0.0.1'] }, far: { addresses: ['10.0.0.2'] } },
    paths: [{ from: 'near', to: 'far', delayMs: 50 }],
  });
  serveOn(network.host('far'), { port: 7227 });
  const signal = new AbortController().signal;
  const { clock } = network.ports('near');
  const took = await network.run(async () => {
    const opened = await openEchoSession({
      ports: network.ports('near'),
      remote: { host: '10.0.0.2', port: 7227, family: 4 },
      timeoutMs: 1000,
      signal,
    });
    assert.ok(opened.outcome === 'ok');
    const { session } = opened;
    const train = async (): Promise<number> => {
      const startMs = clock.nowMs();
      const { received } = await session.run({ count: 1, intervalMs: 1, waitMs: 1000, signal });
      assert.equal(received, 1);
      return clock.nowMs() - startMs;
    };
    await train();
    const unprepared = await train();
    assert.equal(await session.prepare(signal), undefined);
    const prepared = await train();
    await session.close();
    return { unprepared, prepared };
  });
  // A train takes its own round trip and that of the report.
  assert.ok(Math.abs(took.prepared - 200) < 5 && Math.abs(took.unprepared - 400) < 5, JSON.stringify(took));
});
