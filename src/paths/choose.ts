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
  /** What is known of those among each other; `split`: each does better in something. */
  readonly state: 'none' | 'best' | 'same' | 'split' | 'unclear';
}

function purpose(
  peer: string,
  candidates: readonly Candidate[],
  asked: { readonly purpose: 'latency' | 'bulk'; readonly comparisons: readonly Comparison[] },
): Judged {
  const { comparisons } = asked;
  const compared = candidates.filter(({ path }) => comparisons.some((each) => each.path === path || each.against === path));
  const say = (sentence: string, path?: string): PathChoice => ({ peer, purpose: asked.purpose, ...(path === undefined ? {} : { path }), sentence });
  if (compared.length < 2) return { choice: say(`not compared for ${asked.purpose}: fewer than two paths gave figures`), left: [], state: 'none' };
  const lossy = compared.filter((one) => one.gone !== true && compared.some((other) => losesMore(one, other)));
  const gone = compared.filter((one) => one.gone === true);
  if (gone.length === compared.length)
    return { choice: say(`${list(gone.map(({ path }) => path))} stopped answering while they were compared`), left: [], state: 'none' };
  const out = [...gone, ...lossy];
  const running = compared.filter((one) => !out.includes(one));
  const unbeaten = running.filter((one) => !running.some((other) => beats(other.path, one.path, comparisons)));
  // Where each is beaten by another, as by chance in a round of three, none is the best.
  const left = unbeaten.length > 0 ? unbeaten : running;
  const names = left.map(({ path }) => path);
  const [only] = names;
  const dropped = [
    ...(lossy.length > 0 ? [`; ${lossy.map(({ path }) => path).join(' and ')} loses more packets`] : []),
    ...(gone.length > 0 ? [`; ${list(gone.map(({ path }) => path))} stopped answering`] : []),
  ].join('');
  if (names.length === 1 && only !== undefined) {
    const proof = comparisons.filter((each) => each.better === only).map(({ sentence }) => sentence);
    const choice = say(`${only} is best for ${asked.purpose}${dropped}${proof.length > 0 ? `: ${proof[0]}` : ''}`, only);
    return { choice, left: names, state: 'best' };
  }
  return { ...amongEquals(names, { ...asked, dropped, say }), left: names };
}

/** What to say of several paths of which none is the best. */
function amongEquals(
  names: readonly string[],
  {
    purpose: asked,
    comparisons,
    dropped,
    say,
  }: { purpose: string; comparisons: readonly Comparison[]; dropped: string; say: (sentence: string) => PathChoice },
): Pick<Judged, 'choice' | 'state'> {
  const pairs = names.flatMap((one, i) => names.slice(i + 1).map((other) => [one, other] as const));
  const apart = pairs.find(([one, other]) => between(one, other, comparisons).length === 0);
  if (apart) return { choice: say(`${list(apart)} were not compared for ${asked}: they have no turn in common${dropped}`), state: 'unclear' };
  const found = pairs.flatMap(([one, other]) => between(one, other, comparisons));
  if (found.every(({ verdict }) => verdict === 'same')) return { choice: say(`${list(names)} do not differ for ${asked}${dropped}`), state: 'same' };
  const doubt = found.find(({ verdict }) => verdict === 'unclear');
  if (doubt) return { choice: say(`${doubt.sentence}${dropped}`), state: 'unclear' };
  return { choice: say(`${list(names)} each do better in ${asked === 'bulk' ? 'one direction' : 'one comparison'}${dropped}`), state: 'split' };
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
  const states = [latency.state, bulk.state];
  if (states.includes('unclear')) return say(`${list(both)} were not told apart; more turns would tell (--thorough)`);
  if (states.includes('split'))
    return say(`it depends on the work: ${[latency, bulk].find(({ state }) => state === 'split')?.choice.sentence ?? ''}`);
  return say(`use either: ${list(both)} do not differ${partly}`);
}

function beats(one: string, other: string, comparisons: readonly Comparison[]): boolean {
  const found = between(one, other, comparisons);
  return found.some(({ better }) => better === one) && !found.some(({ better }) => better === other);
}

function between(one: string, other: string, comparisons: readonly Comparison[]): Comparison[] {
  return comparisons.filter(({ path, against }) => (path === one && against === other) || (path === other && against === one));
}

function losesMore(one: Candidate, other: Candidate): boolean {
  return one.lossCi95 !== undefined && other.lossCi95 !== undefined && one.lossCi95[0] > other.lossCi95[1];
}

function list(names: readonly string[]): string {
  return names.length <= 1 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`;
}
