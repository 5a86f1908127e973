import * as v from 'valibot';
import { BANDS, MeasurementSchema } from './measurement.js';

const head = {
  tool: v.object({ name: v.literal('tautline'), version: v.string() }),
  host: v.object({
    name: v.string(),
    os: v.string(),
    kernel: v.string(),
    arch: v.string(),
    cpus: v.number(),
    cpuModel: v.string(),
    memoryBytes: v.number(),
    node: v.string(),
    root: v.boolean(),
  }),
  startedAt: v.string(),
  durationMs: v.number(),
  /** Set when the run was interrupted: everything up to then is in the document. */
  interrupted: v.optional(v.boolean()),
};

/** What the figures come to: one sentence for people, and the outcome that a check's exit code follows. */
export const VerdictSchema = v.object({
  outcome: v.picklist(['pass', 'fail', 'inconclusive', 'unmeasured']),
  band: v.optional(v.picklist(BANDS)),
  sentence: v.string(),
});
export type Verdict = v.InferOutput<typeof VerdictSchema>;

/** `tautline measure PROBE TARGET --json`. */
export const MeasureDocumentSchema = v.object({
  schema: v.literal('tautline.measure/1'),
  ...head,
  probe: v.string(),
  target: v.string(),
  measurements: v.array(MeasurementSchema),
  verdict: v.optional(VerdictSchema),
});
export type MeasureDocument = v.InferOutput<typeof MeasureDocumentSchema>;

/** One thing that `check` looked at: the gateway, a resolver, a peer's path, this host itself. */
export const SubjectSchema = v.object({
  name: v.string(),
  role: v.picklist(['target', 'gateway', 'resolver', 'self', 'interface']),
  address: v.optional(v.string()),
  facts: v.record(v.string(), v.string()),
  measurements: v.array(MeasurementSchema),
});
export type Subject = v.InferOutput<typeof SubjectSchema>;

/** `tautline check [TARGET] --json`. */
export const CheckDocumentSchema = v.object({
  schema: v.literal('tautline.check/1'),
  ...head,
  target: v.optional(v.string()),
  depth: v.picklist(['quick', 'default', 'thorough']),
  subjects: v.array(SubjectSchema),
  verdict: VerdictSchema,
});
export type CheckDocument = v.InferOutput<typeof CheckDocumentSchema>;

/** Every kind of document, by the name after `tautline.`. A new kind is one new line here. */
export const DOCUMENT_SCHEMAS = {
  check: CheckDocumentSchema,
  measure: MeasureDocumentSchema,
} as const;
export type ResultDocument = CheckDocument | MeasureDocument;
