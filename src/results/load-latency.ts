import type { Measurement } from './measurement.js';

/** Whether this is a round trip that was taken beside a load: without it for comparison, or during it. */
export function isLoadLatency({ metric }: Pick<Measurement, 'metric'>): boolean {
  return metric === 'rtt.idle' || metric.startsWith('rtt.loaded');
}

/**
 * The round trip without load that a loaded one is compared with: on the same path to the same target, of the
 * same run if it has one (a run's figures stand together), else the last before it, else the first after it.
 */
export function idleBeside(measurement: Measurement, among: readonly Measurement[]): Measurement | undefined {
  const at = among.indexOf(measurement);
  if (!measurement.metric.startsWith('rtt.loaded') || at < 0) return undefined;
  const fits = ({ metric, path, target, outcome, summary }: Measurement): boolean =>
    metric === 'rtt.idle' && path === measurement.path && target === measurement.target && outcome === 'ok' && summary?.unit === 'ms';
  return loadBlock(among, at).find(fits) ?? among.slice(0, at).findLast(fits) ?? among.slice(at + 1).find(fits);
}

/** The unbroken row of load latencies around a place. */
function loadBlock(among: readonly Measurement[], at: number): readonly Measurement[] {
  let from = at;
  let to = at + 1;
  while (from > 0 && isLoadLatency(among[from - 1] as Measurement)) from--;
  while (to < among.length && isLoadLatency(among[to] as Measurement)) to++;
  return among.slice(from, to);
}
