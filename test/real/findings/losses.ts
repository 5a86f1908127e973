import type { RoutedPath } from '../../lab/routed-paths.js';
import type { LabScenario } from './scenario.js';

/** Drops what the router forwards out of a device: `far0` is the way up, `near0` the way down. */
function drop({ router }: RoutedPath, device: 'far0' | 'near0', { match = '', perMille }: { match?: string; perMille?: number }): Promise<string> {
  const share = perMille === undefined ? '' : `numgen random mod 1000 '<' ${perMille}`;
  return router.sh(
    `nft add table ip lossy; nft 'add chain ip lossy pass { type filter hook forward priority 0; }'; nft add rule ip lossy pass oifname ${device} ${match} ${share} counter drop`,
  );
}

export const LOSSES: readonly LabScenario[] = [
  {
    name: 'a loss of 3 % on the way up',
    first: ['random-loss'],
    depth: 'default',
    setUp: async ({ path }) => void (await drop(path, 'far0', { perMille: 30 })),
  },
  {
    name: 'a loss of 3 % on the way down',
    first: ['random-loss'],
    depth: 'default',
    setUp: async ({ path }) => void (await drop(path, 'near0', { perMille: 30 })),
  },
  {
    name: 'a loss of 2 % both ways on a path of 20 ms',
    site: 'other',
    first: ['random-loss'],
    setUp: async ({ path }) => path.relay({ up: { delayMs: 10, lossRatio: 0.02 }, down: { delayMs: 10, lossRatio: 0.02 } }),
  },
  {
    name: 'a firewall that loses every second attempt to connect',
    first: ['lost-handshakes'],
    setUp: async ({ path }) => void (await drop(path, 'far0', { match: "tcp flags '&' '(syn|ack)' == syn", perMille: 500 })),
    depth: 'default',
  },
  {
    name: 'a delay that varies by 15 ms either way',
    site: 'other',
    first: ['jitter', 'variable-delay'],
    setUp: async ({ path }) => path.relay({ up: { delayMs: 20, jitterMs: 15 }, down: { delayMs: 20, jitterMs: 15 } }),
  },
  {
    name: 'packets that overtake each other',
    site: 'other',
    first: ['reordering'],
    setUp: async ({ path }) =>
      path.relay({ up: { delayMs: 5, reorderRatio: 0.05, overtakenMs: 8 }, down: { delayMs: 5, reorderRatio: 0.05, overtakenMs: 8 } }),
  },
  {
    name: 'a black hole for packets above 1400 bytes on the way up',
    first: ['mtu-black-hole'],
    setUp: async ({ path }) => void (await drop(path, 'far0', { match: "meta length '>' 1400" })),
  },
  {
    name: 'a black hole for packets above 1400 bytes on the way down',
    first: ['mtu-black-hole'],
    setUp: async ({ path }) => void (await drop(path, 'near0', { match: "meta length '>' 1400" })),
  },
  {
    name: 'a link of MTU 1400 behind the router, whose answers a firewall drops',
    first: ['mtu-black-hole'],
    setUp: async ({ path, far }) => {
      await path.router.sh('ip link set far0 mtu 1400');
      await far.sh(`ip link set ${path.device} mtu 1400`);
      await path.router.sh(
        `nft add table ip quiet; nft 'add chain ip quiet out { type filter hook output priority 0; }'; nft add rule ip quiet out icmp type destination-unreachable drop`,
      );
    },
  },
];
