import type { Measurement } from '../../src/results/index.js';
import type { CauseCase } from './cases-paths.js';
import { given, load, ms } from './given.js';

const dns = (median: number, details: Record<string, unknown> = {}, rest: Partial<Measurement> = {}) =>
  given('dns', 'dns', { ...ms(median, { n: 6 }), details: { server: '10.0.0.53:53', rcode: 'NOERROR', ...details }, ...rest });
const silent = given('dns', 'dns', { outcome: 'timeout', reason: '10.0.0.54:53 did not answer', details: { server: '10.0.0.54:53' } });
const web = (ttfb: number, connect = 10) => [
  given('http', 'http.connect', ms(connect, { n: 6 })),
  given('http', 'http.ttfb', ms(ttfb, { n: 6 })),
  given('http', 'http.total', { ...ms(ttfb + connect, { n: 6 }), details: { url: 'http://beta/' } }),
];
const tls = (handshake: number, protocol = 'TLSv1.3') => [
  given('tls', 'tls', { ...ms(handshake, { n: 6 }), target: 'beta:443', details: { protocol, cipher: 'TLS_AES_256_GCM_SHA384' } }),
  given('tls', 'connect', ms(10, { n: 6 })),
];
const ssh = (login: number, details: Record<string, unknown>) => [
  given('ssh', 'ssh', { ...ms(login, { n: 5 }), details: { alias: 'beta', multiplexing: { configured: true, running: false }, ...details } }),
];
const container = (rest: Record<string, unknown> = {}) => ({
  name: 'api',
  image: 'api:1',
  state: 'running',
  restarts: 0,
  networks: ['app'],
  ports: [],
  ...rest,
});
const docker = (containers: readonly unknown[], rest: Record<string, unknown> = {}) =>
  given('docker', 'docker', { details: { engine: 'docker', socket: '/var/run/docker.sock', containers, networks: [], overlaps: [], ...rest } });
/** Answers at first, and then none in so many turns. */
const broken = (last: number): Measurement[] => {
  const turns = ['ok', ...Array.from({ length: last }, () => 'timeout')].map((outcome, turn) => ({
    turn,
    outcome,
    startedAt: new Date(Date.UTC(2026, 0, 1, 0, 0, turn)).toISOString(),
  }));
  return [given('throughput', 'throughput.down', { ...load('down', { bps: 9.4e8 }), reason: '10.0.0.2:7227 did not answer', details: { turns } })];
};

const gone = (outcome: Measurement['outcome'], ping: Measurement['outcome'] = 'ok'): Measurement[] => [
  given('ping', 'rtt', ping === 'ok' ? ms(0.3) : { outcome: ping, reason: 'no answer' }),
  ...[
    ['echo', 'rtt'],
    ['echo', 'jitter'],
    ['tcp', 'connect'],
    ['throughput', 'rtt.idle'],
    ['throughput', 'throughput.up'],
    ['throughput', 'throughput.down'],
    ['throughput', 'rtt.loaded.up'],
    ['throughput', 'rtt.loaded.down'],
  ].map(([probe = '', metric = '']) => given(probe, metric, { outcome, reason: `10.0.0.2:7227 ${outcome}` })),
];

export const SERVICE_CASES: readonly CauseCase[] = [
  {
    id: 'slow-resolver',
    path: { and: [dns(300, { firstMs: 301 }), given('dns', 'dns.system', ms(302, { n: 5 }))] },
    nearMiss: { and: [dns(30), given('dns', 'dns.system', ms(31, { n: 5 }))] },
  },
  {
    id: 'lookup-detour',
    path: { and: [dns(2), given('dns', 'dns.system', ms(800, { n: 5 }))] },
    nearMiss: { and: [dns(2), given('dns', 'dns.system', ms(40, { n: 5 }))] },
  },
  { id: 'dead-resolver', path: { and: [silent] }, nearMiss: { and: [dns(2, { rcode: 'NXDOMAIN' })] } },
  { id: 'dead-resolver', path: { and: [dns(2, { rcode: 'SERVFAIL' })] }, nearMiss: { and: [dns(2)] } },
  {
    id: 'lost-handshakes',
    path: { and: [given('tcp', 'connect', ms(0.4, { n: 15, max: 1003 }))] },
    nearMiss: { and: [given('tcp', 'connect', ms(0.4, { n: 15, max: 180 }))] },
  },
  { id: 'slow-tls', path: { and: tls(310) }, nearMiss: { and: tls(28, 'TLSv1.2') } },
  { id: 'slow-server', path: { and: web(420) }, nearMiss: { and: web(60) } },
  {
    id: 'ssh-server-slow',
    path: { and: [given('ssh', 'ssh.banner', { ...ms(2100, { n: 3 }), details: { alias: 'beta' } })] },
    nearMiss: { and: [given('ssh', 'ssh.banner', { ...ms(30, { n: 3 }), details: { alias: 'beta' } })] },
  },
  {
    id: 'ssh-multiplexing',
    path: { and: ssh(400, { multiplexing: { configured: false, running: false } }) },
    nearMiss: { and: ssh(120, { multiplexing: { configured: false, running: false } }) },
  },
  { id: 'ssh-stale-socket', path: { and: ssh(90, { staleSockets: ['/home/a/.ssh/sockets/x'] }) }, nearMiss: { and: ssh(90, { staleSockets: [] }) } },
  {
    id: 'ssh-keys',
    path: { and: ssh(90, { keys: [{ path: '/home/a/.ssh/id', problem: 'others may read it', fix: 'chmod 600 /home/a/.ssh/id' }] }) },
    nearMiss: { and: ssh(90, { keys: [{ path: '/home/a/.ssh/id' }] }) },
  },
  { id: 'ssh-compression', path: { and: ssh(90, { compression: true }) }, nearMiss: { kind: 'wan', and: ssh(90, { compression: true }) } },
  {
    id: 'container-unhealthy',
    path: { and: [docker([container({ health: 'unhealthy' })])] },
    nearMiss: { and: [docker([container({ health: 'healthy', restarts: 1 })])] },
  },
  {
    id: 'container-unhealthy',
    path: { and: [docker([container({ state: 'exited', oomKilled: true, memoryLimitBytes: 64e6 })])] },
    nearMiss: { and: [docker([container({ state: 'exited' })])] },
  },
  {
    id: 'container-mtu',
    path: {
      and: [
        docker([container()], { pathMtuBytes: 1280, networks: [{ name: 'app', driver: 'bridge', subnets: [], mtu: 1500, containers: ['api'] }] }),
      ],
    },
    nearMiss: {
      and: [
        docker([container()], { pathMtuBytes: 1280, networks: [{ name: 'app', driver: 'bridge', subnets: [], mtu: 1280, containers: ['api'] }] }),
      ],
    },
  },
  {
    id: 'overlapping-subnets',
    path: { near: { containerSubnets: ['172.18.0.0/16'] }, far: { containerSubnets: ['172.18.4.0/24'] } },
    nearMiss: { near: { containerSubnets: ['172.18.0.0/16', '172.17.0.0/16'] }, far: { containerSubnets: ['172.19.0.0/16', '172.17.0.0/16'] } },
  },
  { id: 'peer-stopped', path: { and: broken(3) }, nearMiss: { and: broken(2) } },
  { id: 'port-refused', path: { and: gone('refused') }, nearMiss: {} },
  { id: 'firewall', path: { and: gone('timeout') }, nearMiss: {} },
  { id: 'peer-down', path: { and: gone('timeout', 'lost') }, nearMiss: { and: [given('ping', 'rtt', { outcome: 'lost', reason: 'drops pings' })] } },
];
