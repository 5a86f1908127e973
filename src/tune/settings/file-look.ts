import type { Entry, HostControl } from '../../base/index.js';
import type { Change, PlaceStates } from '../place.js';
import { fileBytes, fileText } from '../text/bytes.js';
import { notDone } from './steps.js';
import type { NotDoneStep } from './steps.js';

/** A file that is to be changed, as it is now. */
export interface FileLook {
  /** Where it really is: links are followed, so that a linked dotfile stays a link. */
  readonly path: string;
  readonly original: PlaceStates['entry'];
  /** One character a byte; undefined when there is no file. */
  readonly text: string | undefined;
}

/** What a file that is not there yet is made with. */
export interface MadeWith {
  readonly mode: number;
  readonly folderMode: number;
  readonly ownerId: number;
  readonly groupId: number;
}

export const SYSTEM_FILE: MadeWith = { mode: 0o644, folderMode: 0o755, ownerId: 0, groupId: 0 };

/** Reads a file that is to be edited, or says why it cannot be edited and undone to the byte. */
export async function lookAtFile(control: HostControl, path: string): Promise<FileLook | NotDoneStep> {
  const real = await control.realPath(path);
  const entry = await control.readEntry(real);
  if (!entry) return { path: real, original: { kind: 'nothing' }, text: undefined };
  if (entry.kind === 'link') return notDone('not-applicable', `${path} is a link that leads nowhere: remove it or make the file that it names`);
  if (entry.kind !== 'file') return notDone('not-applicable', `${real} is no file: move it away`);
  if (entry.links > 1) {
    return notDone(
      'not-applicable',
      `${real} has ${entry.links} names (hard links), and replacing it would take it apart from the others: copy it first`,
    );
  }
  return { path: real, original: entry, text: fileText(entry) };
}

/** What every drop-in file of ours says at its top. */
const MADE_BY = 'Made by Tautline';

/** A drop-in file that is ours alone: one of that name that somebody else wrote is never replaced. */
export async function lookAtOwnFile(control: HostControl, path: string): Promise<FileLook | NotDoneStep> {
  const look = await lookAtFile(control, path);
  if (!isLook(look) || look.text === undefined || look.text.includes(MADE_BY)) return look;
  return notDone('managed', `${look.path} is there already and was not written by Tautline: rename it, and keep what it does`);
}

/** The changes that put this text there: missing folders first, then the file with its mode and owner kept. */
export async function changesToText(control: HostControl, look: FileLook, text: string, made: MadeWith): Promise<readonly Change[]> {
  const { path, original } = look;
  const folders = original.kind === 'nothing' ? await missingFolders(control, folderOf(path), made) : [];
  const meta = original.kind === 'file' ? original : made;
  const { mode, ownerId, groupId } = meta;
  const desired: Entry = { kind: 'file', bytesBase64: fileBytes(text), links: 1, mode, ownerId, groupId };
  return [...folders, { place: { kind: 'entry', path }, original, desired }];
}

/** Folders that have to be made, the outermost first; undoing removes them again where nothing else came to lie in them. */
export async function missingFolders(control: HostControl, folder: string, made: MadeWith): Promise<readonly Change[]> {
  if (folder === '/' || folder === '') return [];
  if (await control.readEntry(await control.realPath(folder))) return [];
  const { folderMode: mode, ownerId, groupId } = made;
  const above = await missingFolders(control, folderOf(folder), made);
  return [...above, { place: { kind: 'entry', path: folder }, original: { kind: 'nothing' }, desired: { kind: 'folder', mode, ownerId, groupId } }];
}

export function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

export function isLook(found: FileLook | NotDoneStep): found is FileLook {
  return !('verdict' in found);
}
