import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as v from 'valibot';
import type { Progress } from '../../src/app/progress.js';
import { NO_PROGRESS } from '../../src/app/progress.js';
import type { TuneTryRequest } from '../../src/app/tune/requests.js';
import { settleTries } from '../../src/app/tune/try-switch.js';
import { tuneTry } from '../../src/app/tune/try.js';
import { ExperimentDocumentSchema } from '../../src/results/index.js';
import type { ExperimentDocument } from '../../src/results/index.js';
import { simTuneHost } from '../../src/sim/index.js';
import type { SimTuneHost, ValueSpec } from '../../src/sim/index.js';
import { standingChanges } from '../../src/tune/index.js';
import { serveOn } from './sim-serve.js';

const KEY = 'a key of the right length';
const FOLDER = '/var/lib/tautline';
const KERNEL = '/proc/sys/net/ipv4';
const RATE_BPS = 3e6;

type Effects = Readonly<Record<string, (text: string, made: SimTuneHost) => void>>;

/** A host whose kernel values do to its path what the test says. */
function host(effects: Effects = {}, { seed = 1, silent = false }: { seed?: number; silent?: boolean } = {}): SimTuneHost {
  const box: { made?: SimTuneHost } = {};
  const value = (name: string, text: string): [string, ValueSpec] => [
    `${KERNEL}/${name}`,
    {
      text,
      accepts: (written) => {
        if (box.made) effects[name]?.(written, box.made);
        return written;
      },
    },
  ];
  const made = simTuneHost({
    name: 'near',
    host: { addresses: ['10.0.0.1'], processors: [{ busy: 0.3 }] },
    network: {
      seed,
      hosts: { far: { addresses: ['10.0.0.2'] } },
      paths: [{ from: 'near', to: 'far', delayMs: 3, jitter: { distribution: 'normal', ms: 0.3 }, rateBps: RATE_BPS, queueMs: 30 }],
    },
    values: Object.fromEntries([
      value('tcp_low_latency', '0'),
      value('tcp_autocorking', '1'),
      value('tcp_frto', '2'),
      value('tcp_wmem', '4096 16384 4194304'),
    ]),
    files: { '/k': KEY },
    folders: { '/var/lib': 0o755 },
  });
  box.made = made;
  if (!silent) serveOn(made.network.host('far'), { port: 7227, key: new TextEncoder().encode(KEY) });
  return made;
}

function rate(bps: number): (made: SimTuneHost) => void {
  return ({ network }) => network.path('near', 'far').change({ rateBps: bps });
}

const LOW_LATENCY = { id: 'net.ipv4.tcp_low_latency', value: '1' };
const AUTOCORKING = { id: 'net.ipv4.tcp_autocorking', value: '0' };

function request(overrides: Partial<TuneTryRequest>): TuneTryRequest {
  return {
    folder: FOLDER,
    homeFolder: '/root',
    profileFolders: [],
    target: '10.0.0.2:7227',
    peers: [],
    keyFile: '/k',
    settings: [LOW_LATENCY],
    seed: 7,
    blocks: 6,
    keep: false,
    progress: NO_PROGRESS,
    signal: new AbortController().signal,
    ...overrides,
  };
}

async function tried(made: SimTuneHost, overrides: Partial<TuneTryRequest> = {}): Promise<ExperimentDocument> {
  const document = await made.run(() => tuneTry(made.ports, request(overrides)));
  v.assert(ExperimentDocumentSchema, JSON.parse(JSON.stringify(document)));
  return document;
}

function without(made: SimTuneHost): string {
  return made.snapshot({ without: [FOLDER] });
}

const DOUBLES: Effects = { tcp_low_latency: (text, made) => rate(text === '1' ? 2 * RATE_BPS : RATE_BPS)(made) };
const HALVES: Effects = { tcp_low_latency: (text, made) => rate(text === '1' ? RATE_BPS / 2 : RATE_BPS)(made) };

describe('an experiment with settings', () => {
  test('finds what helps with its size, says how, and leaves the host as it was', async () => {
    const made = host(DOUBLES);
    const before = without(made);
    const document = await tried(made);
    const [group] = document.groups;
    assert.equal(group?.decision, 'keep', group?.why);
    const up = group?.figures.find(({ metric }) => metric === 'throughput.up');
    assert.ok(Math.abs((up?.ratio ?? 0) - 2) < 0.1, String(up?.ratio));
    assert.deepEqual([up?.finding, up?.blocks, up?.runs.length], ['helps', 6, 24]);
    assert.equal(without(made), before);
    assert.deepEqual(await made.run(() => standingChanges(made.ports, FOLDER)), []);
    assert.deepEqual([document.verdict.outcome, document.kept], ['pass', undefined]);
    assert.equal(document.verdict.sentence, 'Helps: tcp. Everything is as it was before.');
    assert.match(document.design.sentence, /seed 7.*All 9 comparisons/);
    assert.equal(document.design.orders.length, 6);
  });

  test('finds harm, rejects it and fails', async () => {
    const document = await tried(host(HALVES));
    assert.deepEqual([document.groups[0]?.decision, document.verdict.outcome], ['reject', 'fail']);
    assert.match(document.groups[0]?.why ?? '', /it harms: throughput up 2\.\d+ Mbit\/s -> 1\.\d+ Mbit\/s/);
  });

  test('finds nothing where nothing happens, and says what it would have found', async () => {
    const document = await tried(host());
    const [group] = document.groups;
    assert.equal(group?.decision, 'no measurable change', group?.why);
    assert.match(group?.why ?? '', /most sharply known: .*, (?:0\.\d+|1\.\d+) to 1\.\d+ times/);
    assert.equal(document.verdict.outcome, 'pass');
  });

  test('leaves what helps applied as one change when it is to be kept, and that can be rolled back', async () => {
    const made = host(DOUBLES);
    const document = await tried(made, { keep: true });
    const standing = await made.run(() => standingChanges(made.ports, FOLDER));
    assert.deepEqual(
      standing.map((change) => [change.id, change.damaged === undefined && change.profile]),
      [[document.kept, 'settings']],
    );
    assert.equal(await made.control.readValue(`${KERNEL}/tcp_low_latency`), '1');
    assert.match(document.verdict.sentence, new RegExp(`What helps is applied as ${document.kept}`));
    // It was never meant to be undone by whoever comes next.
    await made.run(() => settleTries(made.ports, FOLDER));
    assert.deepEqual(await made.run(() => standingChanges(made.ports, FOLDER)), standing);
  });

  test('keeps nothing that harms', async () => {
    const made = host(HALVES);
    const before = without(made);
    const document = await tried(made, { keep: true });
    assert.equal(document.kept, undefined);
    assert.equal(without(made), before);
  });

  test('tries groups one after another, each on top of what helped before', async () => {
    const beside: string[] = [];
    const made = host({
      ...DOUBLES,
      tcp_wmem: (text, on) => void beside.push(`${text.split(' ')[0]}: ${on.machine.values.text(`${KERNEL}/tcp_low_latency`)}`),
    });
    const settings = [LOW_LATENCY, { id: 'net.ipv4.tcp_wmem', value: '8192 16384 4194304' }, { id: 'net.ipv4.tcp_frto', value: '0' }];
    const document = await tried(made, { settings });
    assert.deepEqual(
      document.groups.map(({ group, decision, changes }) => [group, decision, changes.length]),
      [
        ['buffers', 'no measurable change', 1],
        ['tcp', 'keep', 2],
      ],
    );
    assert.ok(
      beside.every((each) => each.endsWith(': 0')),
      'what comes later is not on while earlier groups are tried',
    );
    const turned = await tried(
      host({
        tcp_wmem: (text, on) => rate(text.startsWith('8192') ? 2 * RATE_BPS : RATE_BPS)(on),
        tcp_low_latency: (text, on) => void beside.push(`after ${text}: ${on.machine.values.text(`${KERNEL}/tcp_wmem`)?.split(' ')[0]}`),
      }),
      { settings },
    );
    assert.deepEqual(
      turned.groups.map(({ decision }) => decision),
      ['keep', 'no measurable change'],
    );
    const after = beside.filter((each) => each.startsWith('after'));
    assert.ok(after.length > 0 && after.every((each) => each.endsWith(': 8192')), after.join());
  });

  test('that could not be measured says so, and has changed nothing', async () => {
    const made = host({}, { silent: true });
    const before = without(made);
    const document = await tried(made);
    assert.deepEqual([document.verdict.outcome, document.groups[0]?.decision, document.groups[0]?.figures], ['unmeasured', 'not tried', []]);
    assert.match(document.verdict.sentence, /^Nothing was measured: /);
    assert.equal(without(made), before);
  });

  test('that cannot be applied ends, and the reason is told', async () => {
    const made = host();
    made.machine.values.add(`${KERNEL}/tcp_frto`, { text: '2', accepts: ['2'] });
    const document = await tried(made, { settings: [{ id: 'net.ipv4.tcp_frto', value: '77' }] });
    assert.equal(document.groups[0]?.decision, 'not tried');
    assert.match(document.groups[0]?.why ?? '', /^it could not be applied: net\.ipv4\.tcp_frto/);
    assert.equal(await made.control.readValue(`${KERNEL}/tcp_frto`), '2');
  });

  test('stops where somebody else changes the value meanwhile, and keeps that one', async () => {
    const made = host();
    const progress: Progress = {
      planned: () => undefined,
      update: (doing) => {
        if (doing.includes('block 2') && made.machine.values.text(`${KERNEL}/tcp_frto`) === '0') made.machine.values.add(`${KERNEL}/tcp_frto`, '5');
      },
    };
    const document = await tried(made, { progress, settings: [LOW_LATENCY, { id: 'net.ipv4.tcp_frto', value: '0' }] });
    assert.equal(document.verdict.outcome, 'fail', document.verdict.sentence);
    assert.match(document.verdict.sentence, /Not everything could be put back: .*net\.ipv4\.tcp_frto/);
    assert.equal(await made.control.readValue(`${KERNEL}/tcp_low_latency`), '0');
  });
});

describe('an experiment that ends early', () => {
  test('by an interrupt rolls back, reports what there is, and claims nothing', async () => {
    const made = host(DOUBLES);
    const before = without(made);
    const stop = new AbortController();
    const updates: string[] = [];
    const progress: Progress = {
      planned: () => undefined,
      update: (doing) => {
        updates.push(doing);
        if (doing.includes('block 3') && doing.endsWith('with its settings')) stop.abort();
      },
    };
    const document = await tried(made, { progress, signal: stop.signal, keep: true });
    assert.equal(document.interrupted, true);
    assert.equal(document.groups[0]?.decision, 'not tried');
    assert.match(document.groups[0]?.why ?? '', /interrupted in block 3 of 6, after 2 whole blocks/);
    assert.ok((document.groups[0]?.figures[0]?.runs.length ?? 0) >= 8);
    assert.deepEqual([document.verdict.outcome, document.kept], ['inconclusive', undefined]);
    assert.equal(without(made), before);
    assert.match(updates.find((each) => each.includes('block')) ?? '', /^tcp: block 1 of 6 \((?:ABBA|BAAB)\), with/);
  });

  test('by a kill is undone by the next call', async () => {
    for (const writes of [6, 9, 12, 15]) {
      const made = host(DOUBLES);
      const before = without(made);
      made.dieAfter(writes);
      await assert.rejects(made.run(() => tuneTry(made.ports, request({}))));
      made.revive();
      await made.run(() => settleTries(made.ports, FOLDER));
      assert.equal(without(made), before, `killed at write ${writes}`);
      assert.deepEqual(await made.run(() => standingChanges(made.ports, FOLDER)), []);
    }
  });

  test('leaves alone what an experiment that is still running has switched on', async () => {
    const made = host();
    const other = made.startProcess();
    await made.ports.files.makeFolder(FOLDER);
    const held = await other.control.lock(`${FOLDER}/try.lock`);
    assert.ok('release' in held);
    await assert.rejects(tried(made), /an experiment is running on this host/);
    await assert.rejects(
      made.run(() => settleTries(made.ports, FOLDER)),
      /an experiment is running on this host/,
    );
  });
});

describe('single settings', () => {
  test('are refused where there is nothing to compare', async () => {
    const cases: readonly (readonly [NonNullable<TuneTryRequest['settings']>[number], RegExp])[] = [
      [{ id: 'net.ipv4.tcp_low_latency', value: '0' }, /it is 0 already/],
      [{ id: 'net.ipv4.tcp_low_latenci', value: '1' }, /no such kernel value/],
      [{ id: '../../etc/passwd', value: '1' }, /no such kernel value/],
    ];
    for (const [setting, message] of cases) await assert.rejects(tried(host(), { settings: [setting] }), message);
  });

  test('with a number of blocks that no claim could stand on are refused', async () => {
    await assert.rejects(tried(host(), { blocks: 5 }), /an experiment cannot have 5 blocks/);
    await assert.rejects(tried(host(), { timeMs: 3000 }), /3 seconds are too short for a group/);
  });
});

describe('experiments with settings that do nothing, in virtual time', () => {
  test('report no effect', async (t) => {
    const count = 6;
    let alarms = 0;
    for (let seed = 1; seed <= count; seed++) {
      const document = await tried(host({}, { seed }), { seed, settings: [AUTOCORKING] });
      if (document.groups.some(({ decision }) => decision !== 'no measurable change')) alarms++;
    }
    t.diagnostic(`seeds 1 to ${count}: ${alarms} report an effect`);
    assert.ok(alarms <= 1, `${alarms} of ${count}`);
  });
});
