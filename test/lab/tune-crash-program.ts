import { readFileSync, readdirSync, rmSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import type { TunePorts } from '../../src/tune/index.js';
import { countWrites } from './kill-after.js';
import type { Kill } from './kill-after.js';

/*
 * A program for namespaces of its own, in which it may change everything: makes and undoes the same change over and over, and
 * dies at the write that it is told to. Each process first recovers from the death of the one before, and compares the host
 * with what it was.
 *
 *     node tune-crash-program.js '{"recover": "roll back", "next": "apply", "kill": {"after": 12, "half": false}, ...}'
 */
export interface CrashOrder {
  readonly folder: string;
  /** Files and folders are made and changed below these. */
  readonly roots: readonly string[];
  /** The host as it was before anything; left out by the first process, which tells it. */
  readonly before?: string;
  /** The host with the change; left out where it is not yet known. */
  readonly applied?: string;
  /** What is to become of what the process before left. */
  readonly recover: 'nothing' | 'roll back' | 'resume';
  readonly next: 'nothing' | 'apply' | 'roll back';
  readonly kill?: Kill;
}

export interface CrashAnswer {
  readonly before: string;
  readonly applied?: string;
  /** What the last thing that it did wrote. */
  readonly writes: readonly string[];
  /** Whether the process before had left a change behind. */
  readonly recovered: boolean;
}

const END_MS_MAX = 2000;
const counter = await countWrites();
// File by file: what a process of this suite imports is what it costs, and there are hundreds of them.
const { createClock } = await import('../../src/host/clock.js');
const { createCommands } = await import('../../src/host/commands.js');
const { createControl } = await import('../../src/host/control/index.js');
const { createFacts } = await import('../../src/host/facts/index.js');
const { createFiles } = await import('../../src/host/files.js');
const { applyChange } = await import('../../src/tune/engine/apply.js');
const { resumeApply } = await import('../../src/tune/engine/resume.js');
const { rollBack } = await import('../../src/tune/engine/roll-back.js');
const { standingChanges } = await import('../../src/tune/engine/standing.js');
const { readPlace } = await import('../../src/tune/places/registry.js');
const { snapshot } = await import('./tune-snapshot.js');
const { meantFor } = await import('./tune-crash-places.js');

const order = JSON.parse(process.argv[2] ?? '{}') as CrashOrder;
const { folder, roots } = order;
const files = createFiles();
const commands = createCommands();
const control = { ...createControl(commands) };
for (const name of ['setFeatures', 'setChannels', 'setRootQueue', 'holdLatency', 'dropLatency'] as const) {
  const call = control[name] as (...args: never[]) => Promise<never>;
  control[name] = async (...args: never[]): Promise<never> => {
    const result = await call(...args);
    counter.wrote(name);
    return result;
  };
}
// The others are not called.
const tune = { clock: createClock(), files, commands, facts: createFacts(files, commands), control } as unknown as TunePorts;

const recovered = await recover();
const before = await snapshot(tune, roots);
same(before, order.before, 'the host is not as it was');
await leftNothing();
// What is finished would be read again by every process to come.
for (const name of readdirSync(folder).includes('changes') ? readdirSync(`${folder}/changes`) : []) rmSync(`${folder}/changes/${name}`);
const applied = await work();
const answer: CrashAnswer = { before, ...(applied === undefined ? {} : { applied }), writes: counter.writes, recovered };
process.stdout.write(JSON.stringify(answer));

async function recover(): Promise<boolean> {
  const [standing] = await standingChanges(tune, folder);
  if (order.recover === 'nothing' || standing === undefined) return false;
  if (order.recover === 'resume' && standing.damaged === undefined && standing.state === 'applying') {
    const { state, why } = await resumeApply(tune, { folder, change: standing.id });
    if (state !== 'applied') throw new Error(`resumed, it is ${state}: ${why}`);
    // A file that was written after the crash has another time than one written before: only that may differ.
    same(await snapshot(tune, roots, 'without times'), order.applied, 'the resumed change is not what an uninterrupted one is');
  }
  const { state, steps, why } = await rollBack(tune, { folder, force: false, reason: 'asked' });
  if (state !== 'rolled-back')
    throw new Error(`rolled back, it is ${state}: ${why} ${JSON.stringify(steps.filter(({ outcome }) => outcome !== 'undone'))}`);
  return true;
}

async function work(): Promise<string | undefined> {
  if (order.next === 'nothing') return undefined;
  const steps = [];
  for (const [place, desired] of meantFor(roots)) steps.push({ setting: place.kind, place, original: await readPlace(tune, place), desired });
  if (order.next === 'apply') counter.arm(order.kill);
  const { state, why } = await applyChange(tune, { folder, profile: 'voice', persist: true, steps: steps as never });
  if (state !== 'applied') throw new Error(`applied, it is ${state}: ${why}`);
  const found = await snapshot(tune, roots, 'without times');
  if (order.next === 'roll back') {
    counter.arm(order.kill);
    const undone = await rollBack(tune, { folder, force: false, reason: 'asked' });
    if (undone.state !== 'rolled-back') throw new Error(`rolled back, it is ${undone.state}`);
  }
  return found;
}

function same(found: string, wanted: string | undefined, what: string): void {
  if (wanted === undefined || found === wanted) return;
  const lines = new Set(wanted.split('\n'));
  throw new Error(
    `${what}:\n${found
      .split('\n')
      .filter((line) => !lines.has(line))
      .join('\n')}`,
  );
}

/** No file beside the journals, and no process but this one and those above it; what was told to end has a moment for it. */
async function leftNothing(): Promise<void> {
  const found = readdirSync(folder, { recursive: true }).map(String);
  const stray = found.filter((name) => !['changes', 'lock'].includes(name) && !/^changes\/[\w-]+\.jsonl$/.test(name));
  for (let waitedMs = 0; others().length > 0 && waitedMs < END_MS_MAX; waitedMs += 10) await setTimeout(10);
  if (stray.length + others().length > 0) throw new Error(`left behind: ${[...stray, ...others().map((pid) => `process ${pid}`)].join(', ')}`);
}

function others(): string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && ![1, process.ppid, process.pid].includes(Number(name)) && runs(name));
}

/** One that has ended and was not waited for yet is none. */
function runs(pid: string): boolean {
  try {
    return !/^\d+ \(.*\) Z /s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
