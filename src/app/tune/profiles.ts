import { TautlineError } from '../../base/index.js';
import type { Files } from '../../base/index.js';
import { inheritProfile } from '../../tune/index.js';
import type { Platform, Profile, ProfileFile, Setting } from '../../tune/index.js';
import { nearest } from '../nearest.js';
import { parseProfileFile, profileNameOf } from './profile-file.js';

/** What profiles may say, and where they are looked for. */
export interface ProfileSearch {
  /** A person's own folders, the first first; a file there goes before one of Tautline with the same name. */
  readonly folders: readonly string[];
  readonly settings: readonly Setting[];
  /** Of this host: settings of another one are noted. */
  readonly platform?: Platform;
  /** Where Tautline's own are; left out: in its package. */
  readonly shippedFolder?: string;
}

/** A profile with everything inherited, and where it is from. */
export interface LoadedProfile extends Profile {
  readonly file: string;
  /** Comes with Tautline. */
  readonly shipped: boolean;
  readonly notes: readonly string[];
}

/** One of all that there are; a file that cannot be used says why. */
export type ListedProfile = LoadedProfile | { readonly name: string; readonly file: string; readonly shipped: boolean; readonly problem: string };

/** How many generations of profiles there may be. */
const LINEAGE_MAX = 16;

/**
 * Loads a profile by its name or by the path of its file, with all that it inherits.
 *
 * @throws TautlineError `usage` where there is no such profile; `config` for a file that is wrong, by file and line
 */
export async function loadProfile(files: ProfileFiles, search: ProfileSearch & { readonly name: string }): Promise<LoadedProfile> {
  const { name } = search;
  const sources = await sourcesOf(files, search);
  const found = isPath(name) ? await readAt(sources, name) : await find(sources, name, []);
  if (!found) throw await unknownProfile(sources, name);
  return await loaded(sources, found);
}

/** All profiles there are, those of Tautline first and in the order of their names. One that is wrong does not hide the others. */
export async function listProfiles(files: ProfileFiles, search: ProfileSearch): Promise<readonly ListedProfile[]> {
  const sources = await sourcesOf(files, search);
  const seen = new Set<string>();
  const chosen = (await profilePaths(sources)).filter(({ name }) => !seen.has(name) && seen.add(name));
  const all = await Promise.all(
    chosen.map(async ({ name, path, shipped }): Promise<ListedProfile> => {
      try {
        const found = await readAt(sources, path);
        return found ? await loaded(sources, found) : { name, file: path, shipped, problem: 'it is gone' };
      } catch (error) {
        if (!(error instanceof TautlineError)) throw error;
        return { name, file: path, shipped, problem: error.message };
      }
    }),
  );
  return all.toSorted((a, b) => Number(b.shipped) - Number(a.shipped) || (a.name < b.name ? -1 : 1));
}

type ProfileFiles = Pick<Files, 'readText' | 'list'>;

interface ProfileSources extends ProfileSearch {
  readonly files: ProfileFiles;
  readonly shippedFolder: string;
}

async function sourcesOf(files: ProfileFiles, search: ProfileSearch): Promise<ProfileSources> {
  return { ...search, files, shippedFolder: search.shippedFolder ?? (await shippedProfiles(files)) };
}

async function loaded(sources: ProfileSources, found: FoundFile): Promise<LoadedProfile> {
  const profile = inheritProfile(await lineage(sources, found));
  return { ...profile, file: found.path, shipped: found.shipped, notes: notesOn(sources, found, profile) };
}

/** Folders above this module, from the nearest: `profiles/` lies beside `dist/` in the package. */
const LEVELS_UP = ['../../../', '../../../../', '../../'] as const;

/** The folder of the profiles that come with this package. @throws TautlineError `io` where the package is not whole */
async function shippedProfiles(files: ProfileFiles): Promise<string> {
  for (const up of LEVELS_UP) {
    const folder = decodeURIComponent(new URL(`${up}profiles`, import.meta.url).pathname);
    if ((await files.readText(`${folder}/moderate.yaml`).catch(() => undefined)) !== undefined) return folder;
  }
  throw new TautlineError('io', 'the profiles that come with Tautline are missing from its package', { hint: 'install it again' });
}

interface FoundFile {
  readonly path: string;
  readonly shipped: boolean;
  readonly file: ProfileFile;
}

function isPath(name: string): boolean {
  return name.includes('/') || /\.ya?ml$/.test(name);
}

async function readAt(sources: ProfileSources, path: string): Promise<FoundFile | undefined> {
  const text = await sources.files.readText(path);
  if (text === undefined) return undefined;
  return { path, shipped: path.startsWith(`${sources.shippedFolder}/`), file: await parseProfileFile(text, path, sources.settings) };
}

/** By name, in the person's folders and then in Tautline's, and none of those that led here. */
async function find(sources: ProfileSources, name: string, not: readonly string[]): Promise<FoundFile | undefined> {
  if (!/^[\w][\w.-]*$/.test(name)) return undefined;
  // What comes with Tautline builds on nothing but what comes with it.
  const own = not.some((path) => path.startsWith(`${sources.shippedFolder}/`)) ? [] : sources.folders;
  for (const folder of [...own, sources.shippedFolder]) {
    const path = `${folder}/${name}.yaml`;
    if (not.includes(path)) continue;
    const found = await readAt(sources, path).catch((error: unknown) => passedOver(error, folder, sources));
    if (found) return found;
  }
  return undefined;
}

/** A home of somebody else (a service, sudo) holds nothing that is meant for this user. */
function passedOver(error: unknown, folder: string, sources: ProfileSources): undefined {
  if (error instanceof TautlineError && error.code === 'permission' && folder !== sources.shippedFolder) return undefined;
  throw error;
}

async function lineage(sources: ProfileSources, first: FoundFile): Promise<[ProfileFile, ...ProfileFile[]]> {
  const chain: [ProfileFile, ...ProfileFile[]] = [first.file];
  const paths = [first.path];
  for (let at = first; at.file.extends !== undefined;) {
    const parent = at.file.extends;
    const next = isPath(parent) ? await readAt(sources, beside(at.path, parent)) : await find(sources, parent, paths);
    if (!next) {
      const again = paths.findIndex((path) => profileNameOf(path) === parent);
      const line = await lineOfExtends(sources, at.path);
      throw again >= 0 && !isPath(parent)
        ? circle(line, [...paths.slice(again), paths[again] as string])
        : await unknownParent(sources, line, parent);
    }
    if (paths.includes(next.path)) {
      throw circle(await lineOfExtends(sources, at.path), [...paths.slice(paths.indexOf(next.path)), next.path]);
    }
    if (chain.length >= LINEAGE_MAX) {
      throw new TautlineError('config', `${await lineOfExtends(sources, at.path)}: more than ${LINEAGE_MAX} profiles extend each other`);
    }
    chain.push(next.file);
    paths.push(next.path);
    at = next;
  }
  return chain;
}

/** Where a file says what it extends. */
async function lineOfExtends({ files }: ProfileSources, path: string): Promise<string> {
  const lines = ((await files.readText(path)) ?? '').split('\n');
  const at = lines.findIndex((line) => /^['"]?extends['"]?\s*:/.test(line));
  return at < 0 ? path : `${path}:${at + 1}`;
}

function beside(path: string, other: string): string {
  if (other.startsWith('/')) return other;
  const parts = [...path.split('/').slice(0, -1)];
  for (const part of other.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.' && part !== '') parts.push(part);
  }
  return parts.join('/');
}

function circle(line: string, paths: readonly string[]): TautlineError {
  return new TautlineError('config', `${line}: profiles extend each other in a circle: ${paths.map(profileNameOf).join(' -> ')}`, {
    hint: 'take one of these extends away',
  });
}

async function unknownParent(sources: ProfileSources, line: string, parent: string): Promise<TautlineError> {
  const { message, hint } = await unknownProfile(sources, parent);
  return new TautlineError('config', `${line}: extends: ${message}`, hint === undefined ? {} : { hint });
}

async function unknownProfile(sources: ProfileSources, name: string): Promise<TautlineError> {
  if (isPath(name)) return new TautlineError('usage', `there is no profile file ${name}`, { hint: 'check its path' });
  const names = [...new Set((await profilePaths(sources)).map((each) => each.name))].sort();
  const guess = nearest(name, names);
  const hint = guess === undefined ? `the profiles are ${names.join(', ')}` : `did you mean '${guess}'?`;
  return new TautlineError('usage', `there is no profile '${name}'`, { hint });
}

async function profilePaths({ files, folders, shippedFolder }: ProfileSources): Promise<{ name: string; path: string; shipped: boolean }[]> {
  const listed = await Promise.all(
    [...folders, shippedFolder].map(async (folder) => {
      const names = (await files.list(folder).catch(() => undefined)) ?? [];
      return names
        .filter((name) => name.endsWith('.yaml'))
        .map((name) => ({ name: profileNameOf(name), path: `${folder}/${name}`, shipped: folder === shippedFolder }));
    }),
  );
  return listed.flat();
}

function notesOn({ settings, platform }: ProfileSources, { file, path, shipped }: FoundFile, { settings: all }: Profile): string[] {
  const foreign = settings.filter(
    ({ id, platforms }) =>
      platform !== undefined && !platforms.includes(platform) && Object.hasOwn(file.settings, id) && all.some((each) => each.id === id),
  );
  // What comes with Tautline has settings for both on purpose.
  if (shipped || foreign.length === 0) return [];
  const system = platform === 'macos' ? 'macOS' : 'Linux';
  return [`${path}: ${foreign.map(({ id }) => id).join(', ')}: not for ${system}, and left out here`];
}
