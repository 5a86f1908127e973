import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { CommandResult, Commands } from '../../src/base/index.js';
import { hostPlace } from '../../src/host/control/host-place.js';
import { lockByFile } from '../../src/host/control/lock.js';
import { startOf } from '../../src/host/control/processes.js';

describe('a lock without libc', () => {
  const withFolder = async (work: (path: string, folder: string) => Promise<void>): Promise<void> => {
    const folder = mkdtempSync(join(tmpdir(), 'tautline-lock-'));
    try {
      await work(join(folder, 'lock'), folder);
    } finally {
      rmSync(folder, { recursive: true });
    }
  };

  test('is held once, by whom it says, and leaves nothing', () =>
    withFolder(async (path, folder) => {
      const held = await lockByFile(path);
      assert.ok('release' in held);
      assert.deepEqual(await lockByFile(path), { heldBy: process.pid });
      await held.release();
      await held.release();
      assert.deepEqual(readdirSync(folder), []);
    }));

  test('that a process left behind is taken over, also when its number is used again', () =>
    withFolder(async (path) => {
      const stale = [`4194304 1\n`, ...(startOf(process.pid) === undefined ? [] : [`${process.pid} 1\n`]), ''];
      for (const text of stale) {
        writeFileSync(`${path}.held`, text);
        const held = await lockByFile(path);
        assert.ok('release' in held, JSON.stringify({ text, held }));
        await held.release();
      }
    }));
});

describe('where a Mac is', () => {
  const answering = (answers: Readonly<Record<string, string>>): Commands => ({
    run: (program, args) => {
      const stdout = answers[[program, ...args].join(' ')];
      const result: CommandResult =
        stdout === undefined ? { outcome: 'exited', code: 1, stdout: '', stderr: 'unknown oid' } : { outcome: 'exited', code: 0, stdout, stderr: '' };
      return Promise.resolve(result);
    },
  });
  const IOREG = { 'ioreg -rd1 -c IOPlatformExpertDevice': '+-o J375\n      "IOPlatformUUID" = "6A1B-4D"\n' };

  test('is told by its hardware and by the session since its boot', async () => {
    const commands = answering({ ...IOREG, 'sysctl -n kern.bootsessionuuid': '0B7D-2D\n' });
    assert.deepEqual(await hostPlace(commands, 'darwin'), { machine: '6A1B-4D', boot: '0B7D-2D', network: 'none' });
  });

  test('goes by the time of the boot where the session has no name', async () => {
    const commands = answering({ ...IOREG, 'sysctl -n kern.boottime': '{ sec = 1763700000, usec = 123456 } Fri Nov 21 05:40:00 2025\n' });
    assert.equal((await hostPlace(commands, 'darwin')).boot, '1763700000');
  });
});
