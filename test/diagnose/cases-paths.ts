import type { LinkFacts } from '../../src/base/index.js';
import { lossOf } from '../../src/stats/index.js';
import { card, given, load, ms } from './given.js';
import type { GivenPath } from './given.js';

/** A path on which one thing is wrong, one on which it nearly is, and one on which that cannot be told. */
export interface CauseCase {
  readonly id: string;
  readonly path: GivenPath;
  readonly host?: Parameters<typeof given>[];
  readonly nearMiss: GivenPath;
  /** Without what shows it the cause must not be `certain`, if it is named at all. */
  readonly missing?: GivenPath;
}

const VETH: LinkFacts = card(10e9, { driver: 'veth', kind: 'virtual' });
const veth = { near: { link: VETH }, far: { link: VETH } };
const offload = (on: boolean) => ({
  'tcp-segmentation-offload': { on, changeable: true },
  'generic-segmentation-offload': { on, changeable: true },
  'generic-receive-offload': { on: true, changeable: true },
});
const mtu = (direction: 'up' | 'down', bytes: number, details: Record<string, unknown>) =>
  given('mtu', `mtu.${direction}`, {
    summary: { ...ms(bytes, { n: 1, spread: 0 }).summary, unit: 'bytes' } as never,
    details: { direction, passesBytes: bytes, interfaceMtuBytes: 1500, ...details },
  });

export const PATH_CASES: readonly CauseCase[] = [
  { id: 'bufferbloat', path: { rttMs: 12, kind: 'wan', loadedMs: { up: 310 } }, nearMiss: { rttMs: 12, kind: 'wan', loadedMs: { up: 50 } } },
  {
    id: 'shaper',
    path: { near: { link: card(1e9, { qdiscs: [{ kind: 'tbf', parent: 'root', handle: '8001:', rateBps: 50e6 }] }) }, up: { bps: 47e6 } },
    nearMiss: { near: { link: card(1e9, { qdiscs: [{ kind: 'tbf', parent: 'root', handle: '8001:', rateBps: 5e9 }] }) } },
  },
  {
    id: 'shaper',
    path: { ...veth, up: { bps: 28e6, again: 0.04, spread: 0.1 }, loadedMs: { up: 6 } },
    nearMiss: { ...veth, up: { bps: 18e9 }, loadedMs: { up: 1.4 } },
  },
  {
    id: 'slow-segment',
    path: { up: { bps: 94.1e6 }, down: { bps: 94.1e6 } },
    nearMiss: { near: { link: card(100e6) }, far: { link: card(100e6) }, up: { bps: 94.1e6 }, down: { bps: 94.1e6 } },
  },
  {
    id: 'policer',
    path: { ...veth, up: { bps: 19e6, again: 0.15, spread: 0.6 } },
    nearMiss: { ...veth, up: { bps: 900e6, again: 0.001 } },
  },
  {
    id: 'policer',
    path: { ...veth, up: { bps: 19e6, again: 0.43, spread: 0.1, burst: 20 } },
    nearMiss: { ...veth, up: { bps: 28e6, again: 0.43, spread: 0.1, burst: 20 }, loadedMs: { up: 6 } },
  },
  {
    id: 'queue-overflow',
    path: { kind: 'wan', rttMs: 10, up: { bps: 20e6, again: 0.05, spread: 0.5 }, loadedMs: { up: 16 } },
    nearMiss: { kind: 'wan', rttMs: 10, up: { bps: 20e6, again: 0.004 }, loadedMs: { up: 16 } },
  },
  { id: 'random-loss', path: { lost: { up: 12, down: 0 }, up: { bps: 60e6 } }, nearMiss: { lost: { up: 1, down: 1 } } },
  {
    id: 'window-limited',
    path: { kind: 'wan', rttMs: 40, far: { tcp: { receiveBytes: [4096, 65_536, 262_144] } }, up: { bps: 45e6, receiver: 0.8 } },
    nearMiss: { kind: 'wan', rttMs: 40, up: { bps: 45e6, receiver: 0.05 } },
    missing: { kind: 'wan', rttMs: 40, near: { tcp: {} }, far: { tcp: {} }, up: { bps: 45e6, receiver: 0.8 } },
  },
  {
    id: 'window-limited',
    path: { kind: 'wan', rttMs: 40, near: { tcp: { windowScaling: false } }, up: { bps: 12e6 }, down: { bps: 12e6 } },
    nearMiss: { kind: 'wan', rttMs: 0.1, near: { tcp: { windowScaling: false } } },
  },
  {
    id: 'receiver-cpu',
    path: { up: { bps: 300e6, receiver: 0.7, receiverEnd: { busiest: 0.98 } } },
    nearMiss: { up: { receiver: 0.7, receiverEnd: { busiest: 0.98 }, bps: 940e6 } },
    missing: { up: { bps: 300e6, receiverEnd: { busiest: undefined, host: undefined } } },
  },
  {
    id: 'receiver-cpu',
    path: {
      ...veth,
      down: { bps: 200e6, receiver: 0.9, receiverEnd: { busiest: 0.1, host: { busy: 0.9, busiestCpu: 1, softirq: 0.05, steal: 0 } } },
    },
    nearMiss: {
      ...veth,
      down: { bps: 20e9, receiver: 0.1, receiverEnd: { busiest: 0.4, host: { busy: 1, busiestCpu: 1, softirq: 0.4, steal: 0 } } },
    },
  },
  {
    id: 'sender-cpu',
    path: { up: { bps: 300e6, sender: { busiest: 0.97 } } },
    nearMiss: { up: { bps: 940e6, sender: { busiest: 0.97 } } },
  },
  {
    id: 'far-cpu',
    path: {
      and: [
        given('http', 'http.total', { ...ms(80, { n: 4 }), details: { url: 'http://10.0.0.2:7227/small' } }),
        given('http', 'http.keepalive.ttfb', ms(80, { n: 4 })),
        load('up', { bps: 900e6, receiverEnd: { cpuMs: 20, busiest: 0.01, host: { busy: 1, busiestCpu: 1, softirq: 0, steal: 0 } } }),
      ],
    },
    nearMiss: {
      and: [
        given('http', 'http.total', { ...ms(2, { n: 4 }), details: { url: 'http://10.0.0.2:7227/small' } }),
        given('http', 'http.keepalive.ttfb', ms(2, { n: 4 })),
        load('up', { bps: 900e6, receiverEnd: { cpuMs: 20, busiest: 0.01, host: { busy: 1, busiestCpu: 1, softirq: 0, steal: 0 } } }),
      ],
    },
  },
  {
    id: 'cpu-steal',
    path: { up: { bps: 400e6, sender: { host: { busy: 0.5, busiestCpu: 0.7, softirq: 0.1, steal: 0.3 } } } },
    nearMiss: { up: { bps: 940e6, sender: { host: { busy: 0.5, busiestCpu: 0.7, softirq: 0.1, steal: 0.02 } } } },
  },
  {
    id: 'single-queue',
    path: {
      near: { link: card(10e9) },
      far: { link: card(10e9, { queues: { rx: 1, tx: 1, rxMax: 8 } }) },
      up: { bps: 3e9, receiverEnd: { host: { busy: 0.2, busiestCpu: 0.99, softirq: 0.95, steal: 0 } } },
      down: { bps: 9.3e9 },
    },
    nearMiss: { far: { link: card(1e9, { queues: { rx: 8, tx: 8 } }) } },
  },
  {
    id: 'offload-off',
    path: { ...veth, near: { link: { ...VETH, features: offload(false) } }, up: { bps: 2e9, sender: { busiest: 0.95 } }, down: { bps: 2.5e9 } },
    nearMiss: { near: { link: card(1e9, { features: offload(false) }) }, up: { bps: 940e6, sender: { busiest: 0.4 } } },
  },
  {
    id: 'vpn-encryption',
    path: {
      kind: 'tailscale',
      near: { link: card(0, { kind: 'tunnel', name: 'tailscale0' }) },
      far: {},
      up: { bps: 300e6, sender: { busiest: 0.1, host: { busy: 0.5, busiestCpu: 0.98, softirq: 0.2, steal: 0 } } },
      down: { bps: 300e6 },
    },
    nearMiss: { kind: 'tailscale', near: { link: card(0, { kind: 'tunnel', name: 'tailscale0' }) }, up: { bps: 300e6 }, down: { bps: 300e6 } },
  },
  {
    id: 'link-below-capability',
    path: { near: { link: card(1e9, { supportedBpsMax: 10e9, partnerBpsMax: 1e9 }) } },
    nearMiss: { near: { link: card(10e9) }, far: {} },
  },
  {
    id: 'duplex-mismatch',
    path: { near: { link: card(100e6, { duplex: 'half' }) }, up: { bps: 20e6 }, down: { bps: 60e6 } },
    nearMiss: { near: { link: card(1e9, { duplex: 'full' }) } },
  },
  {
    id: 'link-errors',
    path: { and: [given('link', 'link', { details: { link: card(1e9), watchedMs: 5000, ratesPerSecond: { rx_crc_errors: 4 } } })] },
    nearMiss: { and: [given('link', 'link', { details: { link: card(1e9), watchedMs: 5000, ratesPerSecond: { rx_crc_errors: 0.2 } } })] },
  },
  {
    id: 'receive-drops',
    path: {
      and: [
        given('link', 'link', {
          details: { link: card(1e9, { rings: { rx: 256, tx: 256, rxMax: 4096 } }), watchedMs: 5000, ratesPerSecond: { rx_missed_errors: 40 } },
        }),
      ],
    },
    nearMiss: { and: [given('link', 'link', { details: { link: card(1e9), watchedMs: 5000, ratesPerSecond: {} } })] },
  },
  {
    id: 'mtu-black-hole',
    path: { and: [mtu('up', 1400, { blackHole: true, failsBytes: 1401 })] },
    nearMiss: { and: [mtu('up', 1500, { blackHole: false })] },
  },
  {
    id: 'mtu-black-hole',
    path: { and: [given('throughput', 'throughput.up', { outcome: 'lost', reason: 'no bytes arrived' })] },
    nearMiss: { and: [given('throughput', 'throughput.up', { outcome: 'unchecked', partial: true, reason: 'interrupted' })] },
  },
  {
    id: 'path-mtu',
    path: { and: [mtu('up', 1400, { blackHole: false, tooBigFrom: '10.0.0.254' })] },
    nearMiss: { and: [mtu('up', 1500, { blackHole: false })] },
  },
  {
    id: 'vpn-relayed',
    path: {
      kind: 'tailscale',
      near: { link: card(0, { kind: 'tunnel' }) },
      and: [
        given('tailscale', 'tailscale', {
          details: { state: 'Running', peer: { name: 'beta', online: true, connection: 'relayed', relay: 'fra' }, netcheck: { udp: false } },
        }),
      ],
    },
    nearMiss: {
      kind: 'tailscale',
      near: { link: card(0, { kind: 'tunnel' }) },
      and: [given('tailscale', 'tailscale', { details: { state: 'Running', peer: { name: 'beta', online: true, connection: 'direct' } } })],
    },
  },
  {
    id: 'vpn-direct-broken',
    path: {
      kind: 'tailscale',
      and: [
        given('tailscale', 'tailscale', {
          details: { directButBroken: true, peer: { name: 'beta', online: true, connection: 'direct', endpoint: '192.0.2.7:41641' } },
        }),
      ],
    },
    nearMiss: {
      kind: 'tailscale',
      and: [given('tailscale', 'tailscale', { details: { directButBroken: false, peer: { name: 'beta', online: true, connection: 'direct' } } })],
    },
  },
  {
    id: 'detour',
    path: {
      rttMs: 60,
      and: [
        given('trace', 'trace', {
          ...ms(60),
          details: {
            reached: true,
            hops: [1, 31, 60].map((rtt, i) => ({
              ttl: i + 1,
              sent: 3,
              answered: 3,
              nodes: [{ address: `10.0.${i}.1`, answered: 3, flows: [0], rttMs: { min: i === 0 ? 0.4 : rtt > 40 ? 59 : 55, median: rtt, max: rtt } }],
            })),
          },
        }),
      ],
    },
    nearMiss: { rttMs: 8 },
  },
  {
    id: 'distance',
    path: {
      kind: 'wan',
      rttMs: 320,
      loadedMs: { up: 325, down: 325 },
      up: { bps: 90e6 },
      down: { bps: 90e6 },
      and: [given('echo', 'rtt', { ...ms(320, { spread: 2 }), loss: lossOf(400, 400) })],
    },
    nearMiss: { kind: 'wan', rttMs: 80, up: { bps: 90e6 }, down: { bps: 90e6 } },
  },
  {
    id: 'jitter',
    path: { kind: 'wan', rttMs: 30, and: [given('echo', 'jitter', ms(14, { n: 399 }))] },
    nearMiss: { kind: 'wan', rttMs: 30, and: [given('echo', 'jitter', ms(3, { n: 399 }))] },
  },
  {
    id: 'wireless-jitter',
    path: { rttMs: 5, near: { link: card(866e6, { kind: 'wireless', name: 'wlan0' }) }, and: [given('echo', 'jitter', ms(12, { n: 399 }))] },
    nearMiss: { rttMs: 5, near: { link: card(866e6, { kind: 'wireless', name: 'wlan0' }) }, and: [given('echo', 'jitter', ms(2, { n: 399 }))] },
  },
  {
    id: 'reordering',
    path: { and: [given('echo', 'rtt', { ...ms(0.3, { n: 400 }), loss: lossOf(400, 400), details: { reordered: { up: 20, down: 0 } } })] },
    nearMiss: { and: [given('echo', 'rtt', { ...ms(0.3, { n: 400 }), loss: lossOf(400, 400), details: { reordered: { up: 1, down: 0 } } })] },
  },
  {
    id: 'clock-steps',
    path: {
      and: [
        given('echo', 'rtt', {
          ...ms(0.3),
          error: { value: 0.1, unit: 'ms', from: ["clock: the responder's clock stepped; 2 round trips contain its holding time"] },
        }),
      ],
    },
    nearMiss: { and: [given('echo', 'rtt', { ...ms(0.3), error: { value: 0.1, unit: 'ms', from: ['timer: 99 % left at most 5 us late'] } })] },
  },
];
