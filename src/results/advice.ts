import * as v from 'valibot';
import { CONFIDENCES } from './finding.js';

/** Least and most, in US dollars. */
const UsdSchema = v.tuple([v.number(), v.number()]);

/** What a workload takes on one link: a time or a rate, and what bounds it. */
const OutcomeSchema = v.object({
  text: v.string(),
  seconds: v.optional(v.number()),
  bps: v.optional(v.number()),
  limitedBy: v.string(),
});

/** `needs it`: not good enough now, and good enough after. `helps`: faster, but no need was stated, or it is missed either way. */
export const WORKLOAD_VERDICTS = ['sufficient now', 'needs it', 'helps', 'changes nothing'] as const;

/** What a faster link would change, and what it costs. Times and rates say what else would limit then. */
export const AdviceSchema = v.object({
  fromBps: v.number(),
  toBps: v.number(),
  /** Whether the speeds were declared by a person or told by the drivers of both ends. */
  basis: v.optional(
    v.object({
      from: v.picklist(['declared', 'negotiated']),
      to: v.picklist(['declared', 'supported']),
      /** TCP goodput that the path showed, and the most that the present link can carry. */
      measuredBps: v.optional(v.number()),
      ceilingBps: v.number(),
      /** Measured over ceiling. */
      reached: v.optional(v.number()),
    }),
  ),
  /** False where a faster link would change nothing, because something else bounds the path; `sentence` says what. */
  worthwhile: v.optional(v.boolean()),
  /** Why the link runs below what both ends can do, the likeliest (`rank` 1) first. */
  causes: v.array(
    v.object({
      id: v.string(),
      title: v.string(),
      rank: v.number(),
      confidence: v.optional(v.picklist(CONFIDENCES)),
      why: v.string(),
      /** What tells this cause from the others, without spending anything. */
      check: v.string(),
      command: v.optional(v.string()),
      /** What changes it where it is the cause and costs no money. */
      fix: v.optional(v.string()),
    }),
  ),
  /** Causes that the evidence excludes. */
  ruledOut: v.optional(v.array(v.object({ id: v.string(), why: v.string() }))),
  /** The cheapest first. */
  options: v.array(
    v.object({
      id: v.string(),
      title: v.string(),
      /** What the link runs at then. */
      bps: v.optional(v.number()),
      /** Where each end sits: how many ports, modules and cables were counted in. */
      parts: v.array(v.object({ what: v.string(), count: v.number(), usd: UsdSchema, source: v.optional(v.string()) })),
      usd: UsdSchema,
      limits: v.array(v.string()),
      steps: v.array(v.string()),
    }),
  ),
  pricesAsOf: v.string(),
  workloads: v.array(
    v.object({
      id: v.string(),
      title: v.string(),
      now: OutcomeSchema,
      after: OutcomeSchema,
      factor: v.number(),
      verdict: v.picklist(WORKLOAD_VERDICTS),
      why: v.string(),
    }),
  ),
  /** How much of each kind of work either link is sufficient for, and the need that this was computed from. */
  sufficient: v.optional(v.array(v.object({ id: v.string(), title: v.string(), need: v.string(), now: v.string(), after: v.string() }))),
  /** What to do, the cheapest and surest first. */
  actions: v.optional(
    v.array(
      v.object({
        term: v.picklist(['short', 'medium', 'long']),
        text: v.string(),
        command: v.optional(v.string()),
        costs: v.picklist(['nothing', 'change', 'money']),
        usd: v.optional(UsdSchema),
      }),
    ),
  ),
  /** Assumptions that were made where nothing was measured or declared. */
  assumed: v.array(v.string()),
  sentence: v.string(),
});
export type Advice = v.InferOutput<typeof AdviceSchema>;
export type AdviceCause = Advice['causes'][number];
export type AdviceOption = Advice['options'][number];
export type WorkloadVerdict = (typeof WORKLOAD_VERDICTS)[number];
