import * as v from 'valibot';
import { PLACE_KINDS, changeEntries, problemOf, problemOfState } from './place-schema.js';
import type { JournalRecord } from './records.js';

export type BeginRecord = Extract<JournalRecord, { type: 'begin' }>;

export const JOURNAL_SCHEMA = 'tautline.journal/1';

/** A change's name, which is its file's name too: when, what for, and what tells it from others. */
export const CHANGE_ID = /^\d{8}T\d{6}Z-[a-z0-9][a-z0-9-]{0,63}-[0-9a-f]{4}$/;

/** More steps than any host has places to tune. */
const STEPS_MAX = 10_000;
const STEP_KINDS_REASON = 'is of a kind that this release does not know';

const text = v.pipe(v.string(), v.maxLength(4096));
const time = v.pipe(v.string(), v.isoTimestamp());
const index = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const why = v.exactOptional(text);

const persisted = v.variant('by', [
  v.strictObject({ by: v.literal('sysctl'), key: text, value: text }),
  v.strictObject({ by: v.literal('boot'), commands: v.array(text), interface: v.exactOptional(text) }),
  v.strictObject({ by: v.literal('itself') }),
]);

const stepExtras = {
  setting: text,
  onConfirm: v.exactOptional(v.literal(true)),
  persist: v.exactOptional(v.array(persisted)),
  takesEffect: v.exactOptional(text),
};

const stepSchemas = PLACE_KINDS.map((kind) => [kind, v.strictObject({ ...changeEntries(kind), ...stepExtras })] as const);

const steps = v.pipe(
  v.array(v.looseObject({ place: v.looseObject({ kind: v.string() }) })),
  v.minLength(1),
  v.maxLength(STEPS_MAX),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    for (const [i, step] of dataset.value.entries()) {
      const problem = problemOfStep(step);
      if (problem !== undefined) addIssue({ message: `step ${i}: ${problem}` });
    }
  }),
);

const RECORD = v.variant('type', [
  v.strictObject({
    type: v.literal('begin'),
    schema: v.literal(JOURNAL_SCHEMA),
    change: v.pipe(v.string(), v.regex(CHANGE_ID)),
    tool: text,
    at: time,
    host: v.strictObject({ machine: text, boot: text, network: text, name: text }),
    userId: index,
    profile: text,
    confirmBefore: v.exactOptional(time),
    persist: v.boolean(),
    steps,
  }),
  v.strictObject({ type: v.literal('doing'), step: index }),
  v.strictObject({ type: v.literal('done'), step: index, found: v.unknown(), why }),
  v.strictObject({ type: v.literal('failed'), step: index, why: text, found: v.exactOptional(v.unknown()) }),
  v.strictObject({ type: v.literal('applied'), at: time }),
  v.strictObject({ type: v.literal('confirmed'), at: time }),
  v.strictObject({ type: v.literal('undo'), at: time, reason: v.picklist(['asked', 'unconfirmed', 'failed']), force: v.boolean() }),
  v.strictObject({ type: v.literal('undoing'), step: index }),
  v.strictObject({ type: v.literal('undone'), step: index, outcome: v.picklist(['undone', 'conflict', 'gone', 'failed']), why }),
  v.strictObject({ type: v.literal('rolled-back'), at: time, clean: v.boolean() }),
]);

/** What is wrong with one step of a change; undefined when nothing is. */
export function problemOfStep(step: { readonly place: { readonly kind: string } }): string | undefined {
  const schema = stepSchemas.find(([kind]) => kind === step.place.kind)?.[1];
  if (schema === undefined) return `place.kind: '${step.place.kind.slice(0, 40)}' ${STEP_KINDS_REASON}`;
  const { issues } = v.safeParse(schema, step);
  return issues === undefined ? undefined : problemOf(issues);
}

/** Holds one record against its declaration; what a place was found to hold is held against the step's kind, so `begin` goes first. */
export function checkRecord(value: unknown, begin: BeginRecord | undefined): { readonly record: JournalRecord } | { readonly problem: string } {
  const parsed = v.safeParse(RECORD, value);
  if (parsed.issues !== undefined) return { problem: problemOf(parsed.issues) };
  // The steps and what was found were checked by kind, which the schema's type cannot say.
  const record = parsed.output as JournalRecord;
  if (!('step' in record)) return { record };
  const step = begin?.steps[record.step];
  if (step === undefined) return { problem: `step: there is no step ${record.step}` };
  if (!('found' in record)) return { record };
  const problem = problemOfState(step.place.kind, record.found);
  return problem === undefined ? { record } : { problem: `found: ${problem}` };
}
