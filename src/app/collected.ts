import type { TurnSeries } from '../paths/index.js';
import type { Measurement } from '../results/index.js';
import { joinTurns } from './join-turns.js';
import { LAYER_PROBES } from './layers.js';
import type { TurnFigure } from './join-turns.js';
import type { Step } from './plan-check.js';
import type { Result } from './run-check.js';

/** What the steps of a check gave, by subject. */
export class Collected {
  readonly #bySubject = new Map<number, { readonly once: Measurement[]; readonly turns: TurnFigure[] }>();
  readonly #seed: number;
  /** Subjects whose last step got no answer at all. */
  readonly #silent = new Set<number>();

  constructor(seed: number) {
    this.#seed = seed;
  }

  add(step: Step, results: readonly Result[]): void {
    const { once, turns } = this.#of(step.subject);
    const { turn } = step;
    if (!LAYER_PROBES.includes(step.probe)) {
      const outcomes = results.map(({ measurement }) => measurement.outcome);
      if (outcomes.includes('ok')) this.#silent.delete(step.subject);
      else if (outcomes.some((outcome) => outcome === 'timeout' || outcome === 'lost')) this.#silent.add(step.subject);
    }
    if (turn === undefined) once.push(...results.map(({ measurement }) => measurement));
    else turns.push(...results.map((result) => ({ turn, ...result })));
  }

  /** Whether the last thing that was asked of a subject got no answer, so that there is little use in waiting long for the next. */
  silent(subject: number): boolean {
    return this.#silent.has(subject);
  }

  /** Whether anything on the path to a subject ever answered. */
  answered(subject: number): boolean {
    const { once, turns } = this.#of(subject);
    return [...once, ...turns.map(({ measurement }) => measurement)].some(({ probe, outcome }) => probe !== 'link' && outcome === 'ok');
  }

  /** A subject's measurements in the order in which their first part was taken, turns put together. */
  measurements(subject: number): Measurement[] {
    const { once, turns } = this.#of(subject);
    return [...joinTurns(turns, this.#seed), ...once];
  }

  /** A subject's figures turn by turn, for comparing it with others; by probe and metric. */
  series(subject: number, path: string): Map<string, TurnSeries> {
    const { turns } = this.#of(subject);
    const joined = new Map(joinTurns(turns, this.#seed).map((measurement) => [keyOf(measurement), measurement]));
    const found = new Map<string, TurnSeries>();
    for (const [key, whole] of joined) {
      if (!whole.summary) continue;
      const own = turns.filter(({ measurement }) => keyOf(measurement) === key && measurement.summary);
      found.set(key, {
        path,
        metric: whole.metric,
        unit: whole.summary.unit,
        value: whole.summary.median,
        error: whole.error?.unit === whole.summary.unit ? whole.error.value : 0,
        byTurn: new Map(own.map(({ turn, measurement }) => [turn, measurement.summary?.median ?? Number.NaN])),
      });
    }
    return found;
  }

  #of(subject: number): { readonly once: Measurement[]; readonly turns: TurnFigure[] } {
    const found = this.#bySubject.get(subject) ?? { once: [], turns: [] };
    this.#bySubject.set(subject, found);
    return found;
  }
}

function keyOf({ probe, metric }: Measurement): string {
  return `${probe} ${metric}`;
}
