import type { PlaceRef, PlaceStates } from '../../src/tune/index.js';
import { textFile } from '../../src/tune/places/entry.js';

type Meant = { [K in PlaceRef['kind']]: readonly [Extract<PlaceRef, { kind: K }>, PlaceStates[K]] }[PlaceRef['kind']];

export const INTERFACE = 'path0';

/** What is changed on the real host: one place of every kind that can be changed in namespaces. @param roots copies of /etc/sysctl.d, /etc/security and /etc/ssh, mounted over them */
export function meantFor([sysctl = '', security = '', ssh = '']: readonly string[]): readonly Meant[] {
  return [
    [{ kind: 'kernel-value', path: '/proc/sys/net/ipv4/tcp_rmem' }, '4096 131072 16777216'],
    [{ kind: 'kernel-value', path: '/proc/sys/net/ipv4/tcp_slow_start_after_idle' }, '0'],
    [
      { kind: 'offloads', interface: INTERFACE },
      { 'tx-checksumming': false, 'generic-receive-offload': false },
    ],
    [
      { kind: 'root-queue', interface: INTERFACE },
      { queue: 'pfifo', byKernel: false },
    ],
    [{ kind: 'forwarding', family: 4 }, { ip_forward: 1 }],
    [{ kind: 'latency-hold' }, 10],
    [{ kind: 'entry', path: `${sysctl}/90-tautline.conf` }, textFile('net.ipv4.tcp_slow_start_after_idle = 0\n', { mode: 0o644 })],
    [
      { kind: 'entry', path: `${security}/tautline.d` },
      { kind: 'folder', mode: 0o750, ownerId: 0, groupId: 0 },
    ],
    [{ kind: 'entry', path: `${security}/tautline.d/limits.conf` }, textFile('* soft nofile 65536\n', { mode: 0o600 })],
    [
      { kind: 'entry', path: `${ssh}/ssh_config` },
      textFile('# tautline begin\nHost peer\n# tautline end\n', { mode: 0o640, ownerId: 3, groupId: 4 }),
    ],
    [
      { kind: 'entry', path: `${ssh}/alias` },
      { kind: 'link', target: 'sshd_config', ownerId: 0, groupId: 0 },
    ],
  ];
}
