import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { definePeer } from '../../src/paths/index.js';
import type { Scenario } from '../../src/sim/index.js';
import { runCheck } from './sim-check.js';

type Path = Omit<Scenario['paths'][number], 'from' | 'to'>;

const normal = (ms: number) => ({ distribution: 'normal', ms }) as const;
/** Paths that nobody would call broken: a queue as deep as the rate needs, and no more noise than is usual. */
const KINDS: Readonly<Record<string, { readonly address: string; readonly path: Path; readonly mtu?: number }>> = {
  'a cable of 1 Gbit/s': { address: '10.1.0.2', path: { delayMs: 0.1, rateBps: 1e9, queueMs: 2, jitter: normal(0.01), framingBytes: 38 } },
  'a cable of 10 Gbit/s': { address: '10.1.0.2', path: { delayMs: 0.05, rateBps: 10e9, queueMs: 1, jitter: normal(0.005), framingBytes: 38 } },
  'a line of 100 Mbit/s': { address: '203.0.113.2', path: { delayMs: 10, rateBps: 100e6, queueMs: 20, jitter: normal(0.3) } },
  'a server across the ocean': { address: '203.0.113.2', path: { delayMs: 40, rateBps: 200e6, queueMs: 20, jitter: normal(0.5) } },
  'a tunnel of MTU 1280': { address: '203.0.113.2', path: { delayMs: 5, rateBps: 300e6, queueMs: 10, jitter: normal(0.1), mtu: 1280 }, mtu: 1280 },
};
const SEEDS = 20;

describe('a check of a sound path has no finding', () => {
  for (const [name, { address, path, mtu = 1500 }] of Object.entries(KINDS)) {
    test(`${name}, with ${SEEDS} seeds`, async () => {
      for (let seed = 1; seed <= SEEDS; seed++) {
        const scenario: Scenario = {
          seed,
          hosts: {
            laptop: { addresses: ['10.1.0.9'], interfaces: [{ name: 'net0', addresses: ['10.1.0.9/24'], mtu }] },
            server: { addresses: [address] },
          },
          paths: [{ from: 'laptop', to: address, ...path }],
        };
        const { document } = await runCheck(scenario, { target: address, depth: 'quick', seed });
        assert.deepEqual(said(document), [], `seed ${seed}`);
      }
    });
  }

  test('two cables side by side, with 10 seeds', async () => {
    const { path } = KINDS['a cable of 1 Gbit/s'] ?? assert.fail();
    for (let seed = 1; seed <= 10; seed++) {
      const scenario: Scenario = {
        seed,
        hosts: { laptop: { addresses: ['10.1.0.9', '10.2.0.9'] }, server: { addresses: ['10.1.0.2', '10.2.0.2'] } },
        paths: ['10.1.0.2', '10.2.0.2'].map((to) => ({ from: 'laptop', to, ...path })),
      };
      const beta = definePeer('beta', { paths: { one: '10.1.0.2', two: '10.2.0.2' } });
      const { document } = await runCheck(scenario, { target: 'beta', peers: [beta], depth: 'quick', seed });
      assert.deepEqual(said(document), [], `seed ${seed}`);
      assert.ok((document.comparisons?.length ?? 0) >= 3);
    }
  });
});

function said(document: Awaited<ReturnType<typeof runCheck>>['document']): string[] {
  return (document.findings ?? []).map(({ id, evidence }) => `${id}: ${evidence.map(({ text }) => text).join('; ')}`);
}
