import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A source file as the rules see it. */
export interface SourceFile {
  /** Relative to the project's root: `src/stats/loss.ts`. */
  readonly path: string;
  readonly text: string;
}

export interface Violation {
  readonly path: string;
  readonly line: number;
  readonly what: string;
}

export interface Architecture {
  readonly rooms: Readonly<Record<string, { readonly holds: string; readonly imports: readonly string[] }>>;
  /** Rooms that every room may import. */
  readonly everyone: readonly string[];
  /** Which rooms may import which npm package. */
  readonly packages: Readonly<Record<string, readonly string[]>>;
  /** Files that are started and not imported, so that work at their top level is their purpose. */
  readonly entries: readonly string[];
  /** Rule, then file, then the reason. */
  readonly exemptions: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** The project's root: the nearest folder above this file that holds the import table. */
export const ROOT = findRoot(dirname(fileURLToPath(import.meta.url)));

export function readProjectText(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

export function readArchitecture(): Architecture {
  return JSON.parse(readProjectText('architecture.json')) as Architecture;
}

export function readSources(folder = 'src'): SourceFile[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .map((name) => ({ path: `${folder}/${name}`, text: readProjectText(`${folder}/${name}`) }));
}

/** The room a file lives in: the folder below src/, or `` for the package's own door `src/index.ts`. */
export function roomOf(path: string): string {
  const parts = path.split('/');
  return parts.length > 2 ? (parts[1] ?? '') : '';
}

export function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

/**
 * The text with comments (and, if asked, the contents of strings and templates) blanked out, every
 * remaining character at its old offset, so that rules can use plain patterns without being fooled.
 */
export function blank(text: string, what: 'comments' | 'comments and strings'): string {
  const out = text.split('');
  const wipe = (from: number, to: number): void => {
    for (let i = from; i < to; i++) if (out[i] !== '\n') out[i] = ' ';
  };
  /** Brace depth at which each open template's `${` began. */
  const templates: number[] = [];
  let depth = 0;
  let before = '';
  for (let i = 0; i < text.length;) {
    const c = text[i] ?? '';
    const two = text.slice(i, i + 2);
    let end = i + 1;
    if (two === '//') {
      end = indexOrEnd(text, '\n', i);
      wipe(i, end);
    } else if (two === '/*') {
      end = indexOrEnd(text, '*/', i) + 2;
      wipe(i, end);
    } else if (c === "'" || c === '"' || (c === '/' && regexMayStartAfter(before))) {
      end = endOfLiteral(text, i, c);
      if (what === 'comments and strings') wipe(i + 1, end - 1);
      before = c;
    } else if (c === '`' || (c === '}' && templates.at(-1) === depth)) {
      if (c === '}') templates.pop();
      end = endOfTemplate(text, i + 1);
      const opens = text.slice(end - 2, end) === '${';
      if (what === 'comments and strings') wipe(i + 1, end - (opens ? 2 : 1));
      if (opens) templates.push(depth);
      before = opens ? '(' : '`';
    } else {
      if (c === '{') depth++;
      if (c === '}') depth--;
      if (/\S/.test(c)) before = /[\w$]/.test(c) && /[\w$]/.test(text[i - 1] ?? '') ? before + c : c;
    }
    i = end;
  }
  return out.join('');
}

/** A slash after one of these begins a regular expression; after a value it divides. */
function regexMayStartAfter(before: string): boolean {
  return before === '' || /^[(,=:[!&|?{};+\-*%<>~^]$/.test(before) || ['return', 'typeof', 'case', 'in', 'of'].includes(before);
}

function endOfLiteral(text: string, start: number, quote: string): number {
  let inClass = false;
  for (let i = start + 1; i < text.length; i++) {
    const c = text[i];
    if (c === '\\') i++;
    else if (quote === '/' && c === '[') inClass = true;
    else if (quote === '/' && c === ']') inClass = false;
    else if ((c === quote && !inClass) || c === '\n') return i + 1;
  }
  return text.length;
}

/** @returns the offset behind the closing backtick or behind the next `${` */
function endOfTemplate(text: string, start: number): number {
  for (let i = start; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === '`') return i + 1;
    else if (text[i] === '$' && text[i + 1] === '{') return i + 2;
  }
  return text.length;
}

function indexOrEnd(text: string, needle: string, from: number): number {
  const at = text.indexOf(needle, from);
  return at < 0 ? text.length : at;
}

function findRoot(from: string): string {
  for (let folder = from; folder !== dirname(folder); folder = dirname(folder)) {
    if (readdirSync(folder).includes('architecture.json')) return folder;
  }
  throw new Error(`no architecture.json above ${from}`);
}
