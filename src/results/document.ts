import * as v from 'valibot';
import { AdviceSchema } from './advice.js';
import { ComparisonSchema, PathChoiceSchema } from './comparison.js';
import { FindingSchema, LimitSchema } from './finding.js';
import { documentHead } from './head.js';
import { BANDS, MeasurementSchema } from './measurement.js';
import { ChangeDocumentSchema, ExperimentDocumentSchema, PlanDocumentSchema, StatusDocumentSchema, TuneListDocumentSchema } from './tune.js';
import type { ChangeDocument, ExperimentDocument, PlanDocument, StatusDocument, TuneListDocument } from './tune.js';

const head = documentHead;

/** What the figures come to: one sentence for people, and the outcome that a check's exit code follows. */
export const VerdictSchema = v.object({
  outcome: v.picklist(['pass', 'fail', 'inconclusive', 'unmeasured']),
  band: v.optional(v.picklist(BANDS)),
  sentence: v.string(),
});
export type Verdict = v.InferOutput<typeof VerdictSchema>;

/** What the figures depend on beside the network itself; two runs with the same fingerprint can be compared. */
export const EnvironmentSchema = v.object({
  /** SHA-256 over what follows, in hexadecimal. */
  fingerprint: v.string(),
  kernel: v.string(),
  tool: v.string(),
  links: v.array(v.record(v.string(), v.union([v.string(), v.number(), v.boolean()]))),
  settings: v.record(v.string(), v.string()),
  routes: v.array(v.record(v.string(), v.string())),
});
export type Environment = v.InferOutput<typeof EnvironmentSchema>;

/** `tautline measure PROBE TARGET --json`. */
export const MeasureDocumentSchema = v.object({
  schema: v.literal('tautline.measure/1'),
  ...head,
  probe: v.string(),
  target: v.string(),
  measurements: v.array(MeasurementSchema),
  /** In documents that were kept: what the figures depended on. */
  environment: v.optional(EnvironmentSchema),
  verdict: v.optional(VerdictSchema),
});
export type MeasureDocument = v.InferOutput<typeof MeasureDocumentSchema>;

/** One thing that `check` looked at: the gateway, a resolver, a peer's path, this host itself. */
export const SubjectSchema = v.object({
  name: v.string(),
  role: v.picklist(['target', 'gateway', 'resolver', 'self', 'interface', 'containers']),
  address: v.optional(v.string()),
  /** The peer that this is a path to, and the path's name and kind (`lan`, `tailscale`, `ssh`, `wan` ...). */
  peer: v.optional(v.string()),
  path: v.optional(v.string()),
  kind: v.optional(v.string()),
  /** What bounds its throughput, the lowest bound first. */
  limits: v.optional(v.array(LimitSchema)),
  /** What both ends told of themselves (`HostAbout`): links, routes, TCP settings. */
  ends: v.optional(v.object({ near: v.optional(v.record(v.string(), v.any())), far: v.optional(v.record(v.string(), v.any())) })),
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
  comparisons: v.optional(v.array(ComparisonSchema)),
  choices: v.optional(v.array(PathChoiceSchema)),
  /** The most important first; empty: nothing was found. Documents of releases that did not look have none. */
  findings: v.optional(v.array(FindingSchema)),
  /** What could not be looked at, why, and what to do about it. */
  unchecked: v.optional(v.array(v.object({ what: v.string(), why: v.string(), hint: v.optional(v.string()) }))),
  advice: v.optional(AdviceSchema),
  environment: v.optional(EnvironmentSchema),
  verdict: VerdictSchema,
});
export type CheckDocument = v.InferOutput<typeof CheckDocumentSchema>;

/** `tautline advise --from 1G --to 10G --json`. */
export const AdviceDocumentSchema = v.object({ schema: v.literal('tautline.advice/1'), ...head, advice: AdviceSchema });
export type AdviceDocument = v.InferOutput<typeof AdviceDocumentSchema>;

/** One kept run, in short. */
export const HistoryEntrySchema = v.object({
  id: v.string(),
  kind: v.string(),
  /** Of a single measurement. */
  probe: v.optional(v.string()),
  startedAt: v.string(),
  target: v.optional(v.string()),
  interrupted: v.optional(v.boolean()),
  fingerprint: v.optional(v.string()),
  /** What differs from the environment of the run before it in the list, with the same target. */
  changed: v.optional(v.array(v.string())),
  verdict: v.optional(VerdictSchema),
  /** Ids of the findings, the first first. */
  findings: v.optional(v.array(v.string())),
  figures: v.array(
    v.object({ subject: v.string(), path: v.string(), metric: v.string(), unit: v.string(), median: v.number(), p99: v.optional(v.number()) }),
  ),
});
export type HistoryEntry = v.InferOutput<typeof HistoryEntrySchema>;

/** One figure over time, the oldest first. */
export const HistorySeriesSchema = v.object({
  subject: v.string(),
  path: v.string(),
  metric: v.string(),
  unit: v.string(),
  points: v.array(
    v.object({
      id: v.string(),
      startedAt: v.string(),
      median: v.number(),
      ci95: v.optional(v.tuple([v.number(), v.number()])),
      /** The environment differs from that of the point before. */
      changed: v.optional(v.array(v.string())),
    }),
  ),
  /** Runs of the list that have no such figure, and why. */
  leftOut: v.array(v.object({ id: v.string(), why: v.string() })),
});
export type HistorySeries = v.InferOutput<typeof HistorySeriesSchema>;

/** `tautline history --json`: the newest last. */
export const HistoryDocumentSchema = v.object({
  schema: v.literal('tautline.history/1'),
  ...head,
  /** Where the runs are kept. */
  folder: v.optional(v.string()),
  entries: v.array(HistoryEntrySchema),
  /** Whether there are older runs that were not asked for. */
  more: v.optional(v.boolean()),
  /** Files that were passed over: corrupt, foreign, or of a newer release. */
  skipped: v.optional(v.array(v.object({ file: v.string(), why: v.string() }))),
  /** With `--plot`: the series that is drawn, and others that could be. */
  plot: v.optional(HistorySeriesSchema),
  others: v.optional(v.array(v.object({ subject: v.string(), path: v.string(), metric: v.string(), n: v.number() }))),
});
export type HistoryDocument = v.InferOutput<typeof HistoryDocumentSchema>;

/** Every kind of document, by the name after `tautline.`. A new kind is one new line here. */
export const DOCUMENT_SCHEMAS = {
  check: CheckDocumentSchema,
  measure: MeasureDocumentSchema,
  advice: AdviceDocumentSchema,
  history: HistoryDocumentSchema,
  plan: PlanDocumentSchema,
  change: ChangeDocumentSchema,
  status: StatusDocumentSchema,
  experiment: ExperimentDocumentSchema,
  'tune-list': TuneListDocumentSchema,
} as const;
/** What a run over the network gives; every format writes it. */
export type ResultDocument = CheckDocument | MeasureDocument;
export type TuneDocument = PlanDocument | ChangeDocument | StatusDocument | ExperimentDocument | TuneListDocument;
export type AnyDocument = ResultDocument | AdviceDocument | HistoryDocument | TuneDocument;
