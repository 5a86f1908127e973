import { seededRandom } from '../../src/base/index.js';
import type { CheckDocument, Comparison, Finding, Limit, Measurement, Subject } from '../../src/results/index.js';
import { CHECK, around, measurement } from './documents.js';

/** A thorough check of one peer over several paths, with every field that a document can have. */

const random = seededRandom(7);

/** Round trips as a queue makes them: a floor, a bulk and a tail. */
function distribution(medianMs: number, spread: number): { values: number[]; counts: number[] } {
  const values = Array.from({ length: 60 }, (_, i) => Number((medianMs * (1 - spread / 3 + (i / 59) ** 2 * spread * 2)).toPrecision(3)));
  return { values, counts: values.map((_, i) => Math.round(200 * Math.exp(-(((i - 18) / 9) ** 2)) + 3 * random.next())) };
}

function overTime(medianMs: number, startMs: number): Record<string, unknown> {
  const medians = Array.from({ length: 80 }, (_, i) =>
    i === 40 ? null : Number((medianMs * (0.8 + 0.4 * random.next()) * Math.min(1, (i + 3) / 12)).toPrecision(4)),
  );
  return { unit: 'ms', startMs, stepMs: 50, medians, maxima: medians.map((value) => value && Number((value * 1.6).toPrecision(4))) };
}

function intervals(bps: number): { startMs: number; endMs: number; bytes: number; bps: number }[] {
  return Array.from({ length: 20 }, (_, i) => {
    const rate = bps * (i < 3 ? (i + 1) / 4 : 0.94 + 0.1 * random.next());
    return { startMs: i * 250, endMs: (i + 1) * 250, bytes: Math.round(rate / 32), bps: rate };
  });
}

interface PathOptions {
  readonly path: string;
  readonly kind: string;
  readonly rttMs: number;
  readonly downBps: number;
  readonly upBps: number;
  readonly loadedMs: number;
  readonly hops: number;
}

function limits(rate: number): Limit[] {
  const all: Limit[] = [
    {
      id: 'window',
      kind: 'configured',
      direction: 'up',
      bps: rate * 1.04,
      why: 'receive window of 212 kB over a round trip of 1.97 ms',
      reached: 0.96,
    },
    { id: 'vpn', kind: 'estimated', direction: 'both', bps: rate * 2.1, why: 'one core encrypts this much' },
    {
      id: 'link',
      kind: 'physical',
      direction: 'both',
      bps: 941_500_000,
      why: '1 Gbit/s Ethernet at MTU 1500 with timestamps',
      reached: rate / 941_500_000,
    },
  ];
  return all.sort((a, b) => a.bps - b.bps);
}

const rated = (band: 'excellent' | 'good' | 'fair' | 'poor'): Measurement['rating'] => ({
  band,
  stars: { excellent: 5, good: 4, fair: 3, poor: 2 }[band],
});

export function pathSubject(options: PathOptions): Subject {
  const { path, kind, rttMs, downBps, upBps, loadedMs, hops } = options;
  const make = (fields: Partial<Measurement> & Pick<Measurement, 'probe' | 'metric'>): Measurement =>
    measurement({ path, target: `${path}.beta:7227`, ...fields });
  const load = (direction: 'up' | 'down', bps: number): Measurement[] => [
    make({
      probe: 'throughput',
      metric: `throughput.${direction}`,
      summary: around('bps', bps, 16, 0.02),
      ceiling: { value: 941_500_000, unit: 'bps', why: 'TCP over 1 Gbit/s Ethernet at MTU 1500 with timestamps' },
      rating: rated('good'),
      error: { value: 900_000, unit: 'bps', from: ['timed by the receiver, which counts in steps of up to 66 kB'] },
      details: { direction, streams: 1, congestion: 'cubic', omittedMs: 750, intervals: intervals(bps) },
    }),
    make({
      probe: 'throughput',
      metric: `rtt.loaded.${direction}`,
      summary: around('ms', loadedMs, 380, 0.2),
      loss: { sent: 382, received: 380, ratio: 0.0052, ci95: [0.001, 0.019] },
      rating: rated(loadedMs > 50 ? 'poor' : 'good'),
      details: { distribution: distribution(loadedMs, 0.5), overTime: overTime(loadedMs, 750) },
    }),
    make({ probe: 'throughput', metric: 'rtt.idle', summary: around('ms', rttMs, 60), details: { distribution: distribution(rttMs, 0.2) } }),
  ];
  return {
    name: `beta, ${path}`,
    role: 'target',
    peer: 'beta',
    path,
    kind,
    address: `${path}.beta:7227`,
    facts: { interface: kind === 'tailscale' ? 'tailscale0' : 'eth0', mtu: kind === 'tailscale' ? '1280' : '1500', answers: 'tautline serve' },
    limits: limits(downBps),
    measurements: [
      make({
        probe: 'ping',
        metric: 'rtt',
        target: `${path}.beta`,
        summary: around('ms', rttMs * 1.1, 100),
        loss: { sent: 100, received: 100, ratio: 0, ci95: [0, 0.037] },
        rating: rated('excellent'),
      }),
      make({
        probe: 'echo',
        metric: 'rtt',
        summary: around('ms', rttMs, 1600),
        loss: { sent: 1600, received: 1599, ratio: 0.000625, ci95: [0.0001, 0.0035] },
        error: { value: 0.004, unit: 'ms', from: ['kernel receive stamps of 1 us', 'send lateness p99 31 us'] },
        rating: rated('excellent'),
        details: { distribution: distribution(rttMs, 0.3), overTime: overTime(rttMs, 0) },
      }),
      make({ probe: 'tcp', metric: 'connect', summary: around('ms', rttMs * 1.2, 40), rating: rated('excellent') }),
      ...load('down', downBps),
      ...load('up', upBps),
      make({
        probe: 'mtu',
        metric: 'mtu.up',
        summary: { ...around('ms', kind === 'tailscale' ? 1280 : 1500, 1), unit: 'bytes' },
        details: {
          direction: 'up',
          method: 'responder',
          passesBytes: 1500,
          failsBytes: 1501,
          blackHole: kind === 'wan',
          interfaceName: 'eth0',
          tried: [
            { bytes: 1500, sent: 3, passed: 3 },
            { bytes: 1501, sent: 3, passed: 0 },
          ],
        },
      }),
      make({
        probe: 'link',
        metric: 'link',
        summary: { ...around('bps', 1e9, 1), unit: 'bps' },
        details: {
          link: {
            name: kind === 'tailscale' ? 'tailscale0' : 'eth0',
            kind: kind === 'tailscale' ? 'tunnel' : 'ethernet',
            up: true,
            mtu: 1500,
            speedBps: 1e9,
            duplex: 'full',
            autonegotiation: true,
            supportedBpsMax: 1e10,
            partnerBpsMax: 1e9,
            driver: 'ixgbe',
            queues: { rx: 1, tx: 1 },
            features: { 'generic-receive-offload': { on: false, changeable: true } },
            qdiscs: [{ kind: 'fq_codel', parent: 'root', handle: '0:' }],
            unread: [{ what: 'rings', why: 'the driver does not tell' }],
          },
          ratesPerSecond: { rx_dropped: 2.5 },
        },
      }),
      make({
        probe: 'trace',
        metric: 'trace',
        summary: around('ms', rttMs, 3),
        details: {
          protocol: 'udp',
          reached: true,
          flows: 2,
          hops: Array.from({ length: hops + 1 }, (_, i) => ({
            ttl: i + 1,
            sent: 6,
            answered: i % 5 === 3 ? 0 : 6,
            nodes:
              i % 5 === 3
                ? []
                : [
                    {
                      address: `10.0.${i}.1`,
                      name: `core${i}.example.net`,
                      answered: 6,
                      flows: [0],
                      rttMs: { min: (i + 1) * 0.9, median: i + 1, max: (i + 1) * 1.4 },
                    },
                  ],
          })),
        },
      }),
      ...(kind === 'tailscale'
        ? [
            make({
              probe: 'tailscale',
              metric: 'tailscale',
              details: {
                source: 'socket',
                state: 'Running',
                version: '1.88.1',
                mtu: 1280,
                peer: { name: 'beta', addresses: ['100.84.202.68'], online: true, connection: 'relayed', relay: 'fra', handshakeAgeMs: 42_000 },
                netcheck: { udp: false, mappingVaries: true, nearestRelay: 'fra' },
                health: ['UDP is blocked'],
              },
            }),
          ]
        : []),
    ],
  };
}

const FINDINGS: Finding[] = [
  {
    id: 'vpn-relayed',
    title: 'The VPN goes through a relay in Frankfurt',
    severity: 'critical',
    confidence: 'certain',
    subject: 'beta',
    path: 'tailscale',
    symptoms: ['high-latency', 'low-throughput'],
    evidence: [
      { text: 'the client says: relayed by fra' },
      { text: 'round trip 38.42 ms, 1.280 ms on lan', metric: 'rtt', value: 38.42, unit: 'ms', expected: 1.4 },
    ],
    ruledOut: [
      { id: 'cpu-limited', why: 'no core was above 31 % while it ran' },
      { id: 'mtu', why: 'packets of 1280 bytes came through both ways' },
    ],
    unchecked: [{ id: 'firewall-at-peer', why: 'the peer does not tell its rules' }],
    next: [
      { text: 'See why no direct connection comes about', command: 'tailscale netcheck', costs: 'nothing' },
      { text: 'Let UDP port 41641 in at one end', command: 'nft add rule inet filter input udp dport 41641 accept', costs: 'change' },
    ],
  },
  {
    id: 'bufferbloat',
    title: 'An upload makes everybody else wait',
    severity: 'warning',
    confidence: 'likely',
    subject: 'beta',
    path: 'wan',
    symptoms: ['bufferbloat'],
    evidence: [{ text: 'round trip under upload 312.0 ms, 14.10 ms idle', metric: 'rtt.loaded.up', value: 312, unit: 'ms', expected: 20 }],
    ruledOut: [],
    next: [
      {
        text: 'Shape a little below the line rate with a fair queue',
        command: 'tc qdisc replace dev eth0 root cake bandwidth 19Mbit',
        costs: 'change',
      },
    ],
  },
  {
    id: 'link-slow',
    title: 'A 10 Gbit/s interface runs at 1 Gbit/s',
    severity: 'notice',
    confidence: 'possible',
    subject: 'this host',
    symptoms: [],
    evidence: [{ text: 'eth0 supports 10 Gbit/s, negotiated 1 Gbit/s' }],
    ruledOut: [],
    next: [{ text: 'Put in a 10 Gbit/s switch or a direct cable', costs: 'money' }],
  },
];

const COMPARISONS: Comparison[] = [
  {
    peer: 'beta',
    metric: 'rtt',
    path: 'tailscale',
    against: 'lan',
    unit: 'ms',
    value: 38.42,
    againstValue: 1.28,
    ratio: 30,
    ci95: [28.1, 31.7],
    turns: 8,
    verdict: 'differs',
    better: 'lan',
    sentence: 'tailscale takes 30.0 times as long as lan (28.1 to 31.7 in 8 turns).',
  },
  {
    peer: 'beta',
    metric: 'throughput.down',
    path: 'tailscale',
    against: 'lan',
    unit: 'bps',
    value: 420e6,
    againstValue: 936e6,
    ratio: 0.449,
    ci95: [0.43, 0.47],
    turns: 4,
    verdict: 'differs',
    better: 'lan',
    sentence: 'tailscale reaches 45 % of the download of lan.',
  },
  {
    peer: 'beta',
    metric: 'throughput.up',
    path: 'wan',
    against: 'lan',
    unit: 'bps',
    value: 930e6,
    againstValue: 931e6,
    ratio: 0.999,
    ci95: [0.95, 1.04],
    turns: 4,
    verdict: 'same',
    sentence: 'Uploads over wan and lan do not differ.',
  },
  {
    peer: 'beta',
    metric: 'connect',
    path: 'wan',
    against: 'lan',
    unit: 'ms',
    value: 15,
    againstValue: 12,
    ratio: 1.25,
    turns: 2,
    verdict: 'unclear',
    sentence: 'Two turns are too few to compare connects.',
  },
];

export const PATHS: readonly PathOptions[] = [
  { path: 'lan', kind: 'lan', rttMs: 1.28, downBps: 936e6, upBps: 931e6, loadedMs: 4.1, hops: 0 },
  { path: 'tailscale', kind: 'tailscale', rttMs: 38.42, downBps: 420e6, upBps: 380e6, loadedMs: 61, hops: 2 },
  { path: 'wan', kind: 'wan', rttMs: 14.1, downBps: 92e6, upBps: 18.7e6, loadedMs: 312, hops: 11 },
];

export const RICH: CheckDocument = {
  ...CHECK,
  depth: 'thorough',
  target: 'beta',
  durationMs: 58_120,
  subjects: [...PATHS.map(pathSubject), ...CHECK.subjects.slice(1)],
  comparisons: COMPARISONS,
  choices: [
    { peer: 'beta', purpose: 'latency', path: 'lan', sentence: 'lan answers in 1.280 ms, a thirtieth of tailscale.' },
    { peer: 'beta', purpose: 'bulk', path: 'lan', sentence: 'lan carries 936.0 Mbit/s, twice tailscale.' },
    { peer: 'beta', purpose: 'overall', path: 'lan', sentence: 'lan is best in both.' },
  ],
  findings: FINDINGS,
  unchecked: [
    { what: 'containers', why: 'there is no Docker socket at /var/run/docker.sock', hint: 'start Docker, or set DOCKER_HOST' },
    { what: 'packets of the peer', why: 'the peer has no key file' },
  ],
  advice: {
    fromBps: 1e9,
    toBps: 1e10,
    causes: [
      {
        id: 'switch',
        title: 'The switch has 1 Gbit/s ports',
        rank: 1,
        why: 'both ends can do 10 Gbit/s and the partner offers 1',
        check: 'read the label of the port',
        command: 'ethtool eth0',
      },
    ],
    options: [
      {
        id: 'dac',
        title: 'Direct cable',
        parts: [{ what: 'SFP+ direct attach cable, 3 m', count: 1, usd: [15, 40] }],
        usd: [15, 40],
        limits: ['two hosts only'],
        steps: ['plug it in', 'give both ends an address'],
      },
      {
        id: 'switch',
        title: '10G switch',
        parts: [
          { what: 'switch with 4 SFP+', count: 1, usd: [140, 300] },
          { what: 'module', count: 2, usd: [20, 60] },
        ],
        usd: [180, 420],
        limits: [],
        steps: ['replace the switch'],
      },
    ],
    pricesAsOf: '2026-11-01',
    workloads: [
      {
        id: 'model',
        title: '10 GB model',
        now: { text: '85 s', seconds: 85, limitedBy: 'link' },
        after: { text: '20 s', seconds: 20, limitedBy: 'disk' },
        factor: 4.2,
        verdict: 'needs it',
        why: 'the disk reads 500 MB/s, which is the next limit',
      },
      {
        id: 'audio',
        title: 'real-time audio',
        now: { text: '64 kbit/s', bps: 64e3, limitedBy: 'codec' },
        after: { text: '64 kbit/s', bps: 64e3, limitedBy: 'codec' },
        factor: 1,
        verdict: 'sufficient now',
        why: 'it needs latency, not rate',
      },
    ],
    assumed: ['a disk that reads 500 MB/s'],
    sentence: 'A 10 Gbit/s link moves a 10 GB model 4.2 times as fast; then the disk is the limit.',
  },
  environment: {
    fingerprint: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
    kernel: '6.1.0-28-amd64',
    tool: 'tautline 0.1.0',
    links: [{ name: 'eth0', speedBps: 1e9, driver: 'ixgbe', up: true }],
    settings: { 'net.ipv4.tcp_rmem': '4096 131072 33554432', 'net.ipv4.tcp_congestion_control': 'cubic' },
    routes: [{ to: '10.7.0.2', via: 'eth0' }],
  },
  verdict: {
    outcome: 'pass',
    band: 'good',
    sentence: 'beta is well reached over lan: round trip 1.280 ms, 936.0 Mbit/s down. Its VPN goes through a relay, which makes it 30 times slower.',
  },
};
