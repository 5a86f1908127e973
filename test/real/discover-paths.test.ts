import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { DiscoveredPaths } from '../../src/app/discover-paths.js';
import { INTERFACE, whyNoNamespaces, withPath } from '../lab/namespaces.js';
import { Program, installed, mustRun } from '../lab/processes.js';
import { ROOT } from '../lab/tautline.js';

const skip = (await whyNoNamespaces()) ?? (await whyNoHome()) ?? ((await installed('ssh')) ? false : 'ssh is missing (package openssh-client)');
const program = (path: string): string[] => [process.execPath, fileURLToPath(new URL(path, import.meta.url))];

/** The home of root is covered by an empty one, of which neither Node nor this package may be a part. */
async function whyNoHome(): Promise<string | undefined> {
  const home = homedir();
  return [process.execPath, ROOT].some((path) => path.startsWith(`${home}/`))
    ? `Node or this package lies in ${home}, which the test covers`
    : undefined;
}

interface Situation {
  readonly sshConfig?: string;
  /** Programs by name, as shell scripts, found before the system's own. */
  readonly programs?: Readonly<Record<string, string>>;
}

/** Looks for `beta` beside a neighbour that answers for beta.local, with a home folder of the test's own. */
async function discover(situation: Situation): Promise<DiscoveredPaths & { tookMs: number }> {
  const folder = await mkdtemp(join(tmpdir(), 'tautline-paths-'));
  try {
    await writeFile(join(folder, 'config'), situation.sshConfig ?? '');
    await mkdir(join(folder, 'bin'));
    for (const [name, script] of Object.entries(situation.programs ?? {})) {
      await writeFile(join(folder, 'bin', name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    }
    return await withPath(async ({ near, far }) => {
      const neighbour = new Program(far.inside([...program('./mdns/responder.js'), INTERFACE, 'beta.local', 'answers', far.address4]));
      try {
        await neighbour.until((output) => output.includes('ready 2'));
        const cover =
          'mount -t tmpfs none "$HOME" && mkdir -m 700 "$HOME/.ssh" && cp "$0/config" "$HOME/.ssh/config" && PATH="$0/bin:$PATH" exec "$@"';
        const inside = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', cover, folder, ...program('./paths/discover.js'), 'beta'];
        return JSON.parse(await mustRun(near.inside(['env', `HOME=${homedir()}`, ...inside]))) as DiscoveredPaths & { tookMs: number };
      } finally {
        await neighbour.stop();
      }
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const brief = ({ peer }: DiscoveredPaths): unknown[] =>
  peer.paths.map(({ name, kind, source, target, sshAlias }) => [name, kind, source, target.host, sshAlias]);

describe('paths to a name on a real host', { skip }, () => {
  test('are found by mDNS and in the ssh configuration, and one address is one path', async () => {
    const sshConfig = [
      'Host beta-in',
      '  ProxyJump beta-lan',
      'Host beta-lan',
      '  HostName 10.77.0.2',
      'Host beta-far',
      '  HostName 203.0.113.9',
      'Host *',
      '  User somebody',
      '',
    ].join('\n');
    const found = await discover({ sshConfig });
    assert.deepEqual(brief(found), [
      ['lan', 'lan', 'mdns', 'beta.local', 'beta-lan'],
      ['ssh', 'ssh', 'ssh', 'beta-in', 'beta-in'],
      ['wan', 'wan', 'ssh', '203.0.113.9', 'beta-far'],
    ]);
    assert.ok(found.tookMs < 1800, `${found.tookMs} ms`);
  });

  test('are waited for no longer than a second and a half where ssh and the Tailscale client hang', async () => {
    const found = await discover({
      sshConfig: 'Host beta\n  HostName 10.77.0.2\n',
      programs: { ssh: 'exec sleep 600', tailscale: 'exec sleep 600' },
    });
    assert.deepEqual(brief(found), [['default', 'lan', 'mdns', 'beta.local', undefined]]);
    assert.ok(found.tookMs < 2000, `${found.tookMs} ms`);
    assert.deepEqual(
      found.unchecked.map(({ what }) => what).filter((what) => what !== 'dns'),
      ['ssh', 'tailscale'],
      JSON.stringify(found.unchecked),
    );
  });
});
