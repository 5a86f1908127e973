import { choosePaths, compareSeries } from '../paths/index.js';
import type { Candidate, TurnSeries } from '../paths/index.js';
import { aboveCeiling } from '../results/index.js';
import type { Comparison, Measurement, PathChoice } from '../results/index.js';

/** A path that had its turns. */
export interface ComparedPath {
  readonly path: string;
  readonly kind?: string;
  readonly series: ReadonlyMap<string, TurnSeries>;
  /** With the bounds that nothing can exceed. */
  readonly measurements: readonly Measurement[];
  /** It stopped answering while it was measured. */
  readonly gone?: boolean;
}

/** The delays that are compared: the first one that two paths have turns of in common. */
const DELAYS: readonly string[] = ['echo rtt', 'ping rtt', 'tcp connect'];
const RATES: readonly string[] = ['throughput throughput.down', 'throughput throughput.up'];

/** Every pair of paths to one peer, each against the more direct one, and what to use for what. */
export function comparePaths(peer: string, paths: readonly ComparedPath[]): { comparisons: Comparison[]; choices: PathChoice[] } {
  if (paths.length < 2) return { comparisons: [], choices: [] };
  const ordered = paths.toSorted((a, b) => directness(a) - directness(b));
  const comparisons = ordered.flatMap((against, i) =>
    ordered.slice(i + 1).flatMap((path) => {
      const compare = (key: string): Comparison | undefined => {
        const [one, other] = [standing(path, key), standing(against, key)];
        return one && other && compareSeries(peer, one, other);
      };
      const delay = DELAYS.reduce<Comparison | undefined>((found, key) => found ?? compare(key), undefined);
      return [delay, ...RATES.map(compare)].flatMap((comparison) => comparison ?? []);
    }),
  );
  return { comparisons, choices: choosePaths(peer, ordered.map(candidate), comparisons) };
}

/** A figure above its ceiling is a measuring error, and compares with nothing. */
function standing({ series, measurements }: ComparedPath, key: string): TurnSeries | undefined {
  const impossible = measurements.some((each) => `${each.probe} ${each.metric}` === key && aboveCeiling(each) !== undefined);
  return impossible ? undefined : series.get(key);
}

/** The overhead of a tunnel is told against what it runs over. */
const DIRECTNESS: readonly (string | undefined)[] = ['loopback', 'lan', 'wan', 'other', undefined, 'ssh', 'tailscale'];

function directness({ kind }: ComparedPath): number {
  return DIRECTNESS.indexOf(kind);
}

/** The packets that were counted on the way: echoes, else pings. */
function candidate({ path, measurements, gone }: ComparedPath): Candidate {
  const counted = ['echo', 'ping'].flatMap(
    (probe) => measurements.find((each) => each.probe === probe && each.metric === 'rtt' && each.loss)?.loss ?? [],
  );
  const ci95 = counted[0]?.ci95;
  return { path, ...(ci95 ? { lossCi95: ci95 } : {}), ...(gone === true ? { gone } : {}) };
}
