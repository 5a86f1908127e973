import * as v from 'valibot';
import type { TextFiles } from '../base/index.js';
import { TautlineError } from '../base/index.js';
import type { Bands } from '../diagnose/index.js';
import { definePeer } from '../paths/index.js';
import type { Peer } from '../paths/index.js';
import { LIMIT_NAMES, limitsOf } from '../serve/index.js';
import type { Limits } from '../serve/index.js';
import { readBands } from './config-bands.js';
import { readConfigFile } from './config-file.js';
import type { ConfigFile } from './config-file.js';
import { ConfigSchema, knownKeys, limitKey, settings } from './config-schema.js';
import type { Depth, Format, RawConfig } from './config-schema.js';
import { nearest } from './nearest.js';

/** The configuration in force: flag over environment over file over default. */
export interface Config {
  /** The file that was read, if any. */
  readonly file?: string;
  readonly keyFile?: string;
  readonly seed: number;
  readonly family?: 4 | 6;
  readonly format: Format;
  readonly color: 'auto' | 'always' | 'never';
  /** Whether to look for paths that the configuration does not name. */
  readonly discover: boolean;
  readonly depth: Depth;
  readonly history: {
    readonly enabled: boolean;
    /** Where a person chose it; else the platform's place for it. */
    readonly folder?: string;
    readonly keep?: number;
  };
  /** A file with prices for advice. */
  readonly pricesFile?: string;
  /** Where changes of this host are journalled, where a person chose it. */
  readonly tuneFolder?: string;
  readonly bind?: string;
  readonly port?: number;
  /** Whether serve tells clients with the key about this host. */
  readonly about: boolean;
  readonly peers: readonly Peer[];
  readonly bands: Bands;
  readonly limits: Limits;
}

export interface ConfigSources {
  readonly files: TextFiles;
  /** What flags set, by the setting's path joined with dots: `{ 'check.depth': 'quick' }`. */
  readonly flags: Readonly<Record<string, string | undefined>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `--config`: then it must exist. */
  readonly path?: string;
  readonly workingFolder: string;
  readonly homeFolder: string;
}

/** @throws TautlineError `config` that names the file and line, variable or flag */
export async function loadConfig(sources: ConfigSources): Promise<Config> {
  const file = await findFile(sources);
  const origins = new Map<string, string>();
  const raw = withoutLists(file?.value ?? {}) as Record<string, unknown>;
  for (const setting of settings()) {
    const key = setting.path.join('.');
    for (const [text, origin] of [
      [sources.env[setting.env], setting.env],
      [sources.flags[key], setting.flag ?? key],
    ] as const) {
      if (text === undefined || (text === '' && origin === setting.env)) continue;
      assign(raw, setting.path, text);
      origins.set(key, origin.replace(/ <.*>$/, ''));
    }
  }
  const where = (path: readonly PropertyKey[], at: 'key' | 'value'): string =>
    origins.get(path.join('.')) ?? file?.locate(path, at) ?? 'configuration';
  const result = v.safeParse(ConfigSchema, raw, { abortPipeEarly: true });
  if (!result.success) throw explain(result.issues[0], where);
  return assemble(result.output, {
    where,
    ...(file ? { file } : {}),
    fromFile: (key, path) => inFolder(file && !origins.has(key) ? file.folder : sources.workingFolder, path),
    workingFolder: sources.workingFolder,
  });
}

/** A copy in which nothing stands for a list: no key takes one, and valibot takes a list for a block with numbered keys. */
function withoutLists(value: unknown): unknown {
  if (Array.isArray(value)) return null;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutLists(inner)]));
}

async function findFile(sources: ConfigSources): Promise<ConfigFile | undefined> {
  const explicit = sources.path ?? nonEmpty(sources.env['TAUTLINE_CONFIG']);
  if (explicit !== undefined) {
    const file = await readConfigFile(sources.files, inFolder(sources.workingFolder, explicit));
    if (file) return file;
    throw new TautlineError('config', `there is no configuration file ${explicit}`, { hint: 'check the path given with --config' });
  }
  const here = await readConfigFile(sources.files, inFolder(sources.workingFolder, 'tautline.yaml'));
  if (here) return here;
  try {
    return await readConfigFile(sources.files, inFolder(sources.homeFolder, '.config/tautline/tautline.yaml'));
  } catch (error) {
    // A service, or one who became another user, may have a home that is not theirs: nothing there is meant for them.
    if (error instanceof TautlineError && error.code === 'permission') return undefined;
    throw error;
  }
}

type Where = (path: readonly PropertyKey[], at: 'key' | 'value') => string;

function explain(outer: v.BaseIssue<unknown>, where: Where): TautlineError {
  const { issue, path } = innermost(outer);
  const name = path.join('.');
  if (issue.type === 'strict_object' && issue.expected === 'never') {
    const known = knownKeys(path.slice(0, -1)) ?? [];
    const guess = nearest(String(path.at(-1)), known);
    const hint = guess === undefined ? `the keys here are ${known.join(', ')}` : `did you mean '${guess}'?`;
    return new TautlineError('config', `${where(path, 'key')}: unknown key '${name}'`, { hint });
  }
  if (issue.type === 'strict_object' && issue.input === undefined) {
    return new TautlineError('config', `${where(path.slice(0, -1), 'key')}: '${path.slice(0, -1).join('.')}' lacks '${String(path.at(-1))}'`);
  }
  const message = PLAIN[issue.kind === 'schema' ? issue.type : ''] ?? issue.message;
  const place = where(path, 'value');
  // A flag or a variable says by itself which setting it is; a line of a file does not.
  const named = /^(?:--|TAUTLINE_)/.test(place) || place === name ? place : `${place}: ${name}`;
  return new TautlineError('config', `${named}: ${message}`, {
    hint: 'docs/configuration.md lists every key and what it takes',
  });
}

/** Of a union's issues, the one that got furthest into the value: that shape was meant. */
function innermost(issue: v.BaseIssue<unknown>): { issue: v.BaseIssue<unknown>; path: PropertyKey[] } {
  const path = (issue.path ?? []).map((item) => item.key as PropertyKey);
  const deeper = issue.type === 'union' ? (issue.issues ?? []).filter((inner) => (inner.path ?? []).length > 0) : [];
  const [first] = deeper;
  if (!first) return { issue, path };
  const found = innermost(first);
  return { issue: found.issue, path: [...path, ...found.path] };
}

/** What valibot would say in the words of its own types. */
const PLAIN: Readonly<Record<string, string>> = {
  strict_object: 'must be a block of keys and values',
  record: 'must be a block of names and values',
  string: 'must be text',
};

interface Context {
  readonly where: Where;
  readonly file?: ConfigFile;
  /** A path of the file is relative to the file, one of a flag or a variable to the working folder. */
  readonly fromFile: (key: string, path: string) => string;
  readonly workingFolder: string;
}

function assemble(raw: RawConfig, context: Context): Config {
  const base = context.file?.folder ?? context.workingFolder;
  const limits = Object.fromEntries(LIMIT_NAMES.map((name) => [name, (raw.limits as Record<string, unknown> | undefined)?.[limitKey(name)]]));
  const keyFile = raw['key-file'];
  return {
    ...(context.file ? { file: context.file.path } : {}),
    ...(keyFile === undefined ? {} : { keyFile: context.fromFile('key-file', keyFile) }),
    seed: raw.seed ?? 1,
    ...(raw.family === '4' ? { family: 4 } : raw.family === '6' ? { family: 6 } : {}),
    format: raw.format ?? 'text',
    color: raw.color ?? 'auto',
    discover: raw.discover !== 'no',
    depth: raw.check?.depth ?? 'default',
    history: {
      enabled: raw.history?.enabled !== 'no',
      ...(raw.history?.folder === undefined ? {} : { folder: context.fromFile('history.folder', raw.history.folder) }),
      ...(raw.history?.keep === undefined ? {} : { keep: raw.history.keep }),
    },
    ...(raw.advice?.prices === undefined ? {} : { pricesFile: context.fromFile('advice.prices', raw.advice.prices) }),
    ...(raw.tune?.folder === undefined ? {} : { tuneFolder: context.fromFile('tune.folder', raw.tune.folder) }),
    ...(raw.serve?.bind === undefined ? {} : { bind: raw.serve.bind }),
    ...(raw.serve?.port === undefined ? {} : { port: raw.serve.port }),
    about: raw.serve?.about !== 'no',
    peers: Object.entries(raw.peers ?? {}).map(([name, peer]) => readPeer(name, peer, base, context.where)),
    bands: readBands(raw.bands ?? {}, context.where),
    limits: limitsOf(limits),
  };
}

function readPeer(name: string, raw: NonNullable<RawConfig['peers']>[string], base: string, where: Where): Peer {
  const declaration =
    typeof raw === 'string'
      ? { paths: { default: raw } }
      : {
          paths: raw.paths,
          ...(raw['default-path'] === undefined ? {} : { defaultPath: raw['default-path'] }),
          ...(raw['key-file'] === undefined ? {} : { keyFile: inFolder(base, raw['key-file']) }),
        };
  if (/[/\s]/.test(name))
    throw new TautlineError('config', `${where(['peers', name], 'key')}: a peer's name cannot hold spaces or slashes: '${name}'`);
  try {
    return definePeer(name, declaration);
  } catch (error) {
    if (!(error instanceof TautlineError)) throw error;
    // The line of the path that cannot be read, if it is one of them, else the peer's.
    const bad = Object.entries(declaration.paths).find(([, text]) => error.message.includes(`'${text}'`))?.[0];
    const path = bad !== undefined && typeof raw !== 'string' ? ['peers', name, 'paths', bad] : ['peers', name];
    throw new TautlineError('config', `${where(path, 'value')}: peers.${name}: ${error.message}`, {
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      cause: error,
    });
  }
}

function assign(tree: Record<string, unknown>, path: readonly string[], value: string): void {
  let at = tree;
  for (const key of path.slice(0, -1)) {
    const next = at[key];
    // Something that is no block stays, so that its own error is reported.
    if (next !== undefined && (typeof next !== 'object' || next === null)) return;
    at = (at[key] ??= {}) as Record<string, unknown>;
  }
  at[path.at(-1) ?? ''] = value;
}

/** Paths are joined by hand: this room does not reach for the operating system. */
function inFolder(folder: string, path: string): string {
  return path.startsWith('/') ? path : `${folder.replace(/\/$/, '')}/${path}`;
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
