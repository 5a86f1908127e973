import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, realpathSync } from 'node:fs';
import { link, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHostPorts } from '../../src/host/index.js';
import { controlBehaves } from '../conformance/control.js';

const HOLD_LOCK = join(import.meta.dirname, '../lab/hold-lock.js');

controlBehaves('this host', async () => {
  const scratch = realpathSync(await mkdtemp(join(tmpdir(), 'tautline-control-')));
  const folder = await mkdtemp(join(scratch, 'folder-'));
  const value = join(scratch, 'value');
  // Of the same length as what is written: a file of /proc has no length.
  await writeFile(value, '8\n');
  const latencyDevice = join(scratch, "latency device's");
  await writeFile(latencyDevice, '');
  const { control } = createHostPorts({ control: { latencyDevice } });
  return {
    control,
    folder,
    user: { ownerId: process.getuid?.() ?? 0, groupId: process.getgid?.() ?? 0 },
    value,
    mayHold: existsSync('/proc/self/stat'),
    hardLink: (path, other) => link(path, other),
    lockElsewhere: async (path) => {
      const child = spawn(process.execPath, [HOLD_LOCK, path], { stdio: ['ignore', 'pipe', 'inherit'] });
      const [said] = (await once(child.stdout, 'data')) as [Buffer];
      assert.equal(said.toString(), 'held\n');
      return {
        pid: child.pid ?? 0,
        kill: async () => {
          child.kill('SIGKILL');
          await once(child, 'exit');
        },
      };
    },
    close: () => rm(scratch, { recursive: true }),
  };
});
