import type { TooBig } from '../base/index.js';
import type { RoundLog, SizeChannel } from './mtu-channel.js';
import { MtuTally } from './mtu-tally.js';

/*
 * The largest packet that passes, by bisection into many parts at once.
 *
 * 1. A packet that arrives proves its size; one that does not proves nothing by itself. So the lower bound is certain,
 *    and the upper bound is only believed until the end (RFC 8899 calls a size failed after MAX_PROBES = 3).
 * 2. Likely sizes go first, all in one round, then the gap between the bounds is cut into equal parts.
 * 3. Between every few packets goes a small one that fits every path. A failure counts only between two packets that
 *    fit and arrived: a burst of losses takes them along.
 * 4. At the end the largest that passes and the next size are sent side by side, until that many of the next have
 *    failed that chance explains it only once in a million times, by the loss seen at just that size. If it passes
 *    after all, the bound was wrong, and the search goes on above. If what passed fails now, the path has changed, and
 *    the search begins anew.
 */
/** In a search a failure may be wrong once in so many; the end finds out. */
const CHANCE_SEARCHING = 0.01;
const COPIES_MAX = 6;
/** Enough of the size that passes, so that its loss is known. */
const PASSES_MIN = 3;
const FAILS_MIN = 3;
/** A round of the end: pairs of the two sizes. */
const PAIRS_FIRST = 6;
const PAIRS_MAX = 12;
/** At a loss where this many are not enough, the answer stays open. */
const FAILS_SENT_MAX = 120;
const ROUNDS_MAX = 60;
const GREETINGS_MAX = 4;
const GREETING_PACKETS = 5;
const CHANGES_MAX = 3;
/** A peer that answers nothing in so many rounds has gone away. */
const SILENT_ROUNDS_MAX = 4;
/** Packets between two that fit. */
const APART = 3;
/** Sizes below the result that failed are asked about again, so many at most. */
const DOUBTS_MAX = 4;

export interface MtuQuestion {
  /** Sizes that paths often have; those that an interface has. */
  readonly likely: readonly number[];
  /** Set when time is up. */
  readonly expired: () => boolean;
  readonly onRound?: (finding: { readonly passes: number | undefined; readonly fails: number | undefined; readonly round: number }) => void;
}

export interface MtuFinding {
  /** Undefined when not even the smallest passed. */
  readonly passes: number | undefined;
  readonly fails: number | undefined;
  /** Both bounds are next to each other and sure; or nothing larger can be sent. */
  readonly verified: boolean;
  /** How likely it is that `fails` fits and all of its packets were lost by chance. */
  readonly chance: number;
  /** `fails` does not leave the sender's own interface. */
  readonly refused: boolean;
  /** Packets above `passes` that left and of which nothing was heard. */
  readonly vanished: number;
  readonly tooBig: readonly TooBig[];
  /** Smaller than `passes`, and failing all the same. */
  readonly surprises: readonly number[];
  /** How often the path was another one than before. */
  readonly changes: number;
  readonly fitting: { readonly sent: number; readonly passed: number };
  readonly tried: readonly { readonly bytes: number; readonly sent: number; readonly passed: number }[];
  readonly rounds: number;
  readonly over: RoundLog['over'];
}

const SILENT = { outcome: 'lost', reason: 'nothing is answered any more, not even the smallest packet' } as const;

export async function searchMtu(channel: SizeChannel, question: MtuQuestion): Promise<MtuFinding> {
  return new MtuSearch(channel, question).run();
}

class MtuSearch {
  readonly #channel: SizeChannel;
  readonly #question: MtuQuestion;
  readonly #tooBig: TooBig[] = [];
  readonly #tried = new Map<number, { sent: number; passed: number }>();
  #likely: number[];
  #tally: MtuTally;
  #rounds = 0;
  #changes = 0;
  #silentRounds = 0;
  /** More packets would not settle it. */
  #stuck = false;
  #over: RoundLog['over'];

  constructor(channel: SizeChannel, question: MtuQuestion) {
    this.#channel = channel;
    this.#question = question;
    this.#tally = new MtuTally(channel.controlBytes);
    this.#likely = this.#sensible(question.likely);
  }

  async run(): Promise<MtuFinding> {
    let verified = false;
    for (let i = 0; i < GREETINGS_MAX && this.#tally.largest === undefined && this.#goesOn(); i++) {
      await this.#round(Array.from({ length: GREETING_PACKETS }, () => this.#channel.controlBytes));
    }
    while (this.#tally.largest !== undefined && !verified && this.#goesOn()) {
      const candidates = this.#candidates();
      if (candidates.length > 0) await this.#round(this.#spread(candidates));
      else verified = await this.#verify();
    }
    return this.#finding(verified);
  }

  #goesOn(): boolean {
    return this.#over === undefined && !this.#stuck && this.#rounds < ROUNDS_MAX && !this.#question.expired();
  }

  get #passes(): number {
    return this.#tally.largest ?? 0;
  }

  /** The smallest size that is believed to fail; one above the largest there is, where none is known. */
  get #fails(): number {
    return this.#tally.smallestFailing(this.#passes) ?? this.#channel.sizeBytesMax + 1;
  }

  /** Sizes to try between the bounds: the likely ones that have not been tried, else equal parts. */
  #candidates(): number[] {
    const [passes, fails] = [this.#passes, this.#fails];
    const inside = this.#likely.filter((bytes) => bytes > passes && bytes < fails && !this.#isSettled(bytes));
    const named = inside.filter((bytes) => this.#tooBig.some(({ mtuBytes = 0 }) => bytes === mtuBytes || bytes === mtuBytes + 1));
    if (inside.length > 0) return this.#some(named.length > 0 && this.#channel.sizesAtOnce === 1 ? named : inside);
    const between = fails - passes - 1;
    const parts = Math.min(between, this.#channel.sizesAtOnce);
    // What is likely is often just it.
    const next = between > parts && this.#likely.includes(passes) && this.#tally.of(passes + 1) === undefined ? [passes + 1] : [];
    if (parts === 1 && next.length > 0) return next;
    return [...next, ...Array.from({ length: parts }, (_, i) => passes + Math.round(((i + 1) * (between + 1)) / (parts + 1)))];
  }

  #isSettled(bytes: number): boolean {
    const tally = this.#tally.of(bytes);
    return tally !== undefined && tally.sent >= COPIES_MAX;
  }

  /** As many as are worth trying at once: the middle ones, since either answer then leaves half. */
  #some(sizes: readonly number[]): number[] {
    const { sizesAtOnce } = this.#channel;
    if (sizes.length <= 2 * sizesAtOnce && sizesAtOnce > 1) return [...sizes];
    return [...new Set(Array.from({ length: sizesAtOnce }, (_, i) => sizes[Math.floor(((i + 1) * sizes.length) / (sizesAtOnce + 1))] as number))];
  }

  /** Each candidate several times, one pass after the other, with packets that fit in between. */
  #spread(candidates: readonly number[]): number[] {
    const { controlBytes } = this.#channel;
    const { sent, passed } = this.#tally.fitting();
    const loss = (sent - passed + 1) / (sent + 2);
    // With few packets seen the careful estimate of the loss is a bad one, and costs more than a wrong turn.
    const wanted = sent < 20 || this.#channel.copies === 1 ? 1 : Math.ceil(Math.log(CHANCE_SEARCHING) / Math.log(loss));
    const copies = Math.min(COPIES_MAX, Math.max(this.#channel.copies, wanted));
    // Where answers are rationed, the packet that fits before this one was the last of the round before.
    const sizes: number[] = copies === 1 ? [] : [controlBytes];
    let since = 0;
    for (let copy = 0; copy < copies; copy++) {
      for (const bytes of candidates) {
        sizes.push(bytes);
        if (++since % APART === 0) sizes.push(controlBytes);
      }
    }
    if (sizes.at(-1) !== controlBytes) sizes.push(controlBytes);
    return sizes;
  }

  /** Sends both bounds side by side. @returns whether the result is now sure; otherwise the bounds may have moved */
  async #verify(): Promise<boolean> {
    const { controlBytes, sizeBytesMax } = this.#channel;
    const [passes, fails] = [this.#passes, this.#fails];
    const open = fails > sizeBytesMax;
    const doubts = this.#doubts().slice(0, DOUBTS_MAX);
    const failing = this.#tally.of(fails);
    const enough = open || this.#isSure(fails);
    if (enough && doubts.length === 0 && (this.#tally.of(passes)?.passed ?? 0) >= PASSES_MIN) return true;
    if ((failing?.sent ?? 0) >= FAILS_SENT_MAX) {
      this.#stuck = true;
      return false;
    }
    const pairs = this.#channel.copies === 1 ? 1 : Math.min(PAIRS_MAX, PAIRS_FIRST + Math.floor((failing?.sent ?? 0) / 12));
    const controls = this.#channel.copies === 1 ? [] : [controlBytes];
    const sizes = [...controls];
    for (let i = 0; i < pairs; i++) {
      if (!enough) sizes.push(fails);
      sizes.push(passes, ...(i < 2 ? doubts : []), ...controls);
    }
    await this.#round(sizes);
    this.#noticeChange(passes);
    if (this.#passes !== passes || this.#over) return false;
    const tally = this.#tally.of(passes);
    return (open || this.#isSure(fails)) && (tally?.passed ?? 0) >= PASSES_MIN && this.#doubts().length === 0;
  }

  /** Sizes below the result that failed cleanly, and of which it is not sure yet. */
  #doubts(): number[] {
    return this.#tally
      .entries()
      .filter(([bytes, { passed, clean, refused }]) => bytes < this.#passes && passed === 0 && refused === 0 && clean > 0 && !this.#isSure(bytes))
      .map(([bytes]) => bytes);
  }

  #isSure(bytes: number): boolean {
    const tally = this.#tally.of(bytes);
    if (!tally || tally.passed > 0) return false;
    if (tally.refused > 0 || tally.told >= 2) return true;
    return tally.clean >= FAILS_MIN && this.#chanceOf(bytes) <= this.#channel.chance;
  }

  /** How likely all of these were lost by chance. */
  #chanceOf(bytes: number): number {
    const tally = this.#tally.of(bytes);
    if (!tally || tally.passed > 0) return 1;
    return tally.refused > 0 || tally.told >= 2 ? 0 : this.#tally.lossRatio() ** tally.clean;
  }

  /** What passed before fails now: all that is known is of another path. */
  #noticeChange(passes: number): void {
    const tally = this.#tally.of(passes);
    if (!tally || tally.cleanSince < FAILS_MIN) return;
    const before = Math.max(0.01, (tally.sent - tally.passed - tally.cleanSince + 1) / (tally.sent - tally.cleanSince + 2));
    if (before ** tally.cleanSince > CHANCE_SEARCHING / 10) return;
    this.#changes++;
    this.#likely = this.#sensible([...this.#question.likely, passes]);
    this.#tally = new MtuTally(this.#channel.controlBytes);
    // The next round greets anew; what answered a moment ago is taken to be there.
    this.#tally.add([this.#channel.controlBytes], ['passed']);
    if (this.#changes > CHANGES_MAX) this.#over = { outcome: 'lost', reason: 'the path MTU changed again and again while it was measured' };
  }

  async #round(sizes: readonly number[]): Promise<void> {
    this.#rounds++;
    const log = await this.#channel.send(sizes);
    this.#silentRounds = log.fates.includes('passed') ? 0 : this.#silentRounds + 1;
    this.#over = log.over ?? (this.#silentRounds >= SILENT_ROUNDS_MAX ? SILENT : undefined);
    this.#tally.add(sizes.slice(0, log.fates.length), log.fates);
    log.fates.forEach((fate, i) => {
      if (fate === 'unsent') return;
      const bytes = sizes[i] as number;
      const tried = this.#tried.get(bytes) ?? { sent: 0, passed: 0 };
      this.#tried.set(bytes, { sent: tried.sent + 1, passed: tried.passed + (fate === 'passed' ? 1 : 0) });
    });
    this.#tooBig.push(...log.tooBig);
    // What a router names is likely; whether it is true is measured.
    this.#likely = this.#sensible([
      ...this.#likely,
      ...log.tooBig.flatMap(({ mtuBytes }) => (mtuBytes === undefined ? [] : [mtuBytes, mtuBytes + 1])),
    ]);
    this.#question.onRound?.({ passes: this.#tally.largest, fails: this.#tally.smallestFailing(this.#passes), round: this.#rounds });
  }

  #sensible(sizes: readonly number[]): number[] {
    const { controlBytes, sizeBytesMax } = this.#channel;
    return [...new Set(sizes)].filter((bytes) => bytes > controlBytes && bytes <= sizeBytesMax).sort((a, b) => a - b);
  }

  #finding(verified: boolean): MtuFinding {
    const passes = this.#tally.largest;
    const fails = passes === undefined ? undefined : this.#tally.smallestFailing(passes);
    const above = this.#tally.entries().filter(([bytes]) => bytes > this.#passes);
    const below = this.#tally.entries().filter(([bytes, { passed }]) => bytes < this.#passes && passed === 0);
    return {
      passes,
      fails,
      verified,
      chance: fails === undefined ? 0 : this.#chanceOf(fails),
      refused: fails !== undefined && (this.#tally.of(fails)?.refused ?? 0) > 0,
      vanished: above.reduce((sum, [, { sent, refused, told }]) => sum + sent - refused - told, 0),
      tooBig: this.#tooBig,
      surprises: below.filter(([bytes]) => this.#isSure(bytes)).map(([bytes]) => bytes),
      changes: this.#changes,
      fitting: this.#tally.fitting(),
      tried: [...this.#tried].sort(([a], [b]) => a - b).map(([bytes, { sent, passed }]) => ({ bytes, sent, passed })),
      rounds: this.#rounds,
      over: this.#over,
    };
  }
}
