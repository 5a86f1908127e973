import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import type { ValidateFunction } from 'ajv';
import type { AdviceDocument, HistoryDocument, MeasureDocument } from '../../src/results/index.js';
import { run } from '../lab/processes.js';
import type { Finished } from '../lab/processes.js';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

describe('what was measured is kept and shown again', () => {
  let home = '';
  let folder = '';
  let server: Server;
  let place = '';
  let valid: ValidateFunction;

  const tautline = (line: string, env: Readonly<Record<string, string>> = {}): Promise<Finished> =>
    run([process.execPath, MAIN, ...line.split(' ')], {
      cwd: home,
      env: { PATH: process.env['PATH'] ?? '', HOME: home, LANG: 'C.UTF-8', ...env },
    });
  const measure = (more = '', env: Readonly<Record<string, string>> = {}): Promise<Finished> =>
    tautline(`measure tcp ${place} --count 3 --interval 1ms --json${more}`, env);

  async function document<D>(line: string): Promise<D> {
    const { code, stdout, stderr } = await tautline(`${line} --json`);
    assert.equal(code, 0, stderr);
    const parsed = JSON.parse(stdout) as D;
    assert.ok(valid(parsed), JSON.stringify(valid.errors));
    return parsed;
  }

  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'tautline-history-'));
    folder = join(home, '.local', 'state', 'tautline', 'runs');
    server = createServer((socket) => socket.on('error', () => undefined).end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    place = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    valid = new Ajv({ strict: true }).compile(JSON.parse((await tautline('export schema')).stdout) as object);
  });
  after(async () => {
    server.close();
    await rm(home, { recursive: true, force: true });
  });

  test('before anything was measured the history says what to do', async () => {
    const { code, stdout } = await tautline('history --plot');
    assert.equal(code, 0);
    assert.match(stdout, /No run is kept in .*runs, or none fits/s);
  });

  test('several runs at once are all kept, each whole and for its owner alone, and listed in order', async () => {
    const runs = await Promise.all([1, 2, 3, 4].map(() => measure(' --quiet')));
    for (const { code, stderr } of runs) assert.deepEqual([code, stderr], [0, '']);
    const files = await readdir(folder);
    assert.equal(files.length, 4);
    for (const file of files) assert.equal((await stat(join(folder, file))).mode & 0o777, 0o600);
    assert.equal((await stat(folder)).mode & 0o777, 0o700);
    const { entries } = await document<HistoryDocument>('history');
    assert.deepEqual(
      entries.map(({ startedAt }) => startedAt),
      runs.map(({ stdout }) => (JSON.parse(stdout) as MeasureDocument).startedAt).sort(),
    );
    assert.equal(new Set(entries.map(({ fingerprint }) => fingerprint)).size, 1, 'one host, one environment');
  });

  test('a kept run is printed again as it was, with its environment', async () => {
    const own = JSON.parse((await measure()).stdout) as MeasureDocument;
    const shown = await document<MeasureDocument>('history show last');
    assert.deepEqual(shown.measurements, own.measurements);
    assert.deepEqual(
      shown.environment?.routes.map(({ to, through }) => [to, through]),
      process.platform === 'linux' ? [['127.0.0.1', 'lo']] : shown.environment?.routes.map(({ to, through }) => [to, through]),
    );
    assert.match((await tautline('history show last')).stdout, /TCP connect/);
  });

  test('a figure is drawn over time, in ASCII where the terminal shows no more', async () => {
    const unicode = await tautline('history --plot --metric connect');
    assert.match(unicode.stdout, /TCP connect of 127\.0\.0\.1.*┤.*n \d+: least/s);
    for (const env of [{ LANG: 'C' }, { TERM: 'dumb' }]) {
      const { stdout } = await tautline('history --plot', env);
      assert.ok(
        [...stdout].every((character) => (character.codePointAt(0) ?? 0) < 128),
        stdout,
      );
    }
  });

  test('what cannot be read is passed over aloud, and the rest is listed', async () => {
    const stray = join(folder, '20200101T000000000Z-check-0123456789.json');
    await writeFile(stray, '{"schema":"tautline.check/1","sta');
    const { entries, skipped } = await document<HistoryDocument>('history');
    await rm(stray);
    assert.ok(entries.length >= 5);
    assert.match(skipped?.[0]?.why ?? '', /no JSON/);
  });

  test('--no-history and the setting keep nothing', async () => {
    const before = (await readdir(folder)).length;
    await measure(' --no-history');
    await measure('', { TAUTLINE_HISTORY_ENABLED: 'no' });
    assert.equal((await readdir(folder)).length, before);
  });

  test('no more are kept than the setting says, and another folder may be named', async () => {
    const env = { TAUTLINE_HISTORY_FOLDER: join(home, 'elsewhere'), TAUTLINE_HISTORY_KEEP: '2' };
    for (let i = 0; i < 4; i++) await measure('', env);
    assert.equal((await readdir(join(home, 'elsewhere'))).length, 2);
    const listed = await tautline(`history --folder ${join(home, 'elsewhere')}`);
    assert.match(listed.stdout, /^2 runs/m);
  });

  test(
    'a folder that cannot be written is a note on stderr, and the run stands',
    { skip: process.getuid?.() === 0 ? 'root may write everywhere' : false },
    async () => {
      const closed = join(home, 'closed');
      await mkdir(closed);
      await chmod(closed, 0o500);
      const { code, stdout, stderr } = await measure('', { TAUTLINE_HISTORY_FOLDER: join(closed, 'runs') });
      assert.equal(code, 0);
      assert.equal((JSON.parse(stdout) as MeasureDocument).measurements[0]?.outcome, 'ok');
      assert.match(stderr, /not kept in the history: .*permission denied/);
    },
  );

  test('a file where the folder should be is a note on stderr, and --quiet keeps it to itself', async () => {
    const file = join(home, 'file');
    await writeFile(file, '');
    const noted = await measure('', { TAUTLINE_HISTORY_FOLDER: join(file, 'runs') });
    assert.equal(noted.code, 0);
    assert.match(noted.stderr, /this run is not kept in the history/);
    const quiet = await measure(' --quiet', { TAUTLINE_HISTORY_FOLDER: join(file, 'runs') });
    assert.deepEqual([quiet.code, quiet.stderr], [0, '']);
  });

  test('advice is a document of its own, and names the workload', async () => {
    const { advice } = await document<AdviceDocument>('advise --from 1G --to 10G --workload model=10GB');
    assert.deepEqual([advice.fromBps, advice.toBps, advice.workloads[0]?.id], [1e9, 10e9, 'model']);
  });
});
