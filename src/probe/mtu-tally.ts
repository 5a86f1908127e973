import type { Fate } from './mtu-channel.js';

export interface SizeTally {
  sent: number;
  passed: number;
  refused: number;
  told: number;
  /** Failed while the packets before and after it that fit came through: hardly a burst of losses. */
  clean: number;
  /** The same since it last passed. */
  cleanSince: number;
}

/** What became of each size, and how much is lost of what fits. */
export class MtuTally {
  readonly #controlBytes: number;
  readonly #sizes = new Map<number, SizeTally>();
  /** Whether the last packet that fits, of the round before, passed. */
  #passedLast = false;
  /** The largest that passed; undefined before the first. */
  largest: number | undefined;

  constructor(controlBytes: number) {
    this.#controlBytes = controlBytes;
  }

  of(bytes: number): SizeTally | undefined {
    return this.#sizes.get(bytes);
  }

  entries(): readonly (readonly [number, SizeTally])[] {
    return [...this.#sizes].sort(([a], [b]) => a - b);
  }

  /** Takes a round in. */
  add(sizes: readonly number[], fates: readonly Fate[]): void {
    const passing = new Set(sizes.filter((_, i) => fates[i] === 'passed'));
    for (const bytes of passing) this.largest = Math.max(this.largest ?? 0, bytes);
    // A size that never passed may not fit although it is smaller than one that does.
    const fits = (i: number): boolean => {
      const bytes = sizes[i] as number;
      return bytes === this.#controlBytes || passing.has(bytes) || (this.#sizes.get(bytes)?.passed ?? 0) > 0;
    };
    for (let i = 0; i < fates.length; i++) {
      const fate = fates[i];
      if (fate === 'unsent') continue;
      const tally = this.#at(sizes[i] as number);
      tally.sent++;
      if (fate === 'passed') {
        tally.passed++;
        tally.cleanSince = 0;
      } else {
        if (fate === 'refused') tally.refused++;
        if (fate === 'told') tally.told++;
        if (fate !== 'silent' || ((passedBeside(fates, i, -1, fits) ?? this.#passedLast) && passedBeside(fates, i, 1, fits) === true)) {
          tally.clean++;
          tally.cleanSince++;
        }
      }
    }
    this.#passedLast = passedBeside(fates, fates.length, -1, fits) ?? this.#passedLast;
  }

  /** The smallest size above `bytes` of which it is known that it fails; refused is certain, else one clean failure and no pass. */
  smallestFailing(above: number): number | undefined {
    let least: number | undefined;
    for (const [bytes, { passed, refused, clean }] of this.#sizes) {
      if (bytes > above && passed === 0 && (refused > 0 || clean > 0)) least = Math.min(least ?? bytes, bytes);
    }
    return least;
  }

  /** Packets that fit, and how many of them passed. */
  fitting(): { readonly sent: number; readonly passed: number } {
    let [sent, passed] = [0, 0];
    for (const [bytes, tally] of this.#sizes) {
      // What never passed among the smaller sizes is a surprise of its own, and no loss.
      if (tally.passed === 0) continue;
      if (bytes <= (this.largest ?? 0)) [sent, passed] = [sent + tally.sent, passed + tally.passed];
    }
    return { sent, passed };
  }

  /**
   * How likely one packet that fits gets lost, on the careful side (Laplace's rule of succession), and by large
   * packets where these lose more.
   */
  lossRatio(): number {
    const { sent, passed } = this.fitting();
    const own = this.largest === undefined ? undefined : this.#sizes.get(this.largest);
    return Math.max((sent - passed + 1) / (sent + 2), own ? (own.sent - own.passed + 1) / (own.sent + 2) : 1);
  }

  #at(bytes: number): SizeTally {
    let tally = this.#sizes.get(bytes);
    if (!tally) this.#sizes.set(bytes, (tally = { sent: 0, passed: 0, refused: 0, told: 0, clean: 0, cleanSince: 0 }));
    return tally;
  }
}

/** Whether the nearest packet that fits, to this side, passed; undefined where there is none. */
function passedBeside(fates: readonly Fate[], from: number, step: 1 | -1, fits: (i: number) => boolean): boolean | undefined {
  for (let i = from + step; i >= 0 && i < fates.length; i += step) {
    if (fates[i] !== 'unsent' && fits(i)) return fates[i] === 'passed';
  }
  return undefined;
}
