import { TautlineError } from '../../base/index.js';
import type { ProfileFile, Setting, Source, WantedSetting } from '../../tune/index.js';
import { parseConfigFile } from '../config-file.js';
import type { ConfigFile } from '../config-file.js';
import { nearest } from '../nearest.js';

/** A profile is a page of text; what is larger is something else. */
const FILE_BYTES_MAX = 256 * 1024;

const RISKS = ['very low', 'low', 'medium', 'high'] as const satisfies readonly ProfileFile['risk'][];
const KEYS = ['title', 'about', 'extends', 'exact', 'risk', 'settings'] as const;
const WANTED_KEYS = ['value', 'why', 'source'] as const;
const SOURCE_KEYS = ['title', 'url'] as const;

interface Problem {
  readonly text: string;
  readonly hint?: string;
}

/**
 * A profile as its file says. Every problem of the file is told at once, each with its line.
 *
 * @throws TautlineError `config`
 */
export async function parseProfileFile(text: string, path: string, settings: readonly Setting[]): Promise<ProfileFile> {
  if (text.length > FILE_BYTES_MAX) throw new TautlineError('config', `${path}: larger than ${FILE_BYTES_MAX / 1024} KiB, so it is no profile`);
  const file = await parseConfigFile(text, path, 'extends: moderate');
  const problems: Problem[] = [];
  const profile = readProfile(file, settings, problems);
  const [first] = problems;
  if (first === undefined) return profile;
  if (problems.length === 1) throw new TautlineError('config', first.text, first.hint === undefined ? {} : { hint: first.hint });
  const lines = problems.map(({ text: what, hint }) => `  ${what}${hint === undefined ? '' : ` (${hint})`}`);
  throw new TautlineError('config', `${problems.length} problems in ${path}:\n${lines.join('\n')}`);
}

/** The name of a profile is that of its file. */
export function profileNameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).replace(/\.ya?ml$/, '');
}

function readProfile(file: ConfigFile, known: readonly Setting[], problems: Problem[]): ProfileFile {
  const { value } = file;
  const name = profileNameOf(file.path);
  for (const key of Object.keys(value)) unknownKey(file, [key], KEYS, problems);
  const title = textOf(file, ['title'], problems);
  const parent = textOf(file, ['extends'], problems);
  const risk = riskOf(file, problems);
  const exact = switchOf(file, ['exact'], problems);
  const settings = value['settings'] ?? {};
  const block = isBlock(settings);
  if (!block) problems.push({ text: `${file.locate(['settings'], 'value')}: settings: must be a block of settings and values` });
  const ids = block ? Object.keys(settings) : [];
  if (parent === undefined && ids.length === 0 && block) {
    problems.push({ text: `${file.path}: it neither sets nor extends anything`, hint: "write for example 'extends: moderate'" });
  }
  return {
    name,
    title: title ?? name,
    about: textOf(file, ['about'], problems) ?? '',
    ...(parent === undefined ? {} : { extends: parent }),
    ...(exact === undefined ? {} : { exact }),
    risk: risk ?? 'medium',
    settings: Object.fromEntries(
      ids.flatMap((id) => {
        const wanted = readWanted(file, id, known, problems);
        return wanted === undefined ? [] : [[id, wanted]];
      }),
    ),
  };
}

function readWanted(file: ConfigFile, id: string, known: readonly Setting[], problems: Problem[]): WantedSetting | undefined {
  const path = ['settings', id];
  const setting = known.find((each) => each.id === id);
  if (!setting) {
    const ids = known.map((each) => each.id);
    const guess = nearest(id, ids) ?? ids.find((each) => each.endsWith(`.${id}`) || each.endsWith(`.${id.split('.').at(-1) as string}`));
    const hint = guess === undefined ? "'tautline tune list' shows every setting" : `did you mean '${guess}'?`;
    problems.push({ text: `${file.locate(path, 'key')}: there is no setting '${id}'`, hint });
    return undefined;
  }
  const given = (file.value['settings'] as Record<string, unknown>)[id];
  const long = isBlock(given) && WANTED_KEYS.some((key) => Object.hasOwn(given, key));
  if (long) {
    for (const key of Object.keys(given)) unknownKey(file, [...path, key], WANTED_KEYS, problems);
    if (!Object.hasOwn(given, 'value')) problems.push({ text: `${file.locate(path, 'key')}: ${id} lacks 'value'` });
  }
  const value = long ? given['value'] : given;
  const valuePath = long ? [...path, 'value'] : path;
  if (value !== null && value !== undefined) {
    const parsed = setting.parse(value);
    if ('problem' in parsed) problems.push({ text: `${file.locate(valuePath, 'value')}: ${id}: ${parsed.problem}` });
  }
  const why = long ? textOf(file, [...path, 'why'], problems) : undefined;
  const source = long && given['source'] !== undefined ? readSource(file, [...path, 'source'], given['source'], problems) : undefined;
  return {
    value: value ?? null,
    ...(why === undefined ? {} : { why }),
    ...(source === undefined ? {} : { source }),
    at: file.locate(path, 'key').replace(/^.*\//, ''),
  };
}

function readSource(file: ConfigFile, path: readonly string[], given: unknown, problems: Problem[]): Source | undefined {
  if (typeof given === 'string') return { title: given };
  if (!isBlock(given)) {
    problems.push({ text: `${file.locate(path, 'value')}: ${path.slice(1).join(': ')}: must be text, or a block with title and url` });
    return undefined;
  }
  for (const key of Object.keys(given)) unknownKey(file, [...path, key], SOURCE_KEYS, problems);
  const title = textOf(file, [...path, 'title'], problems);
  const url = textOf(file, [...path, 'url'], problems);
  if (title === undefined && url === undefined) return undefined;
  return { title: title ?? (url as string), ...(url === undefined ? {} : { url }) };
}

function riskOf(file: ConfigFile, problems: Problem[]): ProfileFile['risk'] | undefined {
  const text = textOf(file, ['risk'], problems);
  const risk = RISKS.find((each) => each === text);
  if (text !== undefined && risk === undefined) {
    problems.push({ text: `${file.locate(['risk'], 'value')}: risk: must be one of ${RISKS.join(', ')}, not '${text}'` });
  }
  return risk;
}

function textOf(file: ConfigFile, path: readonly string[], problems: Problem[]): string | undefined {
  const given = path.reduce<unknown>((at, key) => (isBlock(at) ? at[key] : undefined), file.value);
  if (given === undefined) return undefined;
  if (typeof given === 'string' && given.trim() !== '') return given.trim().replaceAll(/\s+/g, ' ');
  problems.push({ text: `${file.locate(path, 'value')}: ${path.filter((key) => key !== 'settings').join(': ')}: must be text` });
  return undefined;
}

function switchOf(file: ConfigFile, path: readonly string[], problems: Problem[]): boolean | undefined {
  const given = file.value[path[0] as string];
  if (given === undefined || typeof given === 'boolean') return given;
  if (given === 'yes' || given === 'no') return given === 'yes';
  problems.push({ text: `${file.locate(path, 'value')}: ${path.join('.')}: must be true or false` });
  return undefined;
}

function unknownKey(file: ConfigFile, path: readonly string[], known: readonly string[], problems: Problem[]): void {
  const key = path.at(-1) as string;
  if (known.includes(key)) return;
  const guess = nearest(key, known);
  const hint = guess === undefined ? `the keys here are ${known.join(', ')}` : `did you mean '${guess}'?`;
  const within = path.length > 1 ? ` of ${path[1] as string}` : '';
  problems.push({ text: `${file.locate(path, 'key')}: unknown key '${key}'${within}`, hint });
}

function isBlock(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
