import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { loadConfig } from '../../src/app/config.js';
import type { Config } from '../../src/app/config.js';
import { LIMIT_NAMES, LIMITS } from '../../src/serve/index.js';
import { limitKey, settings } from '../../src/app/config-schema.js';
import { TautlineError } from '../../src/base/index.js';
import type { TextFiles } from '../../src/base/index.js';

interface Given {
  readonly texts?: Readonly<Record<string, string>>;
  readonly flags?: Readonly<Record<string, string | undefined>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly path?: string;
}

function load({ texts = {}, flags = {}, env = {}, path }: Given): Promise<Config> {
  const files: TextFiles = { readText: (name) => Promise.resolve(texts[name]) };
  return loadConfig({ files, flags, env, ...(path === undefined ? {} : { path }), workingFolder: '/project', homeFolder: '/home/me' });
}

const file = (text: string): Given => ({ texts: { '/project/tautline.yaml': text } });

describe('configuration', () => {
  test('without a file everything has a default', async () => {
    const config = await load({});
    assert.equal(config.file, undefined);
    assert.deepEqual([config.seed, config.family, config.format, config.depth, config.peers], [1, undefined, 'text', 'default', []]);
    assert.equal(config.bands['rtt']?.excellent, 2);
    assert.equal(config.limits.udpSessionsMax, LIMITS.udpSessionsMax.default);
  });

  test('a flag wins over the environment, that over the file, that over the default', async () => {
    const texts = { '/project/tautline.yaml': 'seed: 10\n' };
    assert.equal((await load({ texts })).seed, 10);
    assert.equal((await load({ texts, env: { TAUTLINE_SEED: '20' } })).seed, 20);
    assert.equal((await load({ texts, env: { TAUTLINE_SEED: '20' }, flags: { seed: '30' } })).seed, 30);
    assert.equal((await load({ texts, env: { TAUTLINE_SEED: '' } })).seed, 10);
  });

  test('the file is looked for where it was named, then here, then at home', async () => {
    const texts = {
      '/project/other.yaml': 'seed: 1',
      '/project/tautline.yaml': 'seed: 2',
      '/home/me/.config/tautline/tautline.yaml': 'seed: 3',
    };
    assert.equal((await load({ texts, path: 'other.yaml' })).file, '/project/other.yaml');
    assert.equal((await load({ texts, env: { TAUTLINE_CONFIG: '/project/other.yaml' } })).seed, 1);
    assert.equal((await load({ texts })).seed, 2);
    assert.equal((await load({ texts: { '/home/me/.config/tautline/tautline.yaml': 'seed: 3' } })).seed, 3);
    await assert.rejects(load({ texts, path: 'none.yaml' }), said('there is no configuration file none.yaml', 'check the path given with --config'));
  });

  test('a home of somebody else is passed over; a file that was named or stands here must be readable', async () => {
    const locked = (place: string): TextFiles => ({
      readText: (name) =>
        name.startsWith(place) ? Promise.reject(new TautlineError('permission', `cannot read ${name}`)) : Promise.resolve(undefined),
    });
    const sources = { flags: {}, env: {}, workingFolder: '/project', homeFolder: '/home/other' };
    assert.equal((await loadConfig({ ...sources, files: locked('/home/other/') })).file, undefined);
    const refused = (error: unknown): boolean => error instanceof TautlineError && error.code === 'permission';
    await assert.rejects(loadConfig({ ...sources, files: locked('/project/') }), refused);
    await assert.rejects(loadConfig({ ...sources, files: locked('/home/other/'), path: '/home/other/mine.yaml' }), refused);
  });

  test('peers are an address or named paths, with a default path and a key', async () => {
    const config = await load(
      file(
        'peers:\n  alpha: 10.0.0.1:7000\n  beta:\n    paths: { lan: 10.0.0.2, vpn: "100.64.0.2:7227" }\n    default-path: vpn\n    key-file: keys/beta\n',
      ),
    );
    const [alpha, beta] = config.peers;
    assert.deepEqual(
      alpha?.paths.map((path) => [path.name, path.target.host, path.target.port]),
      [['default', '10.0.0.1', 7000]],
    );
    assert.deepEqual([beta?.defaultPath, beta?.keyFile, beta?.paths.length], ['vpn', '/project/keys/beta', 2]);
  });

  test('a key file is relative to the file that names it, or to the working folder when a flag does', async () => {
    const texts = { '/home/me/.config/tautline/tautline.yaml': 'key-file: the.key' };
    assert.equal((await load({ texts })).keyFile, '/home/me/.config/tautline/the.key');
    assert.equal((await load({ texts, flags: { 'key-file': 'mine.key' } })).keyFile, '/project/mine.key');
    assert.equal((await load({ texts, env: { TAUTLINE_KEY_FILE: '/k' } })).keyFile, '/k');
  });

  test('bands and limits take units and replace only what they name', async () => {
    const config = await load(
      file(
        'bands:\n  rtt: { excellent: 500us, good: 1ms, fair: 2.5ms }\n  loss: { excellent: 0.1%, good: 0.02, fair: 5% }\n  throughput.up: { excellent: 1G, good: 500M, fair: 100M }\nlimits:\n  streams-max: 4\n  test: 30s\n  stream-rate-max: 2G\n',
      ),
    );
    assert.deepEqual([config.bands['rtt']?.excellent, config.bands['rtt']?.fair, config.bands['loss']?.good], [0.5, 2.5, 0.02]);
    assert.deepEqual([config.bands['throughput.up']?.excellent, config.bands['throughput']?.excellent], [1e9, 400e6]);
    assert.deepEqual([config.limits.streamsMax, config.limits.testMs, config.limits.streamRateBpsMax], [4, 30_000, 2e9]);
  });

  test('sections whose keys are all commented out are empty', async () => {
    assert.deepEqual((await load(file('peers:\n#  alpha: 10.0.0.1\nlimits:\nbands:\n'))).peers, []);
    assert.equal((await load(file('# nothing\n'))).seed, 1);
    assert.equal((await load(file(''))).seed, 1);
  });

  const broken: readonly (readonly [name: string, text: string, message: string | RegExp, hint?: string | RegExp])[] = [
    ['an unknown key', 'seed: 1\nkeyfile: x\n', "/project/tautline.yaml:2: unknown key 'keyfile'", "did you mean 'key-file'?"],
    ['an unknown key in a section', 'check:\n  dept: quick\n', "/project/tautline.yaml:2: unknown key 'check.dept'", "did you mean 'depth'?"],
    [
      'an unknown limit',
      'limits:\n  streams-max: 4\n  streems-total-max: 4\n',
      "/project/tautline.yaml:3: unknown key 'limits.streems-total-max'",
      "did you mean 'streams-total-max'?",
    ],
    ['a key like nothing known', 'check:\n  zzzzzzzz: 1\n', "/project/tautline.yaml:2: unknown key 'check.zzzzzzzz'", 'the keys here are depth'],
    ['an unknown key of a peer', 'peers:\n  a:\n    paths: { lan: 10.0.0.1 }\n    keyfile: x\n', /tautline\.yaml:4: .*peers\.a\.keyfile/],
    ['an unknown choice', 'check: { depth: fast }\n', /^\/project\/tautline\.yaml:1: check\.depth: "fast" is not one of quick, default, thorough$/],
    ['a number out of range', 'seed: -1\n', "/project/tautline.yaml:1: seed: '-1' is not a whole number from 0 to 4294967295"],
    ['a list where one value is meant', '\nseed: [1]\n', '/project/tautline.yaml:2: seed: must be a single value'],
    ['a value where a section is meant', 'peers: 3\n', '/project/tautline.yaml:1: peers: must be a block of names and values'],
    ['a list where a section is meant', 'seed: 1\npeers: [10.0.0.1]\n', '/project/tautline.yaml:2: peers: must be a block of names and values'],
    ['a list where the limits are meant', 'limits: []\n', '/project/tautline.yaml:1: limits: must be a block of keys and values'],
    ['a list where paths are meant', 'peers:\n  a:\n    paths: [10.0.0.1]\n', /tautline\.yaml:3: peers\.a\.paths: must be a block/],
    ['a limit without its unit', 'limits:\n  test: 30\n', /tautline\.yaml:2: limits\.test: '30' is not a duration; write for example/],
    ['a limit beyond its range', 'limits:\n  streams-max: 5000\n', '/project/tautline.yaml:2: limits.streams-max: 5000 is outside 1 to 1024'],
    [
      'bands of an unknown metric',
      'bands:\n  rt: { excellent: 1ms, good: 2ms, fair: 3ms }\n',
      "/project/tautline.yaml:2: bands: there is no metric 'rt' to rate",
      "did you mean 'rtt'?",
    ],
    [
      'bands that cross',
      'bands:\n  rtt: { excellent: 5ms, good: 2ms, fair: 3ms }\n',
      /tautline\.yaml:2: bands: 'excellent' of rtt .* must be below 'good'/,
    ],
    [
      'bands in a wrong unit',
      'bands:\n  rtt:\n    excellent: 1M\n    good: 2ms\n    fair: 3ms\n',
      "/project/tautline.yaml:3: bands.rtt.excellent: '1M' is not a duration",
    ],
    ['bands that lack an edge', 'bands:\n  rtt:\n    excellent: 1ms\n    good: 2ms\n', "/project/tautline.yaml:2: 'bands.rtt' lacks 'fair'"],
    ['a peer that is no target', 'peers:\n  a: 10.0.0.1\n  b: ftp://x\n', /tautline\.yaml:3: peers\.b: 'ftp:\/\/x' is not a target/],
    ['a path that is no target', 'peers:\n  b:\n    paths:\n      lan: 10.0.0.1\n      vpn: a:b:c:99999:/x\n', /tautline\.yaml:5: peers\.b: /],
    [
      'a default path that does not exist',
      'peers:\n  b:\n    paths: { lan: 10.0.0.1 }\n    default-path: vpn\n',
      /tautline\.yaml:\d: peers\.b: peer 'b' has no path 'vpn'/,
    ],
    ['a peer without paths', 'peers:\n  b:\n    paths: {}\n', /peer 'b' has no paths/],
    ['a key given twice', 'seed: 1\nseed: 2\n', "/project/tautline.yaml:2: 'seed' stands here a second time", 'keep one of the two'],
    ['what is not YAML', 'peers:\n  a: [1\n', /^\/project\/tautline\.yaml:\d: not valid YAML/],
    ['a file that is no block', '- a\n- b\n', '/project/tautline.yaml:1: must be a block of keys and values'],
    ['an alias that leads nowhere', 'seed: *x\n', /^\/project\/tautline\.yaml(:\d)?: not valid YAML/],
  ];
  for (const [name, text, message, hint] of broken) {
    test(`${name} is an error that names the line`, async () => {
      await assert.rejects(load(file(text)), said(message, hint));
    });
  }

  test('an impossible value is blamed on the variable or flag that set it', async () => {
    await assert.rejects(load({ env: { TAUTLINE_SEED: 'x' } }), said("TAUTLINE_SEED: 'x' is not a whole number from 0 to 4294967295"));
    await assert.rejects(
      load({ flags: { seed: '1.5' }, env: { TAUTLINE_SEED: '1' } }),
      said("--seed: '1.5' is not a whole number from 0 to 4294967295"),
    );
    await assert.rejects(load({ env: { TAUTLINE_LIMITS_STREAMS_MAX: '0' } }), said('TAUTLINE_LIMITS_STREAMS_MAX: 0 is outside 1 to 1024'));
  });

  test('every limit has a key of its own, whose default can be read back', async () => {
    assert.equal(new Set(LIMIT_NAMES.map(limitKey)).size, LIMIT_NAMES.length);
    const text = settings()
      .filter((setting) => setting.path[0] === 'limits')
      .map((setting) => `  ${setting.path[1]}: ${setting.default}`);
    assert.equal(text.length, LIMIT_NAMES.length);
    const config = await load(file(`limits:\n${text.join('\n')}\n`));
    for (const name of LIMIT_NAMES) assert.equal(config.limits[name], LIMITS[name].default, name);
  });
});

function said(message: string | RegExp, hint?: string | RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof TautlineError);
    assert.equal(error.code, 'config');
    if (typeof message === 'string') assert.equal(error.message, message);
    else assert.match(error.message, message);
    if (typeof hint === 'string') assert.equal(error.hint, hint);
    else if (hint) assert.match(error.hint ?? '', hint);
    return true;
  };
}
