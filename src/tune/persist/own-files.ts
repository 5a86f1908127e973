import { TautlineError } from '../../base/index.js';
import type { Entry } from '../../base/index.js';
import type { JournalStep } from '../journal/records.js';
import type { PlaceStates } from '../place.js';
import { entryPlace, textFile, textOf } from '../places/entry.js';
import type { TunePorts } from '../ports.js';

/** What every file of ours says near its top, by which it is known as ours later. */
export const MARK = 'Written by Tautline';

/** A file of ours as it is to be; undefined: it is no longer needed. */
export interface OwnFile {
  readonly path: string;
  readonly text: string | undefined;
  readonly mode: number;
}

type State = PlaceStates['entry'];

/** The text of one of our own files; undefined when there is none. @throws TautlineError for a file there that is not ours */
export async function ownText(ports: TunePorts, path: string): Promise<string | undefined> {
  const state = await stateAt(ports, path);
  if (state.kind === 'nothing') return undefined;
  const text = state.kind === 'file' ? textOf(state) : undefined;
  if (text?.includes(MARK)) return text;
  throw new TautlineError('usage', `${path} is there already and was not written by Tautline`, {
    hint: 'nothing was changed; rename it (and keep what it does), or apply without --persist',
  });
}

/** Steps that put the files there, after those that make the folders above them. What is so already needs no step. */
export async function fileSteps(ports: TunePorts, files: readonly OwnFile[]): Promise<JournalStep[]> {
  const steps: JournalStep[] = [];
  const made = new Set<string>();
  for (const { path, text, mode } of files) {
    const state = await stateAt(ports, path);
    if (text === undefined) {
      if (state.kind !== 'nothing') steps.push(step(path, state, { kind: 'nothing' }));
      continue;
    }
    await ownText(ports, path);
    const desired = textFile(text, { mode });
    if (entryPlace.holds(state, desired)) continue;
    steps.push(...(await folderSteps(ports, path, made)), step(path, state, desired));
  }
  return steps;
}

/** A link of ours, with the folders above it. @throws TautlineError for something else there */
export async function linkSteps(ports: TunePorts, path: string, target: string): Promise<JournalStep[]> {
  const state = await stateAt(ports, path);
  const desired: Entry = { kind: 'link', target, ownerId: 0, groupId: 0 };
  if (entryPlace.holds(state, desired)) return [];
  if (state.kind !== 'nothing' && state.kind !== 'link') {
    throw new TautlineError('usage', `${path} is there already and is no link`, {
      hint: 'nothing was changed; move it away, or apply without --persist',
    });
  }
  return [...(await folderSteps(ports, path, new Set())), step(path, state, desired)];
}

const FOLDER: Entry = { kind: 'folder', mode: 0o755, ownerId: 0, groupId: 0 };

/** Of each folder above the path that is missing, the topmost first. `made` keeps those that an earlier step makes. */
async function folderSteps(ports: TunePorts, path: string, made: Set<string>): Promise<JournalStep[]> {
  const steps: JournalStep[] = [];
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
    const folder = path.slice(0, end);
    if (made.has(folder) || (await ports.files.status(folder, { follow: true })) !== undefined) break;
    made.add(folder);
    steps.unshift(step(folder, { kind: 'nothing' }, FOLDER));
  }
  return steps;
}

function step(path: string, original: State, desired: State): JournalStep {
  return { setting: 'persist', place: { kind: 'entry', path }, original, desired };
}

async function stateAt(ports: TunePorts, path: string): Promise<State> {
  return (await entryPlace.read(ports, { kind: 'entry', path })) ?? { kind: 'nothing' };
}
