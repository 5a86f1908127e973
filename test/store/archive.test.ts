import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { ResultDocument } from '../../src/results/index.js';
import { SimFiles } from '../../src/sim/index.js';
import { createFiles } from '../../src/host/index.js';
import { KEEP_LIMITS, keepRun, readRunName, readRuns, runNames } from '../../src/store/index.js';
import { checked, figure, measured } from './runs.js';

const FOLDER = '/state/runs';

function archive(files = new SimFiles()) {
  return { files, folder: FOLDER };
}

async function kept(place: ReturnType<typeof archive>, documents: readonly ResultDocument[]): Promise<string[]> {
  const ids: string[] = [];
  for (const document of documents) ids.push((await keepRun(place, document)).id);
  return ids;
}

describe('keeping runs', () => {
  test('a run that was kept is read back as it was', async () => {
    const place = archive();
    const document = measured(1, [figure('rtt', 4)]);
    await keepRun(place, document);
    const { runs, skipped, more } = await readRuns(place);
    assert.deepEqual(
      runs.map((run) => run.document),
      [document],
    );
    assert.deepEqual([skipped, more], [[], false]);
  });

  test('names sort by the time at which runs began, whatever the order they were kept in', async () => {
    const place = archive();
    await kept(
      place,
      [3, 1, 2].map((minute) => measured(minute, [figure('rtt', minute)])),
    );
    const times = (await runNames(place)).map(({ startedAt }) => startedAt.slice(14, 16));
    assert.deepEqual(times, ['01', '02', '03']);
    assert.deepEqual(
      await place.files.list(FOLDER),
      (await runNames(place)).map(({ id }) => `${id}.json`),
    );
  });

  test('runs that began in the same millisecond have files of their own', async () => {
    const place = archive();
    const documents = [4, 5, 6].map((rtt) => measured(1, [figure('rtt', rtt)]));
    await Promise.all(documents.map((document) => keepRun(place, document)));
    assert.equal((await readRuns(place)).runs.length, 3);
  });

  test('the oldest go first when there are too many, and only what is ours goes', async () => {
    const place = archive();
    await place.files.writeText(`${FOLDER}/notes.txt`, 'mine');
    for (let minute = 0; minute < 8; minute++) await keepRun(place, measured(minute, [figure('rtt', minute)]), { ...KEEP_LIMITS, countMax: 3 });
    assert.deepEqual(
      (await runNames(place)).map(({ startedAt }) => startedAt.slice(14, 16)),
      ['05', '06', '07'],
    );
    assert.equal(await place.files.readText(`${FOLDER}/notes.txt`), 'mine');
  });

  test('the oldest go first when they take too much room, and the run just kept stays even where it alone does', async () => {
    const place = archive();
    const [first = ''] = await kept(place, [measured(1, [figure('rtt', 1)])]);
    const bytes = (await place.files.status(`${FOLDER}/${first}.json`))?.sizeBytes ?? 0;
    await kept(place, [measured(2, [figure('rtt', 2)])]);
    await keepRun(place, measured(3, [figure('rtt', 3)]), { countMax: 100, bytesMax: bytes * 2.5 });
    assert.equal((await runNames(place)).length, 2);
    await keepRun(place, measured(4, [figure('rtt', 4)]), { countMax: 100, bytesMax: 10 });
    assert.deepEqual(
      (await runNames(place)).map(({ startedAt }) => startedAt.slice(14, 16)),
      ['04'],
    );
  });

  test('a run that is older than all others is kept too: a clock that was set back loses nothing', async () => {
    const place = archive();
    await kept(place, [measured(30, [figure('rtt', 1)]), measured(31, [figure('rtt', 2)])]);
    const { id } = await keepRun(place, measured(1, [figure('rtt', 3)]), { ...KEEP_LIMITS, countMax: 2 });
    assert.ok((await runNames(place)).some((name) => name.id === id));
  });

  test('a full disk and a missing permission are told as what they are', async () => {
    const full = archive();
    full.files.capacityBytes = 100;
    await assert.rejects(keepRun(full, measured(1, [figure('rtt', 4)])), /the disk is full/);
    const closed = archive();
    closed.files.break(FOLDER, 'write', 'permission');
    await assert.rejects(keepRun(closed, measured(1, [])), /permission denied/);
  });

  test('on a real file system the folder and its files are for their owner alone, and nothing else is left', async () => {
    const root = await mkdtemp(join(tmpdir(), 'tautline-store-'));
    try {
      const folder = join(root, 'state', 'tautline', 'runs');
      const place = { files: createFiles(), folder };
      await Promise.all([1, 2, 3, 4, 5, 6].map((minute) => keepRun(place, measured(minute, [figure('rtt', minute)]))));
      const files = await readdir(folder);
      assert.equal(files.length, 6);
      assert.equal((await stat(folder)).mode & 0o777, 0o700);
      for (const file of files) assert.equal((await stat(join(folder, file))).mode & 0o777, 0o600);
      assert.equal((await readRuns(place)).runs.length, 6);
    } finally {
      await rm(root, { recursive: true, force: true });
    }
  });
});

describe('reading kept runs', () => {
  test('nothing is kept yet: nothing is read, and nothing is wrong', async () => {
    assert.deepEqual(await readRuns(archive()), { runs: [], skipped: [], more: false });
  });

  test('what only looks like a run is passed over too: nothing that shows it has to look twice', async () => {
    const place = archive();
    const [good = ''] = await kept(place, [measured(1, [figure('rtt', 1)])]);
    const document = JSON.parse((await place.files.readText(`${FOLDER}/${good}.json`)) ?? '') as { measurements: object[] };
    const spoil = async (i: number, how: object): Promise<void> => {
      const name = good.replace(/.$/, (last) => (last === String(i) ? 'a' : String(i)));
      await place.files.writeText(`${FOLDER}/${name}.json`, JSON.stringify({ ...document, ...how }));
    };
    const [first] = document.measurements;
    await spoil(0, { measurements: [{ ...first, reason: { markup: '<b>' } }] });
    await spoil(1, { measurements: [{ ...first, metric: null }] });
    await spoil(2, { measurements: [null] });
    await spoil(3, { host: 'x' });
    await spoil(4, { verdict: [] });
    const never = good.replace(/^\d{8}/, '20269999');
    await place.files.writeText(
      `${FOLDER}/${never}.json`,
      JSON.stringify({
        ...document,
        startedAt: `2026-99-99T${never.slice(9, 11)}:${never.slice(11, 13)}:${never.slice(13, 15)}.${never.slice(15, 18)}Z`,
      }),
    );
    const { runs, skipped } = await readRuns(place);
    assert.deepEqual([runs.map(({ name }) => name.id), skipped.length], [[good], 6]);
    assert.ok(skipped.some(({ why }) => why.endsWith('(measurements.0.reason)')));
    assert.ok(skipped.some(({ why }) => why === 'its time is none'));
  });

  test('what is corrupt, foreign, newer or misnamed is passed over, each with its reason, and the rest stands', async () => {
    const place = archive();
    const names = await kept(
      place,
      [1, 2, 3, 4, 5, 6].map((minute) => measured(minute, [figure('rtt', minute)])),
    );
    const path = (i: number): string => `${FOLDER}/${names[i]}.json`;
    const text = (await place.files.readText(path(0))) ?? '';
    await place.files.writeText(path(0), text.slice(0, 100));
    await place.files.writeText(path(1), text.replace('tautline.measure/1', 'tautline.measure/2'));
    await place.files.writeText(path(2), '{"schema":"something/1"}');
    await place.files.writeText(path(3), text);
    await place.files.writeText(path(4), JSON.stringify({ ...JSON.parse((await place.files.readText(path(4))) ?? ''), measurements: 7 }));
    await place.files.writeText(`${FOLDER}/shopping.txt`, 'milk');
    await place.files.writeText(`${FOLDER}/.tautline-12.tmp`, 'half of it');
    const { runs, skipped } = await readRuns(place);
    assert.deepEqual(
      runs.map(({ document }) => document.startedAt.slice(14, 16)),
      ['06'],
    );
    const whys = Object.fromEntries(skipped.map(({ file, why }) => [file, why]));
    assert.match(whys[`${names[0]}.json`] ?? '', /no JSON, perhaps cut off/);
    assert.match(whys[`${names[1]}.json`] ?? '', /a newer release wrote it \(tautline\.measure\/2\)/);
    assert.match(whys[`${names[2]}.json`] ?? '', /no run of tautline/);
    assert.match(whys[`${names[3]}.json`] ?? '', /its name and what it holds differ/);
    assert.match(whys[`${names[4]}.json`] ?? '', /parts of it are missing/);
    assert.match(whys['shopping.txt'] ?? '', /its name is none that tautline gives/);
    assert.equal(skipped.length, 6, 'a file that is being written is not told');
  });

  test('a folder, a link to a device or a file without permission costs the others nothing', async () => {
    const root = await mkdtemp(join(tmpdir(), 'tautline-store-'));
    try {
      const place = { files: createFiles(), folder: root };
      const { id } = await keepRun(place, measured(1, [figure('rtt', 1)]));
      await mkdir(join(root, id.replace('10010', '10020').concat('.json')));
      await symlink('/dev/zero', join(root, id.replace('10010', '10030').concat('.json')));
      await writeFile(join(root, id.replace('10010', '10040').concat('.json')), '');
      const { runs, skipped } = await readRuns(place);
      assert.equal(runs.length, 1);
      assert.deepEqual(skipped.map(({ why }) => why).sort(), ['it is no JSON, perhaps cut off', 'it is not a plain file', 'it is not a plain file']);
    } finally {
      await rm(root, { recursive: true, force: true });
    }
  });

  test('only the newest that are wanted are read', async () => {
    const place = archive();
    await kept(
      place,
      [1, 2, 3, 4].map((minute) => measured(minute, [figure('rtt', minute)], { target: minute % 2 === 0 ? 'beta' : 'gamma' })),
    );
    const { runs, more } = await readRuns(place, { newest: 1, wanted: ({ target }) => target === 'gamma' });
    assert.deepEqual(
      runs.map(({ document }) => document.startedAt.slice(14, 16)),
      ['03'],
    );
    assert.equal(more, true);
    const since = await readRuns(place, { sinceMs: Date.UTC(2026, 10, 20, 10, 3) });
    assert.equal(since.runs.length, 2);
  });
});

describe('names of kept runs', () => {
  test('a name says when the run began and of which kind it is', async () => {
    const { id } = await keepRun(archive(), checked(7, []));
    assert.match(id, /^20261120T100700000Z-check-[0-9a-f]{10}$/);
    assert.deepEqual({ ...readRunName(`${id}.json`), hash: '' }, { id, startedAt: '2026-11-20T10:07:00.000Z', kind: 'check', hash: '' });
  });

  test('a time that is none is refused and does not become part of a path', async () => {
    for (const startedAt of ['../../etc/passwd', '2026-11-20', ''])
      await assert.rejects(keepRun(archive(), measured(1, [], { startedAt })), /is no time that a file can be named after/);
  });
});
