/** Figures of one run by name; all in base units of their kind (bps, pps, ms, MiB, ratio). */
export type Figures = Readonly<Record<string, number>>;

/** One who runs in every round: our probe, or an anchor. */
export interface Participant {
  readonly name: string;
  run(): Promise<Figures>;
}

/** Several who do the same work in the same place, so that their figures may be compared. */
export interface Contest {
  readonly name: string;
  readonly participants: readonly Participant[];
}

/** What a participant reported in each round; undefined where its run failed. */
export interface RoundsOf {
  readonly participant: string;
  readonly rounds: readonly (Figures | undefined)[];
  readonly failures: readonly string[];
}

/**
 * Runs everybody once a round, alternating, so that what drifts on the machine meets all alike; the
 * order turns round every round, so that nobody always runs on the other's heels.
 */
export async function runContest(contest: Contest, rounds: number, onRun: (participant: string, round: number) => void): Promise<RoundsOf[]> {
  const records = contest.participants.map(({ name }) => ({
    participant: name,
    rounds: [] as (Figures | undefined)[],
    failures: [] as string[],
  }));
  for (let round = 0; round < rounds; round++) {
    const order = [...contest.participants.keys()];
    if (round % 2 === 1) order.reverse();
    for (const i of order) {
      const participant = contest.participants[i];
      const record = records[i];
      if (!participant || !record) continue;
      onRun(participant.name, round);
      try {
        record.rounds.push(await participant.run());
      } catch (error) {
        record.rounds.push(undefined);
        record.failures.push(error instanceof Error ? error.message : String(error));
      }
    }
  }
  return records;
}

/** One figure of ours beside one of an anchor's, or by itself where the goal is absolute. */
export interface Comparison {
  readonly ours: Spread;
  readonly anchor?: Spread;
  /** Ratio of medians, and the least and greatest ratio within one round. */
  readonly ratio?: Spread;
}

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly n: number;
}

export function compare(ours: RoundsOf, ourFigure: string, anchor?: RoundsOf, anchorFigure: string = ourFigure): Comparison | undefined {
  const mine = figuresOf(ours, ourFigure);
  const own = spread(defined(mine));
  if (!own) return undefined;
  if (!anchor) return { ours: own };
  const theirs = figuresOf(anchor, anchorFigure);
  const other = spread(defined(theirs));
  const perRound = spread(defined(mine.map((value, i) => (value === undefined || theirs[i] === undefined ? undefined : value / theirs[i]))));
  if (!other || !perRound) return undefined;
  return { ours: own, anchor: other, ratio: { ...perRound, median: own.median / other.median } };
}

function figuresOf(record: RoundsOf, figure: string): (number | undefined)[] {
  return record.rounds.map((figures) => figures?.[figure]);
}

function defined(values: readonly (number | undefined)[]): number[] {
  return values.filter((value): value is number => value !== undefined && Number.isFinite(value));
}

export function spread(values: readonly number[]): Spread | undefined {
  if (values.length === 0) return undefined;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const median = ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle)] ?? 0)) / 2;
  return { median, min: sorted[0] ?? 0, max: sorted.at(-1) ?? 0, n: sorted.length };
}
