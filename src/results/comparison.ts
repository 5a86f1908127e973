import * as v from 'valibot';
import { UNITS } from './measurement.js';

/** Two paths to the same peer, measured in turns. `ratio` is `path` over `against`. */
export const ComparisonSchema = v.object({
  peer: v.string(),
  metric: v.string(),
  path: v.string(),
  against: v.string(),
  unit: v.picklist(UNITS),
  value: v.number(),
  againstValue: v.number(),
  ratio: v.number(),
  /** 95 % interval of the ratio; left out where the turns were too few. */
  ci95: v.optional(v.tuple([v.number(), v.number()])),
  /** Turns that each path had. */
  turns: v.number(),
  verdict: v.picklist(['differs', 'same', 'unclear']),
  /** Which of the two does better, where they differ by more than matters. */
  better: v.optional(v.string()),
  sentence: v.string(),
});
export type Comparison = v.InferOutput<typeof ComparisonSchema>;

/** Which path to use for what. `path` is missing where the paths do not differ, or could not be compared. */
export const PathChoiceSchema = v.object({
  peer: v.string(),
  purpose: v.picklist(['latency', 'bulk', 'overall']),
  path: v.optional(v.string()),
  sentence: v.string(),
});
export type PathChoice = v.InferOutput<typeof PathChoiceSchema>;
