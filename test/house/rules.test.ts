import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { RULES, importsOf } from './rules.js';
import { blank, readArchitecture, readSources } from './source.js';
import type { Architecture, SourceFile, Violation } from './source.js';

const architecture = readArchitecture();
const sources = readSources();

describe('the sources follow the rules of the house', () => {
  for (const [name, rule] of Object.entries(RULES)) {
    test(`rule '${name}' holds in every file`, () => {
      const exempt = architecture.exemptions[name] ?? {};
      const found = rule(sources, architecture);
      assert.deepEqual(found.filter(({ path }) => !(path in exempt)).map(show), []);
      const needless = Object.keys(exempt).filter((path) => !found.some((violation) => violation.path === path));
      assert.deepEqual(needless, [], 'exemptions that are no longer needed');
    });
  }

  test('exemptions name rules that exist and give a reason', () => {
    for (const [rule, files] of Object.entries(architecture.exemptions)) {
      assert.ok(rule in RULES, rule);
      for (const reason of Object.values(files)) assert.ok(reason.split(' ').length > 3, reason);
    }
  });
});

/** A small house in which each sample breaks exactly one rule. */
const SMALL: Architecture = {
  rooms: {
    base: { holds: '', imports: [] },
    stats: { holds: '', imports: ['base'] },
    results: { holds: '', imports: [] },
    host: { holds: '', imports: ['base'] },
    app: { holds: '', imports: ['base', 'stats', 'host'] },
    cli: { holds: '', imports: ['app'] },
  },
  everyone: ['results'],
  packages: { koffi: ['host'], '@scope/thing': ['app'] },
  entries: ['src/cli/main.ts'],
  exemptions: {},
};

interface Sample {
  readonly path: string;
  readonly bad: readonly string[];
  readonly good: readonly string[];
}

const PARAGRAPH = `/**\n * ${'word '.repeat(30)}\n *\n *     example();\n */\n`;

const SAMPLES: Readonly<Record<string, readonly Sample[]>> = {
  imports: [
    {
      path: 'src/stats/loss.ts',
      bad: [
        `import { a } from '../host/index.js';`,
        `import type { A } from '../app/index.js';`,
        `export * from '../cli/index.js';`,
        `const a = await import('../host/index.js');`,
        `import {\n  a,\n  b,\n} from '../host/index.js';`,
        `type A = import('../host/index.js').A;`,
        `new Worker(new URL('../host/worker.js', import.meta.url));`,
        `import { a } from '../index.js';`,
      ],
      good: [
        `import { a } from '../base/index.js';`,
        `import { a } from './other.js';`,
        `import { a } from '../results/index.js';`,
        `// import { a } from '../host/index.js';`,
        `const text = "import { a } from '../host/index.js'";`,
        `import * as v from 'valibot';`,
      ],
    },
    { path: 'src/index.ts', bad: [`export * from './cli/index.js';`], good: [`export * from './app/index.js';`] },
  ],
  doors: [
    {
      path: 'src/stats/loss.ts',
      bad: [`import { a } from '../base/units.js';`, `export { a } from '../base/deep/index.js';`],
      good: [`import { a } from '../base/index.js';`, `import { a } from './deep/x.js';`],
    },
  ],
  node: [
    {
      path: 'src/stats/loss.ts',
      bad: [`import { readFileSync } from 'node:fs';`, `import 'node:net';`],
      good: [`import { createHash } from 'node:crypto';`],
    },
    { path: 'src/host/files.ts', bad: [], good: [`import { readFileSync } from 'node:fs';`] },
    { path: 'src/cli/main.ts', bad: [`import net from 'node:net';`], good: [`import process from 'node:process';`] },
    {
      path: 'src/app/serve-udp-worker.ts',
      bad: [`import net from 'node:net';`],
      good: [`import { parentPort } from 'node:worker_threads';`],
    },
    { path: 'src/app/check.ts', bad: [`import { parentPort } from 'node:worker_threads';`], good: [] },
  ],
  packages: [
    {
      path: 'src/stats/loss.ts',
      bad: [`import koffi from 'koffi';`, `import x from 'left-pad';`, `import fs from 'fs';`, `import t from '@scope/thing/deep';`],
      good: [`import './x.js';`],
    },
    { path: 'src/host/libc.ts', bad: [], good: [`import koffi from 'koffi';`] },
    { path: 'src/app/config.ts', bad: [], good: [`import t from '@scope/thing';`] },
  ],
  literal: [
    {
      path: 'src/app/check.ts',
      bad: ['const m = await import(name);', 'const m = require("koffi");', 'const m = await import(`./${name}.js`);'],
      good: [`const m = await import('./probe.js');`],
    },
  ],
  calls: [
    {
      path: 'src/probe/echo.ts',
      bad: [
        'const t = Date.now();',
        'const d = new Date();',
        'Math.random();',
        'performance.now();',
        'setTimeout(f, 1);',
        'setInterval(f, 1);',
        'console.log(1);',
        'const a = `${Date.now()}`;',
        'process.exit(1);',
        'await fetch(url);',
        'AbortSignal.timeout(5);',
      ],
      good: [
        '// Date.now()',
        `const text = 'Date.now()';`,
        'new Date(wallMs).toISOString();',
        'clock.setTimeout(f);',
        'const re = /console.log/;',
        'log.process.length;',
      ],
    },
    { path: 'src/host/clock.ts', bad: [], good: ['Date.now();'] },
  ],
  state: [
    {
      path: 'src/probe/echo.ts',
      bad: [
        'let count = 0;',
        'export let count = 0;',
        'var x = 1;',
        'let later: number;',
        'const cache = new Map();',
        'export const seen: Set<string> = new Set();',
        'const list: string[] = [];',
        'const table = {};',
        'const wide = new Map<string, number>([["a", 1]]);',
      ],
      good: [
        'const LIMIT = 5;',
        'const NAMES: ReadonlySet<string> = new Set(["a"]);',
        'const LIST: readonly string[] = [];',
        'export function f(): void {\n  let count = 0;\n}',
        'class A {\n  #m = new Map();\n}',
        'const f = () => {\n  const m = new Map();\n};',
        '// let count = 0;',
      ],
    },
  ],
  work: [
    {
      path: 'src/probe/echo.ts',
      bad: ['await start();', 'start();', 'for (const a of b) c(a);', 'registry.add(echo);', 'table.a = 1;'],
      good: ['export const a = f();', 'function f(): void {\n  start();\n}', 'export const g = () => {\n  start();\n};'],
    },
    { path: 'src/cli/main.ts', bad: [], good: ['await start();'] },
    { path: 'src/host/datagrams/flow-worker.ts', bad: [], good: ['await start();'] },
  ],
  paragraph: [
    {
      path: 'src/stats/index.ts',
      bad: [`export * from './loss.js';`, `/** Short. */\nexport * from './loss.js';`, `/**\n * ${'word '.repeat(30)}\n */\nexport {};`],
      good: [`${PARAGRAPH}export * from './loss.js';`],
    },
    { path: 'src/stats/deep/index.ts', bad: [], good: [`export * from './loss.js';`] },
  ],
  length: [{ path: 'src/stats/loss.ts', bad: ['x;\n'.repeat(401)], good: ['x;\n'.repeat(400)] }],
  names: [
    {
      path: 'src/stats/loss.ts',
      bad: ['class SessionManager {}', 'function getLoss(): void {}', 'const stringUtils = 1;'],
      good: ['class Session {}', 'function lossOf(): void {}', 'map.get(1);', `const a = 'class SessionManager';`],
    },
    { path: 'src/stats/utils.ts', bad: ['x;'], good: [] },
    { path: 'src/stats/lossRatio.ts', bad: ['x;'], good: [] },
    { path: 'src/helpers/loss.ts', bad: ['x;'], good: [] },
    { path: 'src/stats/loss-helpers.ts', bad: ['x;'], good: [] },
    { path: 'src/stats/common-options.ts', bad: [], good: ['x;'] },
    { path: 'src/stats/loss-ratio.ts', bad: [], good: ['x;'] },
  ],
};

describe('every rule can fail', () => {
  for (const [name, samples] of Object.entries(SAMPLES)) {
    const rule = RULES[name];
    for (const { path, bad, good } of samples) {
      for (const text of bad)
        test(`rule '${name}' refuses in ${path}: ${head(text)}`, () => assert.notDeepEqual(rule?.([{ path, text }], SMALL), []));
      for (const text of good) test(`rule '${name}' accepts in ${path}: ${head(text)}`, () => assert.deepEqual(rule?.([{ path, text }], SMALL), []));
    }
  }

  test("rule 'rooms' refuses a folder without a row and a row without a folder", () => {
    const files: SourceFile[] = [...Object.keys(SMALL.rooms), 'extra']
      .filter((room) => room !== 'stats')
      .map((room) => ({ path: `src/${room}/index.ts`, text: '' }));
    assert.deepEqual(
      RULES['rooms']?.(files, SMALL).map(({ path, what }) => `${path}: ${what}`),
      ['src/extra: this room is not in architecture.json', 'architecture.json: there is no room src/stats'],
    );
  });

  test('a sample breaks every rule', () => {
    assert.deepEqual(
      Object.keys(RULES).filter((name) => !(name in SAMPLES)),
      ['rooms'],
    );
  });
});

describe('the reader of sources', () => {
  test('finds every kind of import, each once, with its line', () => {
    const text = `import a, { b } from './a.js';\nimport type { C } from './c.js';\nimport './d.js';\nexport * from './e.js';\nexport { f } from './f.js';\nconst g = import('./g.js');\n`;
    assert.deepEqual(
      importsOf({ path: 'src/x/y.ts', text })
        .map(({ specifier, line }) => `${line} ${specifier}`)
        .sort(),
      ['1 ./a.js', '2 ./c.js', '3 ./d.js', '4 ./e.js', '5 ./f.js', '6 ./g.js'],
    );
  });

  test('blanks comments, strings, templates and regular expressions and keeps offsets', () => {
    const text = 'a(/x"\\/[/]/g, `b${c({ d: `e` })}f`); // g "h"\n/* i */ j / k / l; \'m\\\'n\';';
    assert.equal(blank(text, 'comments and strings').length, text.length);
    assert.equal(blank(text, 'comments and strings').replace(/\s+/g, ' '), "a(/ /g, ` ${c({ d: ` ` })} `); j / k / l; ' ';");
    assert.match(blank(text, 'comments'), /`b\$\{c\(\{ d: `e` \}\)\}f`/);
  });

  test('sees the project and not an empty folder', () => {
    assert.ok(sources.length > 20, String(sources.length));
    assert.ok(sources.some(({ path }) => path === 'src/base/ports.ts'));
  });
});

function show({ path, line, what }: Violation): string {
  return `${path}:${line}: ${what}`;
}

function head(text: string): string {
  return (text.split('\n').find((line) => line.trim() !== '') ?? '').slice(0, 60);
}
