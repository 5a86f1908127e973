import { SimKilled } from '../../../src/sim/control-process.js';
import { numbers, wholeNumber } from '../../../src/sim/control-values.js';
import { simTuneHost } from '../../../src/sim/tune-host.js';
import type { SimTuneHost, TuneHostSpec } from '../../../src/sim/tune-host.js';
import { applyChange, readPlace, rollBack } from '../../../src/tune/index.js';
import type { ApplyRequest, ChangeReport, JournalStep, PlaceRef, PlaceStates, TunePorts } from '../../../src/tune/index.js';
import { textFile } from '../../../src/tune/places/entry.js';

/** Where the journals are: what a snapshot leaves out. */
export const FOLDER = '/var/lib/tautline';
export const WITHOUT = { without: ['/var/lib', '/var'] };

const FEATURES = ['generic-receive-offload', 'tcp-segmentation-offload', 'generic-segmentation-offload', 'scatter-gather', 'tx-checksumming'];

/** A host with a place of every kind that a Linux host has. */
export const SPEC: TuneHostSpec = {
  name: 'host',
  host: {
    addresses: ['10.0.0.1'],
    interfaces: [
      {
        name: 'eth0',
        addresses: ['10.0.0.1/24'],
        kind: 'ethernet',
        up: true,
        features: Object.fromEntries(FEATURES.map((name) => [name, { on: true, changeable: true }])),
        coalescing: { rxUsecs: 50, txUsecs: 50, adaptiveRx: true, adaptiveTx: false },
        rings: { rx: 512, tx: 512, rxMax: 4096, txMax: 4096 },
      },
    ],
  },
  links: { eth0: { channels: { combined: 4, combinedMax: 8 } } },
  files: {
    '/etc/ssh/ssh_config': {
      text: 'Host *\n    HashKnownHosts yes\n',
      mode: 0o640,
      ownerId: 12,
      groupId: 34,
      modifiedNs: 1_600_000_000_123_456_789n,
    },
    '/etc/docker/daemon.json': '{"debug": true}\n',
    '/etc/resolv.one': 'nameserver 10.0.0.53\n',
  },
  folders: { '/etc/sysctl.d': 0o755, '/etc/security': 0o755 },
  symlinks: { '/etc/resolv.conf': 'resolv.one' },
  devices: ['/dev/cpu_dma_latency'],
  values: {
    '/proc/sys/net/ipv4/tcp_rmem': { text: '4096\t131072\t6291456', accepts: numbers(3) },
    '/proc/sys/net/ipv4/tcp_congestion_control': { text: 'cubic', accepts: ['cubic', 'reno', 'bbr'] },
    '/proc/sys/net/core/rmem_max': { text: '212992', accepts: wholeNumber({ min: 2304, max: 1_000_000_000 }) },
    '/proc/sys/net/ipv4/ip_forward': '0',
    '/proc/sys/net/ipv4/conf/all/accept_redirects': '1',
    '/proc/sys/net/ipv4/conf/default/forwarding': '0',
    '/proc/sys/net/ipv4/conf/eth0/forwarding': '0',
    '/proc/sys/vm/swappiness': { text: '60', accepts: wholeNumber({ min: 0, max: 200, beyond: 'clamp' }) },
    '/sys/kernel/mm/transparent_hugepage/enabled': { text: 'madvise', choice: ['always', 'madvise', 'never'] },
  },
};

type Meant = { [K in PlaceRef['kind']]: readonly [Extract<PlaceRef, { kind: K }>, PlaceStates[K]] }[PlaceRef['kind']];

/** Every kind of place, a folder that is made and a file in it, foreign files with a mode, an owner and an odd time, and a link. */
export const MEANT: readonly Meant[] = [
  [{ kind: 'kernel-value', path: '/proc/sys/net/ipv4/tcp_rmem' }, '4096 131072 16777216'],
  [{ kind: 'kernel-value', path: '/proc/sys/net/ipv4/tcp_congestion_control' }, 'bbr'],
  [{ kind: 'kernel-value', path: '/sys/kernel/mm/transparent_hugepage/enabled', choice: true }, 'never'],
  [
    { kind: 'offloads', interface: 'eth0' },
    { 'scatter-gather': false, 'generic-receive-offload': false },
  ],
  [
    { kind: 'coalescing', interface: 'eth0' },
    { rxUsecs: 0, adaptiveRx: false },
  ],
  [{ kind: 'rings', interface: 'eth0' }, { rx: 2048 }],
  [
    { kind: 'root-queue', interface: 'eth0' },
    { queue: 'fq', byKernel: false },
  ],
  [{ kind: 'channels', interface: 'eth0' }, { combined: 2 }],
  [
    { kind: 'forwarding', family: 4 },
    { ip_forward: 1, 'conf/eth0/forwarding': 1 },
  ],
  [{ kind: 'latency-hold' }, 10],
  [{ kind: 'nft-table', family: 'inet', name: 'tautline' }, 'table inet tautline {\n\tchain forward {\n\t}\n}\n'],
  [
    { kind: 'entry', path: '/etc/tautline.d' },
    { kind: 'folder', mode: 0o750, ownerId: 0, groupId: 0 },
  ],
  [{ kind: 'entry', path: '/etc/tautline.d/boot.sh' }, textFile('#!/bin/sh\ntrue\n', { mode: 0o755 })],
  [{ kind: 'entry', path: '/etc/sysctl.d/90-tautline.conf' }, textFile('net.ipv4.tcp_congestion_control = bbr\n', { mode: 0o644 })],
  [
    { kind: 'entry', path: '/etc/ssh/ssh_config' },
    textFile('Host *\n    HashKnownHosts yes\n# tautline begin\nHost peer\n    ControlMaster auto\n# tautline end\n', {
      mode: 0o640,
      ownerId: 12,
      groupId: 34,
    }),
  ],
  [{ kind: 'entry', path: '/etc/docker/daemon.json' }, textFile('{"debug": true, "mtu": 1280}\n', { mode: 0o600 })],
  [
    { kind: 'entry', path: '/etc/resolv.conf' },
    { kind: 'link', target: '/run/systemd/resolve/stub-resolv.conf', ownerId: 0, groupId: 0 },
  ],
  [
    { kind: 'entry', path: '/etc/security' },
    { kind: 'folder', mode: 0o700, ownerId: 0, groupId: 0 },
  ],
];

export function freshHost(spec: TuneHostSpec = SPEC): SimTuneHost {
  return simTuneHost(spec);
}

/** Steps as a plan makes them: from what is there to what is meant. */
export async function stepsFor(ports: TunePorts, meant: readonly Meant[] = MEANT): Promise<JournalStep[]> {
  const steps: JournalStep[] = [];
  for (const [place, desired] of meant) {
    const original = await readPlace(ports, place);
    if (original === undefined) throw new Error(`the host has no ${JSON.stringify(place)}`);
    steps.push({ setting: place.kind, place, original, desired } as JournalStep);
  }
  return steps;
}

/** @returns what it returned, or undefined when the process was killed in it */
export async function orKilled<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SimKilled) return undefined;
    throw error;
  }
}

export async function applyOn(host: SimTuneHost, extra: Partial<ApplyRequest> = {}): Promise<ChangeReport> {
  const steps = extra.steps ?? (await stepsFor(host.ports));
  return await applyChange(host.ports, { folder: FOLDER, profile: 'voice', persist: false, ...extra, steps });
}

export async function rollBackOn(host: SimTuneHost, extra: { change?: string; force?: boolean } = {}): Promise<ChangeReport> {
  return await rollBack(host.ports, { folder: FOLDER, force: false, reason: 'asked', ...extra });
}

/** What the host is, journals and their folders left out. */
export function stateOf(host: SimTuneHost): string {
  return host.snapshot(WITHOUT);
}
