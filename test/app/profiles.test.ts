import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createFiles } from '../../src/host/index.js';
import { listProfiles, loadProfile } from '../../src/app/tune/profiles.js';
import type { LoadedProfile } from '../../src/app/tune/profiles.js';
import { SimFiles } from '../../src/sim/index.js';
import { SETTINGS } from '../../src/tune/index.js';
import type { Platform } from '../../src/tune/index.js';
import { TautlineError } from '../../src/base/index.js';

const OWN = '/home/me/.config/tautline/profiles';
const SHIPPED = '/package/profiles';
const BASE = { [`${SHIPPED}/moderate.yaml`]: 'title: Moderate\nsettings:\n  net.ipv4.tcp_mtu_probing: 1\n  vm.swappiness: 10\n' };

interface Given {
  readonly files?: Readonly<Record<string, string>>;
  readonly platform?: Platform;
}

function load(name: string, { files = {}, platform = 'linux' }: Given = {}): Promise<LoadedProfile> {
  return loadProfile(new SimFiles({ ...BASE, ...files }), { name, folders: [OWN], shippedFolder: SHIPPED, settings: SETTINGS, platform });
}

/** A person's own profile of this text. */
const mine = (text: string): Given => ({ files: { [`${OWN}/mine.yaml`]: text } });

function said(code: string, message: string, hint?: string): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof TautlineError);
    assert.deepEqual([error.code, error.message, error.hint], [code, message, hint]);
    return true;
  };
}

const values = ({ settings }: LoadedProfile): unknown[] => settings.map(({ id, wanted, from }) => [id, wanted.value, from]);

describe('profiles that come with Tautline', () => {
  const search = { folders: [], settings: SETTINGS };

  test('all of them can be read, with every setting known and every value taken', async () => {
    const all = await listProfiles(createFiles(), search);
    assert.deepEqual(
      all.map((each) => [each.name, 'problem' in each ? each.problem : 'good']),
      ['aggressive', 'ai-cluster', 'bulk', 'conservative', 'mesh-router', 'moderate', 'voice'].map((name) => [name, 'good']),
    );
    for (const each of all) {
      assert.ok(!('problem' in each));
      assert.ok(each.about.length > 20 && each.title !== each.name, `${each.name} says what it is for`);
      assert.equal(each.exact, false, 'none of them takes anything away from a host');
    }
  });

  test('they are in line with each other: aggressive adds to moderate, that to conservative, and so by purpose', async () => {
    const lineages = (await listProfiles(createFiles(), search)).map((each) => ('lineage' in each ? each.lineage.join(' < ') : ''));
    assert.deepEqual(lineages, [
      'aggressive < moderate < conservative',
      'ai-cluster < bulk < moderate < conservative',
      'bulk < moderate < conservative',
      'conservative',
      'mesh-router < moderate < conservative',
      'moderate < conservative',
      'voice < moderate < conservative',
    ]);
  });

  test('none sets what harms: no small buffer, no offload off, no udp_mem, no delayed-acknowledgement key, no huge pages off but in aggressive', async () => {
    for (const each of await listProfiles(createFiles(), search)) {
      assert.ok(!('problem' in each));
      const wanted = new Map(each.settings.map(({ id, wanted: { value } }) => [id, value]));
      for (const id of ['net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem'])
        assert.ok(Number(String(wanted.get(id)).split(' ')[2]) >= 16_777_216, `${each.name} ${id}`);
      for (const id of ['net.core.rmem_max', 'net.core.wmem_max']) assert.ok(Number(wanted.get(id) ?? 7_500_000) >= 7_500_000, `${each.name} ${id}`);
      assert.deepEqual(wanted.get('offloads'), { gro: 'on', gso: 'on', tso: 'on' });
      for (const id of ['net.ipv4.udp_mem', 'net.ipv4.tcp_mem', 'net.ipv4.tcp_delack_min', 'net.ipv4.tcp_tw_recycle'])
        assert.equal(wanted.has(id), false);
      assert.equal(wanted.has('transparent-hugepages'), each.name === 'aggressive', each.name);
      assert.equal(wanted.get('net.ipv4.tcp_sack'), 1);
    }
  });

  test('what a value is for and where it is from is kept with it', async () => {
    const voice = await loadProfile(createFiles(), { ...search, name: 'voice' });
    const lowat = voice.settings.find(({ id }) => id === 'net.ipv4.tcp_notsent_lowat');
    assert.equal(lowat?.from, 'voice');
    assert.equal(lowat?.wanted.value, 16_384);
    assert.match(lowat?.wanted.source?.url ?? '', /^https:\/\/blog\.cloudflare\.com\//);
    assert.match(lowat?.wanted.at ?? '', /^voice\.yaml:\d+$/);
    assert.equal(voice.settings.find(({ id }) => id === 'net.ipv4.tcp_rmem')?.from, 'conservative');
  });
});

describe('inheriting', () => {
  test("a person's own profile puts its settings over those it extends, which keep their order", async () => {
    const found = await load('mine', mine('extends: moderate\nsettings:\n  vm.swappiness: 5\n  net.ipv4.tcp_sack: on\n'));
    assert.deepEqual(values(found), [
      ['net.ipv4.tcp_mtu_probing', 1, 'moderate'],
      ['vm.swappiness', 5, 'mine'],
      ['net.ipv4.tcp_sack', 'on', 'mine'],
    ]);
    assert.deepEqual([found.lineage, found.title, found.risk, found.shipped], [['mine', 'moderate'], 'mine', 'medium', false]);
  });

  test('null takes a setting away, and one further down may have it again', async () => {
    const files = {
      [`${OWN}/less.yaml`]: 'extends: moderate\nsettings:\n  vm.swappiness: null\n',
      [`${OWN}/again.yaml`]:
        'extends: less\nsettings:\n  vm.swappiness:\n    value: 20\n    why: this host has fast swap\n    source: measured here\n',
    };
    assert.deepEqual(values(await load('less', { files })), [['net.ipv4.tcp_mtu_probing', 1, 'moderate']]);
    const again = await load('again', { files });
    assert.deepEqual(again.settings[1], {
      id: 'vm.swappiness',
      from: 'again',
      wanted: { value: 20, why: 'this host has fast swap', source: { title: 'measured here' }, at: 'again.yaml:3' },
    });
  });

  test('exact holds for the profile that says so and not for those that extend it', async () => {
    const files = { [`${OWN}/exact.yaml`]: 'extends: moderate\nexact: true\n', [`${OWN}/child.yaml`]: 'extends: exact\n' };
    assert.equal((await load('exact', { files })).exact, true);
    assert.equal((await load('child', { files })).exact, false);
  });

  test('an own profile goes before one of the same name that comes with Tautline, and may extend it', async () => {
    const found = await load('moderate', { files: { [`${OWN}/moderate.yaml`]: 'extends: moderate\nsettings:\n  vm.swappiness: 1\n' } });
    assert.deepEqual([found.file, found.lineage], [`${OWN}/moderate.yaml`, ['moderate', 'moderate']]);
    assert.deepEqual(values(found)[1], ['vm.swappiness', 1, 'moderate']);
  });

  test('what comes with Tautline builds only on what comes with it', async () => {
    const files = { [`${SHIPPED}/bulk.yaml`]: 'extends: moderate\n', [`${OWN}/moderate.yaml`]: 'settings:\n  vm.swappiness: 1\n' };
    assert.deepEqual(values(await load('bulk', { files }))[1], ['vm.swappiness', 10, 'moderate']);
  });

  test('a file is named by its path, and what it extends by a path beside it', async () => {
    const files = {
      '/project/a.yaml': 'extends: ./more/b.yaml\n',
      '/project/more/b.yaml': 'extends: ../c.yaml\n',
      '/project/c.yaml': 'settings:\n  vm.swappiness: 3\n',
    };
    const found = await load('/project/a.yaml', { files });
    assert.deepEqual([found.lineage, values(found)], [['a', 'b', 'c'], [['vm.swappiness', 3, 'c']]]);
  });

  test('a home of somebody else is passed over, and a folder that is not there is none', async () => {
    const files = new SimFiles(BASE);
    files.break(OWN, 'read', 'permission');
    const found = await loadProfile(files, { name: 'moderate', folders: [OWN, '/nowhere'], shippedFolder: SHIPPED, settings: SETTINGS });
    assert.equal(found.shipped, true);
  });
});

describe('profiles that are wrong are told by file and line', () => {
  const at = (line: number): string => `${OWN}/mine.yaml:${line}`;
  const cases: readonly (readonly [string, string, string, string?])[] = [
    [
      'a setting that nobody knows',
      'settings:\n  net.ipv4.tcp_congestion_contol: bbr\n',
      `${at(2)}: there is no setting 'net.ipv4.tcp_congestion_contol'`,
      "did you mean 'net.ipv4.tcp_congestion_control'?",
    ],
    ['the end of a name', 'settings:\n  tcp_rmem: 1 2 3\n', `${at(2)}: there is no setting 'tcp_rmem'`, "did you mean 'net.ipv4.tcp_rmem'?"],
    [
      'a setting unlike any',
      'settings:\n  make-it-fast: yes\n',
      `${at(2)}: there is no setting 'make-it-fast'`,
      "'tautline tune list' shows every setting",
    ],
    [
      'a value that it does not take',
      'settings:\n  vm.swappiness: 10\n  net.core.rmem_max: plenty\n',
      `${at(3)}: net.core.rmem_max: a whole number of bytes from 0 to 2147483647 is wanted, not 'plenty'`,
    ],
    [
      'such a value in the long form',
      'settings:\n  vm.swappiness:\n    why: because\n    value: 300\n',
      `${at(4)}: vm.swappiness: a whole number from 0 to 200 is wanted, not 300`,
    ],
    ['a key that nobody knows', 'extend: moderate\nsettings:\n  vm.swappiness: 1\n', `${at(1)}: unknown key 'extend'`, "did you mean 'extends'?"],
    [
      'such a key of a setting',
      'settings:\n  vm.swappiness:\n    value: 1\n    reason: x\n',
      `${at(4)}: unknown key 'reason' of vm.swappiness`,
      'the keys here are value, why, source',
    ],
    ['a setting whose value is missing', 'settings:\n  vm.swappiness:\n    why: x\n', `${at(2)}: vm.swappiness lacks 'value'`],
    ['a parent that is not there', 'title: x\nextends: modrate\n', `${at(2)}: extends: there is no profile 'modrate'`, "did you mean 'moderate'?"],
    ['a parent file that is not there', 'extends: ./none.yaml\n', `${at(1)}: extends: there is no profile file ./none.yaml`, 'check its path'],
    [
      'one that extends itself',
      'extends: mine\n',
      `${at(1)}: profiles extend each other in a circle: mine -> mine`,
      'take one of these extends away',
    ],
    [
      'a setting that stands there twice',
      'settings:\n  vm.swappiness: 1\n  vm.swappiness: 2\n',
      `${at(3)}: 'vm.swappiness' stands here a second time`,
      'keep one of the two',
    ],
    ['a risk of its own', 'extends: moderate\nrisk: none\n', `${at(2)}: risk: must be one of very low, low, medium, high, not 'none'`],
    ['exact with a number', 'extends: moderate\nexact: 1\n', `${at(2)}: exact: must be true or false`],
    ['a title that is a list', 'extends: moderate\ntitle: [a]\n', `${at(2)}: title: must be text`],
    ['settings as a list', 'settings:\n  - vm.swappiness\n', `${at(2)}: settings: must be a block of settings and values`],
    [
      'a source that is a number',
      'settings:\n  vm.swappiness: { value: 1, source: 7 }\n',
      `${at(2)}: vm.swappiness: source: must be text, or a block with title and url`,
    ],
    ['a file that says nothing', '# nothing\n', `${OWN}/mine.yaml: it neither sets nor extends anything`, "write for example 'extends: moderate'"],
    ['a file that is a list', '- a\n', `${at(1)}: must be a block of keys and values`, "write for example 'extends: moderate'"],
    ['what is no YAML', 'title: "x\n', `${at(1)}: not valid YAML: Missing closing "quote`],
  ];
  for (const [what, text, message, hint] of cases) {
    test(what, async () => {
      await assert.rejects(load('mine', mine(text)), (error) => {
        // The YAML parser's own words and line are not ours to fix.
        if (what === 'what is no YAML') {
          assert.ok(error instanceof TautlineError);
          assert.match(error.message, /^\/home\/me\/\.config\/tautline\/profiles\/mine\.yaml:\d+: not valid YAML: /);
          return true;
        }
        return said('config', message, hint)(error);
      });
    });
  }

  test('all problems of a file are told at once', async () => {
    await assert.rejects(
      load('mine', mine('extend: moderate\nsettings:\n  vm.swappines: 1\n  vm.swappiness: much\n')),
      said(
        'config',
        `3 problems in ${OWN}/mine.yaml:\n` +
          `  ${at(1)}: unknown key 'extend' (did you mean 'extends'?)\n` +
          `  ${at(3)}: there is no setting 'vm.swappines' (did you mean 'vm.swappiness'?)\n` +
          `  ${at(4)}: vm.swappiness: a whole number from 0 to 200 is wanted, not 'much'`,
      ),
    );
  });

  test('a circle over several files names all of them', async () => {
    const files = { [`${OWN}/a.yaml`]: 'extends: b\n', [`${OWN}/b.yaml`]: 'title: B\nextends: c\n', [`${OWN}/c.yaml`]: 'extends: b\n' };
    await assert.rejects(
      load('a', { files }),
      said('config', `${OWN}/c.yaml:1: profiles extend each other in a circle: b -> c -> b`, 'take one of these extends away'),
    );
  });

  test('a problem in what is extended is told where it stands', async () => {
    const files = { [`${OWN}/a.yaml`]: 'extends: b\n', [`${OWN}/b.yaml`]: 'settings:\n  vm.swappiness: -1\n' };
    await assert.rejects(load('a', { files }), said('config', `${OWN}/b.yaml:2: vm.swappiness: a whole number from 0 to 200 is wanted, not -1`));
  });

  test('a name that there is no profile of, with the nearest; and a file that is not there', async () => {
    await assert.rejects(load('moderat'), said('usage', "there is no profile 'moderat'", "did you mean 'moderate'?"));
    await assert.rejects(load('fast'), said('usage', "there is no profile 'fast'", 'the profiles are moderate'));
    await assert.rejects(load('/project/x.yaml'), said('usage', 'there is no profile file /project/x.yaml', 'check its path'));
    await assert.rejects(load('../../etc/passwd'), said('usage', 'there is no profile file ../../etc/passwd', 'check its path'));
  });

  test('what is much too large is no profile', async () => {
    await assert.rejects(
      load('mine', mine(`# ${'x'.repeat(300_000)}\n`)),
      said('config', `${OWN}/mine.yaml: larger than 256 KiB, so it is no profile`),
    );
  });

  test('one that is wrong does not hide the others from a list', async () => {
    const files = new SimFiles({
      ...BASE,
      [`${OWN}/bad.yaml`]: 'settings: 3\n',
      [`${OWN}/good.yaml`]: 'extends: moderate\n',
      [`${OWN}/notes.txt`]: 'x',
    });
    const all = await listProfiles(files, { folders: [OWN], shippedFolder: SHIPPED, settings: SETTINGS });
    assert.deepEqual(
      all.map((each) => [each.name, each.shipped, 'problem' in each ? each.problem : each.settings.length]),
      [
        ['moderate', true, 2],
        ['bad', false, `${OWN}/bad.yaml:1: settings: must be a block of settings and values`],
        ['good', false, 2],
      ],
    );
  });

  test('settings of another system are noted and no error', async () => {
    const text = 'settings:\n  vm.swappiness: 1\n';
    assert.deepEqual((await load('mine', mine(text))).notes, []);
    assert.deepEqual((await load('mine', { ...mine(text), platform: 'macos' })).notes, [
      `${OWN}/mine.yaml: vm.swappiness: not for macOS, and left out here`,
    ]);
  });
});
