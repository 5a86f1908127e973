import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { ChangeDocument, PlanDocument } from '../../../src/results/index.js';
import { engineFolder, startEngine, whyNoEngine } from '../../lab/engines.js';
import type { Engine } from '../../lab/engines.js';
import { withPath } from '../../lab/namespaces.js';
import { ROOT, TAUTLINE } from '../../lab/tautline.js';
import { ECN, KEYS, LOWAT, checked, whyNoTuneHost } from '../../lab/tune-lines.js';

describe('in a real container', { skip: whyNoTuneHost }, () => {
  for (const kind of ['docker', 'podman'] as const) {
    test(`of ${kind}: what may not be written is told, and what a privileged one may is applied and undone`, async (context) => {
      const why = await whyNoEngine(kind);
      if (why !== undefined) return context.skip(why);
      const folder = engineFolder();
      try {
        await withPath(async ({ near }) => {
          const engine = await startEngine(kind, near, folder.path);
          try {
            const image = await engine.importImage();
            const plain = await inContainer(engine, image, { folder: folder.path, privileged: false });
            assert.deepEqual([plain.plan.environment.kind, plain.plan.environment.virtualization], ['container', kind]);
            assert.deepEqual(
              plain.plan.notDone.map(({ reason }) => reason),
              ['read-only', 'read-only'],
            );
            assert.deepEqual([plain.applied.state, plain.applied.verdict.outcome, plain.values], ['nothing-to-do', 'fail', plain.before]);
            const able = await inContainer(engine, image, { folder: folder.path, privileged: true });
            assert.deepEqual([able.applied.state, able.values], ['applied', '131072 1']);
            assert.deepEqual([able.undone.state, able.after], ['rolled-back', able.before]);
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

/** Docker gives all rights that there are, which fails where the machine itself lacks some; those that count here are enough. */
const RIGHTS = {
  plain: {},
  docker: { CapAdd: ['NET_ADMIN'], MaskedPaths: [], ReadonlyPaths: [] },
  podman: { Privileged: true },
} as const;

interface InContainer {
  readonly plan: PlanDocument;
  readonly applied: ChangeDocument;
  readonly undone: ChangeDocument;
  readonly before: string;
  readonly values: string;
  readonly after: string;
}

/** Plans, applies and rolls back in a container with a network of its own, which borrows Node and the program from the machine. */
async function inContainer(
  engine: Engine,
  Image: string,
  { folder, privileged }: { readonly folder: string; readonly privileged: boolean },
): Promise<InContainer> {
  const name = privileged ? 'privileged' : 'plain';
  const out = `${folder}/${name}`;
  mkdirSync(out);
  writeFileSync(`${out}/keys.yaml`, KEYS);
  const [node = '', main = ''] = TAUTLINE;
  // The loader is named since a root file system of busybox has no link to it; libraries are below /usr.
  const line = `export HOME=/root TAUTLINE_HISTORY_ENABLED=no
    values() { echo $(cat ${LOWAT} ${ECN}) > /out/$1; }
    for loader in /usr/lib*/ld-linux-*.so.* /usr/lib/*/ld-linux-*.so.*; do [ -e "$loader" ] && break; done
    t() { file=$1; shift; "$loader" ${node} ${main} tune "$@" --json > /out/$file 2> /out/$file.said; }
    values before; t plan plan /out/keys.yaml; t applied apply /out/keys.yaml --yes; values values; t undone rollback; values after`;
  await engine.api('POST', `/containers/create?name=${name}`, {
    Image,
    Cmd: ['/bin/sh', '-c', line],
    HostConfig: { NetworkMode: 'none', ...RIGHTS[privileged ? engine.kind : 'plain'], Binds: ['/usr:/usr:ro', `${ROOT}:${ROOT}:ro`, `${out}:/out`] },
  });
  await engine.api('POST', `/containers/${name}/start`);
  await engine.api('POST', `/containers/${name}/wait`);
  const text = (file: string): string => readFileSync(`${out}/${file}`, 'utf8');
  const parsed = <D>(file: string): Promise<D> => {
    assert.notEqual(text(file), '', text(`${file}.said`));
    return checked<D>(text(file));
  };
  return {
    plan: await parsed<PlanDocument>('plan'),
    applied: await parsed<ChangeDocument>('applied'),
    undone: await parsed<ChangeDocument>('undone'),
    before: text('before').trim(),
    values: text('values').trim(),
    after: text('after').trim(),
  };
}
