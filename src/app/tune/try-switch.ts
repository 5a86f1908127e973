import { TautlineError } from '../../base/index.js';
import type { HostLock } from '../../base/index.js';
import { TRY_PREFIX, applyChange, refuseForeignFolder, rollBack, standingChanges } from '../../tune/index.js';
import type { ChangeReport, StandingChange, TunePorts } from '../../tune/index.js';
import { journalStepsOf } from './plan-document.js';
import type { Feasible } from './plan-document.js';
import type { SettingsSwitch } from './try-run.js';

/**
 * What an experiment switches on is journalled as a change of this profile: its originals are on the disk before it is, and
 * whoever calls next knows that it was never meant to stay.
 */
export function triedProfile(profile: string): string {
  return `${TRY_PREFIX}${profile}`;
}

/** Switches settings by changes like any other, made and rolled back by the engine. */
export function engineSwitch(ports: TunePorts, { folder, profile }: { readonly folder: string; readonly profile: string }): SettingsSwitch<Feasible> {
  return {
    async on(candidates) {
      const report = await orWhy(() =>
        applyChange(ports, { folder, profile: triedProfile(profile), steps: journalStepsOf(candidates), persist: false }),
      );
      if ('why' in report && !('state' in report)) return { why: `it could not be applied: ${report.why}` };
      if (report.state === 'applied' && report.change !== undefined) return { change: report.change };
      const failed = report.steps.find(({ outcome }) => outcome === 'failed');
      return { why: `it could not be applied: ${failed ? `${failed.place}: ${failed.why ?? 'failed'}` : (report.why ?? report.state)}` };
    },
    async off(change) {
      const report = await orWhy(() => rollBack(ports, { folder, change, force: false, reason: 'asked' }));
      if (!('state' in report)) return `${change} could not be rolled back: ${report.why}`;
      if (report.state === 'rolled-back') return undefined;
      const kept = report.steps.filter(({ outcome }) => outcome === 'conflict' || outcome === 'failed');
      return `${change} could not be rolled back whole: ${kept.map(({ place, why }) => `${place}: ${why ?? 'kept'}`).join('; ') || report.state}`;
    },
  };
}

async function orWhy(work: () => Promise<ChangeReport>): Promise<ChangeReport | { readonly why: string }> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof TautlineError) return { why: error.message };
    throw error;
  }
}

/** Held as long as an experiment runs, so that nobody takes its changes for those of one that died. */
async function lockExperiment(ports: TunePorts, folder: string): Promise<HostLock | { readonly heldBy: number | undefined }> {
  await refuseForeignFolder(ports, folder);
  return await ports.control.lock(tryLock(folder));
}

function tryLock(folder: string): string {
  return `${folder}/try.lock`;
}

/** @returns what was missing of the folder and those above it, the deepest first */
async function makeFolders(ports: TunePorts, folder: string): Promise<string[]> {
  const missing: string[] = [];
  for (
    let path = folder;
    path !== '' && (await ports.files.status(path, { follow: true })) === undefined;
    path = path.slice(0, path.lastIndexOf('/'))
  )
    missing.push(path);
  if (missing.length > 0) await ports.files.makeFolder(folder);
  return missing;
}

/** An experiment that came to nothing leaves nothing. While the lock is held, and only where nobody else can have been before. */
async function leaveNothing({ control }: TunePorts, folder: string, made: readonly string[]): Promise<void> {
  // What has a journal in it stays: that is the record of what was changed.
  const journals = made.length === 0 ? undefined : await control.readEntry(`${folder}/changes`).catch(() => undefined);
  if (made.length === 0 || journals !== undefined) return;
  for (const path of [tryLock(folder), ...made]) await control.removeEntry(path).catch(() => undefined);
}

/** Runs an experiment's work alone on this host, after undoing what one that died has left. @throws TautlineError `io` while another one runs */
export async function aloneOnHost<T>(ports: TunePorts, folder: string, work: (leftOver: readonly string[]) => Promise<T>): Promise<T> {
  const made = await makeFolders(ports, folder);
  const lock = heldOnly(await lockExperiment(ports, folder));
  try {
    return await work(await undoLeftOvers(ports, folder));
  } finally {
    await leaveNothing(ports, folder, made);
    await lock.release();
  }
}

/**
 * Before a change of this host: what a killed experiment left is undone, and one that runs is left in peace.
 * @throws TautlineError `io` while one is running: its measurements would be worth nothing
 */
export async function settleTries(ports: TunePorts, folder: string): Promise<void> {
  if ((await ports.files.status(folder, { follow: true })) === undefined) return;
  const found = await lockExperiment(ports, folder).catch(async (error: unknown) => {
    // A lock that cannot even be made was never held: putting things back must not need room for it on a full disk.
    if (error instanceof TautlineError && error.code === 'io' && !(await standingChanges(ports, folder)).some(isTried)) return undefined;
    throw error;
  });
  if (found === undefined) return;
  const lock = heldOnly(found);
  try {
    await undoLeftOvers(ports, folder);
  } finally {
    await lock.release();
  }
}

function heldOnly(lock: HostLock | { readonly heldBy: number | undefined }): HostLock {
  if ('release' in lock) return lock;
  throw new TautlineError('io', `an experiment is running on this host${lock.heldBy === undefined ? '' : ` (process ${lock.heldBy})`}`, {
    hint: 'wait until it is done: another change would be part of what it measures',
  });
}

async function undoLeftOvers(ports: TunePorts, folder: string): Promise<string[]> {
  const undone: string[] = [];
  for (const change of (await standingChanges(ports, folder)).filter(isTried)) {
    const { state } = await rollBack(ports, { folder, change: change.id, force: false, reason: 'asked' });
    if (state !== 'rolled-back') {
      throw new TautlineError('io', `an experiment that was killed left the change ${change.id}, and it could not be rolled back whole`, {
        hint: `\`tautline tune rollback ${change.id}\` shows what stands in the way; with --force it is put back all the same`,
      });
    }
    undone.push(change.id);
  }
  return undone;
}

function isTried(change: StandingChange): boolean {
  return change.damaged === undefined && change.profile.startsWith(TRY_PREFIX);
}
