/** What is compared, in the order in which it is told. */
export interface ExperimentMetric {
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  /** A difference of a smaller factor than this, either way, is of no use to anybody, however certain it is. */
  readonly leastRatio: number;
  /** Nor is one that is smaller than this in the metric's own unit, or than what the measuring may be off. */
  readonly leastChange?: number;
}

/**
 * Delays below some ten microseconds are the clocks' and the scheduler's own; a queue's delay and processor time vary more
 * from one program to the next than the few per cent that would matter of a rate.
 */
export const EXPERIMENT_METRICS: readonly ExperimentMetric[] = [
  { name: 'rtt', title: 'idle round trip', unit: 'ms', better: 'lower', leastRatio: 1.05, leastChange: 0.01 },
  { name: 'jitter', title: 'jitter', unit: 'ms', better: 'lower', leastRatio: 1.1, leastChange: 0.02 },
  { name: 'connect', title: 'time to connect', unit: 'ms', better: 'lower', leastRatio: 1.05, leastChange: 0.05 },
  { name: 'throughput.up', title: 'throughput up', unit: 'bps', better: 'higher', leastRatio: 1.03 },
  { name: 'throughput.down', title: 'throughput down', unit: 'bps', better: 'higher', leastRatio: 1.03 },
  { name: 'rtt.loaded.up', title: 'round trip under load up', unit: 'ms', better: 'lower', leastRatio: 1.1, leastChange: 0.1 },
  { name: 'rtt.loaded.down', title: 'round trip under load down', unit: 'ms', better: 'lower', leastRatio: 1.1, leastChange: 0.1 },
  { name: 'cpu.up', title: 'processor time to send', unit: 'ms/GB', better: 'lower', leastRatio: 1.1 },
  { name: 'cpu.down', title: 'processor time to receive', unit: 'ms/GB', better: 'lower', leastRatio: 1.1 },
];

/** The smallest of the metrics' least useful ratios. */
export const LEAST_RATIO = Math.min(...EXPERIMENT_METRICS.map(({ leastRatio }) => leastRatio));

export function experimentMetric(name: string): ExperimentMetric | undefined {
  return EXPERIMENT_METRICS.find((metric) => metric.name === name);
}
