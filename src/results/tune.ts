import * as v from 'valibot';
import { documentHead } from './head.js';

const head = documentHead;

/** Settings of a group are tried together. */
export const GROUPS = [
  'congestion',
  'buffers',
  'tcp',
  'queueing',
  'offloads',
  'interrupts',
  'power',
  'memory',
  'limits',
  'names',
  'ssh',
  'containers',
  'vpn',
  'clean-up',
  'link',
] as const;

export const SourceSchema = v.object({ title: v.string(), url: v.optional(v.string()) });

/** Who a profile was chosen by, and what it is. */
export const ProfileChoiceSchema = v.object({
  name: v.string(),
  title: v.string(),
  risk: v.string(),
  exact: v.boolean(),
  /** Itself first, then what it extends. */
  lineage: v.array(v.string()),
  /** `asked` by name, or `advised` for this kind of host. */
  chosen: v.picklist(['asked', 'advised']),
  why: v.string(),
});
export type ProfileChoice = v.InferOutput<typeof ProfileChoiceSchema>;

export const TuneEnvironmentSchema = v.object({
  kind: v.picklist(['metal', 'vm', 'container']),
  virtualization: v.optional(v.string()),
  provider: v.optional(v.string()),
  product: v.optional(v.string()),
  /** Where the provider runs it. */
  region: v.optional(v.string()),
  init: v.string(),
  evidence: v.array(v.string()),
});

/** A change that a plan proposes. */
export const PlannedSchema = v.object({
  setting: v.string(),
  title: v.string(),
  group: v.string(),
  /** The interface or service, where there may be several. */
  instance: v.optional(v.string()),
  now: v.string(),
  proposed: v.string(),
  why: v.string(),
  sources: v.array(SourceSchema),
  effect: v.picklist(['none', 'measurable', 'risky']),
  scope: v.string(),
  needsRoot: v.boolean(),
  /** Whether this user may make it now; else `hindrance` says why not. */
  possible: v.boolean(),
  hindrance: v.optional(v.string()),
  /** How it would outlive a boot with `--persist`. */
  persistence: v.string(),
  takesEffect: v.optional(v.string()),
  notes: v.optional(v.array(v.string())),
  /** The places that would be written. */
  places: v.array(v.string()),
  /** The profile whose file says so. */
  from: v.string(),
});
export type Planned = v.InferOutput<typeof PlannedSchema>;

export const NOT_DONE_REASONS = [
  'no-effect',
  'absent',
  'would-lower',
  'virtual-device',
  'managed',
  'already',
  'needs-root',
  'read-only',
  'not-applicable',
  'unreadable',
  'bad-value',
] as const;

export const NotDoneSchema = v.object({
  setting: v.string(),
  title: v.string(),
  instance: v.optional(v.string()),
  reason: v.picklist(NOT_DONE_REASONS),
  why: v.string(),
  now: v.optional(v.string()),
  proposed: v.optional(v.string()),
});
export type NotDone = v.InferOutput<typeof NotDoneSchema>;

/** `tautline tune plan [PROFILE] --json`. */
export const PlanDocumentSchema = v.object({
  schema: v.literal('tautline.plan/1'),
  ...head,
  profile: ProfileChoiceSchema,
  environment: TuneEnvironmentSchema,
  changes: v.array(PlannedSchema),
  notDone: v.array(NotDoneSchema),
  /** Other programs and files that set the same things, found before anything is changed. */
  managers: v.array(v.object({ who: v.string(), what: v.string(), advice: v.string() })),
  /** What to know about this kind of host or provider. */
  advice: v.array(v.object({ text: v.string(), source: v.optional(SourceSchema) })),
  /** A change that is in force, awaits confirmation or was interrupted. */
  standing: v.optional(v.object({ id: v.string(), profile: v.string(), state: v.string(), advice: v.optional(v.string()) })),
});
export type PlanDocument = v.InferOutput<typeof PlanDocumentSchema>;

/** One place of a change: what was done there. */
export const ChangeStepSchema = v.object({
  setting: v.string(),
  place: v.string(),
  original: v.string(),
  desired: v.string(),
  /** What was found there afterwards. */
  found: v.optional(v.string()),
  outcome: v.picklist(['applied', 'already', 'undone', 'conflict', 'failed', 'gone', 'waiting', 'left-out']),
  why: v.optional(v.string()),
});
export type ChangeStep = v.InferOutput<typeof ChangeStepSchema>;

export const CHANGE_STATES = ['planned', 'applying', 'awaiting-confirmation', 'applied', 'rolling-back', 'rolled-back', 'conflicted'] as const;

/** `tautline tune apply|confirm|rollback --json`. */
export const ChangeDocumentSchema = v.object({
  schema: v.literal('tautline.change/1'),
  ...head,
  /** The person stopped it, and what had been done was put back. */
  interrupted: v.optional(v.boolean()),
  action: v.picklist(['apply', 'confirm', 'rollback']),
  /** Left out when there was nothing to change. */
  change: v.optional(v.string()),
  profile: v.optional(v.string()),
  state: v.picklist([...CHANGE_STATES, 'nothing-to-do']),
  persisted: v.boolean(),
  /** When everything is undone unless `tune confirm` comes before. */
  confirmBefore: v.optional(v.string()),
  steps: v.array(ChangeStepSchema),
  notDone: v.array(NotDoneSchema),
  /** What is still to do by hand for all of it to take effect. */
  takesEffect: v.array(v.string()),
  /** What else to know: who sets the same later at boot, what nothing here keeps over a boot. */
  notes: v.optional(v.array(v.string())),
  verdict: v.object({ outcome: v.picklist(['pass', 'fail', 'inconclusive', 'unmeasured']), sentence: v.string() }),
});
export type ChangeDocument = v.InferOutput<typeof ChangeDocumentSchema>;

/** `tautline tune status --json`. */
export const StatusDocumentSchema = v.object({
  schema: v.literal('tautline.status/1'),
  ...head,
  environment: TuneEnvironmentSchema,
  /** Changes in force, the newest first. */
  changes: v.array(
    v.object({
      id: v.string(),
      profile: v.string(),
      state: v.picklist(CHANGE_STATES),
      appliedAt: v.string(),
      persisted: v.boolean(),
      confirmBefore: v.optional(v.string()),
      places: v.number(),
    }),
  ),
  /** Journals that were damaged: nothing is done by them, and what they changed stands. */
  damaged: v.optional(v.array(v.object({ id: v.string(), why: v.string(), advice: v.optional(v.string()) }))),
  /** Places that no longer hold what was applied. */
  drift: v.array(v.object({ setting: v.string(), place: v.string(), applied: v.string(), found: v.string(), why: v.string() })),
  /** What people look at on a tuned host, each with what it is worth. */
  checks: v.array(
    v.object({
      id: v.string(),
      title: v.string(),
      state: v.picklist(['good', 'off', 'no-effect', 'absent', 'unreadable', 'info']),
      found: v.string(),
      note: v.string(),
    }),
  ),
  /** How much of each profile holds here, the best match first. */
  resembles: v.array(v.object({ profile: v.string(), holding: v.number(), of: v.number() })),
  /** What this user cannot see from here. */
  notes: v.optional(v.array(v.string())),
  verdict: v.object({ outcome: v.picklist(['pass', 'fail', 'inconclusive', 'unmeasured']), sentence: v.string() }),
});
export type StatusDocument = v.InferOutput<typeof StatusDocumentSchema>;

/** `tautline tune list --json`. */
export const TuneListDocumentSchema = v.object({
  schema: v.literal('tautline.tune-list/1'),
  ...head,
  profiles: v.array(
    v.object({
      name: v.string(),
      title: v.string(),
      about: v.string(),
      risk: v.string(),
      exact: v.boolean(),
      lineage: v.array(v.string()),
      settings: v.number(),
      /** Where its file is. */
      file: v.string(),
      advised: v.optional(v.string()),
    }),
  ),
  settings: v.array(
    v.object({
      id: v.string(),
      title: v.string(),
      group: v.string(),
      platforms: v.array(v.string()),
      effect: v.picklist(['none', 'measurable', 'risky']),
      scope: v.string(),
      needsRoot: v.boolean(),
      restart: v.optional(v.string()),
      takes: v.string(),
      why: v.string(),
      sources: v.array(SourceSchema),
    }),
  ),
});
export type TuneListDocument = v.InferOutput<typeof TuneListDocumentSchema>;

/** One figure of an experiment: the setting group against none of it. */
export const ExperimentFigureSchema = v.object({
  metric: v.string(),
  unit: v.string(),
  better: v.picklist(['higher', 'lower']),
  /** Effects on this metric smaller than this ratio, either way, are of no use even where they are certain. */
  leastRatio: v.optional(v.number()),
  /** Blocks in which both sides were measured. */
  blocks: v.number(),
  /** Medians of the run medians, without and with. */
  without: v.optional(v.number()),
  with: v.optional(v.number()),
  /** With over without: geometric mean of the blocks' ratios, and its interval at the corrected level. */
  ratio: v.optional(v.number()),
  interval: v.optional(v.tuple([v.number(), v.number()])),
  p: v.optional(v.number()),
  /** After Holm's correction over all comparisons of the experiment. */
  pCorrected: v.optional(v.number()),
  finding: v.picklist(['helps', 'harms', 'no measurable change', 'not measured']),
  why: v.optional(v.string()),
  /** Run medians in the order in which they were taken. */
  runs: v.array(
    v.object({
      block: v.number(),
      at: v.number(),
      arm: v.picklist(['without', 'with']),
      value: v.optional(v.number()),
      reason: v.optional(v.string()),
    }),
  ),
});
export type ExperimentFigure = v.InferOutput<typeof ExperimentFigureSchema>;

/** `tautline tune try PROFILE --target T --json`. */
export const ExperimentDocumentSchema = v.object({
  schema: v.literal('tautline.experiment/1'),
  ...head,
  interrupted: v.optional(v.boolean()),
  profile: ProfileChoiceSchema,
  target: v.string(),
  design: v.object({
    seed: v.number(),
    blocks: v.number(),
    /** The order of each block, such as ABBA: A without, B with. */
    orders: v.array(v.string()),
    alpha: v.number(),
    comparisons: v.number(),
    correction: v.literal('holm'),
    /** Effects smaller than this ratio are of no use even where they are certain; the smallest of the metrics' own. */
    leastRatio: v.number(),
    sentence: v.string(),
  }),
  groups: v.array(
    v.object({
      group: v.string(),
      changes: v.array(PlannedSchema),
      decision: v.picklist(['keep', 'reject', 'no measurable change', 'not tried']),
      why: v.string(),
      figures: v.array(ExperimentFigureSchema),
    }),
  ),
  notDone: v.array(NotDoneSchema),
  /** The change that was left applied with `--keep`. */
  kept: v.optional(v.string()),
  verdict: v.object({ outcome: v.picklist(['pass', 'fail', 'inconclusive', 'unmeasured']), sentence: v.string() }),
});
export type ExperimentDocument = v.InferOutput<typeof ExperimentDocumentSchema>;
