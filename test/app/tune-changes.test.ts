import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { tuneApply, tuneConfirm, tunePlan, tuneRollback, tuneStatus } from '../../src/app/index.js';
import { recordedMac, recordedVps, simTuneHost } from '../../src/sim/index.js';
import type { SimTuneHost, TuneHostSpec } from '../../src/sim/index.js';
import type { TunePorts } from '../../src/tune/index.js';

const PROFILES = join(process.env['TAUTLINE_ROOT'] ?? process.cwd(), 'profiles');
const SHIPPED = Object.fromEntries(readdirSync(PROFILES).map((name) => [join(PROFILES, name), readFileSync(join(PROFILES, name), 'utf8')]));
const LAB = 'title: Lab\nabout: For one test.\nrisk: low\nsettings:\n';
const UNIT = '/etc/systemd/system/tautline-tune.service';

/** A recorded host with one profile of its own, whose service manager cannot be reached. */
function labHost(
  recorded: TuneHostSpec,
  settings: string,
  more: Partial<TuneHostSpec> = {},
): { readonly made: SimTuneHost; readonly ports: TunePorts; readonly calls: string[] } {
  const files = { ...recorded.files, ...SHIPPED, '/etc/tautline/profiles/lab.yaml': LAB + settings, '/run/systemd/system/x': '', ...more.files };
  const made = simTuneHost({ ...recorded, ...more, files });
  const calls: string[] = [];
  const run: TunePorts['commands']['run'] = (program, args) => {
    calls.push([program, ...args].join(' '));
    return Promise.resolve({ outcome: 'exited', code: 1, stdout: '', stderr: 'Failed to connect to bus\n' });
  };
  return { made, ports: { ...made.ports, commands: { run } }, calls };
}

/** A Mac with Docker Desktop, and a person without root. */
function desktop(): ReturnType<typeof labHost> {
  const own = { ownerId: 501, groupId: 20 };
  return labHost(recordedMac(), '  docker-mtu: 1400\n', { user: own, files: { '/Users/me/.docker/daemon.json': { text: '{}', ...own } } });
}

const scope = (homeFolder = '/root', folder = '/var/lib/tautline') => ({ folder, homeFolder, profileFolders: ['/etc/tautline/profiles'] });
const progress = { planned: () => undefined, update: () => undefined };
const { signal } = new AbortController();
const apply = (persist: boolean, confirmWithinMs?: number) => ({
  ...scope(),
  profile: 'lab',
  persist,
  ...(confirmWithinMs === undefined ? {} : { confirmWithinMs }),
  progress,
  signal,
});
const rollback = { folder: scope().folder, all: false, force: false, progress, signal };

describe('changes of a recorded host', () => {
  test('what is left to do by hand is told when it is applied, when it is confirmed, and when it is undone', async () => {
    const { made, ports } = desktop();
    const own = scope('/Users/me', '/Users/me/.docker/state');
    await made.run(async () => {
      const applied = await tuneApply(ports, { ...apply(false), ...own });
      assert.deepEqual([applied.state, applied.takesEffect], ['applied', ['restart Docker Desktop']], applied.verdict.sentence);
      const undone = await tuneRollback(ports, { ...rollback, folder: own.folder });
      assert.deepEqual([undone.state, undone.takesEffect], ['rolled-back', applied.takesEffect]);
      await tuneApply(ports, { ...apply(false, 60_000), ...own });
      assert.deepEqual((await tuneConfirm(ports, own)).takesEffect, applied.takesEffect);
    });
  });

  test('the service manager is told of our unit when it comes and when it goes, and a failure to do so is told', async () => {
    const { made, ports, calls } = labHost(recordedVps(), '  transparent-hugepages: never\n');
    await made.run(async () => {
      const applied = await tuneApply(ports, apply(true));
      assert.ok(
        applied.steps.some(({ place }) => place === UNIT),
        JSON.stringify(applied.steps),
      );
      assert.deepEqual(calls.splice(0), ['systemctl daemon-reload']);
      assert.match(applied.notes?.join() ?? '', /systemctl daemon-reload: Failed to connect to bus; it reads its files anew at the next boot/);
      await tuneRollback(ports, rollback);
      assert.deepEqual(calls, ['systemctl stop tautline-tune.service', 'systemctl daemon-reload']);
    });
  });

  test('what nobody confirmed in time is undone before the next plan is made, which then has all of it', async () => {
    const { made, ports } = labHost(recordedVps(), '  net.ipv4.tcp_notsent_lowat: 131072\n');
    await made.run(async () => {
      await tuneApply(ports, apply(false, 1000));
      await ports.clock.sleep(2000);
      const again = await tuneApply(ports, apply(false));
      assert.deepEqual([again.state, again.steps.length], ['applied', 1]);
    });
  });

  test('a damaged journal is told in the status, and what stands beside it is still looked at', async () => {
    const { made, ports } = labHost(recordedVps(), '  net.ipv4.tcp_notsent_lowat: 131072\n');
    await made.run(async () => {
      const { change = '' } = await tuneApply(ports, apply(false));
      await ports.control.append(`${scope().folder}/changes/${change}.jsonl`, 'x\n');
      const status = await tuneStatus(ports, scope());
      assert.deepEqual([status.verdict.outcome, status.damaged?.map(({ id }) => id), status.changes], ['unmeasured', [change], []]);
      assert.match(status.damaged?.[0]?.advice ?? '', /put it back by hand/);
    });
  });

  test('settings of another system in a profile of one’s own are told, and a file in one’s own home needs no root', async () => {
    const linux = labHost(recordedVps(), '  kern.ipc.somaxconn: 1024\n');
    const plan = await linux.made.run(() => tunePlan(linux.ports, { ...scope(), profile: 'lab' }));
    assert.match(plan.advice[0]?.text ?? '', /lab\.yaml: kern\.ipc\.somaxconn: not for Linux, and left out here/);
    const mac = desktop();
    const found = await mac.made.run(() => tunePlan(mac.ports, { ...scope('/Users/me', '/Users/me/.docker/state'), profile: 'lab' }));
    assert.deepEqual(
      found.changes.map(({ setting, needsRoot }) => [setting, needsRoot]),
      [['docker-mtu', false]],
    );
  });
});
