import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { Program, mustRun, run } from '../lab/processes.js';
import { ROOT } from '../lab/tautline.js';

/** What a stranger gets: the packed tarball, installed by the ordinary client into an empty folder. */
describe('the packed package, installed in an empty folder', () => {
  const folder: { path: string; files: readonly string[]; packedBytes: number } = { path: '', files: [], packedBytes: 0 };
  const inFolder = {
    get cwd() {
      return folder.path;
    },
    timeoutMs: 240_000,
  };

  before(async () => {
    folder.path = await mkdtemp(join(tmpdir(), 'tautline-package-'));
    const packed = JSON.parse(
      await mustRun(['npm', 'pack', '--json', '--loglevel=error', '--pack-destination', folder.path], { cwd: ROOT, timeoutMs: 240_000 }),
    ) as readonly Packed[];
    const [tarball] = packed;
    assert.ok(tarball);
    Object.assign(folder, { files: tarball.files.map(({ path }) => path), packedBytes: tarball.size });
    await writeFile(join(folder.path, 'package.json'), JSON.stringify({ name: 'stranger', private: true, type: 'module' }));
    await mustRun(['npm', 'install', '--no-audit', '--no-fund', '--loglevel=error', `./${tarball.filename}`], inFolder);
  });

  after(async () => {
    await rm(folder.path, { recursive: true, force: true });
  });

  test('holds the program and its documents and nothing else', () => {
    const strange = folder.files.filter(
      (path) =>
        !/^(?:dist\/.+\.(?:js|d\.ts)|docs\/.+\.md|profiles\/[a-z-]+\.yaml|README\.md|LICENSE|CHANGELOG\.md|ARCHITECTURE\.md|package\.json)$/.test(
          path,
        ),
    );
    assert.deepEqual(strange, []);
    for (const needed of [
      'dist/cli/main.js',
      'dist/index.js',
      'dist/index.d.ts',
      'LICENSE',
      'README.md',
      'docs/configuration.md',
      'docs/serve.md',
      'profiles/moderate.yaml',
    ])
      assert.ok(folder.files.includes(needed), needed);
    assert.ok(folder.packedBytes < 1_500_000, `${folder.packedBytes} bytes`);
  });

  test('npx tautline --version prints the version of package.json', async () => {
    const { version } = JSON.parse(await mustRun(['cat', join(ROOT, 'package.json')])) as { readonly version: string };
    assert.equal((await mustRun(['npx', '--no-install', 'tautline', '--version'], inFolder)).trim(), version);
  });

  test('a type checker accepts a program that imports the subpaths, and refuses a wrong one', async () => {
    await writeFile(join(folder.path, 'right.ts'), RIGHT);
    await writeFile(join(folder.path, 'wrong.ts'), WRONG);
    // With the checks of libraries on: our own declarations must hold in a project without Node's types.
    const tsc = [
      process.execPath,
      join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc'),
      '--strict',
      '--target',
      'es2023',
      '--module',
      'nodenext',
      '--types',
      '',
    ];
    const right = await run([...tsc, 'right.ts'], inFolder);
    assert.equal(right.code, 0, right.stdout);
    const wrong = await run([...tsc, 'wrong.ts'], inFolder);
    assert.notEqual(wrong.code, 0);
    assert.match(wrong.stdout, /wrong\.ts.*TS2322/);
  });

  test('what it was compiled to runs', async () => {
    const names = (await mustRun([process.execPath, 'right.js'], inFolder)).trim().split(',');
    assert.ok(names.includes('echo') && names.includes('throughput'), names.join());
  });

  test('serve and measure reach the kernel without anything having been compiled', async () => {
    const tautline = [process.execPath, join(folder.path, 'node_modules', 'tautline', 'dist', 'cli', 'main.js')];
    const serve = new Program([...tautline, 'serve', '--bind', '127.0.0.1', '--port', '17227'], inFolder);
    try {
      await serve.until((output) => output.includes(':17227'));
      const { measurements } = JSON.parse(
        await mustRun([...tautline, 'measure', 'echo', '127.0.0.1:17227', '--count', '50', '--interval', '2ms', '--json', '--quiet'], inFolder),
      ) as Document;
      const rtt = measurements.find(({ metric }) => metric === 'rtt');
      assert.equal(rtt?.outcome, 'ok');
      if (process.platform === 'linux') assert.equal(rtt.details['stamps'], 'kernel');
    } finally {
      await serve.stop();
    }
  });
});

test('the manifest and the built files agree with what package managers and bundlers expect', async () => {
  const { messages, pkg } = await publint({ pkgDir: ROOT, strict: true });
  assert.deepEqual(
    messages.map((message) => formatMessage(message, pkg, { color: false })),
    [],
  );
});

interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly files: readonly { readonly path: string }[];
}

interface Document {
  readonly measurements: readonly {
    readonly metric: string;
    readonly outcome: string;
    readonly details: Readonly<Record<string, unknown>>;
  }[];
}

const RIGHT = `
import { PROBES, echoProbe } from 'tautline/probe';
import type { Probe } from 'tautline/probe';
import { parseTarget } from 'tautline/base';
import { lossOf } from 'tautline/stats';
const probe: Probe = PROBES.find(({ name }) => name === echoProbe.name) ?? PROBES[0]!;
const text: string = parseTarget('[::1]:7227').host + lossOf(10, 9).ratio + probe.summary;
export const names: string[] = text === '' ? [] : PROBES.map(({ name }) => name);
declare const console: { log(text: string): void };
console.log(names.join(','));
`;

const WRONG = `
import { lossOf } from 'tautline/stats';
export const ratio: string = lossOf(10, 9).ratio;
`;
