import { TautlineError } from '../../base/index.js';
import { EXPERIMENT_METRICS, SETTINGS, sysctlPath } from '../../tune/index.js';
import type { HostView, PlannedStep, Profile, Setting, TunePlan } from '../../tune/index.js';
import { nearest } from '../nearest.js';

/** A setting that a person wants to see tried, whatever the tool thinks of it. */
export interface ChosenSetting {
  readonly id: string;
  readonly value: string;
}

/** What a kernel value that no setting knows is tried as. */
const UNKNOWN_GROUP = 'tcp';

/**
 * Plans single settings, as they were asked for: a kernel value is set to exactly that even where it is said to do nothing,
 * would lower what is there or has no setting at all. Whoever doubts what the tool says of a setting can so see for himself.
 * @throws TautlineError `usage` for a key that this host does not have, or that holds the value already
 */
export async function planChosen(view: HostView, chosen: readonly ChosenSetting[]): Promise<TunePlan> {
  const planned: PlannedStep[] = [];
  for (const each of chosen) planned.push(...(await stepsFor(view, each)));
  return { profile: chosenProfile(chosen), planned, notDone: [] };
}

function chosenProfile(chosen: readonly ChosenSetting[]): Profile {
  const words = chosen.map(({ id, value }) => `${id}=${value}`).join(', ');
  return {
    name: 'settings',
    title: words,
    about: 'single settings, as they were asked for',
    risk: 'medium',
    exact: true,
    lineage: ['settings'],
    settings: chosen.map(({ id, value }) => ({ id, wanted: { value, at: '--setting' }, from: 'settings' })),
  };
}

async function stepsFor(view: HostView, { id, value }: ChosenSetting): Promise<PlannedStep[]> {
  const known = SETTINGS.find((setting) => setting.id === id);
  const path = sysctlPath(id);
  const read = /^[\w./-]+$/.test(id) && !id.includes('..') && id.includes('.') ? await view.ports.control.readValue(path) : undefined;
  if (read !== undefined) return [kernelStep({ id, value, path, now: singleSpaced(read) }, known)];
  if (!known) throw unknownSetting(id);
  const parsed = known.parse(parsedValue(value));
  if ('problem' in parsed) throw new TautlineError('usage', `--setting ${id}: ${parsed.problem}`, { hint: `it takes ${known.takes}` });
  const steps = await known.plan(view, parsed.value, { exact: true });
  const wanted = { value, at: '--setting' };
  const planned = steps.flatMap((step) => (step.verdict === 'change' ? [{ setting: known, step, from: 'settings', why: step.why, wanted }] : []));
  const [reason] = steps.flatMap((step) => (step.verdict === 'not-done' ? [step.why] : []));
  if (planned.length === 0) throw new TautlineError('usage', `--setting ${id}: ${reason ?? 'there is nothing to change'}`);
  return planned;
}

interface KernelValue {
  readonly id: string;
  readonly value: string;
  readonly path: string;
  readonly now: string;
}

function kernelStep({ id, value, path, now }: KernelValue, known: Setting | undefined): PlannedStep {
  const desired = singleSpaced(value);
  if (now === desired) {
    throw new TautlineError('usage', `--setting ${id}: it is ${now} already`, { hint: 'an experiment compares two values: give another one' });
  }
  const why = known ? `it was asked for; ${known.why}` : 'it was asked for';
  return {
    // What it is said to move is not believed either: all is measured in full.
    setting: known ? { ...known, moves: EXPERIMENT_METRICS.map(({ name }) => name) } : unknownValue(id),
    step: {
      verdict: 'change',
      now,
      proposed: desired,
      why,
      changes: [{ place: { kind: 'kernel-value', path }, original: now, desired }],
      persist: [{ by: 'sysctl', key: id, value: desired }],
    },
    from: 'settings',
    why,
    wanted: { value, at: '--setting' },
  };
}

function unknownValue(id: string): Setting {
  return {
    id,
    title: `kernel value ${id}`,
    platforms: ['linux'],
    effect: 'risky',
    scope: 'host',
    group: UNKNOWN_GROUP,
    needs: { root: true },
    sources: [],
    why: 'it was asked for',
    takes: 'what the kernel takes',
    parse: (value) => ({ value }),
    write: String,
    plan: () => Promise.resolve([]),
  };
}

function unknownSetting(id: string): TautlineError {
  const guess = nearest(
    id,
    SETTINGS.map((setting) => setting.id),
  );
  return new TautlineError('usage', `--setting ${id}: this host has no such kernel value, and there is no such setting`, {
    hint: guess === undefined ? "'tautline tune list' shows the settings" : `did you mean '${guess}'?`,
  });
}

/** As YAML would read it: a person writes the same words in a profile. */
function parsedValue(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true';
  return /^-?\d+$/.test(text) ? Number(text) : text;
}

function singleSpaced(text: string): string {
  return text.trim().split(/\s+/).join(' ');
}
