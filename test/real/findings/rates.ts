import type { RoutedPath } from '../../lab/routed-paths.js';
import type { LabScenario } from './scenario.js';

/** Shapes what the router sends on: `far0` is the way up, `near0` the way down. */
function htb({ router }: RoutedPath, device: 'far0' | 'near0', rate: string, queueBytes: number): Promise<string> {
  return router.sh(
    `tc qdisc add dev ${device} root handle 1: htb default 1; tc class add dev ${device} parent 1: classid 1:1 htb rate ${rate} quantum 1514; tc qdisc add dev ${device} parent 1:1 bfifo limit ${queueBytes}`,
  );
}

function tbf({ router }: RoutedPath, device: 'far0' | 'near0', rate: string, limitBytes: number): Promise<string> {
  return router.sh(`tc qdisc add dev ${device} root tbf rate ${rate} burst 16kb limit ${limitBytes}`);
}

/** A sender that fills the queue it is given; the machine's default may be one that does not. */
const GREEDY = 'sysctl -qw net.ipv4.tcp_congestion_control=reno';

export const RATES: readonly LabScenario[] = [
  {
    name: 'a shaper of 30 Mbit/s on the way up, with a short queue',
    first: ['shaper'],
    setUp: async ({ path }) => void (await htb(path, 'far0', '30mbit', 40_000)),
  },
  {
    name: 'a token bucket of 50 Mbit/s on the way down, with a short queue',
    first: ['shaper'],
    setUp: async ({ path }) => void (await tbf(path, 'near0', '50mbit', 60_000)),
  },
  {
    name: "this host's own shaper of 40 Mbit/s",
    first: ['shaper'],
    setUp: async ({ near, path }) => void (await near.sh(`tc qdisc add dev ${path.device} root tbf rate 40mbit burst 16kb limit 60000`)),
  },
  {
    name: 'a queue of 400 ms on the way up',
    first: ['bufferbloat'],
    setUp: async ({ near, path }) => {
      await near.sh(GREEDY);
      await htb(path, 'far0', '20mbit', 1_000_000);
    },
  },
  {
    name: 'a queue of 300 ms on the way down',
    first: ['bufferbloat'],
    setUp: async ({ far, path }) => {
      await far.sh(GREEDY);
      await htb(path, 'near0', '20mbit', 750_000);
    },
  },
  {
    name: 'a policer of 20 Mbit/s, which drops what is too much and delays nothing',
    first: ['policer'],
    setUp: async ({ near, path }) => {
      await near.sh(`ethtool -K ${path.device} gso off tso off tx-udp-segmentation off; ${GREEDY}`);
      await path.router.sh(
        `ethtool -K near0 gro off; nft add table ip police; nft 'add chain ip police pass { type filter hook forward priority 0; }'; nft add rule ip police pass oifname far0 ip daddr ${path.farAddress} limit rate over 2441 kbytes/second burst 60 kbytes drop`,
      );
    },
  },
];
