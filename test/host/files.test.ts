import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { TautlineError } from '../../src/base/index.js';
import { createFiles, fileError } from '../../src/host/files.js';

describe('files', () => {
  const files = createFiles();
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tautline-files-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test('what was written is read back, and nothing else is left in the folder', async () => {
    const place = join(folder, 'clean');
    await mkdir(place);
    await files.writeText(join(place, 'a.json'), 'first');
    await files.writeText(join(place, 'a.json'), 'second');
    assert.equal(await files.readText(join(place, 'a.json')), 'second');
    assert.deepEqual(await readdir(place), ['a.json']);
  });

  test('a file that does not exist reads as undefined', async () => {
    assert.equal(await files.readText(join(folder, 'none')), undefined);
    assert.equal(await files.readText(join(folder, 'none', 'deeper')), undefined);
  });

  test('a symbolic link stays a link, and permissions stay as they were', async () => {
    const real = join(folder, 'real.txt');
    await writeFile(real, 'old');
    await chmod(real, 0o600);
    await symlink(real, join(folder, 'link.txt'));
    await files.writeText(join(folder, 'link.txt'), 'new');
    assert.equal(await readFile(real, 'utf8'), 'new');
    assert.equal((await stat(real)).mode & 0o777, 0o600);
  });

  test('the status of a link is its own, or that of what it leads to', async () => {
    const real = join(folder, 'status.txt');
    await writeFile(real, 'four');
    await chmod(real, 0o640);
    await symlink(real, join(folder, 'status-link'));
    assert.equal((await files.status(join(folder, 'status-link')))?.kind, 'link');
    const followed = await files.status(join(folder, 'status-link'), { follow: true });
    assert.deepEqual([followed?.kind, followed?.sizeBytes, followed?.mode], ['file', 4, 0o640]);
    await symlink(join(folder, 'nowhere'), join(folder, 'dangling'));
    assert.equal(await files.status(join(folder, 'dangling'), { follow: true }), undefined);
  });

  test('a new file gets the permissions that were asked for, and one that is there keeps its own', async () => {
    const path = join(folder, 'private.json');
    await files.writeText(path, 'mine', { mode: 0o600 });
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    await chmod(path, 0o640);
    await files.writeText(path, 'still mine', { mode: 0o600 });
    assert.equal((await stat(path)).mode & 0o777, 0o640);
  });

  test('a place that cannot be written is known beforehand, and the check leaves nothing behind', async () => {
    const place = join(folder, 'check');
    await mkdir(place);
    await files.checkWritable(join(place, 'out.json'));
    assert.deepEqual(await readdir(place), []);
    await assert.rejects(files.checkWritable(join(place, 'none', 'out.json')), (error) => {
      assert.ok(error instanceof TautlineError);
      assert.match(error.message, /none\/out\.json: the directory does not exist$/);
      assert.equal(error.hint, 'create it first');
      return true;
    });
    await assert.rejects(files.checkWritable(place), /it is a directory/);
    await assert.rejects(files.checkWritable('/dev/null/x'), /a part of the path is not a directory/);
  });

  test('a full disk is told as such', { skip: existsSync('/dev/full') ? false : 'this system has no /dev/full' }, async () => {
    await assert.rejects(files.writeText('/dev/full', 'x'), (error) => {
      assert.ok(error instanceof TautlineError);
      assert.equal(error.code, 'io');
      assert.equal(error.message, 'cannot write /dev/full: the disk is full');
      return true;
    });
  });

  test('a device is written as it is, not replaced', async () => {
    await files.writeText('/dev/null', 'x');
    assert.ok((await stat('/dev/null')).isCharacterDevice());
  });

  test('errors of the system become what happened and what to do', () => {
    const cases = [
      ['EACCES', 'permission', /permission denied/],
      ['EROFS', 'permission', /read-only/],
      ['EDQUOT', 'io', /quota/],
      ['EIO', 'io', /EIO: broken/],
    ] as const;
    for (const [code, kind, message] of cases) {
      const error = fileError('write', '/x', Object.assign(new Error(`${code}: broken`), { code }));
      assert.equal(error.code, kind);
      assert.match(error.message, message);
    }
  });
});
