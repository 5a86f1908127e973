import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { engineFolder, startEngine, whyNoEngine } from '../../lab/engines.js';
import { whyNoNamespaces, withPath } from '../../lab/namespaces.js';
import { mustRun, run } from '../../lab/processes.js';
import { applyAndUndo, ETH0, LIMITS, planOn, served, textAt } from '../../tune/services/served-host.js';
import type { Served } from '../../tune/services/served-host.js';

/*
 * Whether the programs that files are written for read them as they are meant. The files are those that a plan puts on a
 * simulated host; the programs are real, with the file in a place of their own.
 */

/** The file that these settings leave behind, one after another. */
async function fileOf(path: string, settings: readonly (readonly [string, unknown])[], given: Served): Promise<string> {
  let text: string | undefined;
  for (const [id, value] of settings) {
    const { host, view } = await served({ ...given, files: { ...given.files, ...(text === undefined ? {} : { [path]: text }) } });
    const steps = (await planOn(view, id, value, true)).filter(({ verdict }) => verdict === 'change');
    await applyAndUndo(host, steps, async () => void (text = await textAt(host, path)));
  }
  assert.ok(text !== undefined);
  return text;
}

const noEngine = (await whyNoNamespaces()) ?? (await whyNoEngine('docker')) ?? false;

describe('a real dockerd', { skip: noEngine }, () => {
  const given = (): Served => ({
    interfaces: [{ ...ETH0, mtu: 1450 }],
    files: { '/var/run/docker.pid': '4242' },
    values: { '/proc/4242/cmdline': '/usr/sbin/dockerd\0', '/proc/4242/limits': LIMITS(1024, 524_288) },
  });
  const daemonJson = () =>
    fileOf(
      '/etc/docker/daemon.json',
      [
        ['docker-mtu', 'uplink'],
        ['docker-ulimits', '2048:4096'],
      ],
      given(),
    );

  test('takes the file, and containers on its default bridge have the MTU and the limits', async () => {
    const folder = engineFolder();
    try {
      const file = join(folder.path, 'daemon.json');
      writeFileSync(file, await daemonJson());
      await withPath(async ({ near }) => {
        const engine = await startEngine('docker', near, folder.path, ['--config-file', file]);
        try {
          const image = await engine.importImage();
          const look = 'cat /sys/class/net/eth0/mtu /proc/self/limits';
          await engine.api('POST', '/containers/create?name=look', { Image: image, Cmd: ['sh', '-c', look], Tty: true });
          await engine.api('POST', '/containers/look/start');
          await engine.api('POST', '/containers/look/wait');
          const said = String(await engine.api('GET', '/containers/look/logs?stdout=1&stderr=1'));
          assert.match(said, /^1450\r?\n/);
          assert.match(said, /Max open files\s+2048\s+4096/);
        } finally {
          await engine.stop();
        }
      });
    } finally {
      folder.remove();
    }
  });

  test('does not start when a flag says the same, which is why that is left alone', async () => {
    const folder = engineFolder();
    try {
      const file = join(folder.path, 'daemon.json');
      writeFileSync(file, await daemonJson());
      const roots = ['--data-root', join(folder.path, 'data'), '--exec-root', join(folder.path, 'exec'), '-p', join(folder.path, 'pid')];
      const argv = ['dockerd', ...roots, '-H', `unix://${join(folder.path, 's')}`, '--config-file', file, '--mtu=1400'];
      const { code, stderr } = await run(['unshare', '--net', '--mount', '--propagation', 'private', ...argv], { timeoutMs: 20_000 });
      assert.notEqual(code, 0);
      assert.match(stderr, /specified both as a flag and in the configuration file: mtu/);
    } finally {
      folder.remove();
    }
  });
});

const noLimits =
  (await whyNoNamespaces()) ?? (existsSync('/etc/security/limits.d') && existsSync('/etc/pam.d/su') ? false : 'there is no su with pam_limits');

describe('a real pam_limits', { skip: noLimits }, () => {
  test('gives logins what the file says, root and others', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tautline-limits-'));
    try {
      // Less than what is in force here: raising it needs a right that a container may lack.
      const text = await fileOf('/etc/security/limits.d/90-tautline.conf', [['file-limits', '1500:3000']], {
        values: { '/proc/self/limits': LIMITS(1024, 4096) },
      });
      writeFileSync(join(folder, '90-tautline.conf'), text);
      const inside = 'mount --bind "$0" /etc/security/limits.d; for who in root nobody; do su -s /bin/sh $who -c "ulimit -Sn; ulimit -Hn"; done';
      const printed = await mustRun(['unshare', '--mount', '--propagation', 'private', 'sh', '-ec', inside, folder]);
      assert.deepEqual(printed.trim().split('\n'), ['1500', '3000', '1500', '3000']);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
