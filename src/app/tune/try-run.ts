import type { Clock } from '../../base/index.js';
import { BLOCK_RUNS, armsOf, decide, experimentFigures } from '../../tune/index.js';
import type { Arm, Candidate, Design, Run, RunFigure, TryGroup } from '../../tune/index.js';
import type { Progress } from '../progress.js';

/** Puts settings on and takes them off again, each time whole or not at all. */
export interface SettingsSwitch<C extends Candidate> {
  /** @returns what is to be handed to `off`; or why it could not be done, and then everything is as it was */
  on(candidates: readonly C[]): Promise<{ readonly change: string } | { readonly why: string }>;
  /** @returns why not everything could be put back; undefined when it was */
  off(change: string): Promise<string | undefined>;
}

export interface ExperimentPlan<C extends Candidate> {
  readonly clock: Pick<Clock, 'sleep' | 'nowMs'>;
  readonly design: Design;
  /** Groups of which something can be tried. */
  readonly groups: readonly TryGroup<C>[];
  readonly switch: SettingsSwitch<C>;
  /** After each switch, until what was on the way and what the kernel still does of it is over. */
  readonly settleMs: (group: TryGroup<C>) => number;
  /** For the time left. */
  readonly runMs: number;
  measure(group: TryGroup<C>): Promise<Readonly<Record<string, RunFigure>>>;
  /** Before each run: what the kernel remembers of the peer must not carry one arm's path into the other's. */
  forget(): Promise<void>;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

export interface GroupOutcome<C extends Candidate> {
  readonly group: TryGroup<C>;
  readonly runs: readonly Run[];
  /** Why its runs ended before the last block: it could not be applied, or the person stopped it. */
  readonly ended?: string;
}

export interface ExperimentOutcome<C extends Candidate> {
  readonly groups: readonly GroupOutcome<C>[];
  /** What could not be put back, and why. */
  readonly notUndone?: string;
}

/**
 * Runs the blocks of one group after another. A group that helps stays on while the next ones are tried; one that does not
 * is off before they begin. Whatever happens, everything is off when this returns or throws.
 */
export async function runExperiment<C extends Candidate>(plan: ExperimentPlan<C>): Promise<ExperimentOutcome<C>> {
  const done: GroupOutcome<C>[] = [];
  /** What helped and is on, the first one first. */
  const standing: string[] = [];
  const switching = new Switching(plan.switch);
  const problems: string[] = [];
  try {
    for (const group of plan.groups) {
      if (plan.signal.aborted) break;
      if (switching.broken !== undefined) break;
      const outcome = await runGroup(plan, group, { switching, before: done.length });
      done.push(outcome);
      await switching.to('without', group);
      if (outcome.ended !== undefined || switching.broken !== undefined) continue;
      if (decisionOf(plan, done) !== 'keep') continue;
      await switching.to('with', group);
      standing.push(...switching.release());
    }
  } finally {
    problems.push(...(await switching.close()));
    for (const change of standing.toReversed()) {
      const why = await plan.switch.off(change);
      if (why !== undefined) problems.push(why);
    }
  }
  return { groups: done, ...(problems.length > 0 ? { notUndone: problems.join('; ') } : {}) };
}

interface Place<C extends Candidate> {
  readonly switching: Switching<C>;
  /** Groups that are done. */
  readonly before: number;
}

async function runGroup<C extends Candidate>(plan: ExperimentPlan<C>, group: TryGroup<C>, { switching, before }: Place<C>): Promise<GroupOutcome<C>> {
  const { design, signal, clock, progress } = plan;
  const runs: Run[] = [];
  const total = plan.groups.length * design.blocks * BLOCK_RUNS;
  for (const [block, order] of design.orders.entries()) {
    for (const [at, arm] of armsOf(order).entries()) {
      const told = `${group.group}: block ${block + 1} of ${design.blocks} (${order}), ${arm === 'with' ? 'with its settings' : 'without'}`;
      const doneRuns = (before * design.blocks + block) * BLOCK_RUNS + at;
      progress.update(told, (total - doneRuns) * plan.runMs);
      const switched = await switching.to(arm, group);
      if (switched !== undefined && 'why' in switched) return { group, runs, ended: switched.why };
      if (switched?.changed === true) await clock.sleep(plan.settleMs(group), signal);
      await plan.forget();
      const figures = signal.aborted ? undefined : await plan.measure(group);
      // A run that was interrupted is none: its load ended early, its trains were short.
      if (signal.aborted || !figures) return { group, runs, ended: `interrupted in block ${block + 1} of ${design.blocks}` };
      runs.push({ block, at, arm, figures });
    }
  }
  return { group, runs };
}

function decisionOf<C extends Candidate>({ design }: ExperimentPlan<C>, done: readonly GroupOutcome<C>[]): string | undefined {
  const last = done.at(-1);
  if (!last) return undefined;
  const figures = experimentFigures(
    done.map(({ group, runs }) => ({ group: group.group, runs })),
    design,
  );
  return decide(figures.get(last.group.group) ?? [], design.alpha).decision;
}

/** Which arm the host is in. `close` puts it into `without`. */
class Switching<C extends Candidate> {
  readonly #switch: SettingsSwitch<C>;
  #change: string | undefined;
  #broken: string | undefined;

  constructor(settingsSwitch: SettingsSwitch<C>) {
    this.#switch = settingsSwitch;
  }

  /** Why the host could not be put back: nothing may be measured after that. */
  get broken(): string | undefined {
    return this.#broken;
  }

  async to(arm: Arm, group: TryGroup<C>): Promise<{ readonly changed: boolean } | { readonly why: string }> {
    if (this.#broken !== undefined) return { why: this.#broken };
    if ((arm === 'with') === (this.#change !== undefined)) return { changed: false };
    if (arm === 'without') {
      const why = await this.#off();
      return why === undefined ? { changed: true } : { why };
    }
    const switched = await this.#switch.on(group.tried);
    if ('why' in switched) return switched;
    this.#change = switched.change;
    return { changed: true };
  }

  /** Leaves what is on to the caller. */
  release(): string[] {
    const change = this.#change;
    this.#change = undefined;
    return change === undefined ? [] : [change];
  }

  async close(): Promise<string[]> {
    await this.#off();
    return this.#broken === undefined ? [] : [this.#broken];
  }

  async #off(): Promise<string | undefined> {
    const change = this.#change;
    if (change === undefined) return undefined;
    this.#change = undefined;
    const why = await this.#switch.off(change);
    if (why !== undefined) this.#broken = why;
    return why;
  }
}
