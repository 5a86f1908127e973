import { TautlineError } from '../../base/index.js';
import type { Ports } from '../../base/index.js';
import type { ExperimentDocument, NotDone } from '../../results/index.js';
import {
  BLOCKS_MIN,
  EXPERIMENT_METRICS,
  LEAST_RATIO,
  applyChange,
  createView,
  decide,
  designExperiment,
  experimentFigures,
  tryGroups,
} from '../../tune/index.js';
import type { Design, GroupRuns, TryGroup, TunePorts } from '../../tune/index.js';
import { documentHead } from '../head.js';
import { readKey } from '../key.js';
import { resolveTarget } from '../targets.js';
import { feasibility, journalStepsOf, plannedOf } from './plan-document.js';
import type { Feasible } from './plan-document.js';
import { choiceOf, prepare } from './prepare.js';
import type { Prepared } from './prepare.js';
import type { TuneTryRequest } from './requests.js';
import { NO_LOOK, lookAtPath } from './try-look.js';
import { measureRun } from './try-measure.js';
import type { Measuring } from './try-measure.js';
import { runExperiment } from './try-run.js';
import type { ExperimentOutcome, GroupOutcome } from './try-run.js';
import { planChosen } from './try-settings.js';
import { aloneOnHost, engineSwitch } from './try-switch.js';
import { planTimes } from './try-times.js';
import type { ExperimentTimes } from './try-times.js';
import { designSentence, experimentVerdict } from './try-words.js';

export type TryPorts = Ports & TunePorts;

/** After a switch: what was on the way arrives, and what was written takes hold. */
const SETTLE_MS = 250;
/** A card that gets other rings or queues is reset, and its link comes up again. */
const SETTLE_LINK_MS = 2500;

/**
 * The experiment: what of a profile helps between this host and a target, found by switching groups of its settings on and
 * off and measuring. Leaves the host as it was, but for what helped with `keep`; journals every switch, so that the next call
 * undoes what a killed one left.
 * @throws TautlineError `usage`, `config` for what was asked; `io` while another experiment runs
 */
export async function tuneTry(ports: TryPorts, request: TuneTryRequest): Promise<ExperimentDocument> {
  const named = resolveTarget(request.target, request.peers);
  const keyFile = named.peer?.keyFile ?? request.keyFile;
  const key = keyFile === undefined ? undefined : await readKey(ports.files, keyFile);
  return await aloneOnHost(ports, request.folder, async () => {
    const prepared = await prepareTry(ports, request);
    const measuring: Measuring = {
      ports,
      named,
      ...(key ? { key } : {}),
      ...(request.family === undefined ? {} : { family: request.family }),
      seed: request.seed,
      cpus: prepared.view.identity.cpus,
      signal: request.signal,
    };
    return await experiment({ ports, request, prepared, measuring });
  });
}

type Planned = Pick<Prepared, 'head' | 'view' | 'choice' | 'plan' | 'steps'>;

/** A profile's settings and then the single ones; without a profile only these. */
async function prepareTry(ports: TryPorts, request: TuneTryRequest): Promise<Planned> {
  const chosen = request.settings ?? [];
  if (chosen.length === 0) return await prepare(ports, request);
  if (request.profile === undefined) {
    const [head, view] = await Promise.all([documentHead(ports), createView(ports, request)]);
    const plan = await planChosen(view, chosen);
    const choice = choiceOf(plan.profile, { chosen: 'asked', why: 'these settings were asked for' });
    return { head, view, choice, plan, steps: await feasibility(view, plan) };
  }
  const prepared = await prepare(ports, request);
  const single = await feasibility(prepared.view, await planChosen(prepared.view, chosen));
  const others = prepared.steps.filter(({ planned }) => !chosen.some(({ id }) => id === planned.setting.id));
  return { ...prepared, steps: [...others, ...single] };
}

interface Scope {
  readonly ports: TryPorts;
  readonly request: TuneTryRequest;
  readonly prepared: Planned;
  readonly measuring: Measuring;
}

async function experiment(scope: Scope): Promise<ExperimentDocument> {
  const { ports, request, prepared, measuring } = scope;
  const startedMs = ports.clock.nowMs();
  const groups = tryGroups(prepared.steps, request.groups);
  const tried = groups.filter((group) => group.tried.length > 0);
  const known = request.groups?.find((name) => !groups.some(({ group }) => group === name));
  if (known !== undefined) throw unknownGroup(known, groups);
  request.progress.update('looking at the path', undefined);
  const look = tried.length === 0 ? { ...NO_LOOK, unmeasured: 'nothing of it can be tried here' } : await lookAtPath(measuring);
  const { unmeasured } = look;
  const settleMs = tried.some(resetsLinks) ? SETTLE_LINK_MS : SETTLE_MS;
  const times = planTimes({
    ...look,
    groups: Math.max(1, tried.length),
    settleMs,
    ...(request.blocks === undefined ? {} : { blocks: request.blocks }),
    ...(request.timeMs === undefined ? {} : { timeMs: request.timeMs }),
  });
  const design = designExperiment({ seed: request.seed, blocks: times.blocks, groups: tried.length, metrics: EXPERIMENT_METRICS.length });
  if (unmeasured === undefined) request.progress.planned({ lines: planLines(tried, times), totalMs: times.totalMs });
  const forgetting = new Forgetting(ports);
  const outcome: ExperimentOutcome<Feasible> =
    unmeasured === undefined
      ? await runExperiment({
          clock: ports.clock,
          design,
          groups: tried,
          switch: engineSwitch(ports, { folder: request.folder, profile: prepared.choice.name }),
          settleMs: (group) => (resetsLinks(group) ? SETTLE_LINK_MS : SETTLE_MS),
          runMs: times.totalMs / (tried.length * design.blocks * 4),
          measure: (group) => measureRun(measuring, times.run, group.moves),
          forget: () => forgetting.forget(),
          progress: request.progress,
          signal: request.signal,
        })
      : { groups: [] };
  const judged = judge(groups, outcome, { design, unmeasured });
  const kept = request.keep && outcome.notUndone === undefined && !request.signal.aborted ? await keepWinners(scope, groups, judged) : undefined;
  return {
    schema: 'tautline.experiment/1',
    ...prepared.head,
    durationMs: ports.clock.nowMs() - startedMs,
    ...(request.signal.aborted ? { interrupted: true } : {}),
    profile: prepared.choice,
    target: request.target,
    design: {
      seed: design.seed,
      blocks: design.blocks,
      orders: [...design.orders],
      alpha: design.alpha,
      comparisons: design.comparisons,
      correction: 'holm',
      leastRatio: LEAST_RATIO,
      sentence: designSentence({ design, groups: tried.length, times, settleMs, notForgotten: forgetting.problem }),
    },
    groups: judged,
    notDone: [...prepared.plan.notDone, ...groups.flatMap(leftOutOf)],
    ...(kept?.change === undefined ? {} : { kept: kept.change }),
    verdict: experimentVerdict({
      groups: judged,
      interrupted: request.signal.aborted,
      kept: kept?.change,
      notUndone: outcome.notUndone ?? kept?.why,
      unmeasured,
    }),
  };
}

// --- Before ----------------------------------------------------------------------------------

function unknownGroup(name: string, groups: readonly TryGroup<Feasible>[]): TautlineError {
  return new TautlineError('usage', `nothing of the group '${name}' would be changed here`, {
    hint: groups.length === 0 ? 'nothing would be changed at all' : `there is something to change in ${groups.map(({ group }) => group).join(', ')}`,
  });
}

function resetsLinks({ tried }: TryGroup<Feasible>): boolean {
  return tried.some(({ planned }) => planned.step.changes.some(({ place }) => place.kind === 'rings' || place.kind === 'channels'));
}

function planLines(tried: readonly TryGroup<Feasible>[], times: ExperimentTimes): string[] {
  return tried.map(
    ({ group, tried: candidates }) =>
      `${group} (${candidates.map(({ planned }) => planned.setting.id).join(', ')}), in ${times.blocks} blocks of 4 runs`,
  );
}

/** Clears what TCP remembers, or remembers why it cannot. */
class Forgetting {
  readonly #ports: TryPorts;
  #problem: string | undefined;

  constructor(ports: TryPorts) {
    this.#ports = ports;
  }

  get problem(): string | undefined {
    return this.#problem;
  }

  async forget(): Promise<void> {
    if (this.#problem !== undefined) return;
    try {
      await this.#ports.control.forgetTcpMetrics();
    } catch (error) {
      if (!(error instanceof TautlineError)) throw error;
      this.#problem = error.message;
    }
  }
}

// --- After -----------------------------------------------------------------------------------

interface Judging {
  readonly design: Design;
  readonly unmeasured: string | undefined;
}

function judge(
  groups: readonly TryGroup<Feasible>[],
  outcome: ExperimentOutcome<Feasible>,
  { design, unmeasured }: Judging,
): ExperimentDocument['groups'] {
  const runs = outcome.groups.map(({ group, runs: of }): GroupRuns => ({ group: group.group, runs: of }));
  const figures = experimentFigures(runs, design);
  return groups.map((group) => {
    const done = outcome.groups.find((each) => each.group === group);
    const of = figures.get(group.group) ?? [];
    const shown = group.tried.length > 0 ? group.tried : group.leftOut.map(({ candidate }) => candidate);
    return {
      group: group.group,
      changes: shown.map(plannedOf),
      ...decisionOf(group, { done, unmeasured, decided: () => decide(of, design.alpha) }),
      figures: [...of],
    };
  });
}

interface Decided {
  readonly done: GroupOutcome<Feasible> | undefined;
  readonly unmeasured: string | undefined;
  readonly decided: () => Pick<ExperimentDocument['groups'][number], 'decision' | 'why'>;
}

/** A group whose blocks were not all run has no answer: when it ended may have hung on what had been seen. */
function decisionOf(
  group: TryGroup<Feasible>,
  { done, unmeasured, decided }: Decided,
): Pick<ExperimentDocument['groups'][number], 'decision' | 'why'> {
  const [first] = group.leftOut;
  if (group.tried.length === 0) return { decision: 'not tried', why: first?.why ?? 'nothing of it can be tried here' };
  if (done?.ended !== undefined) {
    const blocks = Math.floor(done.runs.length / 4);
    return {
      decision: 'not tried',
      why: `${done.ended}${blocks > 0 ? `, after ${blocks} whole blocks (an answer needs ${BLOCKS_MIN} or more, as planned)` : ''}`,
    };
  }
  if (!done) return { decision: 'not tried', why: unmeasured ?? 'the experiment ended before its turn' };
  const { decision, why } = decided();
  const without =
    group.leftOut.length === 0 ? '' : `; tried without ${group.leftOut.map(({ candidate }) => candidate.planned.setting.id).join(', ')}`;
  return { decision, why: `${why}${without}` };
}

/** What of a group that was tried was not. */
function leftOutOf(group: TryGroup<Feasible>): NotDone[] {
  if (group.tried.length === 0) return [];
  return group.leftOut.map(({ candidate: { planned, hindrance }, why }) => ({
    setting: planned.setting.id,
    title: planned.setting.title,
    ...(planned.step.instance === undefined ? {} : { instance: planned.step.instance }),
    reason: hindrance === undefined ? 'not-applicable' : 'needs-root',
    why,
    now: planned.step.now,
    proposed: planned.step.proposed,
  }));
}

/** All that helps, as one ordinary change that stays until it is rolled back. */
async function keepWinners(
  { ports, request, prepared }: Scope,
  groups: readonly TryGroup<Feasible>[],
  judged: ExperimentDocument['groups'],
): Promise<{ readonly change?: string; readonly why?: string }> {
  const winners = groups.filter(({ group }) => judged.some((each) => each.group === group && each.decision === 'keep'));
  if (winners.length === 0) return {};
  const steps = journalStepsOf(winners.flatMap(({ tried }) => tried));
  const report = await applyChange(ports, { folder: request.folder, profile: prepared.choice.name, steps, persist: false });
  if (report.state === 'applied' && report.change !== undefined) return { change: report.change };
  return { why: `what helps could not be applied: ${report.why ?? report.state}` };
}
