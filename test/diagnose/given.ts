import type { HostAbout, LinkFacts } from '../../src/base/index.js';
import type { Evidence, PathEvidence } from '../../src/diagnose/index.js';
import type { Measurement } from '../../src/results/index.js';
import { lossOf } from '../../src/stats/index.js';
import { LINUX } from './simulated.js';

/** A measurement as a probe would hand it over; samples lie within `spread` of the median. */
export function given(probe: string, metric: string, rest: Partial<Measurement> = {}): Measurement {
  return {
    probe,
    metric,
    target: 'beta',
    path: 'lan',
    outcome: 'ok',
    startedAt: '2026-01-01T00:00:00.000Z',
    durationMs: 1000,
    provenance: 'measured',
    ...rest,
  };
}

export function ms(median: number, options: { n?: number; spread?: number; max?: number } = {}): Pick<Measurement, 'summary'> {
  const { n = 100, spread = 0.05 * median, max = median + spread } = options;
  return {
    summary: {
      unit: 'ms',
      n,
      min: median - spread,
      median,
      mean: median,
      p95: Math.min(max, median + spread),
      p99: max,
      max,
      stddev: spread / 2,
      ci95: [median - spread / 5, median + spread / 5],
    },
  };
}

export interface Load {
  readonly bps: number;
  readonly minRttMs?: number;
  readonly rttMs?: number;
  /** Of the time that the sender was busy. */
  readonly receiver?: number;
  readonly buffer?: number;
  readonly idle?: number;
  /** Of the segments, sent again. */
  readonly again?: number;
  readonly spread?: number;
  /** The first interval's rate over the others'. */
  readonly burst?: number;
  readonly details?: Record<string, unknown>;
  readonly sender?: Record<string, unknown>;
  readonly receiverEnd?: Record<string, unknown>;
}

/** A throughput test of two seconds in twenty intervals, with what TCP told about it. */
export function load(direction: 'up' | 'down', of: Load): Measurement {
  const { bps, minRttMs = 0.2, rttMs = minRttMs * 1.05, again = 0, spread = 0.01 } = of;
  const elapsedMs = 2000;
  const perInterval = ((bps / 8e3) * 100) / 1448;
  const intervals = Array.from({ length: 20 }, (_, i) => ({
    startMs: i * 100,
    endMs: (i + 1) * 100,
    bps: bps * (i === 0 && of.burst !== undefined ? of.burst : 1 + (i % 2 === 0 ? spread : -spread)),
    retransmits: Math.round((again / (1 - again)) * perInterval * i),
    rttMs,
  }));
  const busyMs = elapsedMs * (1 - (of.idle ?? 0));
  const stream = {
    bytes: (bps / 8e3) * elapsedMs,
    bps,
    mssBytes: 1448,
    minRttMs,
    rttMs,
    busyMs,
    receiverLimitedMs: busyMs * (of.receiver ?? 0),
    senderLimitedMs: busyMs * (of.buffer ?? 0),
  };
  return given('throughput', `throughput.${direction}`, {
    summary: {
      unit: 'bps',
      n: 20,
      min: bps * 0.97,
      median: bps,
      mean: bps,
      p95: bps * 1.02,
      p99: bps * 1.03,
      max: bps * 1.03,
      stddev: bps * 0.01,
      ci95: [bps * 0.99, bps * 1.01],
    },
    error: { value: bps * 0.002, unit: 'bps', from: [] },
    details: {
      direction,
      streams: 1,
      congestion: 'cubic',
      goodputBps: bps,
      elapsedMs,
      bytes: stream.bytes,
      sender: { elapsedMs, busiest: 0.2, cpuMs: 400, host: { busy: 0.2, busiestCpu: 0.3, softirq: 0.1, steal: 0 }, ...of.sender },
      receiver: { elapsedMs, busiest: 0.2, cpuMs: 400, host: { busy: 0.2, busiestCpu: 0.3, softirq: 0.1, steal: 0 }, ...of.receiverEnd },
      perStream: [stream],
      intervals,
      ...of.details,
    },
  });
}

export function card(speedBps: number, rest: Partial<LinkFacts> = {}): LinkFacts {
  return {
    name: 'eth0',
    kind: 'ethernet',
    up: true,
    carrier: true,
    mtu: 1500,
    driver: 'ixgbe',
    speedBps,
    duplex: 'full',
    supportedBpsMax: speedBps,
    counters: { rx_packets: 1e6, tx_packets: 1e6, rx_crc_errors: 0 },
    features: {
      'tcp-segmentation-offload': { on: true, changeable: true },
      'generic-segmentation-offload': { on: true, changeable: true },
      'generic-receive-offload': { on: true, changeable: true },
    },
    ...rest,
  };
}

export interface GivenPath extends Partial<Omit<PathEvidence, 'measurements' | 'near' | 'far'>> {
  readonly rttMs?: number;
  /** Lost of 400 echoes, by direction. */
  readonly lost?: { readonly up: number; readonly down: number };
  readonly up?: Load;
  readonly down?: Load;
  readonly loadedMs?: { readonly up?: number; readonly down?: number };
  readonly near?: Partial<HostAbout>;
  readonly far?: Partial<HostAbout>;
  /** Replaces measurements of the same probe and metric, or comes beside them. */
  readonly and?: readonly Measurement[];
}

/** A sound gigabit LAN, but for what is said. */
export function path(of: GivenPath = {}): PathEvidence {
  const { rttMs = 0.3, lost = { up: 0, down: 0 }, up, down, loadedMs = {}, near, far, and = [], ...rest } = of;
  const gone = lost.up + lost.down;
  const usual: Measurement[] = [
    given('ping', 'rtt', { ...ms(rttMs, { n: 60 }), loss: lossOf(60, 60) }),
    given('echo', 'rtt', {
      ...ms(rttMs, { n: 400 - gone }),
      loss: lossOf(400, 400 - gone),
      error: { value: 0.01, unit: 'ms', from: [] },
      details: { lost: { ...lost, unknown: 0 }, reordered: { up: 0, down: 0 }, lateness: { median: 0.001 } },
    }),
    given('echo', 'jitter', ms(0.02 * rttMs, { n: 399 })),
    given('tcp', 'connect', ms(rttMs * 1.1, { n: 15 })),
    given('throughput', 'rtt.idle', ms(rttMs, { n: 100 })),
    load('up', { bps: 940e6, minRttMs: rttMs, ...up }),
    given('throughput', 'rtt.loaded.up', { ...ms(loadedMs.up ?? rttMs * 1.2, { n: 300 }), loss: lossOf(300, 300) }),
    load('down', { bps: 940e6, minRttMs: rttMs, ...down }),
    given('throughput', 'rtt.loaded.down', { ...ms(loadedMs.down ?? rttMs * 1.2, { n: 300 }), loss: lossOf(300, 300) }),
  ];
  const measurements = [...usual.filter((each) => !and.some((other) => other.probe === each.probe && other.metric === each.metric)), ...and];
  const end = { ...LINUX, link: card(1e9) };
  return {
    peer: 'beta',
    path: 'lan',
    kind: 'lan',
    address: '10.0.0.2',
    ...rest,
    measurements,
    near: { ...end, ...near },
    far: { ...end, name: 'beta', ...far },
  };
}

export function evidence(...paths: readonly PathEvidence[]): Evidence {
  return { paths, host: [] };
}
