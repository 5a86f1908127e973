import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SLOW_READY } from '../../lab/slow-server.js';
import type { SlowServer } from '../../lab/slow-server.js';
import { mustRun } from '../../lab/processes.js';
import { PORT } from '../../lab/tautline.js';
import type { LabHosts, LabScenario } from './scenario.js';

const SLOW = fileURLToPath(new URL('../../lab/slow-server.js', import.meta.url));

function slow(lab: LabHosts, server: SlowServer): Promise<void> {
  return lab.startFar([process.execPath, SLOW, JSON.stringify(server)], SLOW_READY);
}

/** Computes for nobody, on one processor. */
function hog(cpu: number): string[] {
  return ['taskset', '-c', String(cpu), process.execPath, '-e', 'for (;;);'];
}

/** Resolves names in a file of its own, in a mount namespace of its own. */
function resolvingBy(lab: LabHosts): string[] {
  return [
    'unshare',
    '-m',
    '--propagation',
    'private',
    'sh',
    '-ec',
    `mount --bind ${join(lab.folder, 'resolv.conf')} /etc/resolv.conf; exec "$@"`,
    'sh',
  ];
}

const sound = async (): Promise<void> => undefined;

export const HOSTS: readonly LabScenario[] = [
  {
    name: 'a resolver that takes 300 ms',
    first: ['slow-resolver'],
    setUp: async (lab) => {
      await slow(lab, { kind: 'dns', host: lab.path.farAddress, port: 53, address: lab.path.farAddress, answerMs: 300 });
      await mustRun(['sh', '-c', `echo nameserver ${lab.path.farAddress} > ${join(lab.folder, 'resolv.conf')}`]);
    },
    target: () => `beta.example:${PORT}`,
    checkWith: resolvingBy,
  },
  {
    name: 'a first resolver that does not answer',
    first: ['dead-resolver'],
    setUp: async (lab) => {
      await slow(lab, { kind: 'dns', host: lab.path.farAddress, port: 53, address: lab.path.farAddress, answerMs: 0 });
      await mustRun([
        'sh',
        '-c',
        `printf 'nameserver 10.78.2.77\\nnameserver ${lab.path.farAddress}\\noptions timeout:1\\n' > ${join(lab.folder, 'resolv.conf')}`,
      ]);
    },
    target: () => `beta.example:${PORT}`,
    checkWith: resolvingBy,
  },
  {
    name: 'a TLS server that thinks for 300 ms',
    first: ['slow-tls'],
    setUp: async (lab) => {
      const [key, certificate] = [join(lab.folder, 'key.pem'), join(lab.folder, 'certificate.pem')];
      await mustRun(
        `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=beta -keyout ${key} -out ${certificate}`.split(
          ' ',
        ),
      );
      await slow(lab, { kind: 'tls', host: lab.path.farAddress, port: 8443, key, certificate, answerMs: 300 });
    },
    target: ({ path }) => `https://${path.farAddress}:8443/`,
  },
  {
    name: 'an HTTP server that thinks for 400 ms',
    first: ['slow-server'],
    setUp: (lab) => slow(lab, { kind: 'http', host: lab.path.farAddress, port: 8080, answerMs: 400 }),
    target: ({ path }) => `http://${path.farAddress}:8080/`,
  },
  {
    name: 'a responder on a link of 1 Gbit/s whose processor others use',
    first: ['receiver-cpu', 'far-cpu'],
    serveWith: ['taskset', '-c', '1', 'nice', '-n', '12'],
    setUp: async (lab) => {
      await lab.near.sh(`tc qdisc add dev ${lab.path.device} root tbf rate 1gbit burst 256kb limit 1mb`);
      await lab.far.sh(`tc qdisc add dev ${lab.path.device} root tbf rate 1gbit burst 256kb limit 1mb`);
      for (let i = 0; i < 3; i++) await lab.startFar(hog(1));
    },
  },
  {
    name: 'a peer whose port refuses',
    first: ['port-refused'],
    setUp: sound,
    target: ({ path }) => `${path.farAddress}:9`,
  },
  {
    name: 'a firewall that swallows everything but pings',
    first: ['firewall'],
    setUp: async ({ far }) =>
      void (await far.sh(
        `nft add table ip wall; nft 'add chain ip wall in { type filter hook input priority 0; }'; nft add rule ip wall in meta l4proto '{ tcp, udp }' drop`,
      )),
    target: ({ path }) => `${path.farAddress}:${PORT}`,
  },
  {
    name: 'a peer that is not there',
    first: ['peer-down'],
    setUp: sound,
    target: () => '10.78.2.99',
  },
  {
    name: 'two paths, of which one takes a detour of 30 ms',
    first: ['detour'],
    paths: 2,
    setUp: async ({ paths }) => paths[1]?.relay({ up: { delayMs: 15 }, down: { delayMs: 15 } }),
  },
  {
    name: 'two paths, of which one is shaped to 20 Mbit/s',
    first: ['shaper'],
    paths: 2,
    setUp: async ({ paths }) =>
      void (await paths[1]?.router.sh(
        'tc qdisc add dev far0 root tbf rate 20mbit burst 16kb limit 40000; tc qdisc add dev near0 root tbf rate 20mbit burst 16kb limit 40000',
      )),
  },
  { name: 'a sound path', first: [], setUp: sound, depth: 'default' },
  { name: 'two sound paths', first: [], paths: 2, setUp: sound },
  {
    name: 'a sound path of 10 ms',
    site: 'other',
    first: [],
    setUp: async ({ path }) => path.relay({ up: { delayMs: 5 }, down: { delayMs: 5 } }),
  },
];
