import type { Files } from '../base/index.js';
import { TautlineError } from '../base/index.js';
import { readSshAliases } from '../paths/index.js';
import type { SshAlias } from '../paths/index.js';

/** ssh itself stops at 16 levels; this many files are enough to find names in. */
const FILES_MAX = 64;
const DEPTH_MAX = 8;

export interface SshConfigFiles {
  readonly aliases: readonly SshAlias[];
  /** Files that are there and may not be read. */
  readonly unread: readonly { readonly path: string; readonly why: string }[];
}

/** Every alias of a person's own ssh configuration and of the files that it includes. */
export async function readSshConfigFiles(files: Pick<Files, 'readText' | 'list' | 'status'>, homeFolder: string): Promise<SshConfigFiles> {
  const folder = `${homeFolder.replace(/\/$/, '')}/.ssh`;
  const aliases = new Map<string, SshAlias>();
  const unread: { path: string; why: string }[] = [];
  const seen = new Set<string>();
  const read = async (path: string, depth: number): Promise<void> => {
    if (seen.has(path) || seen.size >= FILES_MAX || depth > DEPTH_MAX) return;
    seen.add(path);
    const text = await readFile(files, path).catch((error: unknown) => {
      if (!(error instanceof TautlineError)) throw error;
      unread.push({ path, why: error.message });
    });
    if (text === undefined) return;
    const found = readSshAliases(text);
    // As in ssh, what is said first counts.
    for (const each of found.aliases) if (!aliases.has(each.alias)) aliases.set(each.alias, each);
    for (const include of found.includes) {
      for (const file of await filesLike(files, wholePath(include, { homeFolder, folder }))) await read(file, depth + 1);
    }
  };
  await read(`${folder}/config`, 0);
  return { aliases: [...aliases.values()], unread };
}

/** A named pipe that nobody writes to would be waited for without end, and a device read without end. */
async function readFile(files: Pick<Files, 'readText' | 'status'>, path: string): Promise<string | undefined> {
  const kind = (await files.status(path, { follow: true }))?.kind;
  if (kind === 'other' || kind === 'socket') throw new TautlineError('io', `cannot read ${path}: it is a pipe, a device or a socket, and not a file`);
  return files.readText(path);
}

/** Without a leading slash it is relative to ~/.ssh (ssh_config(5), Include). */
function wholePath(include: string, { homeFolder, folder }: { homeFolder: string; folder: string }): string {
  if (include.startsWith('~/')) return `${homeFolder.replace(/\/$/, '')}${include.slice(1)}`;
  return include.startsWith('/') ? include : `${folder}/${include}`;
}

/** The files that a path with `*` and `?` in it stands for, as the shell's glob(7) would find them. */
async function filesLike(files: Pick<Files, 'list'>, pattern: string): Promise<string[]> {
  let found = [''];
  for (const part of pattern.split('/').slice(1)) {
    if (!/[*?]/.test(part)) {
      found = found.map((path) => `${path}/${part}`);
      continue;
    }
    const like = new RegExp(
      `^${part
        .replace(/[.+^${}()|[\]\\]/g, '\\$&')
        .replaceAll('*', '.*')
        .replaceAll('?', '.')}$`,
    );
    const lists = await Promise.all(found.map(async (path) => ({ path, names: await files.list(path === '' ? '/' : path).catch(() => undefined) })));
    found = lists
      .flatMap(({ path, names }) =>
        (names ?? []).filter((name) => like.test(name) && (part.startsWith('.') || !name.startsWith('.'))).map((name) => `${path}/${name}`),
      )
      .slice(0, FILES_MAX);
  }
  return found;
}
