import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { planTune } from '../../../src/tune/index.js';
import type { Profile } from '../../../src/tune/index.js';
import { applyAndUndo, changing, ETH0, leftFor, LIMITS, modeAt, planOn, problemOf, served, settingOf, TAILSCALE0, textAt } from './served-host.js';
import type { Served } from './served-host.js';

const JSON_FILE = '/etc/docker/daemon.json';
const SMALL = { interfaces: [{ ...ETH0, mtu: 1450 }] };
const DOCKER = { files: { '/usr/bin/dockerd': '' } };
const RUNNING = { '/var/run/docker.pid': '4242' };
const started = (...args: string[]) => ({ '/proc/4242/cmdline': ['/usr/bin/dockerd', ...args, ''].join('\0') });
const one = async (id: string, value: unknown, given: Served = {}, exact = false) => (await planOn((await served(given)).view, id, value, exact))[0];
const withFile = (text: string, more: Served = {}): Served => ({ ...more, files: { [JSON_FILE]: { text, mode: 0o600 }, ...more.files } });

describe("the MTU of Docker's default bridge", () => {
  test('becomes that of the uplink, in a file that is made for it', async () => {
    const { host, view } = await served({ ...SMALL, ...DOCKER });
    const [step] = await planOn(view, 'docker-mtu', 'uplink');
    assert.equal(changing(step).now, 'mtu 1500 (default)');
    assert.match(changing(step).takesEffect ?? '', /systemctl restart docker/);
    await applyAndUndo(host, [changing(step)], async () => {
      assert.equal(await textAt(host, JSON_FILE), '{\n  "mtu": 1450\n}\n');
      assert.equal(await modeAt(host, JSON_FILE), 'file 644 0:0');
    });
  });

  test('is put among what is there: order, indentation and mode stay', async () => {
    const { host, view } = await served(withFile('{\n\t"live-restore": true,\n\t"mtu": 1500,\n\t"debug": false\n}\n', SMALL));
    await applyAndUndo(host, await planOn(view, 'docker-mtu', 'uplink'), async () => {
      assert.equal(await textAt(host, JSON_FILE), '{\n\t"live-restore": true,\n\t"mtu": 1450,\n\t"debug": false\n}\n');
      assert.equal(await modeAt(host, JSON_FILE), 'file 600 0:0');
    });
  });

  test('is 1280 where containers are reached through Tailscale, and 1400 there is wrong', async () => {
    const given = { ...DOCKER, interfaces: [ETH0, TAILSCALE0] };
    assert.equal(changing(await one('docker-mtu', 'tailscale', given)).proposed, 'mtu 1280');
    assert.match(leftFor(await one('docker-mtu', 1400, given), 'bad-value'), /tailscale0 takes packets of 1280 bytes/);
  });

  test('is right already on an ordinary host', async () => {
    assert.match(leftFor(await one('docker-mtu', 'uplink', DOCKER), 'already'), /1500 already/);
  });

  test('covers the default bridge only: other networks are named with what to do', async () => {
    const networks = [
      { Name: 'bridge', Driver: 'bridge', Options: {} },
      { Name: 'shop_default', Driver: 'bridge', Options: null },
      { Name: 'fine', Driver: 'bridge', Options: { 'com.docker.network.driver.mtu': '1450' } },
      { Name: 'host', Driver: 'host', Options: {} },
    ];
    const services = { '/var/run/docker.sock': () => ({ body: JSON.stringify(networks) }) };
    const step = changing(await one('docker-mtu', 'uplink', { ...SMALL, ...DOCKER, services }));
    assert.ok(
      step.notes?.includes('make these networks anew with --opt com.docker.network.driver.mtu=1450: shop_default (1500)'),
      JSON.stringify(step.notes),
    );
    assert.ok(step.notes?.some((note) => note.includes('moby 34981')));
  });

  test('is not written into a file that is no JSON: the place is named', async () => {
    assert.match(
      leftFor(await one('docker-mtu', 'uplink', withFile('{\n  "debug": true,\n}\n', SMALL)), 'bad-value'),
      /daemon\.json is not changed.*line 3, column 1/,
    );
  });

  test('is left alone where dockerd got it as a flag: with both it does not start', async () => {
    const given = { ...SMALL, files: RUNNING, values: started('--mtu=1400') };
    assert.match(leftFor(await one('docker-mtu', 'uplink', given), 'managed'), /does not start/);
  });

  test('goes to the file that dockerd was started with', async () => {
    const given = { ...SMALL, files: RUNNING, values: started('--config-file', '/srv/docker.json') };
    const step = changing(await one('docker-mtu', 'uplink', given));
    assert.deepEqual(
      step.changes.map(({ place }) => ('path' in place ? place.path : '')),
      ['/srv', '/srv/docker.json'],
    );
  });

  test('is nothing where there is no Docker', async () => {
    assert.match(leftFor(await one('docker-mtu', 'uplink', SMALL), 'not-applicable'), /no Docker engine here/);
  });

  test('is a word or a number of bytes', () => {
    for (const value of ['auto', 100, 1.5, null]) assert.notEqual(problemOf('docker-mtu', value), '');
  });
});

describe('open files of containers', () => {
  const limited = (soft: number | string, hard: number | string): Served => ({
    files: RUNNING,
    values: { ...started(), '/proc/4242/limits': LIMITS(soft, hard) },
  });

  test('are raised above what dockerd gives them', async () => {
    const { host, view } = await served(limited(1024, 524_288));
    const [step] = await planOn(view, 'docker-ulimits', 65_536);
    assert.equal(changing(step).now, 'soft 1024, hard 524288 (inherited from dockerd)');
    await applyAndUndo(host, [changing(step)], async () => {
      assert.deepEqual(JSON.parse((await textAt(host, JSON_FILE)) ?? ''), {
        'default-ulimits': { nofile: { Name: 'nofile', Hard: 524_288, Soft: 65_536 } },
      });
    });
  });

  test('are not lowered: 65536 is less than what many dockerd give', async () => {
    assert.match(leftFor(await one('docker-ulimits', 65_536, limited('unlimited', 'unlimited')), 'would-lower'), /unlimited files already/);
    assert.equal(changing(await one('docker-ulimits', 65_536, limited('unlimited', 'unlimited'), true)).proposed, '65536');
    const set = withFile('{"default-ulimits": {"nofile": {"Name": "nofile", "Hard": 100000, "Soft": 100000}}}', { files: RUNNING });
    assert.match(leftFor(await one('docker-ulimits', 65_536, set), 'would-lower'), /100000 files already \(\/etc\/docker\/daemon\.json\)/);
    leftFor(await one('docker-ulimits', 100_000, set), 'already');
  });

  test('are not guessed where the limits of dockerd cannot be read', async () => {
    assert.match(leftFor(await one('docker-ulimits', 65_536, DOCKER), 'unreadable'), /nothing is set that might be less/);
  });
});

describe('two settings of one file', () => {
  test('are both in it after the plan is applied, and both gone after it is undone', async () => {
    const { host, view } = await served({
      ...SMALL,
      files: { ...RUNNING, [JSON_FILE]: '{\n    "debug": true\n}\n' },
      values: { ...started(), '/proc/4242/limits': LIMITS(1024, 4096) },
    });
    const wanted = (id: string, value: unknown) => ({ id, wanted: { value, at: 'test.yaml:1' }, from: 'test' });
    const profile: Profile = {
      name: 'test',
      title: '',
      about: '',
      risk: 'low',
      exact: false,
      lineage: ['test'],
      settings: [wanted('docker-mtu', 'uplink'), wanted('docker-ulimits', 65_536)],
    };
    const plan = await planTune(view, profile, [settingOf('docker-mtu'), settingOf('docker-ulimits')]);
    assert.equal(plan.planned.length, 2, JSON.stringify(plan.notDone));
    await applyAndUndo(
      host,
      plan.planned.map(({ step }) => step),
      async () => {
        assert.deepEqual(JSON.parse((await textAt(host, JSON_FILE)) ?? ''), {
          debug: true,
          mtu: 1450,
          'default-ulimits': { nofile: { Name: 'nofile', Hard: 65_536, Soft: 65_536 } },
        });
      },
    );
  });
});
