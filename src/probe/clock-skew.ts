import { quantile } from '../stats/index.js';

/** Windows that the run is cut into; of each, the reply that waited least stands for the clocks. */
const WINDOWS = 32;
const SPAN_MS_MIN = 500;
const SAMPLES_MIN = 64;

export interface Exchanges {
  readonly sentMs: ArrayLike<number>;
  readonly rttMs: ArrayLike<number>;
  /** Transit there and back, each off by the difference of the two clocks; NaN where lost. */
  readonly upMs: ArrayLike<number>;
  readonly downMs: ArrayLike<number>;
}

/**
 * How much faster the peer's clock runs than ours, in milliseconds a millisecond.
 *
 * 1. Half the difference of transit there and back is the difference of the clocks plus half the
 *    path's asymmetry (NTP, RFC 5905, 8). It is truest for the replies that waited least in queues
 *    (NTP's clock filter), so one reply with the smallest RTT is taken from each of 32 windows.
 * 2. The slope through those points is the median of the slopes of all pairs (Theil and Sen): a step
 *    of a clock or a change of route spoils some pairs, not the median.
 * @returns undefined where the run is too short to tell
 */
export function clockSkew(exchanges: Exchanges): number | undefined {
  const { sentMs, rttMs, upMs, downMs } = exchanges;
  const answered: number[] = [];
  for (let i = 0; i < rttMs.length; i++) if (!Number.isNaN(rttMs[i])) answered.push(i);
  const first = answered[0];
  const last = answered.at(-1);
  if (first === undefined || last === undefined || answered.length < SAMPLES_MIN) return undefined;
  const startMs = sentMs[first] as number;
  const spanMs = (sentMs[last] as number) - startMs;
  if (!(spanMs >= SPAN_MS_MIN)) return undefined;
  const best: (number | undefined)[] = Array<undefined>(WINDOWS).fill(undefined);
  for (const i of answered) {
    const at = Math.min(WINDOWS - 1, Math.floor((((sentMs[i] as number) - startMs) / spanMs) * WINDOWS));
    const other = best[at];
    if (other === undefined || (rttMs[i] as number) < (rttMs[other] as number)) best[at] = i;
  }
  const points = best
    .filter((i) => i !== undefined)
    .map((i) => ({ atMs: sentMs[i] as number, offsetMs: ((upMs[i] as number) - (downMs[i] as number)) / 2 }));
  const slopes = points.flatMap((a, i) => points.slice(i + 1).map((b) => (b.offsetMs - a.offsetMs) / (b.atMs - a.atMs)));
  return slopes.length === 0 ? undefined : quantile(Float64Array.from(slopes).sort(), 0.5);
}
