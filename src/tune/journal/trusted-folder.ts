import { TautlineError } from '../../base/index.js';
import type { Entry } from '../../base/index.js';
import type { TunePorts } from '../ports.js';
import { changesFolder } from './folder.js';

const OTHERS_WRITE = 0o022;
const STICKY = 0o1000;

/** Whose journals are believed: root's and one's own. Undefined where who that is cannot be told; then only permission bits count. */
export type Believed = readonly number[] | undefined;

export async function believedOwners({ facts, files }: TunePorts): Promise<Believed> {
  if ((await facts.identity()).root) return [0];
  const self = await files.status('/proc/self', { follow: true }).catch(() => undefined);
  return self === undefined ? undefined : [0, self.ownerId];
}

/**
 * A roll-back writes what a journal says with all the rights of whoever runs it: who can write a journal for root is root. A
 * configuration file of the working folder may name any folder, so the folder is looked at before anything in it is opened.
 * For root the folders above count too, as whoever may rename one of them can put another in its place; in a sticky one
 * (/tmp) only the owner can.
 * @throws TautlineError `permission`
 */
export async function refuseForeignFolder(ports: TunePorts, folder: string): Promise<void> {
  const owners = await believedOwners(ports);
  const root = owners?.length === 1;
  for (const path of [folder, changesFolder(folder)]) {
    const real = await ports.control.realPath(path);
    const above = root ? ancestorsOf(real) : [];
    for (const each of [...above, real]) {
      const entry = await ports.control.readEntry(each);
      const why = entry === undefined ? undefined : whyForeign(entry, owners, { above: each !== real });
      if (why === undefined) continue;
      throw new TautlineError('permission', `the journals in ${path} are not believed: ${each} ${why}`, {
        hint: `nothing was changed; name a folder of your own (tune.folder in the configuration, TAUTLINE_TUNE_FOLDER), or none: then it is the usual one`,
      });
    }
  }
}

/** Why what somebody else may have written is not believed; undefined when it can only be one's own or root's. */
export function whyForeign(entry: Entry, owners: Believed, { above = false } = {}): string | undefined {
  if (!('ownerId' in entry)) return undefined;
  if (owners !== undefined && !owners.includes(entry.ownerId)) return `belongs to user ${entry.ownerId}`;
  if (!('mode' in entry) || (entry.mode & OTHERS_WRITE) === 0 || (above && (entry.mode & STICKY) !== 0)) return undefined;
  return `may be written by others (mode ${entry.mode.toString(8)})`;
}

/** The folders above, from the top. */
function ancestorsOf(path: string): string[] {
  const parts = path.split('/').slice(1, -1);
  return ['/', ...parts.map((_, at) => `/${parts.slice(0, at + 1).join('/')}`)];
}
