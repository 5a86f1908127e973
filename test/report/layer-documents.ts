import type { MeasureDocument, Measurement } from '../../src/results/index.js';
import { MEASURE, around, measurement } from './documents.js';

/** A run of each probe that looks at a layer, with details as they came from routers, servers and engines of the laboratory. */

const run = (probe: string, target: string, measurements: readonly Measurement[]): MeasureDocument => ({
  ...MEASURE,
  probe,
  target,
  durationMs: 1200,
  measurements: [...measurements],
});

const hop = (ttl: number, rttMs: number, node: { address: string; name?: string }): Record<string, unknown> => ({
  ttl,
  sent: 6,
  answered: 6,
  nodes: [{ ...node, answered: 6, flows: [0, 1, 2, 3, 4, 5], rttMs: { min: rttMs * 0.9, median: rttMs, max: rttMs * 2 } }],
});

export const TRACE = run('trace', 'gamma.example.net', [
  measurement({
    probe: 'trace',
    metric: 'trace',
    target: 'gamma.example.net',
    summary: around('ms', 21.4, 6),
    reason: 'hop 3 never answered, but packets get past: that is no loss of the path',
    details: {
      inShort: '1. 192.0.2.1 (612.0 us), 2. ...',
      protocol: 'udp',
      reached: true,
      flows: 6,
      allRoutersSeen: false,
      parting: { fromTtl: 1, toTtl: 3 },
      hops: [
        hop(1, 0.612, { address: '192.0.2.1', name: 'home.example.net' }),
        {
          ttl: 2,
          sent: 6,
          answered: 5,
          nodes: [
            { address: '198.51.100.17', answered: 3, flows: [0, 2, 4], rttMs: { min: 4.1, median: 4.4, max: 6.12 } },
            { address: '198.51.100.33', name: 'core.example.org', answered: 2, flows: [1, 3, 5], rttMs: { min: 4.3, median: 4.9, max: 5.2 } },
          ],
        },
        { ttl: 3, sent: 6, answered: 0, nodes: [], answers: 'silent' },
        { ...hop(4, 18.2, { address: '2001:db8:85a3:8d3:1319:8a2e:370:7348' }), answered: 2, answers: 'limited' },
        hop(5, 21.4, { address: '203.0.113.9', name: 'gamma.example.net' }),
      ],
    },
  }),
]);

export const LOST_TRACE = run('trace', '10.78.4.2', [
  measurement({
    probe: 'trace',
    metric: 'trace',
    target: '10.78.4.2',
    outcome: 'refused',
    reason: 'the way ends at hop 2: 10.78.2.2 says prohibited (ICMP type 3, code 13)',
    details: {
      protocol: 'tcp',
      reached: false,
      flows: 1,
      hops: [hop(1, 0.05, { address: '10.78.1.2' }), { ...hop(2, 0.07, { address: '10.78.2.2' }), ended: 'prohibited (ICMP type 3, code 13)' }],
    },
  }),
]);

const tried = [
  { bytes: 1280, sent: 3, passed: 3 },
  { bytes: 1401, sent: 6, passed: 0 },
];
const clamp = {
  mssBytes: 1360,
  why: 'the path takes 1400 bytes and nobody says so',
  command: 'nft add rule ip filter forward tcp flags syn tcp option maxseg size set 1360',
};

export const MTU = run('mtu', '10.7.0.2:7227', [
  measurement({
    probe: 'mtu',
    metric: 'mtu.up',
    summary: { ...around('bps', 1400, 1), unit: 'bytes' as const },
    error: { value: 0, unit: 'bytes', from: ['TCP puts 1348 bytes into a segment on this path'] },
    details: {
      direction: 'up',
      method: 'responder',
      passesBytes: 1400,
      failsBytes: 1401,
      blackHole: true,
      interfaceName: 'eth0',
      interfaceMtuBytes: 1500,
      mssBytes: 1360,
      tcpMssBytes: 1348,
      verified: true,
      clamp,
      tried,
    },
  }),
  measurement({
    probe: 'mtu',
    metric: 'mtu.down',
    summary: { ...around('bps', 1500, 1), unit: 'bytes' as const },
    details: {
      direction: 'down',
      method: 'responder',
      passesBytes: 1500,
      failsBytes: 1501,
      blackHole: false,
      ownInterface: true,
      mssBytes: 1460,
      verified: true,
      tried,
    },
  }),
]);

export const LINK = run('link', 'all', [
  measurement({
    probe: 'link',
    metric: 'link',
    target: 'eth0',
    summary: { ...around('bps', 1e8, 1) },
    details: {
      inShort: 'eth0 (ethernet, ixgbe)',
      link: {
        name: 'eth0',
        kind: 'ethernet',
        up: true,
        carrier: true,
        mtu: 1500,
        driver: 'ixgbe',
        speedBps: 1e8,
        duplex: 'half',
        autonegotiation: false,
        supportedBpsMax: 1e10,
        queues: { rx: 1, tx: 1, rxMax: 8, txMax: 8 },
        features: {
          'generic-receive-offload': { on: false, changeable: true },
          'rx-gro-list': { on: false, changeable: true },
          'large-receive-offload': { on: false, changeable: false },
        },
        qdiscs: [{ kind: 'tbf', parent: 'root', handle: '1:', rateBps: 5e7 }],
        unread: [{ what: 'rings', why: 'the driver does not tell' }],
      },
      ratesPerSecond: { rx_packets: 812, rx_bytes: 1e6, rx_crc_errors: 3.5, rx_otherhost_dropped: 9 },
      softirq: { busiest: 0.12, mean: 0.07 },
    },
  }),
  measurement({
    probe: 'link',
    metric: 'link',
    target: 'veth1',
    details: { link: { name: 'veth1', kind: 'virtual', type: 'veth', up: true, carrier: true, mtu: 1500, queues: { rx: 1, tx: 1 } } },
  }),
]);

const login = measurement({ probe: 'ssh', metric: 'ssh', target: 'beta', summary: around('ms', 308.5, 3) });
export const SSH = run('ssh', 'beta', [
  measurement({ probe: 'ssh', metric: 'ssh.connect', summary: around('ms', 0.342, 5), details: { host: '127.0.0.1', port: 39793 } }),
  measurement({ probe: 'ssh', metric: 'ssh.banner', summary: around('ms', 7.4, 5), details: { software: 'OpenSSH_9.2p1 Debian-2+deb12u10' } }),
  measurement({
    probe: 'ssh',
    metric: 'ssh.kex',
    summary: around('ms', 5.25, 5),
    details: {
      kex: 'curve25519-sha256',
      kexPreferred: 'sntrup761x25519-sha512',
      hostKey: 'ssh-ed25519',
      hostKeyBits: 256,
      fingerprint: 'SHA256:jovaxBSQtf8UDon62HomrNuVXDu54aYCnLxVO9tcD3A',
      signature: 'right',
    },
  }),
  {
    ...login,
    details: {
      alias: 'beta',
      user: 'me',
      host: '127.0.0.1',
      port: 39793,
      compression: true,
      multiplexing: { configured: true, running: false, socket: '/home/me/.ssh/cm-6011313cec7ada1a27f29b11cc31933c6e40697b', persist: '600' },
      staleSockets: ['/home/me/.ssh/cm-old'],
      keys: [
        { path: '/home/me/.ssh/id_ed25519' },
        { path: '/home/me/.ssh/id_rsa', problem: 'others may read it, so ssh does not use it', fix: 'chmod 600 /home/me/.ssh/id_rsa' },
      ],
    },
  },
]);

export const TAILSCALE = run('tailscale', 'beta', [
  measurement({
    probe: 'tailscale',
    metric: 'tailscale',
    summary: around('ms', 38.4, 20),
    details: {
      source: 'socket',
      state: 'Running',
      version: '1.88.1',
      self: { name: 'alpha', addresses: ['100.64.0.1'] },
      peer: {
        name: 'beta',
        addresses: ['100.64.0.2'],
        online: true,
        connection: 'direct',
        endpoint: '192.0.2.20:41641',
        handshakeAgeMs: 42_000,
      },
      mtu: 1280,
      netcheck: { udp: true, ipv6: false, mappingVaries: true, nearestRelay: 'fra', relayLatencyMs: { fra: 11.2 } },
      packets: [
        { to: 'peer', bytes: 1280, sent: 10, received: 0 },
        { to: 'endpoint', bytes: 1280, sent: 10, received: 10 },
      ],
      directButBroken: true,
      health: ['UDP is blocked at times'],
    },
  }),
]);

const container = (name: string, rest: Record<string, unknown> = {}): Record<string, unknown> => ({
  name,
  image: 'c37b150c28bf57e6f84e9add1cb9c33cf66e2b0a53cf2a0f2b0f5de1a2b3c4d5',
  state: 'running',
  restarts: 0,
  networks: ['small'],
  ports: [],
  ...rest,
});
const service = { container: 'web', published: 18_080, inside: 80, health: 'healthy' };

export const DOCKER = run('docker', 'local', [
  measurement({
    probe: 'docker',
    metric: 'docker.api',
    target: 'docker /var/run/docker.sock',
    summary: around('ms', 1.178, 10),
    details: {
      engine: 'docker',
      version: '20.10.24',
      socket: '/var/run/docker.sock',
      pathMtuBytes: 1290,
      containers: [
        container('web', {
          health: 'healthy',
          cpuShare: 0.03,
          memoryBytes: 684_000,
          memoryLimitBytes: 25_280_000_000,
          ports: [
            { host: '0.0.0.0', published: 18_080, inside: 80, protocol: 'tcp' },
            { host: '::', published: 18_080, inside: 80, protocol: 'tcp' },
            { host: '127.0.0.1', published: 5353, inside: 53, protocol: 'udp' },
          ],
        }),
        container('sick', { health: 'unhealthy', networks: ['bridge'] }),
        container('loop', { state: 'restarting', restarts: 3, networks: ['none'] }),
        container('job', { state: 'exited', oomKilled: true }),
      ],
      networks: [
        { name: 'small', driver: 'bridge', subnets: ['172.28.0.0/16'], mtu: 1280, interfaceName: 'br-dbc5028f1200', containers: ['web', 'job'] },
        { name: 'bridge', driver: 'bridge', subnets: ['172.17.0.0/16'], mtu: 1500, interfaceName: 'docker0', containers: ['sick'] },
        { name: 'none', driver: 'null', subnets: [], containers: ['loop'] },
      ],
      overlaps: [{ subnet: '172.28.0.0/16', with: '172.28.4.0/24', what: 'a subnet of the peer beta' }],
      untried: ['first byte of store 16379: no usual HTTP port'],
    },
  }),
  measurement({ probe: 'docker', metric: 'docker.connect', target: 'web 127.0.0.1:18080', summary: around('ms', 1.2, 5), details: service }),
  measurement({
    probe: 'docker',
    metric: 'docker.ttfb',
    target: 'web 127.0.0.1:18080',
    outcome: 'timeout',
    reason: 'no answer within 2 s',
    details: service,
  }),
]);

export const LAYER_DOCUMENTS: readonly MeasureDocument[] = [TRACE, LOST_TRACE, MTU, LINK, SSH, TAILSCALE, DOCKER];
