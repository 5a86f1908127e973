import type { ChangeDocument, ChangeStep, ExperimentDocument, ExperimentFigure, StatusDocument, TuneListDocument } from '../../src/results/index.js';
import { CHANGES, HOSTILE_TEXT, NOT_DONE, QUEUES, environment, head, notDone, planned, profile } from './tune-documents.js';

const asRoot = { ...head, host: { ...head.host, root: true } };
const ID = '20261121T080000Z-7c1d';

function step(place: string, original: string, desired: string, more: Partial<ChangeStep> = {}): ChangeStep {
  return { setting: place, place, original, desired, outcome: 'applied', ...more };
}

const STEPS: ChangeStep[] = [
  step('net.ipv4.tcp_congestion_control', 'cubic', 'bbr', { found: 'bbr' }),
  step('net.ipv4.tcp_rmem', '4096 131072 6291456', '4096 131072 16777216', { found: '4096 131072 16777216' }),
  step('net.ipv4.tcp_wmem', '4096 16384 4194304', '4096 16384 16777216', { found: '4096 16384 16777216' }),
  step('net.core.netdev_max_backlog', '1000', '5001', { found: '5000', why: 'the kernel rounds it' }),
  ...QUEUES.slice(0, 16).map((queue) => step(`/sys/class/net/eth0/queues/${queue}/rps_cpus`, '0', '7', { setting: 'receive-packet-steering' })),
];

export const APPLIED: ChangeDocument = {
  schema: 'tautline.change/1',
  ...asRoot,
  action: 'apply',
  change: ID,
  profile: 'moderate',
  state: 'awaiting-confirmation',
  persisted: true,
  confirmBefore: '2026-11-21T08:01:00.000Z',
  steps: [...STEPS, step('/etc/sysctl.d/90-tautline.conf', 'nothing', 'a file of 412 bytes', { outcome: 'waiting', why: 'what outlives a boot' })],
  notDone: NOT_DONE.filter(({ reason }) => reason !== 'already'),
  takesEffect: ['log in again: limits are read at login', 'restart dockerd when its containers may stop for a moment'],
  verdict: { outcome: 'pass', sentence: '20 places hold what the profile asks for.' },
};

export const CONFIRMED: ChangeDocument = {
  ...APPLIED,
  action: 'confirm',
  state: 'applied',
  steps: [step('/etc/sysctl.d/90-tautline.conf', 'nothing', 'a file of 412 bytes')],
  notDone: [],
  takesEffect: [],
  verdict: { outcome: 'pass', sentence: 'The change stays.' },
};

export const FAILED_CHANGE: ChangeDocument = {
  ...APPLIED,
  state: 'rolled-back',
  persisted: false,
  steps: [
    step('net.ipv4.tcp_rmem', '4096 131072 6291456', '4096 131072 16777216', { outcome: 'undone', found: '4096 131072 16777216' }),
    step('eth0 rings', 'rx 256, tx 256', 'rx 4096, tx 4096', { outcome: 'failed', why: 'the driver refused it: Invalid argument (EINVAL)' }),
    step('net.ipv4.tcp_gone', '1', '0', { outcome: 'gone', why: 'the kernel has no such key any more' }),
    step('eth0 root queue', 'mq', 'fq', { outcome: 'left-out', why: 'the step before it failed' }),
  ],
  takesEffect: [],
  notDone: [],
  verdict: { outcome: 'fail', sentence: 'eth0 rings could not be set, so everything was set back.' },
};

export const CONFLICTED: ChangeDocument = {
  ...APPLIED,
  action: 'rollback',
  state: 'conflicted',
  persisted: false,
  steps: [
    step('net.ipv4.tcp_rmem', '4096 131072 6291456', '4096 131072 16777216', { outcome: 'undone', found: '4096 131072 16777216' }),
    step('net.core.rmem_max', '212992', '7500000', {
      outcome: 'conflict',
      found: '7500000',
      why: 'somebody changed it since: it holds 33554432, and this change left 7500000 there; it is kept',
    }),
    step('/etc/security/limits.d/90-tautline.conf', 'nothing', 'a file of 96 bytes', {
      outcome: 'conflict',
      why: 'somebody changed it since: it holds a file of 120 bytes, and this change left a file of 96 bytes there; it is kept',
    }),
  ],
  takesEffect: [],
  notDone: [],
  verdict: { outcome: 'fail', sentence: '1 place is as it was before; 2 were changed by somebody else since and were kept.' },
};

export const INTERRUPTED: ChangeDocument = {
  ...APPLIED,
  interrupted: true,
  state: 'applying',
  steps: [...STEPS.slice(0, 2), step('net.ipv4.tcp_wmem', '4096 16384 4194304', '4096 16384 16777216', { outcome: 'left-out' })],
  notDone: [],
  takesEffect: [],
  verdict: { outcome: 'unmeasured', sentence: 'Interrupted after 2 of 3 places.' },
};

export const NOTHING_DONE: ChangeDocument = {
  schema: 'tautline.change/1',
  ...asRoot,
  action: 'apply',
  profile: 'moderate',
  state: 'nothing-to-do',
  persisted: false,
  steps: [],
  notDone: [notDone('already', 'net.ipv4.tcp_sack', 'it is so')],
  takesEffect: [],
  verdict: { outcome: 'pass', sentence: 'Everything is as the profile wants it.' },
};

const CHECKS: StatusDocument['checks'] = [
  { id: 'congestion-control', title: 'Congestion control', state: 'good', found: 'bbr', note: '' },
  {
    id: 'tcp-low-latency',
    title: 'TCP low latency',
    state: 'no-effect',
    found: '1',
    note: 'does nothing since Linux 4.14, so that reading it back proves nothing',
  },
  { id: 'governor', title: 'Processor governor', state: 'absent', found: 'no cpufreq', note: 'a virtual machine leaves it to its host' },
  { id: 'thp', title: 'Transparent huge pages', state: 'info', found: 'madvise', note: 'never lowers jitter and may cost throughput' },
  {
    id: 'limits',
    title: 'File descriptors',
    state: 'off',
    found: '1024 soft, 1048576 hard',
    note: 'a server with many connections runs out of them',
  },
  {
    id: 'offloads',
    title: 'Offloads of every interface that carries a default route',
    state: 'good',
    found: 'eth0: gro, gso, tso on; eth1: gro, gso, tso on; eth2: gro, gso, tso on',
    note: '',
  },
];

export const STATUS: StatusDocument = {
  schema: 'tautline.status/1',
  ...asRoot,
  environment,
  changes: [{ id: ID, profile: 'moderate', state: 'applied', appliedAt: '2026-11-21T08:00:00.000Z', persisted: true, places: 21 }],
  drift: [],
  checks: CHECKS,
  resembles: [
    { profile: 'moderate', holding: 11, of: 11 },
    { profile: 'conservative', holding: 7, of: 7 },
    { profile: 'voice', holding: 12, of: 19 },
    { profile: 'bulk', holding: 9, of: 16 },
  ],
  verdict: { outcome: 'pass', sentence: 'Change 20261121T080000Z-7c1d (moderate) holds at all 21 places.' },
};

export const DRIFTED: StatusDocument = {
  ...STATUS,
  changes: [
    {
      id: '20261121T090000Z-0a0a',
      profile: 'voice',
      state: 'awaiting-confirmation',
      appliedAt: '2026-11-21T09:00:00.000Z',
      persisted: false,
      confirmBefore: '2026-11-21T09:01:00.000Z',
      places: 3,
    },
    ...STATUS.changes,
    { id: '20261120T080000Z-ffff', profile: 'bulk', state: 'applying', appliedAt: '2026-11-20T08:00:00.000Z', persisted: false, places: 4 },
  ],
  drift: [
    { setting: 'net.ipv4.tcp_rmem', place: 'net.ipv4.tcp_rmem', applied: '4096 131072 16777216', found: '4096 131072 6291456', why: 'set since' },
    {
      setting: 'queue',
      place: 'eth0 root queue',
      applied: 'fq',
      found: 'fq_codel',
      why: 'the interface was taken down and up again, and the kernel put its default there',
    },
  ],
  damaged: [
    {
      id: '20261119T080000Z-dead',
      why: 'line 3 does not follow from line 2: it was edited, or a line is missing',
      advice: 'nothing is undone by it; its first line still tells the originals: /var/lib/tautline/changes/20261119T080000Z-dead.jsonl',
    },
  ],
  verdict: { outcome: 'fail', sentence: '2 of 28 places no longer hold what was applied, and 1 journal is damaged.' },
};

export const UNTOUCHED: StatusDocument = {
  ...STATUS,
  changes: [],
  verdict: { outcome: 'pass', sentence: 'No change of Tautline is in force here.' },
};

export const LIST: TuneListDocument = {
  schema: 'tautline.tune-list/1',
  ...head,
  profiles: [
    {
      name: 'conservative',
      title: 'what helps nearly everywhere',
      about: 'Larger windows and no more.',
      risk: 'very low',
      exact: false,
      lineage: ['conservative'],
      settings: 7,
      file: '/usr/lib/node_modules/tautline/profiles/conservative.yaml',
    },
    {
      name: 'moderate',
      title: 'for most servers',
      about: 'Adds congestion control and queueing to it.',
      risk: 'low',
      exact: false,
      lineage: ['moderate', 'conservative'],
      settings: 11,
      file: '/usr/lib/node_modules/tautline/profiles/moderate.yaml',
      advised: 'a virtual machine with shared processors',
    },
    {
      name: 'lab',
      title: 'for measuring',
      about: 'Sets what it says even where that lowers a value.',
      risk: 'high',
      exact: true,
      lineage: ['lab'],
      settings: 2,
      file: '/home/me/.config/tautline/profiles/lab.yaml',
    },
  ],
  settings: CHANGES.map(({ setting, title, group, effect, scope, needsRoot, why, sources }) => ({
    id: setting,
    title,
    group,
    platforms: ['linux'],
    effect,
    scope,
    needsRoot,
    takes: 'a word',
    why,
    sources,
  })),
};

const BLOCKS = 6;

function figure(metric: string, factor: number | undefined, more: Partial<ExperimentFigure> = {}): ExperimentFigure {
  const base = metric.startsWith('throughput') ? 9.4e6 : 42;
  const runs = Array.from({ length: BLOCKS * 4 }, (_, i) => {
    const block = Math.floor(i / 4) + 1;
    const at = i % 4;
    const arm = (at === 1 || at === 2) === block % 2 > 0 ? ('with' as const) : ('without' as const);
    const wobble = 1 + (((i * 7) % 5) - 2) / 100;
    return factor === undefined
      ? { block, at: i, arm, reason: 'the peer refused' }
      : { block, at: i, arm, value: base * wobble * (arm === 'with' ? factor : 1) };
  });
  const known =
    factor === undefined ? {} : { without: base, with: base * factor, ratio: factor, interval: [factor * 0.97, factor * 1.03] as [number, number] };
  return {
    metric,
    unit: metric.startsWith('throughput') ? 'bps' : 'ms',
    better: metric.startsWith('throughput') ? 'higher' : 'lower',
    blocks: factor === undefined ? 0 : BLOCKS,
    ...known,
    p: 0.0004,
    pCorrected: 0.0031,
    finding: 'no measurable change',
    runs,
    ...more,
  };
}

export const EXPERIMENT: ExperimentDocument = {
  schema: 'tautline.experiment/1',
  ...asRoot,
  durationMs: 612_000,
  profile: { ...profile, chosen: 'asked' },
  target: '10.0.0.2:7227',
  design: {
    seed: 7,
    blocks: BLOCKS,
    orders: ['ABBA', 'BAAB', 'BAAB', 'ABBA', 'BAAB', 'ABBA'],
    alpha: 0.05,
    comparisons: 8,
    correction: 'holm',
    leastRatio: 1.05,
    sentence:
      'Each group of settings was applied and rolled back in blocks of four runs in random order, so that drift of the path falls on both sides alike; blocks are compared with blocks, not samples with samples.',
  },
  groups: [
    {
      group: 'congestion',
      changes: CHANGES.slice(0, 1),
      decision: 'keep',
      why: 'upload is 3.3 times as fast, and nothing got worse',
      figures: [
        figure('throughput.up', 3.3, { finding: 'helps' }),
        figure('rtt', 1.002, { pCorrected: 1 }),
        figure('rtt.loaded.up', undefined, { finding: 'not measured', why: 'the peer refused the test in every block' }),
      ],
    },
    {
      group: 'buffers',
      changes: [
        planned({ setting: 'net.ipv4.tcp_rmem', group: 'buffers', now: '4096 131072 6291456', proposed: '4096 16384 16384', why: 'a claim' }),
      ],
      decision: 'reject',
      why: 'download fell to a third',
      figures: [figure('throughput.down', 0.31, { finding: 'harms' }), figure('connect', 0.99, { pCorrected: 0.81 })],
    },
    {
      group: 'tcp',
      changes: [],
      decision: 'not tried',
      why: 'nothing of this group would change here',
      figures: [],
    },
  ],
  notDone: NOT_DONE.slice(0, 2),
  verdict: { outcome: 'pass', sentence: 'Of 2 groups 1 helps (congestion) and 1 harms (buffers).' },
};

export const KEPT_EXPERIMENT: ExperimentDocument = { ...EXPERIMENT, kept: ID, interrupted: true };

export const HOSTILE_OUTCOMES: readonly (ChangeDocument | StatusDocument | TuneListDocument | ExperimentDocument)[] = [
  {
    ...CONFLICTED,
    change: HOSTILE_TEXT,
    profile: HOSTILE_TEXT,
    takesEffect: [HOSTILE_TEXT],
    steps: (['applied', 'conflict', 'failed', 'gone', 'undone', 'already'] as const).map((outcome) =>
      step(HOSTILE_TEXT, HOSTILE_TEXT, `${HOSTILE_TEXT}2`, { outcome, found: `${HOSTILE_TEXT}3`, why: HOSTILE_TEXT }),
    ),
    verdict: { outcome: 'fail', sentence: HOSTILE_TEXT },
  },
  { ...APPLIED, change: HOSTILE_TEXT, confirmBefore: HOSTILE_TEXT },
  {
    ...DRIFTED,
    changes: [{ id: HOSTILE_TEXT, profile: HOSTILE_TEXT, state: 'applying', appliedAt: HOSTILE_TEXT, persisted: false, places: 1 }],
    drift: [{ setting: HOSTILE_TEXT, place: HOSTILE_TEXT, applied: HOSTILE_TEXT, found: HOSTILE_TEXT, why: HOSTILE_TEXT }],
    checks: [{ id: HOSTILE_TEXT, title: HOSTILE_TEXT, state: 'good', found: HOSTILE_TEXT, note: HOSTILE_TEXT }],
    damaged: [{ id: HOSTILE_TEXT, why: HOSTILE_TEXT, advice: HOSTILE_TEXT }],
    resembles: [{ profile: HOSTILE_TEXT, holding: 1, of: 2 }],
  },
  {
    ...LIST,
    profiles: [
      {
        name: HOSTILE_TEXT,
        title: HOSTILE_TEXT,
        about: HOSTILE_TEXT,
        risk: HOSTILE_TEXT,
        exact: true,
        lineage: [HOSTILE_TEXT, HOSTILE_TEXT],
        settings: 1,
        file: HOSTILE_TEXT,
        advised: HOSTILE_TEXT,
      },
    ],
  },
  {
    ...EXPERIMENT,
    target: HOSTILE_TEXT,
    groups: [
      {
        group: HOSTILE_TEXT,
        changes: [],
        decision: 'keep',
        why: HOSTILE_TEXT,
        figures: [figure(HOSTILE_TEXT, undefined, { why: HOSTILE_TEXT, runs: [{ block: 1, at: 0, arm: 'with', reason: HOSTILE_TEXT }] })],
      },
    ],
  },
];
