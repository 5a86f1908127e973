import { TautlineError, formatQuantity } from '../base/index.js';
import type { Unit } from '../results/index.js';

/** The three edges between the four bands. */
export interface BandEdges {
  readonly excellent: number;
  readonly good: number;
  readonly fair: number;
}

/**
 * How one metric is rated. Where lower is better a figure is excellent below `excellent`, good below `good`,
 * fair below `fair`, and poor from there on; where higher is better it is excellent above `excellent`, good
 * above `good`, fair from `fair` on, and poor below. Every figure thus falls into exactly one band.
 */
export interface BandScale extends BandEdges {
  readonly unit: Unit;
  readonly better: 'lower' | 'higher';
  /** Which figure is rated: the median, the share lost, or how much the median lies above the idle one. */
  readonly of: 'median' | 'loss' | 'increase';
  /** A detail of the measurement without which its figure says nothing about the path. */
  readonly onlyWith?: string;
  /** With fewer samples the rating stands, and no verdict rests on it. */
  readonly samplesMin: number;
  /** Where the edges come from. */
  readonly why: string;
}

/** Scales by metric. `throughput` also rates `throughput.up`, unless that has a scale of its own. */
export type Bands = Readonly<Record<string, BandScale>>;
export type BandOverrides = Readonly<Record<string, BandEdges>>;

/** Below six samples no pair of order statistics bounds the median at 95 %. */
const INTERVAL_SAMPLES = 6;

const latency = {
  unit: 'ms',
  better: 'lower',
  of: 'median',
  excellent: 2,
  good: 5,
  fair: 10,
  samplesMin: INTERVAL_SAMPLES,
  why: 'coordination between hosts of a cluster: below 2 ms excellent, below 5 ms good, from 10 ms on in need of attention',
} as const satisfies BandScale;
const names = {
  unit: 'ms',
  better: 'lower',
  of: 'median',
  excellent: 10,
  good: 30,
  fair: 100,
  samplesMin: 3,
  why: 'a resolver nearby answers from its cache in a few ms, a public one in 10 to 30 ms; 100 ms is where a person notices (Nielsen, Usability Engineering, 1993)',
} as const satisfies BandScale;
const handshake = {
  unit: 'ms',
  better: 'lower',
  of: 'median',
  excellent: 10,
  good: 15,
  fair: 25,
  samplesMin: 3,
  why: 'two round trips (TLS 1.2; TLS 1.3 takes one) at the edges of the latency bands, and about 5 ms for signatures',
} as const satisfies BandScale;
const response = {
  unit: 'ms',
  better: 'lower',
  of: 'median',
  excellent: 50,
  good: 100,
  fair: 200,
  samplesMin: 3,
  why: 'response of a service on a network of few hosts: below 50 ms excellent, below 100 ms good, from 200 ms on in need of attention',
} as const satisfies BandScale;
const connect = {
  ...latency,
  samplesMin: 3,
  why: 'opening a TCP connection takes one round trip, so the bands of latency apply',
} as const satisfies BandScale;
const loss = {
  unit: 'ratio',
  better: 'lower',
  of: 'loss',
  excellent: 0.001,
  good: 0.01,
  fair: 0.03,
  samplesMin: 50,
  why: 'ITU-T Y.1541 allows 0.1 % in classes 0 to 4; ITU-T G.1010 allows 1 % for video calls and 3 % for conversation',
} as const satisfies BandScale;

/** The bands unless a configuration says otherwise. */
export const DEFAULT_BANDS: Bands = {
  rtt: latency,
  connect,
  dns: names,
  tls: handshake,
  'tls.total': {
    unit: 'ms',
    better: 'lower',
    of: 'median',
    excellent: 12,
    good: 20,
    fair: 35,
    samplesMin: 3,
    why: 'the handshake and the round trip of the TCP connection before it',
  },
  'http.dns': names,
  'http.connect': connect,
  'http.tls': handshake,
  'http.ttfb': response,
  'http.total': response,
  'http.keepalive.ttfb': response,
  'http.keepalive.total': response,
  ssh: {
    unit: 'ms',
    better: 'lower',
    of: 'median',
    excellent: 100,
    good: 500,
    fair: 1000,
    samplesMin: 3,
    why: 'logging in by SSH: below 100 ms excellent, below 500 ms good, from 1 s on in need of attention',
  },
  'ssh.connect': connect,
  'ssh.banner': {
    unit: 'ms',
    better: 'lower',
    of: 'median',
    excellent: 50,
    good: 200,
    fair: 1000,
    samplesMin: 3,
    why: 'one round trip and the start of a process at the server; from 1 s on the server waits for something, most often for a name lookup',
  },
  'ssh.kex': {
    unit: 'ms',
    better: 'lower',
    of: 'median',
    excellent: 30,
    good: 100,
    fair: 300,
    samplesMin: 3,
    why: 'two round trips and a signature: the larger part of a login below 100 ms that does not depend on who logs in',
  },
  'ssh.multiplexed': {
    unit: 'ms',
    better: 'lower',
    of: 'median',
    excellent: 50,
    good: 150,
    fair: 500,
    samplesMin: 3,
    why: 'a command over a connection that is there: two round trips and the start of a program at each end, half of a fresh login or less',
  },
  'docker.connect': connect,
  'docker.ttfb': response,
  tailscale: latency,
  throughput: {
    unit: 'bps',
    better: 'higher',
    of: 'median',
    excellent: 400e6,
    good: 200e6,
    fair: 100e6,
    samplesMin: 3,
    why: 'moving models and files between hosts: above 400 Mbit/s excellent, above 200 Mbit/s good, below 100 Mbit/s in need of attention',
  },
  'rtt.loaded': {
    unit: 'ms',
    better: 'lower',
    of: 'increase',
    excellent: 5,
    good: 30,
    fair: 60,
    samplesMin: INTERVAL_SAMPLES,
    why: 'delay that the load adds to the idle round trip (bufferbloat), by the grades A+, A and B of the DSLReports speed test',
  },
  jitter: {
    unit: 'ms',
    better: 'lower',
    of: 'median',
    excellent: 1,
    good: 5,
    fair: 30,
    samplesMin: 1,
    why: 'ITU-T G.1010 asks for 1 ms at the ear; a 20 ms voice frame hides 5 ms; 30 ms is the usual limit for voice networks',
  },
  loss,
  udp: {
    ...loss,
    onlyWith: 'askedBps',
    why: 'the rate of a UDP test is what was asked for, so what counts is the share that did not arrive; edges as for loss. One without a rate sends as fast as it goes and must lose',
  },
  link: {
    unit: 'bps',
    better: 'higher',
    of: 'median',
    excellent: 900e6,
    good: 200e6,
    fair: 100e6,
    samplesMin: 1,
    why: 'every card and switch of the last twenty years does 1 Gbit/s; 100 Mbit/s is what a cable with two broken pairs leaves, and 10 Mbit/s an error',
  },
  responsiveness: {
    unit: 'rpm',
    better: 'higher',
    of: 'median',
    excellent: 2000,
    good: 1000,
    fair: 200,
    samplesMin: 1,
    why: 'round trips a minute under load: 2000, 1000 and 200 RPM are 30, 60 and 300 ms each',
  },
};

/** The scale of a metric: its own, or that of the longest name it begins with (`throughput` for `throughput.up`). */
export function scaleOf(metric: string, bands: Bands): BandScale | undefined {
  for (let name = metric; name !== ''; name = name.slice(0, Math.max(0, name.lastIndexOf('.')))) {
    if (Object.hasOwn(bands, name)) return bands[name];
  }
  return undefined;
}

/**
 * What is wrong with a metric's edges, in words; undefined when nothing is. Edges must be finite, above zero
 * (a share also below one) and run in the metric's direction, since two equal or crossed edges would leave a
 * band that no figure can reach.
 */
export function bandProblem(metric: string, edges: BandEdges, defaults: Bands = DEFAULT_BANDS): string | undefined {
  const scale = scaleOf(metric, defaults);
  if (!scale) return `there is no metric '${metric}' to rate; known are ${Object.keys(defaults).join(', ')}`;
  const write = (value: number): string => formatQuantity(value, scale.unit);
  for (const band of ['excellent', 'good', 'fair'] as const) {
    const edge = edges[band];
    if (!Number.isFinite(edge) || edge <= 0) return `'${band}' of ${metric} must be above zero, not ${edge}`;
    if (scale.unit === 'ratio' && edge >= 1) return `'${band}' of ${metric} is a share and must be below 1 (100 %), not ${edge}`;
  }
  const steps = [
    ['excellent', 'good'],
    ['good', 'fair'],
  ] as const;
  for (const [better, worse] of steps) {
    const fits = scale.better === 'lower' ? edges[better] < edges[worse] : edges[better] > edges[worse];
    if (fits) continue;
    const relation = scale.better === 'lower' ? 'below' : 'above';
    return `'${better}' of ${metric} (${write(edges[better])}) must be ${relation} '${worse}' (${write(edges[worse])}), because ${scale.better} is better`;
  }
  return undefined;
}

/**
 * The default bands with a person's edges put in.
 * @throws TautlineError `config` that says what is wrong with which metric
 */
export function resolveBands(overrides: BandOverrides, defaults: Bands = DEFAULT_BANDS): Bands {
  const bands: Record<string, BandScale> = { ...defaults };
  for (const [metric, edges] of Object.entries(overrides)) {
    const problem = bandProblem(metric, edges, defaults);
    const scale = scaleOf(metric, defaults);
    if (problem !== undefined || !scale) {
      throw new TautlineError('config', problem ?? `there is no metric '${metric}'`, {
        hint: 'bands are written as `rtt: { excellent: 2ms, good: 5ms, fair: 10ms }`',
      });
    }
    bands[metric] = { ...scale, excellent: edges.excellent, good: edges.good, fair: edges.fair, why: 'set in the configuration' };
  }
  return bands;
}
