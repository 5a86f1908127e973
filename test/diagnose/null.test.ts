import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { LinkFacts } from '../../src/base/index.js';
import { attachCeilings, findingsOf, limitsOf } from '../../src/diagnose/index.js';
import { aboveCeiling } from '../../src/results/index.js';
import { evidenceOf } from './simulated.js';
import type { SimulatedPath } from './simulated.js';

const card = (speedBps: number, mtu = 1500): LinkFacts => ({
  name: 'eth0',
  kind: 'ethernet',
  up: true,
  carrier: true,
  mtu,
  driver: 'ixgbe',
  speedBps,
  duplex: 'full',
  autonegotiation: true,
  supportedBpsMax: speedBps,
  partnerBpsMax: speedBps,
  counters: { rx_packets: 1e6, tx_packets: 1e6, rx_crc_errors: 0, collisions: 0 },
  features: {
    'tcp-segmentation-offload': { on: true, changeable: true },
    'generic-segmentation-offload': { on: true, changeable: true },
    'generic-receive-offload': { on: true, changeable: true },
  },
  qdiscs: [{ kind: 'fq_codel', parent: 'root', handle: '0:', limitPackets: 10_240, drops: 0, sentBytes: 1e9 }],
});
const wired = (speedBps: number): Pick<SimulatedPath, 'near' | 'far'> => ({ near: { link: card(speedBps) }, far: { link: card(speedBps) } });
/** Wi-Fi has no negotiated speed that means anything, and reads with a radio rate. */
const radio: LinkFacts = { name: 'wlan0', kind: 'wireless', up: true, mtu: 1500, speedBps: 866e6 };

/** What people call a good path, of several kinds: nothing is wrong with any of them. */
const CLEAN: Readonly<Record<string, SimulatedPath>> = {
  'a gigabit LAN': { kind: 'lan', path: { delayMs: 0.1, rateBps: 1e9, queueMs: 5, framingBytes: 38 }, ...wired(1e9) },
  'a 10 Gbit/s LAN': { kind: 'lan', path: { delayMs: 0.1, rateBps: 10e9, queueMs: 1, framingBytes: 38 }, ...wired(10e9) },
  'a LAN with jumbo frames': {
    kind: 'lan',
    path: { delayMs: 0.1, rateBps: 1e9, queueMs: 5, framingBytes: 38, mtu: 9000 },
    near: { link: card(1e9, 9000) },
    far: { link: card(1e9, 9000) },
  },
  'a LAN whose links are not known': { kind: 'lan', path: { delayMs: 0.2, rateBps: 1e9, queueMs: 5, framingBytes: 38 } },
  'Wi-Fi': {
    kind: 'lan',
    path: { delayMs: 1.5, rateBps: 400e6, queueMs: 20, jitter: { distribution: 'normal', ms: 2 } },
    near: { link: radio },
    far: { link: card(1e9) },
  },
  'an access line': { kind: 'wan', path: { delayMs: 10, rateBps: 100e6, queueMs: 20 }, near: { link: card(1e9) } },
  'an asymmetric access line': {
    kind: 'wan',
    path: { delayMs: 9, rateBps: 40e6, queueMs: 30, back: { rateBps: 250e6, queueMs: 15 } },
    ...wired(1e9),
  },
  'a VPS far away': {
    kind: 'wan',
    path: { delayMs: 40, rateBps: 200e6, queueMs: 20 },
    near: { link: card(1e9) },
    far: { link: { ...card(10e9), driver: 'virtio_net' } },
  },
  'a VPN': {
    kind: 'tailscale',
    path: { delayMs: 6, rateBps: 90e6, queueMs: 15, mtu: 1280 },
    near: { link: { name: 'tailscale0', kind: 'tunnel', up: true, mtu: 1280 } },
  },
  'a path with no facts at all': { kind: 'other', path: { delayMs: 4, rateBps: 60e6, queueMs: 15 }, near: { tcp: {} }, far: { tcp: {} } },
};

const SEEDS = 100;

describe('a path with nothing wrong', () => {
  const kinds = Object.entries(CLEAN);
  for (const [i, [name, simulated]] of kinds.entries()) {
    const seeds = Array.from({ length: SEEDS }, (_, seed) => seed + 1).filter((seed) => seed % kinds.length === i);
    test(`${name} gets no finding, with ${seeds.length} seeds`, async () => {
      for (const seed of seeds) {
        const turn = Math.floor((seed - 1) / kinds.length);
        const evidence = await evidenceOf(simulated, { seed, amount: turn % 5 === 0 ? 'default' : 'quick', mtu: turn === 0 });
        const found = findingsOf(evidence).map(({ id, title, evidence: shown }) => `${id}: ${title} (${shown.map(({ text }) => text).join('; ')})`);
        assert.deepEqual(found, [], `seed ${seed}`);
        const [path] = evidence.paths;
        assert.ok(path && path.measurements.length > 8, 'the path was measured');
        const impossible = attachCeilings(path.measurements, limitsOf(path)).filter((each) => aboveCeiling(each) !== undefined);
        assert.deepEqual(
          impossible.map(({ metric, summary }) => `${metric} ${summary?.median}`),
          [],
          `seed ${seed}`,
        );
      }
    });
  }
});
