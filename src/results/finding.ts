import * as v from 'valibot';
import { UNITS } from './measurement.js';

/** `critical`: the path does not do what it is for. `warning`: it costs much. `notice`: worth knowing. */
export const SEVERITIES = ['critical', 'warning', 'notice'] as const;
/** `certain`: the evidence allows nothing else. `likely`: it fits this best. `possible`: it fits, and other causes were not ruled out. */
export const CONFIDENCES = ['certain', 'likely', 'possible'] as const;

/** One figure or fact that speaks for a finding, with what it is compared to. */
export const EvidenceSchema = v.object({
  /** In words: `round trip under upload 312 ms, 4.1 ms idle`. */
  text: v.string(),
  metric: v.optional(v.string()),
  value: v.optional(v.number()),
  unit: v.optional(v.picklist(UNITS)),
  /** What it would be without the cause. */
  expected: v.optional(v.number()),
});
export type Evidence = v.InferOutput<typeof EvidenceSchema>;

/** What to do next. `costs`: nothing (a look), a change of settings, or money. */
export const NextStepSchema = v.object({
  text: v.string(),
  command: v.optional(v.string()),
  costs: v.picklist(['nothing', 'change', 'money']),
});
export type NextStep = v.InferOutput<typeof NextStepSchema>;

/** What is wrong, or why it could not be told (`id: unknown`). The document lists the most important first. */
export const FindingSchema = v.object({
  id: v.string(),
  title: v.string(),
  severity: v.picklist(SEVERITIES),
  confidence: v.picklist(CONFIDENCES),
  /** The peer, or `this host`. */
  subject: v.string(),
  /** The path that it is about, where it is about one. */
  path: v.optional(v.string()),
  /** What was noticed: ids of symptoms (`low-throughput`). */
  symptoms: v.array(v.string()),
  evidence: v.array(EvidenceSchema),
  /** Other causes of the same symptoms that the figures exclude, and those that could not be looked at. */
  ruledOut: v.array(v.object({ id: v.string(), why: v.string() })),
  unchecked: v.optional(v.array(v.object({ id: v.string(), why: v.string() }))),
  next: v.array(NextStepSchema),
});
export type Finding = v.InferOutput<typeof FindingSchema>;
export type Severity = Finding['severity'];
export type Confidence = Finding['confidence'];

/**
 * A bound on a path's throughput in one direction. `physical`: nothing can exceed it, and a figure above is a
 * measuring error. `configured`: a setting that could be other. `estimated`: computed from figures that vary.
 */
export const LimitSchema = v.object({
  id: v.string(),
  kind: v.picklist(['physical', 'configured', 'estimated']),
  direction: v.picklist(['up', 'down', 'both']),
  /** Of TCP payload. */
  bps: v.number(),
  /** The link's own rate, headers included, where a link sets the bound. */
  linkBps: v.optional(v.number()),
  /** Of payload that may pass beyond the rate: a shaper's bucket, where nothing else can lend to it. The bound then holds for any figure. */
  burstBytes: v.optional(v.number()),
  why: v.string(),
  /** Measured throughput as a share of this bound, where both are known. */
  reached: v.optional(v.number()),
});
export type Limit = v.InferOutput<typeof LimitSchema>;
