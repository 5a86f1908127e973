import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { applyAndUndo, changing, leftFor, modeAt, planOn, problemOf, served, textAt } from './served-host.js';
import type { Served } from './served-host.js';

const CONFIG = '/home/ana/.ssh/config';
const file = (text: string, mode = 0o600) => ({ text, mode, ownerId: 1000 });
const one = async (value: unknown, given: Served = {}) => (await planOn((await served(given)).view, 'ssh-client', value))[0];

describe('sharing SSH connections', () => {
  test('makes folder, configuration and socket folder for the user, also when root asks', async () => {
    for (const root of [true, false]) {
      const { host, view } = await served({ root });
      const [step] = await planOn(view, 'ssh-client', '10m');
      await applyAndUndo(host, [changing(step)], async () => {
        assert.equal(
          await textAt(host, CONFIG),
          '# >>> tautline\nHost *\n    ControlMaster auto\n    ControlPath ~/.ssh/sockets/%C\n    ControlPersist 10m\n# <<< tautline\n',
        );
        assert.equal(await modeAt(host, CONFIG), 'file 600 1000:1000');
        assert.equal(await modeAt(host, '/home/ana/.ssh'), 'folder 700 1000:1000');
        assert.equal(await modeAt(host, '/home/ana/.ssh/sockets'), 'folder 700 1000:1000');
      });
    }
  });

  test('stands at the end of what is there, and keeps its mode and owner', async () => {
    const { host, view } = await served({ files: { [CONFIG]: file('Host beta\r\n  User ana', 0o644) } });
    await applyAndUndo(host, await planOn(view, 'ssh-client', { hosts: ['beta*', 'beta-*'], persist: '600' }), async () => {
      assert.equal(
        await textAt(host, CONFIG),
        'Host beta\r\n  User ana\r\n# >>> tautline\r\nHost beta* beta-*\r\n    ControlMaster auto\r\n    ControlPath ~/.ssh/sockets/%C\r\n    ControlPersist 600\r\n# <<< tautline',
      );
      assert.equal(await modeAt(host, CONFIG), 'file 644 1000:1000');
    });
  });

  test('goes through a linked configuration, and the link stays', async () => {
    const { host, view } = await served({
      files: { '/home/ana/dotfiles/ssh': file('Host a\n') },
      symlinks: { [CONFIG]: '../dotfiles/ssh' },
      folders: { '/home/ana/.ssh': 0o700 },
    });
    const [step] = await planOn(view, 'ssh-client', '10m');
    await applyAndUndo(host, [changing(step)], async () => {
      assert.match((await textAt(host, '/home/ana/dotfiles/ssh')) ?? '', /^Host a\n# >>> tautline\n/);
      assert.equal((await host.control.readEntry(CONFIG))?.kind, 'link');
    });
  });

  for (const [what, symlinks] of Object.entries({
    'the configuration': { [CONFIG]: '/etc/ld.so.conf.d/ana.conf' },
    'the folder': { '/home/ana/.ssh': '/etc/cron.d' },
    'the folder of sockets': { '/home/ana/.ssh/sockets': '/etc/sockets' },
  })) {
    test(`is not done by root where the user made ${what} a link out of the home folder`, async () => {
      const given = { symlinks, folders: { '/etc/cron.d': 0o755, '/etc/ld.so.conf.d': 0o755 } };
      assert.match(
        leftFor(await one('10m', given), 'not-applicable'),
        /leads to \/etc\/\S+, out of the home folder of user 1000: .* run it as that user/,
      );
    });
  }

  test('is done already when the block is there, and replaced when it says something else', async () => {
    const { host, view } = await served();
    const [step] = await planOn(view, 'ssh-client', '10m');
    await applyAndUndo(host, [changing(step)], async () => {
      leftFor((await planOn(view, 'ssh-client', '10m'))[0], 'already');
      const again = changing((await planOn(view, 'ssh-client', '30m'))[0]);
      assert.equal(again.now, 'our block, with other values');
      assert.equal(again.changes.length, 1);
    });
  });

  for (const [what, text] of [
    ['for all hosts', 'Host *\n  ControlMaster no\n'],
    ['before the first Host', 'ControlMaster=ask\nHost x\n  User y\n'],
    ['in Match all', 'Match all\n  controlmaster auto\n'],
    ['by a wider pattern', 'Host be*\n  ControlMaster yes\n'],
    ['by the same pattern', 'Host alpha beta*\n  ControlMaster yes\n'],
  ] as const) {
    test(`is left to the user where the configuration sets it ${what}`, async () => {
      const why = leftFor(await one({ hosts: ['beta*'] }, { files: { [CONFIG]: file(text) } }), 'managed');
      assert.match(why, /\/home\/ana\/\.ssh\/config:\d sets ControlMaster/);
    });
  }

  test('is left to a file that the configuration includes', async () => {
    const given = {
      files: { [CONFIG]: file('Include conf.d/*.conf\n'), '/home/ana/.ssh/conf.d/10-mux.conf': file('Host *\n  ControlMaster auto\n') },
    };
    assert.match(leftFor(await one('10m', given), 'managed'), /conf\.d\/10-mux\.conf:2/);
  });

  test('goes beside settings for other hosts, which win for theirs, and says so', async () => {
    for (const text of [
      'Host alpha\n  ControlMaster no\n',
      'Host * !beta\n  ControlMaster no\n',
      'Match host beta exec "true"\n  ControlMaster no\n',
    ]) {
      const step = changing(await one('10m', { files: { [CONFIG]: file(text) } }));
      assert.ok(
        step.notes?.some((note) => note.includes('config:2 keeps ControlMaster no')),
        JSON.stringify(step.notes),
      );
    }
  });

  for (const [what, text] of [
    ['a keyword without a value', 'Host a\nUser\n'],
    ['a quote that is not closed', 'Host "a\n'],
    ['something that is no keyword', '<<<<<<< HEAD\nHost a\n'],
    ['a zero byte', 'Host a\nUser x\0y\n'],
    ['half of our block', 'Host a\n# >>> tautline\nHost *\n'],
  ] as const) {
    test(`is not written into a file that ssh would not read: ${what}`, async () => {
      assert.match(leftFor(await one('10m', { files: { [CONFIG]: file(text) } }), 'bad-value'), /line \d/);
    });
  }

  test('is not written into a file that ssh refuses since others may write to it', async () => {
    assert.match(leftFor(await one('10m', { files: { [CONFIG]: file('Host a\n', 0o664) } }), 'not-applicable'), /chmod 600/);
  });

  test('is not done where the sockets would lie in a folder that others may write to, or in none', async () => {
    assert.match(leftFor(await one('10m', { folders: { '/home/ana/.ssh/sockets': 0o777 } }), 'not-applicable'), /take over connections: chmod 700/);
    assert.match(leftFor(await one('10m', { files: { '/home/ana/.ssh/sockets': 'x' } }), 'not-applicable'), /is no folder/);
  });

  test('is not done where the names of the sockets would be longer than the system takes', async () => {
    const home = (bytes: number): string => `/home/${'a'.repeat(bytes - 6)}`;
    const files = (bytes: number): Served => ({ home: home(bytes), files: { [`${home(bytes)}/.profile`]: '' } });
    // 107 bytes on Linux: the folder, 40 of %C and 17 of the name that ssh binds first.
    changing(await one('10m', files(107 - '/.ssh/sockets/'.length - 57)));
    assert.match(leftFor(await one('10m', files(108 - '/.ssh/sockets/'.length - 57)), 'not-applicable'), /names of 108 bytes.*takes 107/);
    const mac = { os: 'macOS 15.1', kernel: '24.1.0' };
    assert.match(leftFor(await one('10m', { ...files(104 - '/.ssh/sockets/'.length - 57), ...mac }), 'not-applicable'), /takes 103/);
  });

  test('leaves compression away, with the reason, and tells of a level that does nothing', async () => {
    const { view } = await served({ files: { [CONFIG]: file('Host a\n  CompressionLevel 6\n') } });
    const [block, compression] = await planOn(view, 'ssh-client', { compression: true });
    assert.ok(changing(block).notes?.some((note) => note.includes('config:2: CompressionLevel is gone')));
    assert.match(leftFor(compression, 'no-effect'), /slows down on fast networks \(ssh\(1\)\)/);
  });

  test('takes times and patterns only: nothing that would be another line', () => {
    for (const value of ['soon', { hosts: [] }, { hosts: ['a\nProxyCommand x'] }, { hosts: ['a b'] }, { persist: '10m\n' }, { host: 'a' }, 5.5]) {
      assert.notEqual(problemOf('ssh-client', value), '');
    }
  });
});
