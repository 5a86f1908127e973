import { TautlineError } from '../../base/index.js';
import type { HostLock } from '../../base/index.js';
import type { TunePorts } from '../ports.js';
import { decodeJournal } from './codec.js';
import type { Decoded } from './codec.js';
import { CHANGE_ID } from './record-schema.js';
import { believedOwners, refuseForeignFolder, whyForeign } from './trusted-folder.js';
import type { Believed } from './trusted-folder.js';

/** A journal file of the folder. */
export interface JournalFile {
  /** The change's name, after the file. */
  readonly id: string;
  readonly path: string;
  readonly content: Decoded;
}

/** Finished changes stay as a record of what was done, as many as these. */
const FINISHED_KEPT = 50;
const ENDING = '.jsonl';

export function changesFolder(folder: string): string {
  return `${folder}/changes`;
}

export function lockPath(folder: string): string {
  return `${folder}/lock`;
}

export function journalPath(folder: string, id: string): string {
  return `${changesFolder(folder)}/${id}${ENDING}`;
}

/**
 * Every journal, the oldest first: their names sort by time. Undefined when nothing was ever changed from this folder.
 * @throws TautlineError `permission` where somebody else could have written them
 */
export async function readJournals(ports: TunePorts, folder: string): Promise<JournalFile[] | undefined> {
  const names = await ports.files.list(changesFolder(folder));
  if (names === undefined) return undefined;
  await refuseForeignFolder(ports, folder);
  const owners = await believedOwners(ports);
  const journals: JournalFile[] = [];
  for (const name of names.filter((each) => each.endsWith(ENDING)).toSorted()) {
    const id = name.slice(0, -ENDING.length);
    const content = await readJournal(ports, id, { path: journalPath(folder, id), owners });
    if (content !== undefined) journals.push({ id, path: journalPath(folder, id), content });
  }
  return journals;
}

async function readJournal(
  ports: TunePorts,
  id: string,
  { path, owners }: { readonly path: string; readonly owners: Believed },
): Promise<Decoded | undefined> {
  if (!CHANGE_ID.test(id)) return { kind: 'damaged', why: 'its name is not that of a change' };
  const entry = await ports.control.readEntry(path);
  // Another process may just have taken it away.
  if (entry === undefined) return undefined;
  if (entry.kind !== 'file') return { kind: 'damaged', why: `it is a ${entry.kind === 'other' ? entry.is : entry.kind}, not a file` };
  const foreign = whyForeign(entry, owners);
  if (foreign !== undefined) return { kind: 'damaged', why: `it ${foreign}` };
  const content = decodeJournal(Uint8Array.from(atob(entry.bytesBase64), (character) => character.charCodeAt(0)));
  if (content.kind !== 'journal' || content.records[0].change === id) return content;
  return { kind: 'damaged', why: `line 1 begins the change ${content.records[0].change}: the file was renamed or copied` };
}

/** Takes the lock that every writing call holds. @throws TautlineError `io` when another process has it, `permission` in a folder of somebody else */
export async function lockFolder(ports: TunePorts, folder: string): Promise<HostLock> {
  await refuseForeignFolder(ports, folder);
  const lock = await ports.control.lock(lockPath(folder));
  if ('release' in lock) return lock;
  const who = lock.heldBy === undefined ? 'another process' : `process ${lock.heldBy}`;
  throw new TautlineError('io', `${who} is changing this host already`, {
    hint: `wait until it is done${lock.heldBy === undefined ? '' : ` (ps -p ${lock.heldBy} shows what it is)`}`,
  });
}

/** Removes the oldest records of changes that were rolled back. */
export async function pruneFinished(ports: TunePorts, finished: readonly { readonly path: string }[]): Promise<void> {
  for (const { path } of finished.slice(0, Math.max(0, finished.length - FINISHED_KEPT))) await ports.control.removeEntry(path);
}
