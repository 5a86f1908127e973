import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createHostPorts } from '../../../src/host/index.js';
import { createView, readEnvironment } from '../../../src/tune/index.js';
import type { EnvironmentFacts } from '../../../src/tune/index.js';
import { shellWord } from '../../../src/base/index.js';
import { engineFolder, startEngine, whyNoEngine } from '../../lab/engines.js';
import type { Engine } from '../../lab/engines.js';
import { whyNoNamespaces, withPath } from '../../lab/namespaces.js';
import { ROOT } from '../../lab/tautline.js';
import { runUml, whyNoUml } from '../uml/uml.js';

/** This build's `src/`. */
const BUILT = join(dirname(fileURLToPath(import.meta.url)), '../../../src');
const noUml = (await whyNoUml()) ?? false;

/** A program that prints what kind of host it finds itself on. */
const PROGRAM = `
  import { createHostPorts } from '${BUILT}/host/index.js';
  import { readEnvironment } from '${BUILT}/tune/index.js';
  const found = await readEnvironment(createHostPorts());
  process.stdout.write(JSON.stringify(found), () => process.exit(0));
`;

describe('kinds of hosts that can be made here', () => {
  test('this host is read without starting a program', async () => {
    const ports = createHostPorts();
    const commands = { run: () => Promise.reject(new Error('a program was started')) };
    const view = await createView({ ...ports, commands }, { homeFolder: '/nonexistent' });
    assert.ok(['metal', 'vm', 'container'].includes(view.environment.kind));
    assert.ok(view.environment.evidence.length >= 2);
    assert.deepEqual(await readEnvironment(ports), view.environment);
  });

  test('user-mode Linux says that it is that', { skip: noUml }, async () => {
    const { stdout, stderr } = await runUml(`node --input-type=module -e ${shellWord(PROGRAM)}`);
    const found = JSON.parse(stdout || `{"nothing": ${JSON.stringify(stderr)}}`) as EnvironmentFacts;
    assert.deepEqual([found.kind, found.virtualization], ['vm', 'uml']);
    assert.ok(found.evidence.includes('the processor is User Mode Linux'));
  });

  for (const kind of ['docker', 'podman'] as const) {
    const skip = whyNot(kind);
    test(`a container of ${kind} is known as one`, async (context) => {
      const why = await skip;
      if (why !== undefined) return context.skip(why);
      const folder = engineFolder();
      try {
        await withPath(async ({ near }) => {
          const engine = await startEngine(kind, near, folder.path);
          try {
            const found = await insideOf(engine, folder.path);
            assert.deepEqual([found.kind, found.virtualization], ['container', kind], JSON.stringify(found));
          } finally {
            await engine.stop();
          }
        });
      } finally {
        folder.remove();
      }
    });
  }
});

async function whyNot(kind: Engine['kind']): Promise<string | undefined> {
  return (await whyNoNamespaces()) ?? (await whyNoEngine(kind));
}

/** Runs the program in a container that borrows Node and this build from the machine, read-only, and writes to a folder of the test. */
async function insideOf(engine: Engine, folder: string): Promise<EnvironmentFacts> {
  const out = join(folder, 'out');
  await mkdir(out);
  await writeFile(join(out, 'look.mjs'), PROGRAM);
  const image = await engine.importImage();
  // The loader is named since a root file system of busybox has no link to it; libraries are below /usr.
  const line = `for loader in /usr/lib*/ld-linux-*.so.* /usr/lib/*/ld-linux-*.so.*; do
    if [ -e "$loader" ]; then exec "$loader" ${process.execPath} /out/look.mjs > /out/found 2> /out/said; fi
  done`;
  await engine.api('POST', '/containers/create?name=look', {
    Image: image,
    Cmd: ['/bin/sh', '-c', line],
    HostConfig: { NetworkMode: 'none', Binds: ['/usr:/usr:ro', `${ROOT}:${ROOT}:ro`, `${out}:/out`] },
  });
  await engine.api('POST', '/containers/look/start');
  await engine.api('POST', '/containers/look/wait');
  const text = readFileSync(join(out, 'found'), 'utf8');
  assert.notEqual(text, '', readFileSync(join(out, 'said'), 'utf8'));
  return JSON.parse(text) as EnvironmentFacts;
}
