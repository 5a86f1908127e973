import type { TunePorts } from '../../tune/index.js';
import type { TuneScope } from './requests.js';

/** A user's changes are not all that there may be: root's folder is there, though only root may look into it. */
export async function rootsOwn(ports: Pick<TunePorts, 'files'>, { rootFolder }: Pick<TuneScope, 'rootFolder'>): Promise<readonly string[]> {
  if (rootFolder === undefined || (await ports.files.status(rootFolder).catch(() => undefined)) === undefined) return [];
  return [`root has a record of changes of its own in ${rootFolder}: 'sudo tautline tune status' shows what of it is in force`];
}
