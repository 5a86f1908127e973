import type { HostView } from '../setting.js';
import type { MadeWith } from './file-look.js';

/** Files of the user are made for the user, also by root: they belong to whom the home folder belongs. */
export async function ownedByUser(view: HostView, modes: Pick<MadeWith, 'mode' | 'folderMode'>): Promise<MadeWith> {
  const { control } = view.ports;
  const home = await control.readEntry(await control.realPath(view.homeFolder));
  const { ownerId, groupId } = home?.kind === 'folder' ? home : { ownerId: 0, groupId: 0 };
  return { ...modes, ownerId, groupId };
}
