import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ROOT, readArchitecture, readProjectText, readSources } from './source.js';
import type { Architecture } from './source.js';

const architecture = readArchitecture();
const manifest = JSON.parse(readProjectText('package.json')) as {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, unknown>>;
};

describe('the documents say what the code is', () => {
  test('ARCHITECTURE.md shows the import table of architecture.json (UPDATE=1 npm test -- documents writes it)', () => {
    const [before, , after] = parts(readProjectText('ARCHITECTURE.md'));
    const wanted = `${before}${BEGIN}\n${roomsTable(architecture)}${END}${after}`;
    if (process.env['UPDATE'] === '1') writeFileSync(join(ROOT, 'ARCHITECTURE.md'), wanted);
    assert.equal(readProjectText('ARCHITECTURE.md'), wanted);
  });

  test('ARCHITECTURE.md gives the reason for every runtime dependency', () => {
    const rows = [...readProjectText('ARCHITECTURE.md').matchAll(/^\| ([^|]+) \| ([^|]{20,}) \|$/gm)].map((match) => match[1] ?? '');
    const named = rows.flatMap((cell) => cell.split(',')).map((name) => name.trim().replace(/ \d+$/, ''));
    assert.deepEqual(
      Object.keys(manifest.dependencies).filter((name) => !named.includes(name)),
      [],
    );
  });

  test('every runtime dependency has its rooms, and is imported by one of them', () => {
    assert.deepEqual(Object.keys(architecture.packages).sort(), Object.keys(manifest.dependencies).sort());
    const code = readSources()
      .map(({ text }) => text)
      .join('\n');
    assert.deepEqual(
      Object.keys(manifest.dependencies).filter((name) => !code.includes(`'${name}'`)),
      [],
    );
  });

  test('the package exports only rooms that exist, and the package door', () => {
    const rooms = Object.keys(manifest.exports)
      .filter((name) => name !== '.' && name !== './package.json')
      .map((name) => name.slice(2));
    assert.deepEqual(
      rooms.filter((room) => !(room in architecture.rooms)),
      [],
    );
  });

  test('the lock file holds the packages of every platform, and no addresses of a registry', () => {
    const { packages } = JSON.parse(readProjectText('package-lock.json')) as { readonly packages: Readonly<Record<string, LockedPackage>> };
    const missing = Object.values(packages)
      .flatMap(({ optionalDependencies }) => Object.keys(optionalDependencies ?? {}))
      .filter((name) => !(`node_modules/${name}` in packages));
    assert.deepEqual(missing, [], 'npm ci refuses such a lock file: make it anew in an empty folder');
    assert.deepEqual(
      Object.keys(packages).filter((path) => packages[path]?.resolved !== undefined),
      [],
    );
  });

  test('nothing speaks of a place on one machine', () => {
    const documents = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md'].map((path) => ({
      path,
      text: readProjectText(path),
    }));
    const found = [...documents, ...readSources(), ...readSources('test')].filter(
      ({ path, text }) => path !== 'test/house/documents.test.ts' && /\/(?:work|root)\/[a-z]/.test(text),
    );
    assert.deepEqual(
      found.map(({ path }) => path),
      [],
    );
  });
});

interface LockedPackage {
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly resolved?: string;
}

const BEGIN = '<!-- rooms:begin -->';
const END = '<!-- rooms:end -->';

function parts(text: string): [string, string, string] {
  const from = text.indexOf(BEGIN);
  const to = text.indexOf(END);
  assert.ok(from >= 0 && to > from, 'ARCHITECTURE.md lost its markers');
  return [text.slice(0, from), text.slice(from + BEGIN.length, to), text.slice(to + END.length)];
}

function roomsTable({ rooms }: Architecture): string {
  const everything = Object.keys(rooms).length;
  const rows = Object.entries(rooms).map(([room, { holds, imports }]) => {
    const may = imports.length === 0 ? 'nothing' : imports.length > everything - 4 ? 'everything but cli' : imports.join(', ');
    return `| \`${room}/\` | ${holds} | ${may} |\n`;
  });
  return `| room | what lives there | may import |\n|---|---|---|\n${rows.join('')}`;
}
