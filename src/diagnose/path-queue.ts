import type { Measurement } from '../results/index.js';
import type { PathEvidence } from './evidence.js';
import { idleRtt, worked } from './path-figures.js';
import type { Direction } from './path-figures.js';

/** Fewer echoes beside a load say nothing about it. */
const LOADED_SAMPLES_MIN = 20;
/** Half of the echoes come later by this, and by three times what they vary without load: then a queue stands. */
const STANDS_MS = 1;
const STANDS_SPREADS = 3;

export interface LoadedQueue {
  readonly measurement: Measurement;
  readonly idleMs: number;
  readonly loadedMs: number;
  /** What a load adds to the median round trip, and this less the measuring's own error. */
  readonly addedMs: number;
  readonly leastMs: number;
  /** More than what the round trip varies without load: packets wait somewhere. */
  readonly stands: boolean;
}

/** How much a load adds to the round trip, by the echoes beside it; the worst of several loads. */
export function queueUnderLoad({ measurements }: Pick<PathEvidence, 'measurements'>, direction: Direction | 'both'): LoadedQueue | undefined {
  const loaded = measurements.filter((each) => each.metric === `rtt.loaded.${direction}` && worked(each, 'ms') && each.partial !== true);
  const [measurement] = loaded
    .filter(({ summary }) => (summary?.n ?? 0) >= LOADED_SAMPLES_MIN)
    .toSorted((a, b) => (b.summary?.median ?? 0) - (a.summary?.median ?? 0));
  const idles = measurements.filter((each) => each.metric === 'rtt.idle' && worked(each, 'ms')).flatMap(({ summary }) => summary ?? []);
  const idle = idles.toSorted((a, b) => b.median - a.median)[0] ?? idleRtt({ measurements })?.summary;
  const { summary } = measurement ?? {};
  if (!measurement || !summary || !idle) return undefined;
  const addedMs = summary.median - idle.median;
  const own = measurement.error?.unit === 'ms' ? measurement.error.value : 0;
  const stands = addedMs - own >= Math.max(STANDS_MS, STANDS_SPREADS * (idle.p95 - idle.median));
  return { measurement, idleMs: idle.median, loadedMs: summary.median, addedMs, leastMs: addedMs - own, stands };
}
