import type { Arm } from './design.js';

/** What a run gave for a metric; a run that could not be measured is a reason and never a number. */
export type RunFigure =
  | {
      readonly value: number;
      /** How far it may be off by the measuring itself, in the metric's unit. */
      readonly error?: number;
    }
  | { readonly reason: string };

/** One run: all metrics measured once, on connections of its own. */
export interface Run {
  readonly block: number;
  /** 0 to 3 within the block. */
  readonly at: number;
  readonly arm: Arm;
  /** By the metric's name. */
  readonly figures: Readonly<Record<string, RunFigure>>;
}

export interface GroupRuns {
  readonly group: string;
  readonly runs: readonly Run[];
}
