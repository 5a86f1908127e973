import type { LabScenario } from './scenario.js';

const DELAY = { up: { delayMs: 15 }, down: { delayMs: 15 } };

export const WINDOWS: readonly LabScenario[] = [
  {
    name: 'a receive buffer of 64 KiB at the far end of 30 ms',
    site: 'other',
    first: ['window-limited', 'receiver-limited'],
    setUp: async ({ far, path }) => {
      await far.sh("sysctl -qw net.ipv4.tcp_rmem='4096 65536 65536'");
      await path.relay(DELAY);
    },
  },
  {
    name: 'a receive buffer of 64 KiB at this end of 30 ms',
    site: 'other',
    first: ['window-limited', 'receiver-limited'],
    setUp: async ({ near, path }) => {
      await near.sh("sysctl -qw net.ipv4.tcp_rmem='4096 65536 65536'");
      await path.relay(DELAY);
    },
  },
  {
    name: 'a send buffer of 64 KiB at this end of 30 ms',
    site: 'other',
    first: ['window-limited'],
    setUp: async ({ near, path }) => {
      await near.sh("sysctl -qw net.ipv4.tcp_wmem='4096 16384 65536'");
      await path.relay(DELAY);
    },
  },
  {
    name: 'windows that may not be scaled, over 30 ms',
    site: 'other',
    first: ['window-limited'],
    setUp: async ({ near, path }) => {
      await near.sh('sysctl -qw net.ipv4.tcp_window_scaling=0');
      await path.relay(DELAY);
    },
  },
];
