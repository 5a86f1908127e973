import type { Comparison, PathChoice } from '../results/index.js';

/** What is known of a path beside the comparisons. */
export interface Candidate {
  readonly path: string;
  /** 95 % interval of the share that was lost, where packets were counted. */
  readonly lossCi95?: readonly [number, number];
  /** It stopped answering while it was measured. */
  readonly gone?: boolean;
}

const BULK_METRICS: readonly string[] = ['throughput.down', 'throughput.up'];

/**
 * Which path to use for what, by the comparisons of all pairs. Rules:
 * 1. A path that stopped answering, or that certainly loses more packets than another, is best for nothing.
 * 2. For a purpose, a path is beaten by another that does better in one of the purpose's metrics and worse in none.
 * 3. Where every other path is beaten by it, a path is the best; where none is beaten, the paths do not differ.
 * 4. Overall: the path that is beaten for neither purpose, if there is just one; else it depends, and that is said.
 */
export function choosePaths(peer: string, candidates: readonly Candidate[], comparisons: readonly Comparison[]): PathChoice[] {
  const latency = purpose(peer, candidates, { purpose: 'latency', comparisons: comparisons.filter(({ unit }) => unit === 'ms') });
  const bulk = purpose(peer, candidates, { purpose: 'bulk', comparisons: comparisons.filter(({ metric }) => BULK_METRICS.includes(metric)) });
  return [latency.choice, bulk.choice, overall(peer, latency, bulk)];
}

interface Judged {
  readonly choice: PathChoice;
  /** Paths that nothing beats; empty where nothing was compared. */
  readonly left: readonly string[];
}

function purpose(
  peer: string,
  candidates: readonly Candidate[],
  asked: { readonly purpose: 'latency' | 'bulk'; readonly comparisons: readonly Comparison[] },
): Judged {
  const { comparisons } = asked;
  const compared = candidates.filter(({ path }) => comparisons.some((each) => each.path === path || each.against === path));
  const say = (sentence: string, path?: string): PathChoice => ({ peer, purpose: asked.purpose, ...(path === undefined ? {} : { path }), sentence });
  if (compared.length < 2) return { choice: say(`not compared for ${asked.purpose}: fewer than two paths gave figures`), left: [] };
  const lossy = compared.filter((one) => one.gone !== true && compared.some((other) => losesMore(one, other)));
  const gone = compared.filter((one) => one.gone === true);
  if (gone.length === compared.length)
    return { choice: say(`${list(gone.map(({ path }) => path))} stopped answering while they were compared`), left: [] };
  const out = [...gone, ...lossy];
  const beatenBy = (path: string): string | undefined => compared.find((other) => beats(other.path, path, comparisons))?.path;
  const left = compared.filter(
    (one) => !out.includes(one) && (beatenBy(one.path) === undefined || out.some(({ path }) => path === beatenBy(one.path))),
  );
  const names = left.map(({ path }) => path);
  const [only] = names;
  const dropped = [
    ...(lossy.length > 0 ? [`; ${lossy.map(({ path }) => path).join(' and ')} loses more packets`] : []),
    ...(gone.length > 0 ? [`; ${list(gone.map(({ path }) => path))} stopped answering`] : []),
  ].join('');
  if (names.length === 1 && only !== undefined) {
    const proof = comparisons.filter((each) => each.better === only).map(({ sentence }) => sentence);
    return { choice: say(`${only} is best for ${asked.purpose}${dropped}${proof.length > 0 ? `: ${proof[0]}` : ''}`, only), left: names };
  }
  const same = comparisons.filter(({ path, against }) => names.includes(path) && names.includes(against)).every(({ verdict }) => verdict === 'same');
  if (same) return { choice: say(`${list(names)} do not differ for ${asked.purpose}${dropped}`), left: names };
  const doubt = comparisons.find(({ verdict, path, against }) => verdict === 'unclear' && names.includes(path) && names.includes(against));
  return { choice: say(doubt ? doubt.sentence : `${list(names)} each do better in one direction`), left: names };
}

function overall(peer: string, latency: Judged, bulk: Judged): PathChoice {
  const say = (sentence: string, path?: string): PathChoice => ({ peer, purpose: 'overall', ...(path === undefined ? {} : { path }), sentence });
  const [one, other] = [latency, bulk].map(({ left }) => left) as [readonly string[], readonly string[]];
  if (one.length === 0 && other.length === 0) return say('not compared: fewer than two paths gave figures');
  const both = one.length === 0 ? other : other.length === 0 ? one : one.filter((path) => other.includes(path));
  const [only] = both;
  const partly = one.length === 0 || other.length === 0 ? ` (compared for ${one.length === 0 ? 'bulk' : 'latency'} only)` : '';
  if (both.length === 1 && only !== undefined) return say(`use ${only}${partly}`, only);
  if (both.length === 0) return say(`it depends on the work: ${latency.choice.sentence}; ${bulk.choice.sentence}`);
  const unclear = [latency, bulk].some(({ choice }) => choice.sentence.includes('unclear'));
  return say(unclear ? `${list(both)} were not told apart; a --thorough check has more turns` : `use either: ${list(both)} do not differ${partly}`);
}

function beats(one: string, other: string, comparisons: readonly Comparison[]): boolean {
  const between = comparisons.filter(({ path, against }) => (path === one && against === other) || (path === other && against === one));
  return between.some(({ better }) => better === one) && !between.some(({ better }) => better === other);
}

function losesMore(one: Candidate, other: Candidate): boolean {
  return one.lossCi95 !== undefined && other.lossCi95 !== undefined && one.lossCi95[0] > other.lossCi95[1];
}

function list(names: readonly string[]): string {
  return names.length <= 1 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`;
}
