import { TautlineError } from '../base/index.js';
import type { NotDone } from '../results/index.js';
import type { Change } from './place.js';
import { meets, viewAfter } from './plan-together.js';
import type { Profile, WantedSetting } from './profile.js';
import type { HostView, PlanRules, Setting, Step } from './setting.js';

export type ChangingStep = Extract<Step, { verdict: 'change' }>;

/** One change that a plan proposes, with the setting that it comes from. */
export interface PlannedStep {
  readonly setting: Setting;
  readonly step: ChangingStep;
  /** The profile whose file says so. */
  readonly from: string;
  /** The profile's own reason where it gives one, else the step's. */
  readonly why: string;
  readonly wanted: WantedSetting;
}

export interface TunePlan {
  readonly profile: Profile;
  readonly planned: readonly PlannedStep[];
  readonly notDone: readonly NotDone[];
}

/**
 * What a profile would change on this host, and what of it is not done and why. Every setting looks for itself; one that
 * fails while looking is `unreadable` and costs the others nothing. Settings of another platform are left out silently.
 * @throws TautlineError `config` for a setting that nobody knows or a value that it does not take
 */
export async function planTune(view: HostView, profile: Profile, settings: readonly Setting[]): Promise<TunePlan> {
  const byId = new Map(settings.map((setting) => [setting.id, setting]));
  const rules: PlanRules = { exact: profile.exact };
  const found = await Promise.all(
    profile.settings.map(async ({ id, wanted, from }) => {
      const setting = byId.get(id);
      if (!setting) throw new TautlineError('config', `${wanted.at}: there is no setting '${id}'`, { hint: "'tautline tune list' shows them all" });
      if (wanted.value === null || !setting.platforms.includes(view.platform)) return [];
      const parsed = setting.parse(wanted.value);
      if ('problem' in parsed) throw new TautlineError('config', `${wanted.at}: ${id}: ${parsed.problem}`, { hint: `it takes ${setting.takes}` });
      const steps = await look(setting, view, parsed.value, rules);
      return steps.map((step) => ({ setting, step, wanted, from }));
    }),
  );
  const planned: PlannedStep[] = [];
  const notDone: NotDone[] = [];
  for (const { setting, step, wanted, from } of found.flat()) {
    if (step.verdict === 'change') planned.push({ setting, step, from, wanted, why: wanted.why ?? step.why });
    else notDone.push(notDoneOf(setting, step));
  }
  const settled: PlannedStep[] = [];
  for (const each of planned.toSorted(byOrder)) {
    const earlier = settled.flatMap(({ step }) => step.changes);
    const step = await settle(view, each, earlier, rules);
    if (step.verdict === 'change') settled.push({ ...each, step });
    else notDone.push(notDoneOf(each.setting, step));
  }
  return { profile, planned: settled, notDone };
}

/** The step as it is once the earlier ones of the same plan are done. */
async function settle(view: HostView, each: PlannedStep, earlier: readonly Change[], rules: PlanRules): Promise<Step> {
  const { setting, step } = each;
  const { instance } = step;
  if (PER_QUEUE.includes(setting.id) && earlier.some(({ place }) => place.kind === 'channels' && place.interface === instance)) {
    const why = `${instance} gets another number of queues first, and its driver then gives them interrupts and processors anew: plan again once that is done`;
    return {
      verdict: 'not-done',
      reason: 'not-applicable',
      why,
      ...(instance === undefined ? {} : { instance }),
      now: step.now,
      proposed: step.proposed,
    };
  }
  return meets(step, earlier) ? await lookAgain(viewAfter(view, earlier), each, rules) : step;
}

/**
 * What a driver sets itself whenever the number of its queues changes (virtio: virtnet_set_affinity in drivers/net/virtio_net.c):
 * what was read before is no longer there, and what is written before does not stay.
 */
const PER_QUEUE: readonly string[] = ['rps', 'xps', 'irq-affinity'];

/** Two settings may edit one file (Docker's): the second starts from what the first will leave. */
async function lookAgain(view: HostView, { setting, step, wanted }: PlannedStep, rules: PlanRules): Promise<Step> {
  const parsed = setting.parse(wanted.value);
  const steps = 'problem' in parsed ? [] : await look(setting, view, parsed.value, rules);
  return (
    steps.find(({ instance }) => instance === step.instance) ?? { verdict: 'not-done', reason: 'already', why: 'another setting does it already' }
  );
}

async function look(setting: Setting, view: HostView, wanted: unknown, rules: PlanRules): Promise<readonly Step[]> {
  try {
    return await setting.plan(view, wanted, rules);
  } catch (error) {
    if (!(error instanceof TautlineError)) throw error;
    const reason = error.code === 'permission' ? 'needs-root' : 'unreadable';
    return [{ verdict: 'not-done', reason, why: error.message }];
  }
}

function notDoneOf(setting: Setting, step: Extract<Step, { verdict: 'not-done' }>): NotDone {
  const { instance, reason, why, now, proposed } = step;
  return {
    setting: setting.id,
    title: setting.title,
    ...(instance === undefined ? {} : { instance }),
    reason,
    why,
    ...(now === undefined ? {} : { now }),
    ...(proposed === undefined ? {} : { proposed }),
  };
}

/** What a later step builds on comes first: the default queue discipline before the queues that are made anew with it. */
const FIRST: readonly string[] = ['net.core.default_qdisc', 'queues', 'rings'];

function byOrder(a: PlannedStep, b: PlannedStep): number {
  return rank(a) - rank(b);
}

function rank({ setting }: PlannedStep): number {
  const at = FIRST.indexOf(setting.id);
  return at < 0 ? FIRST.length : at;
}
