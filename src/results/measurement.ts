import * as v from 'valibot';

/** What became of an attempt to measure. A failure of the network is a result, not an exception. */
export const OUTCOMES = ['ok', 'lost', 'refused', 'timeout', 'unsupported', 'unchecked'] as const;
export const PROVENANCES = ['measured', 'simulated', 'estimated', 'declared'] as const;
export const BANDS = ['excellent', 'good', 'fair', 'poor'] as const;
export const UNITS = ['ms', 'bps', 'pps', 'rpm', 'ratio', 'count', 'bytes'] as const;

const Count = v.pipe(v.number(), v.integer(), v.minValue(0));
const NonNegative = v.pipe(v.number(), v.minValue(0));

/** Samples in short. `ci95` bounds the median. */
export const SummarySchema = v.object({
  unit: v.picklist(UNITS),
  n: Count,
  min: v.number(),
  median: v.number(),
  mean: v.number(),
  p95: v.number(),
  p99: v.number(),
  max: v.number(),
  stddev: NonNegative,
  ci95: v.optional(v.tuple([v.number(), v.number()])),
});
export type Summary = v.InferOutput<typeof SummarySchema>;

/** `ci95` is Wilson's score interval of `ratio`. */
export const LossSchema = v.object({
  sent: Count,
  received: Count,
  ratio: v.pipe(v.number(), v.minValue(0), v.maxValue(1)),
  ci95: v.optional(v.tuple([v.number(), v.number()])),
});
export type Loss = v.InferOutput<typeof LossSchema>;

/** How far the figure may be off by the measuring itself; `from` names the causes for a person. */
export const MeasurementErrorSchema = v.object({
  value: NonNegative,
  unit: v.picklist(UNITS),
  from: v.array(v.string()),
});
export type MeasurementError = v.InferOutput<typeof MeasurementErrorSchema>;

export const CeilingSchema = v.object({ value: v.number(), unit: v.picklist(UNITS), why: v.string() });
export const RatingSchema = v.object({
  band: v.picklist(BANDS),
  stars: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(5)),
});
export type Rating = v.InferOutput<typeof RatingSchema>;

/**
 * One figure about one path. `metric` names the figure (`rtt`, `connect`, `throughput.up`,
 * `rtt.loaded.up` ...), `details` holds what only this probe knows, as plain JSON.
 */
export const MeasurementSchema = v.object({
  probe: v.string(),
  metric: v.string(),
  target: v.string(),
  path: v.string(),
  outcome: v.picklist(OUTCOMES),
  startedAt: v.string(),
  durationMs: NonNegative,
  summary: v.optional(SummarySchema),
  loss: v.optional(LossSchema),
  error: v.optional(MeasurementErrorSchema),
  ceiling: v.optional(CeilingSchema),
  provenance: v.picklist(PROVENANCES),
  rating: v.optional(RatingSchema),
  /** Why the outcome is what it is, and what to do; always present unless the outcome is ok. */
  reason: v.optional(v.string()),
  /** True when the run was cut short (interrupt, dying peer) and this is what had been measured. */
  partial: v.optional(v.boolean()),
  details: v.optional(v.record(v.string(), v.any())),
});
export type Measurement = v.InferOutput<typeof MeasurementSchema>;
export type Outcome = Measurement['outcome'];
export type Provenance = Measurement['provenance'];
export type Unit = Summary['unit'];
export type Band = Rating['band'];
