import * as v from 'valibot';

/** What a faster link would change, and what it costs. Times and rates say what else would limit then. */
export const AdviceSchema = v.object({
  fromBps: v.number(),
  toBps: v.number(),
  /** Why the link runs below what both ends can do, the likeliest first. */
  causes: v.array(v.object({ id: v.string(), title: v.string(), rank: v.number(), why: v.string(), check: v.string() })),
  options: v.array(
    v.object({
      id: v.string(),
      title: v.string(),
      /** Where each end sits: how many ports, modules and cables were counted in. */
      parts: v.array(v.object({ what: v.string(), count: v.number(), usd: v.tuple([v.number(), v.number()]) })),
      usd: v.tuple([v.number(), v.number()]),
      limits: v.array(v.string()),
      steps: v.array(v.string()),
    }),
  ),
  pricesAsOf: v.string(),
  workloads: v.array(
    v.object({
      id: v.string(),
      title: v.string(),
      now: v.object({ text: v.string(), seconds: v.optional(v.number()), bps: v.optional(v.number()), limitedBy: v.string() }),
      after: v.object({ text: v.string(), seconds: v.optional(v.number()), bps: v.optional(v.number()), limitedBy: v.string() }),
      factor: v.number(),
      verdict: v.picklist(['sufficient now', 'needs it', 'helps', 'changes nothing']),
      why: v.string(),
    }),
  ),
  /** Assumptions that were made where nothing was measured or declared. */
  assumed: v.array(v.string()),
  sentence: v.string(),
});
export type Advice = v.InferOutput<typeof AdviceSchema>;
