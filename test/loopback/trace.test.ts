import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTarget } from '../../src/base/index.js';
import { createHostPorts } from '../../src/host/index.js';
import { traceProbe } from '../../src/probe/trace.js';
import type { Measurement, TraceDetails } from '../../src/results/index.js';

async function trace(target: string, options: object = {}): Promise<Measurement> {
  const ports = createHostPorts({ logLevel: 'none' });
  try {
    const [measurement] = await traceProbe.run({
      target: parseTarget(target),
      path: 'default',
      options: { ...traceProbe.defaults, intervalMs: 2, ...options },
      ports,
      seed: 1,
      signal: new AbortController().signal,
      onProgress: () => {},
    });
    assert.ok(measurement);
    return measurement;
  } finally {
    await ports.close();
  }
}

for (const [target, address] of [
  ['127.0.0.1', '127.0.0.1'],
  ['[::1]:9', '::1'],
] as const) {
  test(`the way to ${address} is one hop`, async (t) => {
    const { outcome, details, summary, provenance, reason } = await trace(target);
    if (address === '::1' && /EADDRNOTAVAIL|ENETUNREACH|EAFNOSUPPORT/.test(reason ?? '')) return t.skip(`this machine has no IPv6: ${reason}`);
    const { hops, reached, protocol } = details as unknown as TraceDetails;
    assert.deepEqual([outcome, reached, protocol, provenance], ['ok', true, 'udp', 'measured'], reason);
    assert.deepEqual(
      hops.map(({ ttl, nodes }) => [ttl, nodes.map((node) => node.address)]),
      [[1, [address]]],
    );
    assert.ok((summary?.min ?? 0) > 0 && summary?.unit === 'ms');
  });
}
