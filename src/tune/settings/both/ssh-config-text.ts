import type { Files } from '../../../base/index.js';

/** Where ssh_config(5) says something, and for whom. */
export interface SshLine {
  readonly file: string;
  readonly line: number;
  readonly keyword: string;
  readonly value: string;
  /** Patterns of the Host block that it stands in; `*` before the first; undefined in a Match block other than `all`. */
  readonly hosts: readonly string[] | undefined;
}

export interface SshProblem {
  readonly problem: string;
}

const FILES_MAX = 64;
/** ssh itself stops at 16 (READCONF_MAX_DEPTH). */
const DEPTH_MAX = 16;

/**
 * Every line of a configuration and of the files that it includes, in the order in which ssh reads them; of each option the
 * first value counts. A problem names the line that ssh would not read.
 */
export async function readSshLines(
  files: Pick<Files, 'readText' | 'list'>,
  { path, text, folder, home }: { readonly path: string; readonly text: string; readonly folder: string; readonly home: string },
): Promise<readonly SshLine[] | SshProblem> {
  const lines: SshLine[] = [];
  let read = 0;
  const take = async (
    file: string,
    content: string,
    { depth, within }: { depth: number; within: SshLine['hosts'] },
  ): Promise<SshProblem | undefined> => {
    let hosts: SshLine['hosts'] = within;
    for (const [index, raw] of content.split('\n').entries()) {
      const parsed = parseLine(raw);
      if (parsed === undefined) continue;
      if ('problem' in parsed) return { problem: `${file}, line ${index + 1}: ${parsed.problem}` };
      const { keyword, value } = parsed;
      if (keyword === 'host') hosts = words(value);
      else if (keyword === 'match') hosts = /^all$/i.test(value) ? ['*'] : undefined;
      else lines.push({ file, line: index + 1, keyword, value, hosts });
      if (keyword !== 'include' || depth >= DEPTH_MAX) continue;
      for (const pattern of words(value)) {
        for (const included of await filesLike(files, wholePath(pattern, { folder, home }))) {
          const below = read++ < FILES_MAX ? await files.readText(included).catch(() => undefined) : undefined;
          // A problem in a file that is included is told by ssh; here it only says nothing.
          if (below !== undefined) await take(included, below, { depth: depth + 1, within: hosts });
        }
      }
    }
    return undefined;
  };
  return (await take(path, text, { depth: 0, within: ['*'] })) ?? lines;
}

/** The line that decides an option for these hosts before ours does: it stands for all that they stand for. */
export function deciding(lines: readonly SshLine[], keyword: string, hosts: readonly string[]): SshLine | undefined {
  return lines.find((line) => line.keyword === keyword && line.hosts !== undefined && hosts.every((host) => covers(line.hosts ?? [], host)));
}

/** Whether every name that a pattern stands for is in a list of patterns; a negated one takes names away again. */
function covers(patterns: readonly string[], host: string): boolean {
  if (patterns.some((pattern) => pattern.startsWith('!'))) return false;
  return patterns.some((pattern) => pattern === host || (!host.startsWith('!') && likePattern(pattern).test(host)));
}

/** `keyword value` or `keyword=value`; quotes have to be closed (ssh_config(5)). */
function parseLine(raw: string): { readonly keyword: string; readonly value: string } | SshProblem | undefined {
  const line = raw.replace(/[\s\f]+$/, '').replace(/^[\s\f]+/, '');
  if (line === '' || line.startsWith('#')) return undefined;
  if (line.includes('\0')) return { problem: 'it has a zero byte' };
  const [, keyword, value = ''] = /^"?([A-Za-z][A-Za-z0-9]*)"?(?:\s*=\s*|\s+|$)(.*)$/.exec(line) ?? [];
  if (keyword === undefined) return { problem: 'a keyword is expected' };
  if (value === '' || value.startsWith('#')) return { problem: `${keyword} has no value` };
  if ((value.replace(/\\["\\]/g, '').match(/"/g) ?? []).length % 2 === 1) return { problem: 'a quote is not closed' };
  return { keyword: keyword.toLowerCase(), value };
}

function words(value: string): string[] {
  return [...value.matchAll(/"([^"]*)"|([^\s,"]+)/g)].map((match) => match[1] ?? match[2] ?? '').filter((word) => word !== '');
}

function likePattern(pattern: string): RegExp {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 'i');
}

/** Without a leading slash it is relative to ~/.ssh. */
function wholePath(include: string, { folder, home }: { readonly folder: string; readonly home: string }): string {
  if (include.startsWith('~/')) return `${home}${include.slice(1)}`;
  return include.startsWith('/') ? include : `${folder}/${include}`;
}

/** Patterns in the last part of a path only, as nearly everybody writes them; others are taken as they are. */
async function filesLike(files: Pick<Files, 'list'>, pattern: string): Promise<readonly string[]> {
  const at = pattern.lastIndexOf('/');
  const [folder, name] = [pattern.slice(0, at), pattern.slice(at + 1)];
  if (!/[*?]/.test(name)) return [pattern];
  const names = (await files.list(folder).catch(() => undefined)) ?? [];
  const like = likePattern(name);
  return names.filter((each) => like.test(each) && (name.startsWith('.') || !each.startsWith('.'))).map((each) => `${folder}/${each}`);
}
