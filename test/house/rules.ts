import { posix } from 'node:path';
import { blank, lineOf, roomOf } from './source.js';
import type { Architecture, SourceFile, Violation } from './source.js';

/** One rule of the house: looks at all sources, answers with what breaks it. */
export type Rule = (files: readonly SourceFile[], architecture: Architecture) => Violation[];

export const LINES_MAX = 400;

/** Rooms import only the rooms in their row of the table. */
export const importsFollowTheTable: Rule = (files, { rooms, everyone }) =>
  eachImport(files, ({ file, specifier, line }) => {
    const from = roomOf(file.path);
    const to = targetRoom(file.path, specifier);
    if (to === undefined || to === from) return undefined;
    if (from === '') return to === 'cli' ? { path: file.path, line, what: 'the package door must not import cli' } : undefined;
    const allowed = [...(rooms[from]?.imports ?? []), ...everyone];
    return allowed.includes(to) ? undefined : { path: file.path, line, what: `${from} must not import ${to || 'the package door'} (${specifier})` };
  });

/** Another room is entered through its `index.js` only. */
export const roomsAreEnteredByTheDoor: Rule = (files) =>
  eachImport(files, ({ file, specifier, line }) => {
    const to = targetRoom(file.path, specifier);
    if (to === undefined || to === roomOf(file.path)) return undefined;
    const target = posix.join(posix.dirname(file.path), specifier);
    return target === `src/${to}/index.js` ? undefined : { path: file.path, line, what: `enter ${to} by its index.js, not by ${specifier}` };
  });

/** Every folder below src/ is a row of the table and the other way round. */
export const roomsAreInTheTable: Rule = (files, { rooms }) => {
  const found = new Set(files.map((file) => roomOf(file.path)).filter((room) => room !== ''));
  return [
    ...[...found].filter((room) => !(room in rooms)).map((room) => ({ path: `src/${room}`, line: 1, what: 'this room is not in architecture.json' })),
    ...Object.keys(rooms)
      .filter((room) => !found.has(room))
      .map((room) => ({ path: 'architecture.json', line: 1, what: `there is no room src/${room}` })),
  ];
};

/** Input and output live in host: no node:* elsewhere but hashing, a command line's process and a worker's own port. */
export const nodeStaysInHost: Rule = (files) =>
  eachImport(files, ({ file, specifier, line }) => {
    if (!specifier.startsWith('node:')) return undefined;
    const room = roomOf(file.path);
    const allowed =
      room === 'host' ||
      specifier === 'node:crypto' ||
      (room === 'cli' && ['node:process', 'node:tty', 'node:url', 'node:path'].includes(specifier)) ||
      (room === 'app' && file.path.endsWith('-worker.ts') && specifier === 'node:worker_threads');
    return allowed ? undefined : { path: file.path, line, what: `${specifier} belongs in host/` };
  });

/** An npm package is imported only where architecture.json lets it in. */
export const packagesStayInTheirRooms: Rule = (files, { packages }) =>
  eachImport(files, ({ file, specifier, line }) => {
    if (specifier.startsWith('.') || specifier.startsWith('node:')) return undefined;
    const name = specifier
      .split('/')
      .slice(0, specifier.startsWith('@') ? 2 : 1)
      .join('/');
    return packages[name]?.includes(roomOf(file.path))
      ? undefined
      : { path: file.path, line, what: `${name} is not for ${roomOf(file.path) || 'the package door'}` };
  });

/** No `import x from 'net'`: without its prefix a built-in hides among packages; and no `import()` of computed names. */
export const importsAreLiteral: Rule = (files) =>
  files.flatMap((file) => {
    const code = blank(file.text, 'comments');
    return [...code.matchAll(/\b(?:import\s*\(\s*(?!['"])|require\s*\()/g)]
      .map((match) => ({
        path: file.path,
        line: lineOf(code, match.index),
        what: 'import by a literal name, so that the table can be checked',
      }))
      .filter(({ line }) => !/createRequire/.test(code.split('\n')[line - 1] ?? ''));
  });

/** Time, chance, timers and the terminal are reached through the ports, so that the simulator can replace them. */
export const forbiddenCalls: Rule = (files) => {
  const forbidden: readonly (readonly [RegExp, string])[] = [
    [/\bDate\s*\.\s*now\b/g, 'Date.now: use ports.clock'],
    [/\bnew\s+Date\s*\(\s*\)/g, 'new Date(): use ports.clock.wallMs()'],
    [/\bMath\s*\.\s*random\b/g, 'Math.random: use seededRandom'],
    [/\bperformance\s*\./g, 'performance: use ports.clock'],
    [/(?<![.\w$])(?:setTimeout|setInterval|setImmediate)\s*\(/g, 'timers: use ports.clock.sleep'],
    [/(?<![.\w$])console\s*\./g, 'console: use ports.log, or return what is to be printed'],
    [/(?<![.\w$])process\s*\./g, 'process: only host/ and cli/ know the process'],
    [/(?<![.\w$])fetch\s*\(/g, 'fetch: use ports.web'],
    [/\bAbortSignal\s*\.\s*timeout\b/g, 'AbortSignal.timeout: use ports.clock.sleep'],
  ];
  return files
    .filter((file) => !['host', 'cli'].includes(roomOf(file.path)))
    .flatMap((file) => {
      const code = blank(file.text, 'comments and strings');
      return forbidden.flatMap(([pattern, what]) =>
        [...code.matchAll(pattern)].map((match) => ({ path: file.path, line: lineOf(code, match.index), what })),
      );
    });
};

/** Modules hold constants and functions; what changes lives in an object that somebody made and closes. */
export const noModuleState: Rule = (files) =>
  files.flatMap((file) =>
    topLevelStatements(file.text).flatMap(({ code, line }) => {
      const declared =
        /^(?:export\s+)?(let|var|const)\s+([\w$]+)\s*(:[^=]*?)?=(?!>)\s*([^]*)/.exec(code) ?? /^(?:export\s+)?(let|var)\s+([\w$]+)/.exec(code);
      if (!declared) return [];
      const [, keyword, name, type = '', value = ''] = declared;
      if (keyword !== 'const') return [{ path: file.path, line, what: `module-level ${keyword} ${name}` }];
      if (/readonly|Readonly/.test(type)) return [];
      if (/^new\s+(?:Map|Set|WeakMap|WeakSet|Array)\b/.test(value) || /^(?:\[\s*\]|\{\s*\})\s*;?\s*$/.test(value)) {
        return [{ path: file.path, line, what: `module-level collection ${name} that can change: give it a readonly type or an owner` }];
      }
      return [];
    }),
  );

/** Importing a module does nothing: only entries (programs and workers) act at their top level. */
export const noWorkOnImport: Rule = (files, { entries }) =>
  files
    .filter((file) => !entries.includes(file.path) && !file.path.endsWith('-worker.ts'))
    .flatMap((file) =>
      topLevelStatements(file.text)
        .filter(({ code }) => /^(?:await\b|if\b|for\b|while\b|try\b|[\w$.]+\s*\(|[\w$.]+\s*[+\-*]?=[^=>])/.test(code))
        .map(({ line }) => ({ path: file.path, line, what: 'work on import: put it into a function' })),
    );

/** A door says what its room does, what it leaves to others, and shows an example. */
export const doorsOpenWithAParagraph: Rule = (files) =>
  files
    .filter((file) => /^src\/[^/]+\/index\.ts$/.test(file.path) || file.path === 'src/index.ts')
    .flatMap((file) => {
      const comment = /^\/\*\*([^]*?)\*\//.exec(file.text)?.[1] ?? '';
      const words = comment.split(/\s+/).filter((word) => /\w/.test(word)).length;
      const example = /^ \* {4,}\S/m.test(comment);
      return words >= 25 && example ? [] : [{ path: file.path, line: 1, what: 'open with a paragraph (25 words or more) and an indented example' }];
    });

/** Files stay short enough to hold in the head. */
export const filesAreShort: Rule = (files) =>
  files.flatMap((file) => {
    const lines = file.text.replace(/\n$/, '').split('\n').length;
    return lines > LINES_MAX ? [{ path: file.path, line: LINES_MAX, what: `${lines} lines, at most ${LINES_MAX}` }] : [];
  });

/** Names are kebab-case, in words of the field. */
export const namesAreWordsOfTheField: Rule = (files) =>
  files.flatMap((file) => {
    const code = blank(file.text, 'comments and strings');
    const parts = file.path.replace(/\.ts$/, '').split('/');
    const crooked = parts.filter((part) => !/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(part));
    const vague = parts.filter((part) => /^(?:common|shared|misc|lib)$|(?:^|-)(?:utils?|helpers?|managers?)$/.test(part));
    const names = [...code.matchAll(/\b(?:class|interface|type|function|const|let)\s+(\w*(?:Manager|Helper|Utils?)|get[A-Z]\w*)\b/g)];
    return [
      ...crooked.map((part) => ({ path: file.path, line: 1, what: `'${part}' is not kebab-case` })),
      ...vague.map((part) => ({ path: file.path, line: 1, what: `'${part}' names no domain` })),
      ...names.map((match) => ({
        path: file.path,
        line: lineOf(code, match.index),
        what: `'${match[1]}' says too little: name what it is or does`,
      })),
    ];
  });

/** Every rule by the name under which architecture.json may exempt a file from it. */
export const RULES: Readonly<Record<string, Rule>> = {
  imports: importsFollowTheTable,
  doors: roomsAreEnteredByTheDoor,
  rooms: roomsAreInTheTable,
  node: nodeStaysInHost,
  packages: packagesStayInTheirRooms,
  literal: importsAreLiteral,
  calls: forbiddenCalls,
  state: noModuleState,
  work: noWorkOnImport,
  paragraph: doorsOpenWithAParagraph,
  length: filesAreShort,
  names: namesAreWordsOfTheField,
};

interface Import {
  readonly file: SourceFile;
  readonly specifier: string;
  readonly line: number;
}

function eachImport(files: readonly SourceFile[], check: (found: Import) => Violation | undefined): Violation[] {
  return files.flatMap((file) => importsOf(file).flatMap((found) => check(found) ?? []));
}

/** Static and dynamic imports, re-exports, types in `import('...')`, and worker entries in `new URL('...', import.meta.url)`. */
export function importsOf(file: SourceFile): Import[] {
  const code = blank(file.text, 'comments');
  const bare = blank(file.text, 'comments and strings');
  const patterns = [
    /\b(?:import|export)\b[^'";]*?\bfrom\s*(['"])([^'"]+)\1/g,
    /\bimport\s*(['"])([^'"]+)\1/g,
    /\bimport\s*\(\s*(['"])([^'"]+)\1/g,
    /\bnew\s+URL\s*\(\s*(['"])(\.[^'"]+)\1\s*,\s*import\.meta\.url/g,
  ];
  return patterns
    .flatMap((pattern) => [...code.matchAll(pattern)])
    .filter((match) => bare.slice(match.index, match.index + 3) === match[0].slice(0, 3))
    .map((match) => ({ file, specifier: match[2] ?? '', line: lineOf(code, match.index) }));
}

/** The room that a relative import leads to; undefined for packages and for what lies outside src/. */
function targetRoom(path: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  const target = posix.join(posix.dirname(path), specifier);
  return target.startsWith('src/') ? roomOf(target) : undefined;
}

/** Statements at depth zero, strings and comments blanked, with the line each begins on. */
function topLevelStatements(text: string): { code: string; line: number }[] {
  const code = blank(text, 'comments and strings');
  const statements: { code: string; line: number }[] = [];
  let depth = 0;
  let start = 0;
  const cut = (end: number): void => {
    const piece = code.slice(start, end);
    const lead = piece.length - piece.trimStart().length;
    if (piece.trim() !== '') statements.push({ code: piece.trim(), line: lineOf(code, start + lead) });
    start = end;
  };
  for (let i = 0; i < code.length; i++) {
    const c = code[i] ?? '';
    if ('([{'.includes(c)) depth++;
    if (')]}'.includes(c)) depth--;
    if (depth === 0 && (c === ';' || (c === '}' && /^\s*\n/.test(code.slice(i + 1))))) cut(i + 1);
  }
  cut(code.length);
  return statements;
}
