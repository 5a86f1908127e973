import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as v from 'valibot';
import { advise } from '../../src/app/advise.js';
import type { AdviseRequest } from '../../src/app/advise.js';

import { readWorkload, workloadHelp } from '../../src/app/advise-workloads.js';
import { keepRun } from '../../src/app/keep-run.js';
import { WORKLOAD_KINDS } from '../../src/diagnose/index.js';
import { AdviceDocumentSchema } from '../../src/results/index.js';
import { SimNetwork } from '../../src/sim/index.js';
import type { SimHost } from '../../src/sim/index.js';
import { host as about } from '../diagnose/upgrade/hosts.js';
import { checked, figure } from '../store/runs.js';

const FOLDER = '/state/runs';

function machine(files: Readonly<Record<string, string>> = {}): SimHost {
  return new SimNetwork({ hosts: { alpha: { addresses: ['10.0.0.1'], files } }, paths: [] }).host('alpha');
}

const ask = (request: Partial<AdviseRequest>, host: SimHost = machine()) =>
  advise(host.ports, { workloads: [], limits: [], historyFolder: FOLDER, ...request });

const PAIR = { from: '1G', to: '10G' };

describe('asking for advice', () => {
  test('gives a document that its schema accepts', async () => {
    const document = await ask({
      ...PAIR,
      workloads: ['model=10GB', 'audio', 'gradients=7GB,hosts=3,step=500ms,overlap=50%'],
      measured: '945M',
      disk: 'sata',
      hosts: '3',
    });
    assert.ok(v.is(AdviceDocumentSchema, document));
    assert.deepEqual(
      document.advice.workloads.map(({ id }) => id),
      ['model', 'audio', 'gradients'],
    );
    assert.equal(document.advice.workloads[0]?.after.limitedBy, 'a SATA solid-state disk');
  });

  test('speeds are read in the ways that people write them', async () => {
    for (const from of ['1G', '1Gbit/s', '1000M', '1GbE']) assert.equal((await ask({ from, to: '10GbE' })).advice.fromBps, 1e9, from);
    assert.equal((await ask({ from: '2.5G', to: '10G' })).advice.fromBps, 2.5e9);
  });

  test('bytes and bits are told apart', async () => {
    const rate = async (measured: string): Promise<number | undefined> => (await ask({ ...PAIR, measured })).advice.basis?.measuredBps;
    assert.equal(await rate('940M'), 940e6);
    assert.equal(await rate('117.5MB/s'), 940e6);
  });

  const wrong: readonly (readonly [request: Partial<AdviseRequest>, message: RegExp, hint: RegExp])[] = [
    [{}, /^--from and --to missing/, /--from 1G --to 10G/],
    [{ from: '1G' }, /^--to missing/, /tautline advise/],
    [{ from: '10G', to: '1G' }, /--to 1G is not faster than --from 10G/, /--from/],
    [{ from: '1G', to: '1G' }, /not faster/, /--to/],
    [{ from: '3G', to: '10G' }, /--from: 3 Gbit\/s is no speed of an Ethernet link/, /2\.5G, 5G, 10G.*--measured/],
    [{ from: 'fast', to: '10G' }, /--from: 'fast' is not a rate/, /1\.5G/],
    [{ ...PAIR, workloads: ['modle=10GB'] }, /there is no workload 'modle'/, /did you mean 'model'/],
    [{ ...PAIR, workloads: ['wibble'] }, /there is no workload 'wibble'/, /model, ray, gradients/],
    [{ ...PAIR, workloads: [''] }, /names no kind of work/, /the workloads are/],
    [{ ...PAIR, workloads: ['model'] }, /--workload model lacks the file's size/, /model=10GB/],
    [{ ...PAIR, workloads: ['model=ten'] }, /--workload model: 'ten' is not a size/, /1MiB/],
    [{ ...PAIR, workloads: ['model=0'] }, /'0' is too little/, /model=10GB/],
    [{ ...PAIR, workloads: ['model=99999T'] }, /'99999T' is too much/, /model=10GB/],
    [{ ...PAIR, workloads: ['model=1GB,withn=3s'] }, /--workload model has no 'withn'/, /did you mean 'within'/],
    [{ ...PAIR, workloads: ['model=1GB,30s'] }, /'30s' is not key=value/, /within=30s/],
    [{ ...PAIR, workloads: ['model=1GB,size=2GB'] }, /'size' is given twice/, /model=/],
    [{ ...PAIR, workloads: ['gradients=1GB,hosts=1'] }, /hosts: '1' is too little/, /hosts=2/],
    [{ ...PAIR, workloads: ['gradients=1GB,overlap=150%'] }, /'150%' is not a share/, /50%/],
    [{ ...PAIR, workloads: ['gradients=1GB,hosts=two'] }, /'two' is not a number/, /50/],
    [{ ...PAIR, measured: '0.5k' }, /--measured: 0\.5k is no rate that a link shows/, /945M/],
    [{ ...PAIR, measured: '945' }, /--measured: 945 is no rate/, /945M/],
    [{ ...PAIR, rtt: '1h' }, /--rtt: '1h' is no round trip/, /0\.3ms/],
    [{ ...PAIR, rtt: '0.3' }, /--rtt: '0\.3' is not a duration/, /1ms/],
    [{ ...PAIR, hosts: '1' }, /--hosts: '1' is not a whole number from 2/, /3/],
    [{ ...PAIR, distance: '30' }, /--distance: '30' is no length/, /30m/],
    [{ ...PAIR, distance: '900km' }, /no length of a cable/, /10km/],
    [{ ...PAIR, cable: 'cat55' }, /--cable: there is no cable 'cat55'/, /did you mean/],
    [{ ...PAIR, disk: 'nvm' }, /--disk: there is no disk 'nvm'/, /did you mean 'nvme'/],
    [{ ...PAIR, disk: '1kB/s' }, /--disk: 1kB\/s is no rate of a disk/, /3GB\/s/],
    [{ ...PAIR, limits: ['vpn'] }, /--limit: 'vpn' is not a name and a rate/, /vpn=2G/],
    [{ ...PAIR, ports: 'usb' }, /--ports: 'usb' is neither/, /sfp/],
    [{ ...PAIR, pricesFile: '/none' }, /there is no price file \/none/, /--prices/],
    [{ peer: 'beta' }, /no check of 'beta' is kept/, /tautline check beta/],
  ];
  for (const [request, message, hint] of wrong) {
    test(`${JSON.stringify(request)} says what is wrong and what to write`, async () => {
      await assert.rejects(ask(request), (error: Error & { code?: string; hint?: string }) => {
        assert.match(error.message, message);
        assert.match(error.hint ?? '', hint);
        return error.code === 'usage' || error.code === 'config';
      });
    });
  }

  test("every kind's example is one that can be typed, and help shows it", () => {
    for (const { id, example } of WORKLOAD_KINDS) {
      assert.equal(readWorkload(example).kind.id, id);
      assert.ok(workloadHelp().some((line) => line.startsWith(example)));
    }
  });
});

describe('prices of ones own', () => {
  const PRICES = `asOf: 2026-11-01
parts:
  patch-cat6a: { usd: [4, 5] }
  module-10gbase-t: { usd: 30, source: the shop around the corner }
switches:
  mine: { what: my own switch, ports: { rj45-10g: 6, rj45-1g: 1 }, usd: 99 }
`;

  test('replace what they name, and their date is told', async () => {
    const { advice } = await ask({ ...PAIR, hosts: '4', pricesFile: '/prices.yaml' }, machine({ '/prices.yaml': PRICES }));
    assert.equal(advice.pricesAsOf, '2026-11-01');
    assert.deepEqual(
      advice.options.map(({ id, usd }) => [id, usd]),
      [['switch-mine', [99 + 16, 99 + 20]]],
    );
  });

  const bad: readonly (readonly [text: string, message: RegExp])[] = [
    ['parts: {}', /asOf/],
    ['asOf: soon', /\/prices\.yaml:1: asOf: must be a date/],
    ['asOf: 2026-11-01\nparts:\n  patch-cat6: { usd: 3 }', /\/prices\.yaml:3: there is no part 'patch-cat6'/],
    ['asOf: 2026-11-01\nparts:\n  patch-cat6a: { usd: [9, 3] }', /parts\.patch-cat6a\.usd/],
    ['asOf: 2026-11-01\nparts:\n  patch-cat6a: { usd: -1 }', /patch-cat6a/],
    ['asOf: 2026-11-01\nswitches:\n  a: { what: b, usd: 3, ports: { rj46: 1 } }', /rj46|ports/],
    ['asOf: [', /not valid YAML/],
    ['- a', /must be a block/],
  ];
  for (const [text, message] of bad) {
    test(`a price file '${text.replace(/\n/g, '; ')}' is refused with its line`, async () => {
      await assert.rejects(ask({ ...PAIR, pricesFile: '/prices.yaml' }, machine({ '/prices.yaml': text })), message);
    });
  }
});

describe('advice from a kept check', () => {
  const ends = { near: about('alpha'), far: about('beta') } as unknown as { near: Record<string, unknown>; far: Record<string, unknown> };

  async function after(subject: Partial<ReturnType<typeof checked>['subjects'][number]>): Promise<SimHost> {
    const host = machine();
    const document = checked(1, [figure('rtt', 0.4), figure('throughput.up', 938e6), figure('throughput.down', 930e6)]);
    const [first] = document.subjects;
    assert.ok(first);
    await keepRun(host.ports, { ...document, subjects: [{ ...first, ...subject }] }, { folder: FOLDER });
    return host;
  }

  test('takes the speeds of both ends, the better direction and the round trip from it', async () => {
    const { advice } = await ask({ peer: 'beta' }, await after({ ends }));
    assert.deepEqual([advice.fromBps, advice.toBps, advice.basis?.measuredBps], [1e9, 10e9, 938e6]);
    assert.ok(!advice.assumed.some((text) => text.includes('round trip')), 'the round trip was measured');
  });

  test('what is declared stands before what was measured', async () => {
    const { advice } = await ask({ peer: 'beta', to: '2.5G', measured: '900M' }, await after({ ends }));
    assert.deepEqual([advice.toBps, advice.basis?.measuredBps], [2.5e9, 900e6]);
  });

  test('what bounds the path beside its link is taken over', async () => {
    const limits = [{ id: 'window', kind: 'configured', direction: 'both', bps: 2e9, why: 'the window' }] as const;
    const { advice } = await ask({ peer: 'beta', workloads: ['model=10GB'] }, await after({ ends, limits: [...limits] }));
    assert.equal(advice.workloads[0]?.after.limitedBy, 'the window');
  });

  test('where the far end told nothing, the speeds must be declared', async () => {
    const host = await after({});
    await assert.rejects(ask({ peer: 'beta' }, host), /does not tell the speeds of both ends/);
    assert.equal((await ask({ peer: 'beta', ...PAIR }, host)).advice.basis?.measuredBps, 938e6);
    const odd = await after({ ends: { far: { name: 7 } } });
    await assert.rejects(ask({ peer: 'beta' }, odd), /does not tell/);
  });
});
