import type { Measurement } from '../results/index.js';

/** What a kind of work asks of a path. A limit whose figure was not measured is passed over unless it is in `needs`. */
export interface Workload {
  readonly name: string;
  /** Figures without which nothing can be said. */
  readonly needs: readonly (keyof PathFigures)[];
  readonly rttMsMax?: number;
  readonly loadedRttMsMax?: number;
  readonly jitterMsMax?: number;
  readonly lossRatioMax?: number;
  readonly throughputBpsMin?: number;
  readonly why: string;
}

/** The figures of one path that work depends on, the worst of each. */
export interface PathFigures {
  readonly rttMs?: number;
  readonly loadedRttMs?: number;
  readonly jitterMs?: number;
  readonly lossRatio?: number;
  readonly throughputBps?: number;
}

/** From the most to the least demanding. */
export const WORKLOADS: readonly Workload[] = [
  {
    name: 'coordinating AI training between hosts',
    needs: ['rttMs', 'throughputBps'],
    rttMsMax: 2,
    throughputBpsMin: 400e6,
    lossRatioMax: 0.001,
    why: 'gradients and parameters at about 400 Mbit/s, with coordination below 2 ms',
  },
  {
    name: 'calls between services',
    needs: ['rttMs'],
    rttMsMax: 5,
    lossRatioMax: 0.01,
    why: 'a request that fans out over several services pays the round trip each time',
  },
  {
    name: 'interactive work over SSH',
    needs: ['rttMs'],
    rttMsMax: 100,
    loadedRttMsMax: 300,
    lossRatioMax: 0.03,
    why: 'an echo within 100 ms feels immediate (Nielsen, Usability Engineering, 1993)',
  },
  {
    name: 'voice and video calls',
    needs: ['rttMs', 'lossRatio'],
    rttMsMax: 300,
    loadedRttMsMax: 300,
    jitterMsMax: 30,
    lossRatioMax: 0.01,
    throughputBpsMin: 4e6,
    why: 'ITU-T G.114: 150 ms one way; ITU-T G.1010: 1 % loss for video; about 4 Mbit/s for high-definition video',
  },
  {
    name: 'moving large files',
    needs: ['throughputBps'],
    throughputBpsMin: 100e6,
    why: '10 GB in under a quarter of an hour',
  },
];

/** Which work a path is good enough for and which not; work that cannot be judged is in neither list. */
export function judgeWorkloads(figures: PathFigures, workloads: readonly Workload[] = WORKLOADS): { fits: string[]; fails: string[] } {
  const judged = workloads.filter(({ needs }) => needs.every((figure) => figures[figure] !== undefined));
  const fits = judged.filter((workload) => holds(figures, workload));
  return { fits: fits.map(({ name }) => name), fails: judged.filter((workload) => !fits.includes(workload)).map(({ name }) => name) };
}

/** The worst of each figure among measurements that worked. */
export function pathFigures(measurements: readonly Measurement[]): PathFigures {
  const worked = measurements.filter(({ outcome }) => outcome === 'ok');
  const medians = (matches: (metric: string) => boolean, unit: string): number[] =>
    worked.flatMap(({ metric, summary }) => (matches(metric) && summary?.unit === unit ? [summary.median] : []));
  const rtts = medians((metric) => metric === 'rtt' || metric === 'rtt.idle', 'ms');
  return {
    ...worst('rttMs', rtts.length > 0 ? rtts : medians((metric) => metric === 'connect', 'ms'), Math.max),
    ...worst(
      'loadedRttMs',
      medians((metric) => metric.startsWith('rtt.loaded'), 'ms'),
      Math.max,
    ),
    ...worst(
      'jitterMs',
      medians((metric) => metric.split('.')[0] === 'jitter', 'ms'),
      Math.max,
    ),
    ...worst(
      'lossRatio',
      worked.flatMap(({ metric, loss }) => (loss && loss.sent > 0 && !metric.startsWith('rtt.loaded') ? [loss.ratio] : [])),
      Math.max,
    ),
    ...worst(
      'throughputBps',
      medians((metric) => metric.split('.')[0] === 'throughput', 'bps'),
      Math.min,
    ),
  };
}

function holds(figures: PathFigures, workload: Workload): boolean {
  const below = (figure: number | undefined, max: number | undefined): boolean => figure === undefined || max === undefined || figure <= max;
  const { throughputBps } = figures;
  return (
    below(figures.rttMs, workload.rttMsMax) &&
    below(figures.loadedRttMs, workload.loadedRttMsMax) &&
    below(figures.jitterMs, workload.jitterMsMax) &&
    below(figures.lossRatio, workload.lossRatioMax) &&
    (throughputBps === undefined || workload.throughputBpsMin === undefined || throughputBps >= workload.throughputBpsMin)
  );
}

function worst(name: keyof PathFigures, figures: readonly number[], pick: (...figures: number[]) => number): PathFigures {
  return figures.length === 0 ? {} : { [name]: figures.reduce((a, b) => pick(a, b)) };
}
