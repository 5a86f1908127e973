import type { Advice, Limit, Measurement } from '../../results/index.js';
import { aboveCeiling } from '../../results/index.js';
import type { PathEvidence } from '../evidence.js';
import { adviseUpgrade } from './advise.js';
import type { UpgradeInput } from './input.js';

/**
 * Advice for a path that was measured; undefined unless its throughput shows that the link is what limits it and
 * both ends told that they can do more. `limits` are the path's own, as `limitsOf` gives them.
 */
export function adviseForPath(
  evidence: PathEvidence,
  limits: readonly Limit[],
  more: Pick<UpgradeInput, 'workloads' | 'prices' | 'today' | 'hosts'> = {},
): Advice | undefined {
  const { near, far } = evidence;
  const bps = best(evidence.measurements, ['throughput.up', 'throughput.down'], Math.max);
  if (!near || !far || bps === undefined) return undefined;
  const rttMs = best(evidence.measurements, ['rtt', 'rtt.idle'], Math.min);
  return adviseUpgrade({ near, far, limits, measured: { bps, ...(rttMs === undefined ? {} : { rttMs }) }, ...more });
}

/** Of figures that hold; one above its ceiling is a measuring error. */
function best(measurements: readonly Measurement[], metrics: readonly string[], pick: (a: number, b: number) => number): number | undefined {
  const figures = measurements.flatMap((each) =>
    metrics.includes(each.metric) && each.outcome === 'ok' && each.summary && aboveCeiling(each) === undefined ? [each.summary.median] : [],
  );
  return figures.length === 0 ? undefined : figures.reduce((a, b) => pick(a, b));
}
