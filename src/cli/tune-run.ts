import {
  announceReady,
  createHostPorts,
  tuneApply,
  tuneConfirm,
  tuneContinue,
  tuneGuard,
  tuneList,
  tunePlan,
  tuneRollback,
  tuneScriptOf,
  tuneStatus,
} from '../app/index.js';
import type { TuneApplyRequest, TunePlanRequest } from '../app/index.js';
import { TautlineError } from '../base/index.js';
import { TUNE_REPORTS } from '../report/index.js';
import type { TuneRenderOptions } from '../report/index.js';
import type { PlanDocument } from '../results/index.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import type { Terminal } from './terminal.js';
import { resultOf, runTune } from './tune-context.js';
import type { PortsFactory, TuneContext, TuneResult } from './tune-context.js';
import { profileOf } from './tune-flags.js';
import type { ApplyFlags, GuardFlags, PlanFlags, RollbackFlags, TuneFlags } from './tune-flags.js';

export function runList(terminal: Terminal, flags: TuneFlags, createPorts: PortsFactory = createHostPorts): Promise<ExitCode> {
  return runTune(terminal, { createPorts, flags }, async (context) => resultOf(await tuneList(context.ports, context.scope), context));
}

export function runPlan(
  terminal: Terminal,
  profile: string | undefined,
  flags: PlanFlags,
  createPorts: PortsFactory = createHostPorts,
): Promise<ExitCode> {
  return runTune(terminal, { createPorts, flags, repeat: repeated(profile, flags.interface) }, async (context) => {
    const request = planRequest(context, profile, flags.interface);
    if (flags.script === true) return { text: await tuneScriptOf(context.ports, request), code: EXIT.pass };
    return resultOf(await tunePlan(context.ports, request), context);
  });
}

export function runApply(
  terminal: Terminal,
  profile: string | undefined,
  flags: ApplyFlags,
  createPorts: PortsFactory = createHostPorts,
): Promise<ExitCode> {
  const canAsk = terminal.stdinIsTty && terminal.stderrIsTty;
  if (flags.continue === true) return runContinue(terminal, profile, flags, createPorts);
  if (profile === undefined) {
    throw new TautlineError('usage', 'no profile given', {
      hint: "'tautline tune plan' shows what is advised for this host, 'tautline tune list' what there is",
    });
  }
  if (flags.yes !== true && !canAsk) {
    throw new TautlineError('usage', 'this would change the host, and there is no terminal to ask on', {
      hint: `look at 'tautline tune plan' first; then add --yes`,
    });
  }
  return runTune(terminal, { createPorts, flags, repeat: repeated(profile, flags.interface) }, async (context) => {
    const plan = planRequest(context, profile, flags.interface);
    const request: TuneApplyRequest = {
      ...plan,
      profile: plan.profile ?? profile,
      persist: flags.persist === true,
      ...(flags.confirmWithin === undefined ? {} : { confirmWithinMs: flags.confirmWithin }),
      progress: context.progress,
      signal: context.signal,
    };
    if (flags.yes === true) return resultOf(await tuneApply(context.ports, request), context);
    const agreed = await tunePlan(context.ports, plan);
    if (!(await agrees(context, agreed, flags))) return refused(context);
    return resultOf(await tuneApply(context.ports, { ...request, agreed }), context);
  });
}

export function runConfirm(
  terminal: Terminal,
  change: string | undefined,
  flags: TuneFlags,
  createPorts: PortsFactory = createHostPorts,
): Promise<ExitCode> {
  return runTune(terminal, { createPorts, flags }, async (context) =>
    resultOf(await tuneConfirm(context.ports, { folder: context.scope.folder, ...(change === undefined ? {} : { change }) }), context),
  );
}

export function runStatus(
  terminal: Terminal,
  flags: TuneFlags,
  how: { readonly driftOnly: boolean },
  createPorts: PortsFactory = createHostPorts,
): Promise<ExitCode> {
  return runTune(terminal, { createPorts, flags }, async (context) => resultOf(await tuneStatus(context.ports, context.scope), context, how));
}

export function runRollback(
  terminal: Terminal,
  change: string | undefined,
  flags: RollbackFlags,
  createPorts: PortsFactory = createHostPorts,
): Promise<ExitCode> {
  if (change !== undefined && flags.all === true)
    throw new TautlineError('usage', `--all puts every change back, and '${change}' names one`, { hint: 'leave one of them out' });
  return runTune(terminal, { createPorts, flags }, async (context) => {
    const { folder, rootFolder } = context.scope;
    const document = await tuneRollback(context.ports, {
      folder,
      ...(rootFolder === undefined ? {} : { rootFolder }),
      ...(change === undefined ? {} : { change }),
      all: flags.all === true,
      force: flags.force === true,
      progress: context.progress,
      signal: context.signal,
    });
    return resultOf(document, context);
  });
}

/** Runs without a terminal and outlives the one that started it, who waits for the word that it watches. */
export async function runGuard(
  terminal: Terminal,
  change: string,
  { folder }: GuardFlags,
  createPorts: PortsFactory = createHostPorts,
): Promise<ExitCode> {
  const ports = createPorts({ logLevel: 'none' });
  const interrupt = terminal.interruptible();
  try {
    await tuneGuard(ports, { folder, change, ready: () => Promise.resolve(announceReady()), signal: interrupt.signal });
    return EXIT.pass;
  } finally {
    interrupt.release();
    await ports.close();
  }
}

function runContinue(
  terminal: Terminal,
  change: string | undefined,
  flags: ApplyFlags,
  createPorts: PortsFactory = createHostPorts,
): Promise<ExitCode> {
  return runTune(terminal, { createPorts, flags }, async (context) => {
    const { ports, scope, progress, signal } = context;
    return resultOf(await tuneContinue(ports, { folder: scope.folder, ...(change === undefined ? {} : { change }), progress, signal }), context);
  });
}

export function planRequest(
  { scope, terminal }: TuneContext,
  profile: string | undefined,
  interfaces: readonly string[] | undefined,
): TunePlanRequest {
  return {
    ...scope,
    ...(profile === undefined ? {} : { profile: profileOf(profile, terminal.workingFolder) }),
    ...(interfaces === undefined ? {} : { interfaces }),
  };
}

/** What a next command must say again. */
export function repeated(profile: string | undefined, interfaces: readonly string[] = []): NonNullable<TuneRenderOptions['repeat']> {
  return { ...(profile === undefined ? {} : { profile }), flags: interfaces.flatMap((name) => ['--interface', name]) };
}

/** Shows the plan and asks, both on stderr, so that stdout has the result alone. Nothing to do needs no leave. */
async function agrees({ terminal, render, signal, progress }: TuneContext, plan: PlanDocument, flags: ApplyFlags): Promise<boolean> {
  const possible = plan.changes.filter((change) => change.possible).length;
  if (possible === 0) return true;
  progress.done();
  const color = flags.color !== false && (terminal.env['NO_COLOR'] ?? '') === '' && terminal.env['TERM'] !== 'dumb';
  terminal.stderr(TUNE_REPORTS.text(plan, { ...render, color, width: terminal.width, asking: true }));
  const within = flags.confirmWithin === undefined ? '' : `, to be undone after ${flags.confirmWithin / 1000} s unless confirmed`;
  const answer = await terminal.ask(`\nMake ${possible === 1 ? 'this change' : `these ${possible} changes`}${within}? [y/N] `, signal);
  return /^y(?:es)?$/i.test(answer ?? '');
}

function refused({ terminal }: TuneContext): TuneResult {
  terminal.stderr('\nNothing was changed.\n');
  return { code: EXIT.interrupted };
}
