import type { NotDone, PlanDocument, Planned } from '../../src/results/index.js';

export const head = {
  tool: { name: 'tautline', version: '0.1.0' },
  host: {
    name: 'voice1',
    os: 'Linux',
    kernel: '6.1.0-18-amd64',
    arch: 'x64',
    cpus: 3,
    cpuModel: 'AMD EPYC Processor',
    memoryBytes: 4e9,
    node: 'v20.19.0',
    root: false,
  },
  startedAt: '2026-11-21T08:00:00.000Z',
  durationMs: 180,
} as const;

export const environment: PlanDocument['environment'] = {
  kind: 'vm',
  virtualization: 'kvm',
  provider: 'hetzner-cloud',
  product: 'CPX21',
  init: 'systemd',
  evidence: ['DMI names Hetzner as the vendor'],
};

export const profile: PlanDocument['profile'] = {
  name: 'moderate',
  title: 'for most servers',
  risk: 'low',
  exact: false,
  lineage: ['moderate', 'conservative'],
  chosen: 'advised',
  why: 'a virtual machine with shared processors, where processor and card settings are the provider’s',
};

const FASTERDATA = { title: 'ESnet fasterdata, host tuning', url: 'https://fasterdata.es.net/host-tuning/linux/' };
const TUNED = { title: 'TuneD network-throughput', url: 'https://github.com/redhat-performance/tuned' };

export function planned(more: Partial<Planned> & Pick<Planned, 'setting' | 'group' | 'now' | 'proposed' | 'why'>): Planned {
  return {
    title: more.setting,
    sources: [TUNED],
    effect: 'measurable',
    scope: 'namespace',
    needsRoot: true,
    possible: false,
    persistence: '/etc/sysctl.d/90-tautline.conf',
    places: [more.setting],
    from: 'moderate',
    ...(more.possible === true ? {} : { hindrance: 'it needs root: run it again with sudo' }),
    ...more,
  };
}

export const CHANGES: Planned[] = [
  planned({
    setting: 'net.ipv4.tcp_congestion_control',
    title: 'TCP congestion control',
    group: 'congestion',
    now: 'cubic',
    proposed: 'bbr',
    why: 'keeps throughput on long paths that lose packets at random; new connections only',
    sources: [{ title: 'RFC 9438 and the BBR draft', url: 'https://datatracker.ietf.org/doc/draft-ietf-ccwg-bbr/' }],
    notes: ['the module tcp_bbr is loaded by it'],
  }),
  planned({
    setting: 'net.ipv4.tcp_rmem',
    title: 'TCP receive buffers',
    group: 'buffers',
    now: '4096 131072 6291456',
    proposed: '4096 131072 16777216',
    why: 'one connection can fill 1 Gbit/s up to a round trip of 130 ms; memory is taken only as it is needed',
    sources: [FASTERDATA, TUNED],
  }),
  planned({
    setting: 'net.ipv4.tcp_wmem',
    title: 'TCP send buffers',
    group: 'buffers',
    now: '4096 16384 4194304',
    proposed: '4096 16384 16777216',
    why: 'one connection can fill 1 Gbit/s up to a round trip of 130 ms; memory is taken only as it is needed',
    sources: [FASTERDATA],
    from: 'conservative',
  }),
  planned({
    setting: 'net.ipv4.tcp_slow_start_after_idle',
    title: 'Slow start after idle',
    group: 'tcp',
    now: '1',
    proposed: '0',
    why: 'a connection that was idle sends at its old rate at once, as streams of requests want it',
  }),
  planned({
    setting: 'root-queue',
    title: 'Queue discipline',
    group: 'queueing',
    instance: 'eth0',
    now: 'mq',
    proposed: 'fq',
    why: 'paces packets in the queue instead of by timers in TCP, at less processor time',
    persistence: 'unit tautline-tune.service',
    scope: 'interface',
    sources: [{ title: 'tc-fq(8)' }],
  }),
  planned({
    setting: 'ssh-client',
    title: 'SSH client',
    group: 'ssh',
    now: 'no block',
    proposed: 'ControlMaster auto, ControlPersist 10m',
    why: 'later logins to the same host take one round trip instead of five or more',
    needsRoot: false,
    possible: true,
    persistence: 'by itself',
    scope: 'user',
    places: ['/home/me/.ssh/config'],
    sources: [{ title: 'ssh_config(5)' }],
  }),
];

export function notDone(reason: NotDone['reason'], setting: string, why: string, more: Partial<NotDone> = {}): NotDone {
  return { setting, title: setting, reason, why, ...more };
}

const ALREADY = ['tcp_sack', 'tcp_timestamps', 'tcp_window_scaling', 'tcp_moderate_rcvbuf', 'tcp_ecn', 'ip_local_port_range', 'tcp_fin_timeout'];
export const NOT_DONE: NotDone[] = [
  notDone('no-effect', 'net.ipv4.tcp_low_latency', 'the prequeue that it switched off was removed in Linux 4.14; the file is only kept', {
    now: '0',
    proposed: '1',
  }),
  notDone('no-effect', 'net.ipv4.tcp_fastopen', 'the client side is on already, and a server has to ask for it itself', { now: '1', proposed: '3' }),
  notDone('absent', 'net.ipv4.tcp_delack_min', 'mainline Linux has no such key'),
  notDone('absent', 'cpu-governor', 'this virtual machine has no frequency scaling'),
  notDone('would-lower', 'net.core.rmem_max', 'a larger value stays', { now: '7500000', proposed: '4194304' }),
  notDone('managed', 'vm.swappiness', '/etc/sysctl.d/99-local.conf:3 sets it, and would win at the next boot', { now: '5', proposed: '10' }),
  notDone('virtual-device', 'rings', 'the driver virtio_net cannot change its rings', { instance: 'eth0' }),
  ...ALREADY.map((key) => notDone('already', `net.ipv4.${key}`, 'it is so', { now: '1', proposed: '1' })),
];

export const PLAN: PlanDocument = {
  schema: 'tautline.plan/1',
  ...head,
  profile,
  environment,
  changes: CHANGES,
  notDone: NOT_DONE,
  managers: [
    {
      who: '/etc/sysctl.d/99-local.conf:3',
      what: 'vm.swappiness = 5',
      advice: 'it comes after Tautline’s own file at boot; change it there if you want another value',
    },
  ],
  advice: [
    {
      text: 'CPX is a line with shared processors: its figures change with its neighbours, so compare medians of several runs.',
      source: { title: 'Hetzner Cloud, server types', url: 'https://www.hetzner.com/cloud/' },
    },
  ],
};

export const NOTHING_TO_CHANGE: PlanDocument = {
  ...PLAN,
  host: { ...head.host, root: true },
  profile: { ...profile, chosen: 'asked', why: '' },
  changes: [],
  notDone: NOT_DONE.filter(({ reason }) => reason === 'already'),
  managers: [],
  advice: [],
  standing: { id: '20261120T070000Z-3f9a', profile: 'moderate', state: 'applied' },
};

export const QUEUES = Array.from({ length: 40 }, (_, i) => `enp65s0f${Math.floor(i / 20)}np${i % 20}`);
const LONG =
  'tx-checksum-ipv4 on, tx-checksum-ipv6 on, tx-scatter-gather on, tx-tcp-segmentation on, tx-tcp6-segmentation on, generic-segmentation-offload on, generic-receive-offload on, large-receive-offload off';

/** Many interfaces, long values, long words, an interrupted change, risks. */
export const LARGE_PLAN: PlanDocument = {
  ...PLAN,
  host: { ...head.host, name: 'metal-with-a-very-long-name.rack-17.datacentre-falkenstein.example.net', root: true },
  environment: { kind: 'metal', init: 'systemd', evidence: [] },
  profile: { ...profile, name: 'ai-cluster', title: 'many hosts that exchange gradients', risk: 'high', exact: true, chosen: 'asked' },
  changes: [
    ...QUEUES.map((instance) =>
      planned({
        setting: 'receive-packet-steering',
        group: 'interrupts',
        instance,
        now: '0',
        proposed: 'ffffffff,ffffffff,ffffffff,ffffffff',
        why: 'spreads the work of one queue',
        possible: true,
      }),
    ),
    planned({
      setting: 'offloads',
      group: 'offloads',
      instance: 'enp65s0f0np0',
      now: LONG,
      proposed: LONG.replaceAll('on', 'off'),
      why: 'w'.repeat(150),
      effect: 'risky',
      possible: true,
      takesEffect: 'nothing more',
    }),
    planned({
      setting: 'transparent-huge-pages',
      group: 'memory',
      now: 'madvise',
      proposed: 'never',
      why: 'jitter by compaction goes away; throughput may fall',
      effect: 'risky',
      possible: true,
      scope: 'host',
      takesEffect: 'processes that run already keep their pages: restart them',
    }),
  ],
  notDone: [
    ...QUEUES.map((instance) => notDone('virtual-device', 'coalescing', 'the driver has no such thing', { instance })),
    ...Array.from({ length: 12 }, (_, i) => notDone('managed', `net.core.key_${i}`, `TuneD profile throughput-performance sets it to ${i}`)),
  ],
  standing: {
    id: '20261120T070000Z-3f9a',
    profile: 'moderate',
    state: 'applying',
    advice: 'finish it with tautline tune apply --continue, or undo it with tautline tune rollback',
  },
};

export const HOSTILE_TEXT = '\u001b[2Jevil\u0007|<b>`x`=1+1\u202egnp\u009b31m';
export const HOSTILE_PLAN: PlanDocument = {
  ...PLAN,
  host: { ...head.host, name: HOSTILE_TEXT },
  profile: { ...profile, name: HOSTILE_TEXT, title: HOSTILE_TEXT, why: HOSTILE_TEXT },
  environment: { ...environment, provider: HOSTILE_TEXT, product: HOSTILE_TEXT },
  changes: [
    planned({
      setting: HOSTILE_TEXT,
      group: HOSTILE_TEXT,
      instance: HOSTILE_TEXT,
      now: HOSTILE_TEXT,
      proposed: HOSTILE_TEXT,
      why: HOSTILE_TEXT,
      possible: true,
    }),
  ],
  notDone: [notDone('managed', HOSTILE_TEXT, HOSTILE_TEXT, { instance: HOSTILE_TEXT, now: HOSTILE_TEXT, proposed: HOSTILE_TEXT })],
  managers: [{ who: HOSTILE_TEXT, what: HOSTILE_TEXT, advice: HOSTILE_TEXT }],
  advice: [{ text: HOSTILE_TEXT, source: { title: HOSTILE_TEXT, url: `javascript:${HOSTILE_TEXT}` } }],
};
