import type { Document, Node } from 'yaml';
import type { TextFiles } from '../base/index.js';
import { TautlineError } from '../base/index.js';

/** A configuration file that was read, and where each of its keys and values stands. */
export interface ConfigFile {
  readonly path: string;
  readonly folder: string;
  readonly value: Record<string, unknown>;
  /** `tautline.yaml:12`, of the key or value at this path or of the nearest thing around it. */
  locate(path: readonly PropertyKey[], at: 'key' | 'value'): string;
}

/** Sections that may be left empty, as in a file whose examples are all commented out. */
const SECTIONS = ['peers', 'bands', 'limits', 'serve', 'check', 'history', 'advice'];

/** @returns undefined when there is no such file. @throws TautlineError `config`, `io`, `permission` */
export async function readConfigFile(files: TextFiles, path: string): Promise<ConfigFile | undefined> {
  const text = await files.readText(path);
  return text === undefined ? undefined : parseConfigFile(text, path);
}

/** @throws TautlineError `config` for what is not YAML or not a block of keys */
export async function parseConfigFile(text: string, path: string, example = 'key-file: tautline.key'): Promise<ConfigFile> {
  // Loaded only where there is a file: it takes longer to load than everything else.
  const yaml = await import('yaml');
  const lines = new yaml.LineCounter();
  const document = yaml.parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const lineOf = (offset: number): number => lines.linePos(offset).line;
  const [problem] = document.errors;
  if (problem?.code === 'DUPLICATE_KEY') {
    const [, key = 'a key'] = /^["']?([^\s:,{}"']+)/.exec(text.slice(problem.pos[0])) ?? [];
    throw new TautlineError('config', `${path}:${lineOf(problem.pos[0])}: '${key}' stands here a second time`, { hint: 'keep one of the two' });
  }
  if (problem) throw new TautlineError('config', `${path}:${lineOf(problem.pos[0])}: not valid YAML: ${problem.message}`);
  const value = plain(document, path);
  if (value !== null && (typeof value !== 'object' || Array.isArray(value))) {
    throw new TautlineError('config', `${path}:1: must be a block of keys and values`, {
      hint: `write for example '${example}'`,
    });
  }
  const given = Object.entries((value ?? {}) as Record<string, unknown>);
  return {
    path,
    folder: path.slice(0, Math.max(1, path.lastIndexOf('/'))),
    value: Object.fromEntries(given.filter(([key, entry]) => entry !== null || !SECTIONS.includes(key))),
    locate: (at, what) => {
      const offset = offsetOf(yaml, { document, path: at, what });
      return offset === undefined ? path : `${path}:${lineOf(offset)}`;
    },
  };
}

/** Aliases that multiply (a "billion laughs" file) or lead nowhere are errors of the file. */
function plain(document: Document, path: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    throw new TautlineError('config', `${path}: not valid YAML: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

function offsetOf(
  yaml: typeof import('yaml'),
  { document, path, what }: { document: Document; path: readonly PropertyKey[]; what: 'key' | 'value' },
): number | undefined {
  for (let depth = path.length; depth > 0; depth--) {
    const parent: unknown = depth === 1 ? document.contents : document.getIn(path.slice(0, depth - 1).map(String), true);
    if (!yaml.isMap(parent)) continue;
    const pair = parent.items.find(
      (item) => yaml.isPair(item) && String(yaml.isNode(item.key) ? (item.key as Node).toJSON() : item.key) === String(path[depth - 1]),
    );
    const node = depth === path.length && what === 'value' ? (pair?.value ?? pair?.key) : pair?.key;
    if (yaml.isNode(node) && node.range) return node.range[0];
  }
  return undefined;
}
