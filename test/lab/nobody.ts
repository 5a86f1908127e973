import { chmod, cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT, TAUTLINE } from './tautline.js';

/** Hands over what makes a command line of ours run as `nobody`, from a copy that `nobody` may read. */
export async function asNobody(work: (argv: (args: readonly string[]) => string[]) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tautline-nobody-'));
  try {
    await chmod(folder, 0o755);
    for (const part of ['dist', 'profiles', 'package.json', 'node_modules'])
      await cp(join(ROOT, part), join(folder, part), {
        recursive: true,
        filter: (path) => !/node_modules\/(?:@?ox|@?typescript|\.)/.test(path),
      });
    const [node = ''] = TAUTLINE;
    await work((args) => [
      'setpriv',
      '--reuid=65534',
      '--regid=65534',
      '--clear-groups',
      '--inh-caps=-all',
      '--bounding-set=-all',
      'env',
      'HOME=/nonexistent',
      node,
      join(folder, 'dist', 'cli', 'main.js'),
      ...args,
    ]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
