import type { HostView } from '../setting.js';
import type { MadeWith } from './file-look.js';

/** Files of the user are made for the user, also by root: they belong to whom the home folder belongs. */
export async function ownedByUser(view: HostView, modes: Pick<MadeWith, 'mode' | 'folderMode'>): Promise<MadeWith> {
  const { control } = view.ports;
  const home = await control.readEntry(await control.realPath(view.homeFolder));
  const { ownerId, groupId } = home?.kind === 'folder' ? home : { ownerId: 0, groupId: 0 };
  return { ...modes, ownerId, groupId };
}

/**
 * Why root does not write there for the user; undefined where it may. A user's links are followed as far as their home goes:
 * one that leads out of it would have root make a file anywhere, which would then be the user's.
 */
export async function whyOutsideHome(view: HostView, path: string): Promise<string | undefined> {
  if (!view.identity.root) return undefined;
  const home = await view.ports.control.realPath(view.homeFolder);
  const entry = await view.ports.control.readEntry(home);
  if (entry?.kind !== 'folder' || entry.ownerId === 0) return undefined;
  const real = await view.ports.control.realPath(path);
  if (real.startsWith(`${home.replace(/\/$/, '')}/`)) return undefined;
  return `${path} leads to ${real}, out of the home folder of user ${entry.ownerId}: root does not follow it; run it as that user`;
}
