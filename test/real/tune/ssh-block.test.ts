import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { createHostPorts } from '../../../src/host/index.js';
import { applyChange, createView, planTune, rollBack, SETTINGS } from '../../../src/tune/index.js';
import type { JournalStep, Profile } from '../../../src/tune/index.js';
import { installed, mustRun, run } from '../../lab/processes.js';
import { whyNoSshd, withSshd } from '../../lab/sshd.js';

const skip = (await installed('ssh')) ? false : 'ssh is missing (package openssh-client)';
const skipServer = (await whyNoSshd()) ?? false;
type Ports = ReturnType<typeof createHostPorts>;

/** A home folder of the test's own; nothing of this user's ~/.ssh is read or written. */
async function withHome(
  work: (lab: { home: string; config: string; ports: Ports; effective: (host: string) => Promise<Map<string, string>> }) => Promise<void>,
): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), 'tautline-home-'));
  const ports = createHostPorts({ logLevel: 'none' });
  const config = join(home, '.ssh/config');
  const effective = async (host: string): Promise<Map<string, string>> => {
    const lines = (await mustRun(['ssh', '-G', '-F', config, host])).trim().split('\n');
    return new Map(lines.map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)]));
  };
  try {
    await work({ home, config, ports, effective });
  } finally {
    await ports.close();
    rmSync(home, { recursive: true, force: true });
  }
}

async function apply(ports: Ports, home: string, value: unknown): Promise<void> {
  const profile: Profile = {
    name: 'test',
    title: '',
    about: '',
    risk: 'low',
    exact: false,
    lineage: ['test'],
    settings: [{ id: 'ssh-client', wanted: { value, at: 'test:1' }, from: 'test' }],
  };
  const { planned, notDone } = await planTune(await createView(ports, { homeFolder: home }), profile, SETTINGS);
  assert.equal(planned.length, 1, JSON.stringify(notDone));
  const steps = planned.flatMap(({ step }) => step.changes.map((change) => ({ ...change, setting: 'ssh-client' }) as JournalStep));
  assert.equal((await applyChange(ports, { folder: join(home, 'journal'), profile: 'test', persist: false, steps })).state, 'applied');
}

async function undo(ports: Ports, home: string): Promise<void> {
  const report = await rollBack(ports, { folder: join(home, 'journal'), force: false, reason: 'asked' });
  assert.equal(report.state, 'rolled-back', JSON.stringify(report));
}

describe('the block in the configuration of a real ssh', { skip }, () => {
  test('is in force for every host, and a home without a configuration is again without one', async () => {
    await withHome(async ({ home, config, ports, effective }) => {
      await apply(ports, home, '10m');
      const found = await effective('beta');
      assert.deepEqual([found.get('controlmaster'), found.get('controlpersist')], ['auto', '600']);
      assert.match(found.get('controlpath') ?? '', /\/\.ssh\/sockets\/[0-9a-f]{40}$/);
      assert.deepEqual([statSync(config).mode & 0o777, statSync(join(home, '.ssh/sockets')).mode & 0o777], [0o600, 0o700]);
      await undo(ports, home);
      assert.ok(!existsSync(join(home, '.ssh')));
    });
  });

  test("leaves the user's own values in force, and the hosts that it does not name alone", async () => {
    await withHome(async ({ home, config, ports, effective }) => {
      mkdirSync(join(home, '.ssh'), { mode: 0o700 });
      const text = 'Host alpha\n  ControlPersist 1h\n  ControlMaster ask\n\nHost beta-*\n  User ana\n  ControlPath /tmp/mine-%C';
      writeFileSync(config, text, { mode: 0o640 });
      const times = statSync(config, { bigint: true });
      await apply(ports, home, { hosts: ['alpha', 'beta*', 'beta-*'], persist: '600' });
      const [alpha, beta, other] = [await effective('alpha'), await effective('beta-1'), await effective('gamma')];
      assert.deepEqual([alpha.get('controlmaster'), alpha.get('controlpersist')], ['ask', '3600']);
      assert.deepEqual([beta.get('user'), beta.get('controlmaster'), beta.get('controlpersist')], ['ana', 'auto', '600']);
      assert.match(beta.get('controlpath') ?? '', /^\/tmp\/mine-/);
      assert.equal(other.get('controlmaster'), 'false');
      assert.equal(statSync(config).mode & 0o777, 0o640);
      await undo(ports, home);
      assert.equal(readFileSync(config, 'utf8'), text);
      const restored = statSync(config, { bigint: true });
      assert.deepEqual([restored.mtimeNs, restored.mode], [times.mtimeNs, times.mode]);
      assert.deepEqual(readdirSync(join(home, '.ssh')), ['config']);
    });
  });

  test('is read by ssh behind lines that end as in Windows, and in a file that a link leads to', async () => {
    await withHome(async ({ home, config, ports, effective }) => {
      mkdirSync(join(home, 'dotfiles'));
      mkdirSync(join(home, '.ssh'), { mode: 0o700 });
      writeFileSync(join(home, 'dotfiles/ssh'), 'Host alpha\r\n  User ana\r\n', { mode: 0o600 });
      symlinkSync('../dotfiles/ssh', config);
      await apply(ports, home, '10m');
      const found = await effective('alpha');
      assert.deepEqual([found.get('user'), found.get('controlmaster')], ['ana', 'auto']);
      await undo(ports, home);
      assert.equal(readFileSync(join(home, 'dotfiles/ssh'), 'utf8'), 'Host alpha\r\n  User ana\r\n');
    });
  });
});

describe('the socket of a shared connection', { skip: skipServer }, () => {
  test('may have a name of 107 bytes less the 17 that ssh puts behind it at first, and no longer one', async () => {
    await withSshd({}, async (lab) => {
      await lab.trust();
      const share = async (bytes: number): Promise<string> => {
        const folder = join(lab.folder, 's'.repeat(bytes - lab.folder.length - 1 - '/'.length - 40));
        mkdirSync(folder, { mode: 0o700 });
        const options = ['-o', 'ControlMaster=auto', '-o', `ControlPath=${folder}/%C`, '-o', 'ControlPersist=30'];
        const said = await run(['ssh', '-F', lab.configFile, '-o', 'BatchMode=yes', ...options, 'beta', 'true']);
        const master = await run(['ssh', '-F', lab.configFile, ...options, '-O', 'exit', 'beta']);
        return master.code === 0 ? 'shared' : said.stderr;
      };
      assert.equal(await share(107 - 17), 'shared');
      assert.match(await share(108 - 17), /too long/);
    });
  });
});
