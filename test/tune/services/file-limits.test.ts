import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { applyAndUndo, changing, leftFor, LIMITS, modeAt, planOn, problemOf, served, textAt } from './served-host.js';
import type { Served } from './served-host.js';

const plan = async (value: unknown, given: Served = {}, exact = false) => planOn((await served(given)).view, 'file-limits', value, exact);
const OWN = '/etc/security/limits.d/90-tautline.conf';

describe('open files of logins and services', () => {
  test('on a current host are enough for logins already, and raised for services in files of their own', async () => {
    const { host, view } = await served();
    const [logins, system, user] = await planOn(view, 'file-limits', 1_048_576);
    assert.match(leftFor(logins, 'already'), /1048576 open files are allowed already \(systemd/);
    assert.equal(changing(system).now, 'soft 1024, hard 524288');
    assert.equal(changing(user).takesEffect, 'systemctl --user daemon-reexec, or log in again');
    await applyAndUndo(host, [changing(system), changing(user)], async () => {
      assert.match((await textAt(host, '/etc/systemd/system.conf.d/90-tautline.conf')) ?? '', /^\[Manager\]\nDefaultLimitNOFILE=1024:1048576\n$/m);
      assert.match((await textAt(host, '/etc/systemd/user.conf.d/90-tautline.conf')) ?? '', /DefaultLimitNOFILE=1024:1048576/);
      assert.equal(await modeAt(host, '/etc/systemd/system.conf.d'), 'folder 755 0:0');
    });
  });

  test('of logins are raised for everybody and for root, whom a line for everybody does not mean', async () => {
    const { host, view } = await served({ values: { '/proc/self/limits': LIMITS(1024, 4096) } });
    const [logins] = await planOn(view, 'file-limits', 65_536);
    assert.equal(changing(logins).now, 'soft 1024, hard 4096');
    assert.equal(changing(logins).proposed, 'soft 1024, hard 65536');
    await applyAndUndo(host, [changing(logins)], async () => {
      const lines = ((await textAt(host, OWN)) ?? '').split('\n').filter((line) => line !== '' && !line.startsWith('#'));
      assert.deepEqual(lines, ['* hard nofile 65536', 'root hard nofile 65536']);
      // What was applied is what is in force now.
      assert.match(leftFor((await planOn(view, 'file-limits', 65_536))[0], 'already'), /90-tautline\.conf:\d+/);
    });
  });

  test('are not written over a file of that name that somebody else wrote', async () => {
    const theirs = { [OWN]: '# ours\n* soft core 0\n', '/etc/systemd/system.conf.d/90-tautline.conf': '[Manager]\nDefaultTimeoutStopSec=20s\n' };
    const [logins, system] = await plan('65536:1048576', { files: theirs, values: { '/proc/self/limits': LIMITS(1024, 4096) } });
    for (const step of [logins, system]) assert.match(leftFor(step, 'managed'), /90-tautline\.conf is there already and was not written by Tautline/);
  });

  test('are never lowered, unless the profile is exact', async () => {
    const given = {
      files: { '/etc/security/limits.d/50-db.conf': '* - nofile 1000000\n', '/etc/systemd/system.conf': '[Manager]\nDefaultLimitNOFILE=infinity\n' },
    };
    const [logins, system] = await plan(65_536, given);
    assert.match(leftFor(logins, 'would-lower'), /1000000 open files are allowed already \(\/etc\/security\/limits\.d\/50-db\.conf:1\)/);
    assert.match(leftFor(system, 'would-lower'), /unlimited/);
    assert.equal(changing((await plan(65_536, given, true))[0]).proposed, 'soft 65536, hard 65536');
  });

  test('take the soft limit along only where the profile names one, and say what that may break', async () => {
    const [, system] = await plan('65536:1048576');
    assert.equal(changing(system).proposed, 'soft 65536, hard 1048576');
    assert.ok(changing(system).notes?.some((note) => note.includes('select(2)')));
  });

  test('are read in the order in which they are read at login and at boot: later files win', async () => {
    const given = {
      files: {
        '/etc/security/limits.conf': '* hard nofile 2000000 # long ago\n',
        '/etc/security/limits.d/20-x.conf': '* hard nofile 5000\nanna hard nofile 99999\n',
        '/etc/systemd/system.conf.d/10-a.conf': '[Manager]\nDefaultLimitNOFILE=2048:8192\n',
        '/usr/lib/systemd/system.conf.d/10-a.conf': '[Manager]\nDefaultLimitNOFILE=9:9\n',
      },
    };
    const [logins, system] = await plan(65_536, given);
    assert.equal(changing(logins).now, 'soft 1024, hard 5000');
    assert.ok(changing(logins).notes?.some((note) => note === '/etc/security/limits.d/20-x.conf:2 still decides for anna: 99999'));
    assert.equal(changing(system).now, 'soft 2048, hard 8192');
  });

  test('are left to a file that would win over ours', async () => {
    const given = {
      files: {
        '/etc/security/limits.d/95-site.conf': '* hard nofile 4096\n',
        '/etc/systemd/system.conf.d/99-site.conf': '[Manager]\nDefaultLimitNOFILE=4096\n',
      },
    };
    const [logins, system] = await plan(65_536, given);
    assert.match(leftFor(logins, 'managed'), /95-site\.conf:1 is read after/);
    assert.match(leftFor(system, 'managed'), /99-site\.conf:2 is read after/);
  });

  test('above what the kernel allows are refused', async () => {
    assert.match(leftFor((await plan(2_000_000))[0], 'bad-value'), /1048576 at most \(fs\.nr_open\)/);
  });

  test('of logins cannot be raised in a container that may not, and that is said', async () => {
    const lacking = {
      values: { '/proc/self/limits': LIMITS(1024, 4096), '/proc/self/status': 'Name:\tnode\nCapBnd:\t00000000a80425fb\nNoNewPrivs:\t0' },
    };
    assert.match(leftFor((await plan(65_536, lacking))[0], 'read-only'), /CAP_SYS_RESOURCE/);
    const having = { values: { ...lacking.values, '/proc/self/status': 'CapBnd:\t000001ffffffffff' } };
    changing((await plan(65_536, having))[0]);
  });

  test('are not for hosts without pam_limits or systemd', async () => {
    const [logins, system] = await plan(65_536, { without: ['/etc/security/limits.conf'], environment: { init: 'other', kind: 'container' } });
    assert.match(leftFor(logins, 'not-applicable'), /no pam_limits/);
    assert.match(leftFor(system, 'not-applicable'), /systemd does not run here/);
  });

  test('start from 4096 before systemd 240', async () => {
    const given = { without: ['/usr/lib/systemd/libsystemd-shared-252.so'], files: { '/usr/lib/systemd/libsystemd-shared-239.so': '' } };
    assert.equal(changing((await plan(65_536, given))[1]).now, 'soft 1024, hard 4096');
  });

  test('are a number or two, the smaller first', () => {
    for (const value of [0, 100, 'many', '1:2:3', '65536:1024', -1, 2 ** 40]) assert.notEqual(problemOf('file-limits', value), '');
  });
});
