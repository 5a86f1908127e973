import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as v from 'valibot';
import { history, keptRun } from '../../src/app/history.js';
import type { HistoryRequest } from '../../src/app/history.js';
import { keepRun, runFolder } from '../../src/app/keep-run.js';
import { HistoryDocumentSchema } from '../../src/results/index.js';
import type { ResultDocument } from '../../src/results/index.js';
import { SimNetwork } from '../../src/sim/index.js';
import type { SimHost } from '../../src/sim/index.js';
import { checked, figure, measured } from '../store/runs.js';

const FOLDER = '/home/me/.local/state/tautline/runs';

function machine(): SimHost {
  return new SimNetwork({
    hosts: { alpha: { addresses: ['10.0.0.1'] }, beta: { addresses: ['10.0.0.2'] } },
    paths: [{ from: 'alpha', to: 'beta', delayMs: 1 }],
  }).host('alpha');
}

async function withRuns(documents: readonly ResultDocument[]): Promise<SimHost> {
  const host = machine();
  for (const document of documents) assert.equal(await keepRun(host.ports, document, { folder: FOLDER }), undefined);
  return host;
}

const ask = (host: SimHost, request: Partial<HistoryRequest> = {}) => history(host.ports, { folder: FOLDER, limit: 20, plot: false, ...request });

describe('keeping a run', () => {
  test('its environment goes with it: the link and the route to what was measured', async () => {
    const host = await withRuns([checked(1, [figure('rtt', 4)])]);
    const { document } = await keptRun(host.ports, FOLDER, 'last');
    assert.deepEqual(
      document.environment?.routes.map(({ to, through }) => [to, through]),
      [['10.0.0.2', 'eth0']],
    );
    assert.match(document.environment?.fingerprint ?? '', /^[0-9a-f]{64}$/);
  });

  test('the same host gives the same fingerprint twice', async () => {
    const host = await withRuns([measured(1, [figure('rtt', 4)]), measured(2, [figure('rtt', 5)])]);
    const { entries } = await ask(host);
    assert.equal(entries[0]?.fingerprint, entries[1]?.fingerprint);
    assert.equal(entries[1]?.changed, undefined);
  });

  test('a disk that is full, or no permission, is a note and no failure', async () => {
    const host = machine();
    host.files.capacityBytes = 10;
    assert.match((await keepRun(host.ports, measured(1, []), { folder: FOLDER })) ?? '', /not kept in the history: .*the disk is full.*--no-history/);
    host.files.break('/home', 'write', 'permission');
    assert.match((await keepRun(host.ports, measured(1, []), { folder: FOLDER })) ?? '', /permission denied/);
  });

  test('root leaves the home of another user alone, unless a folder was chosen', async () => {
    const host = machine();
    host.files.describe('/home/me', { kind: 'folder', ownerId: 1000 });
    await host.files.makeFolder('/home/me');
    const document = measured(1, [figure('rtt', 4)]);
    const asRoot = { ...document, host: { ...document.host, root: true } };
    assert.match((await keepRun(host.ports, asRoot, { folder: FOLDER, homeFolder: '/home/me' })) ?? '', /as root in the home of another user/);
    assert.equal(await keepRun(host.ports, asRoot, { folder: FOLDER }), undefined);
    assert.equal(await keepRun(host.ports, document, { folder: FOLDER, homeFolder: '/home/me' }), undefined);
  });

  test('runs lie where the platform keeps state', () => {
    assert.equal(runFolder({}, '/home/me', 'linux'), FOLDER);
    assert.equal(runFolder({ XDG_STATE_HOME: '/state/' }, '/home/me', 'linux'), '/state/tautline/runs');
    assert.equal(runFolder({ XDG_STATE_HOME: 'relative' }, '/home/me', 'linux'), FOLDER, 'the specification has a relative one ignored');
    assert.equal(runFolder({}, '/Users/me', 'darwin'), '/Users/me/Library/Application Support/tautline/runs');
  });
});

describe('the history', () => {
  test('lists runs from the oldest to the newest, with verdict, findings and figures', async () => {
    const finding = {
      id: 'low-throughput',
      title: 't',
      severity: 'warning',
      confidence: 'likely',
      subject: 'beta',
      symptoms: [],
      evidence: [],
      ruledOut: [],
      next: [],
    } as const;
    const host = await withRuns([
      measured(2, [figure('rtt', 5)]),
      checked(3, [figure('rtt', 6), figure('throughput.down', 9e8)], {
        findings: [{ ...finding, symptoms: [], evidence: [], ruledOut: [], next: [] }],
      }),
      measured(1, [figure('rtt', 4)]),
    ]);
    const document = await ask(host);
    assert.ok(v.is(HistoryDocumentSchema, document));
    assert.deepEqual(
      document.entries.map(({ kind, figures }) => [kind, figures[0]?.median]),
      [
        ['measure', 4],
        ['measure', 5],
        ['check', 6],
      ],
    );
    assert.deepEqual(document.entries[2]?.findings, ['low-throughput']);
  });

  test('what failed, or is above what is possible, gives no figure', async () => {
    const ceiling = { value: 1e9, unit: 'bps', why: 'the link' } as const;
    const { summary: _, ...lost } = figure('rtt', 4, { outcome: 'lost', reason: 'silence' });
    const host = await withRuns([measured(1, [lost, figure('throughput.up', 2e9, { ceiling }), figure('throughput.down', 9e8, { ceiling })])]);
    assert.deepEqual(
      (await ask(host)).entries[0]?.figures.map(({ metric }) => metric),
      ['throughput.down'],
    );
  });

  test('is asked by target, metric, path, age and number', async () => {
    const host = await withRuns([
      measured(1, [figure('rtt', 1)], { target: 'gamma' }),
      measured(2, [figure('connect', 2)]),
      measured(3, [figure('rtt', 3, { path: 'vpn' })]),
      measured(4, [figure('rtt', 4)]),
    ]);
    const found = async (request: Partial<HistoryRequest>): Promise<string[]> =>
      (await ask(host, request)).entries.map(({ startedAt }) => startedAt.slice(15, 16));
    assert.deepEqual(await found({ target: 'gamma' }), ['1']);
    assert.deepEqual(await found({ metric: 'rtt' }), ['1', '3', '4']);
    assert.deepEqual(await found({ path: 'vpn' }), ['3']);
    assert.deepEqual(await found({ limit: 2 }), ['3', '4']);
    assert.equal((await ask(host, { limit: 2 })).more, true);
    const sinceMs = host.ports.clock.wallMs() - Date.UTC(2026, 10, 20, 10, 3);
    assert.deepEqual(await found({ sinceMs }), ['3', '4']);
  });

  test('a name that no run has is an error with the nearest; an empty archive is none', async () => {
    const host = await withRuns([measured(1, [figure('rtt', 1)])]);
    await assert.rejects(ask(host, { target: 'betta' }), /no kept run has the target 'betta'/);
    await assert.rejects(ask(host, { metric: 'rt' }), (error: { hint?: string }) => error.hint === "did you mean 'rtt'?");
    await assert.rejects(ask(host, { path: 'lan' }), /the path 'lan'/);
    assert.deepEqual((await ask(machine(), { target: 'beta' })).entries, []);
  });

  test('a change of the host between two runs of a target is named with the later one', async () => {
    const host = await withRuns([measured(1, [figure('rtt', 1)]), measured(2, [figure('rtt', 2)], { target: 'gamma' })]);
    const { environment } = (await keptRun(host.ports, FOLDER, 'last')).document;
    assert.ok(environment);
    const changed = { ...environment, fingerprint: 'f'.repeat(64), kernel: 'simulated 1 simulated' };
    await keepRun(host.ports, measured(3, [figure('rtt', 3)], { environment: changed }), { folder: FOLDER });
    const { entries } = await ask(host);
    assert.deepEqual(
      entries.map(({ changed: each }) => each),
      [undefined, undefined, ['kernel simulated 0 simulated -> simulated 1 simulated']],
    );
  });

  test('one run is found by its id, by the beginning of its hash, and as the last', async () => {
    const host = await withRuns([measured(1, [figure('rtt', 1)]), measured(2, [figure('rtt', 2)])]);
    const [first] = (await ask(host)).entries;
    const hash = first?.id.split('-')[2] ?? '';
    for (const text of [first?.id ?? '', hash, hash.slice(0, 6), '20261120T1001'])
      assert.equal((await keptRun(host.ports, FOLDER, text)).name.id, first?.id, text);
    await assert.rejects(keptRun(host.ports, FOLDER, '2026'), /'2026' is the beginning of 2 kept runs/);
    await assert.rejects(keptRun(host.ports, FOLDER, 'zzz'), /there is no kept run 'zzz'/);
    await assert.rejects(keptRun(machine().ports, FOLDER, 'last'), /no run has been kept yet/);
  });
});

describe('a figure over time', () => {
  test('is the one most runs have, of one path alone; others are named', async () => {
    const host = await withRuns([
      measured(1, [figure('rtt', 1), figure('connect', 9)]),
      measured(2, [figure('rtt', 2)]),
      measured(3, [figure('rtt', 3, { path: 'vpn' })]),
    ]);
    const { plot, others } = await ask(host, { plot: true });
    assert.deepEqual([plot?.metric, plot?.path, plot?.points.map(({ median }) => median)], ['rtt', 'default', [1, 2]]);
    assert.deepEqual(
      plot?.leftOut.map(({ why }) => why),
      ['it was not measured'],
    );
    assert.deepEqual(others?.map(({ metric, path }) => [metric, path]).sort(), [
      ['connect', 'default'],
      ['rtt', 'vpn'],
    ]);
    assert.deepEqual((await ask(host, { plot: true, path: 'vpn' })).plot?.points.length, 1);
    assert.equal((await ask(host, { plot: true, metric: 'connect' })).plot?.metric, 'connect');
  });

  test('runs in which it failed are left out with the reason', async () => {
    const { summary: _, ...lost } = figure('rtt', 4, { outcome: 'lost', reason: 'silence' });
    const ceiling = { value: 1, unit: 'ms', why: 'nothing is that slow' } as const;
    const host = await withRuns([measured(1, [figure('rtt', 1)]), measured(2, [lost]), measured(3, [figure('rtt', 3, { ceiling })])]);
    const { plot } = await ask(host, { plot: true });
    assert.equal(plot?.points.length, 1);
    assert.deepEqual(
      plot?.leftOut.map(({ why }) => why),
      ['lost', 'the figure is above what is possible'],
    );
  });

  test('a metric that no run could measure is an error, and an empty history is none', async () => {
    const { summary: _, ...lost } = figure('tls', 4, { outcome: 'lost', reason: 'silence' });
    const host = await withRuns([measured(1, [lost])]);
    await assert.rejects(ask(host, { plot: true, metric: 'tls' }), /no kept run has a figure of 'tls'/);
    assert.equal((await ask(machine(), { plot: true })).plot, undefined);
  });
});
