import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { advise, adviseForPath, adviseUpgrade } from '../../../src/diagnose/index.js';
import type { Limit } from '../../../src/results/index.js';
import { figure } from '../../store/runs.js';
import { MODES_1G, declared, host } from './hosts.js';

const limit = (id: string, bps: number, kind: Limit['kind'] = 'configured'): Limit => ({
  id,
  kind,
  direction: 'both',
  bps,
  why: `the ${id} allows no more`,
});

describe('whether a faster link is worth its money', () => {
  test('both ends at 1 Gbit/s that support 10 Gbit/s: advice from what the drivers told', () => {
    const advice = adviseUpgrade({ near: host('alpha'), far: host('beta') });
    assert.deepEqual([advice?.fromBps, advice?.toBps, advice?.basis?.from, advice?.basis?.to], [1e9, 10e9, 'negotiated', 'supported']);
  });

  test('the slower end bounds both speeds', () => {
    const advice = adviseUpgrade({ near: host('alpha', { speedBps: 5e9 }), far: host('beta', { supportedBpsMax: 2.5e9 }) });
    assert.deepEqual([advice?.fromBps, advice?.toBps], [1e9, 2.5e9]);
  });

  test('no advice where one end is not known, nothing is to be gained, or no wire is involved', () => {
    assert.equal(advise({ near: host('alpha') }), undefined);
    assert.equal(advise({ near: host('alpha', { speedBps: 10e9 }), far: host('beta', { speedBps: 10e9 }) }), undefined);
    assert.equal(advise({ near: host('alpha', { supportedBpsMax: 1e9, supported: MODES_1G }), far: host('beta') }), undefined);
    assert.equal(advise({ fromBps: 10e9, toBps: 1e9 }), undefined);
    for (const kind of ['wireless', 'tunnel', 'virtual', 'loopback', 'bridge'] as const)
      assert.equal(advise({ fromBps: 1e9, toBps: 10e9, near: host('alpha', { kind }), far: host('beta') }), undefined, kind);
  });

  test('no money where the path is far below what its link carries: something else limits it', () => {
    const input = { near: host('alpha'), far: host('beta'), measured: { bps: 300e6 }, workloads: [declared('model', { size: 10e9 })] };
    assert.equal(adviseUpgrade(input), undefined);
    const advice = advise(input);
    assert.equal(advice?.worthwhile, false);
    assert.match(advice?.sentence ?? '', /^Do not buy yet: .* not what limits this path: it reached 32 %/);
    assert.equal(advice?.workloads[0]?.verdict, 'changes nothing');
    assert.deepEqual(
      advice?.actions?.map(({ costs }) => costs),
      ['nothing'],
    );
  });

  test('no money where a window or a shaper is lower than the link, and it is named', () => {
    const advice = advise({ near: host('alpha'), far: host('beta'), limits: [limit('window', 200e6), limit('link', 941e6, 'physical')] });
    assert.equal(advice?.worthwhile, false);
    assert.match(advice?.sentence ?? '', /the window allows no more/);
  });

  test('a bound that the measurement has beaten does not count, and one above the link counts afterwards', () => {
    const input = { near: host('alpha'), far: host('beta'), measured: { bps: 940e6 }, workloads: [declared('model', { size: 10e9 })] };
    assert.equal(adviseUpgrade({ ...input, limits: [limit('window', 200e6)] })?.workloads[0]?.after.limitedBy, 'the 10 Gbit/s link');
    assert.equal(adviseUpgrade({ ...input, limits: [limit('window', 3e9)] })?.workloads[0]?.after.limitedBy, 'the window allows no more');
  });

  test('no money where what was declared has enough', () => {
    const input = { near: host('alpha'), far: host('beta'), workloads: [declared('inference'), declared('audio')] };
    assert.equal(adviseUpgrade(input), undefined);
    assert.match(advise(input)?.sentence ?? '', /^Nothing needs buying/);
    assert.match(advise(input)?.actions?.[0]?.text ?? '', /stay at 1 Gbit\/s: it is enough for serving a model/);
  });

  test('a figure above what the link can carry is called a measuring error and left out', () => {
    const advice = advise({ fromBps: 1e9, toBps: 10e9, measured: { bps: 1.2e9 } });
    assert.match(advice?.assumed.join('\n') ?? '', /1\.2 Gbit\/s is above the 949\.3 Mbit\/s .* measuring error/);
    assert.equal(advice?.basis?.measuredBps, undefined);
  });

  test('945 Mbit/s is possible without timestamps, and impossible where they are known to be on', () => {
    const measured = { bps: 945.11e6 };
    assert.equal(advise({ fromBps: 1e9, toBps: 10e9, measured })?.basis?.measuredBps, 945.11e6);
    const stamped = host('alpha', {}, { tcp: { timestamps: true } });
    assert.equal(advise({ near: stamped, far: host('beta'), measured })?.basis?.measuredBps, undefined);
  });

  test('it says what it assumed, how old its prices are, and starts with looks that cost nothing', () => {
    const advice = advise({ fromBps: 1e9, toBps: 10e9, today: '2026-11-21', workloads: [declared('model', { size: 10e9 })] });
    const assumed = advice?.assumed.join('\n') ?? '';
    for (const said of [/both ends can do 10 Gbit\/s/, /NVMe disk at both ends, 3 GB\/s/, /2 hosts/, /14 months old/]) assert.match(assumed, said);
    const costs = advice?.actions?.map(({ costs: each }) => each) ?? [];
    assert.equal(costs[0], 'nothing');
    assert.deepEqual(
      costs,
      [...costs].sort((a, b) => ['nothing', 'change', 'money'].indexOf(a) - ['nothing', 'change', 'money'].indexOf(b)),
    );
    assert.deepEqual(
      advice?.actions?.filter(({ costs: each }) => each === 'money').map(({ term }) => term),
      ['medium', 'long'],
    );
  });

  test('a setting that is certain comes before any purchase', () => {
    const advice = adviseUpgrade({ near: host('alpha', { advertised: MODES_1G }), far: host('beta', { speedBps: 10e9 }) });
    assert.match(advice?.sentence ?? '', /It may cost nothing: eth0 of alpha supports 10 Gbit\/s and offers only 1 Gbit\/s/);
    assert.ok(advice?.actions?.some(({ costs, command }) => costs === 'change' && command === 'sudo ethtool -s eth0 autoneg on'));
  });
});

describe('advice for a path that was measured', () => {
  const path = { peer: 'beta', path: 'lan', kind: 'lan', near: host('alpha'), far: host('beta') };
  const full = [figure('rtt', 0.4), figure('throughput.up', 938e6), figure('throughput.down', 500e6)];

  test('a direction that fills the link shows that the link limits it', () => {
    const advice = adviseForPath({ ...path, measurements: full }, []);
    assert.deepEqual([advice?.fromBps, advice?.toBps, advice?.basis?.measuredBps], [1e9, 10e9, 938e6]);
  });

  test('without a throughput, without the far end, or with a path that does not fill its link there is none', () => {
    const { far: _, ...alone } = path;
    assert.equal(adviseForPath({ ...path, measurements: [figure('rtt', 0.4)] }, []), undefined);
    assert.equal(adviseForPath({ ...alone, measurements: full }, []), undefined);
    assert.equal(adviseForPath({ ...path, measurements: [figure('throughput.up', 200e6)] }, []), undefined);
    const impossible = figure('throughput.up', 938e6, { ceiling: { value: 1e8, unit: 'bps', why: 'the shaper' } });
    assert.equal(adviseForPath({ ...path, measurements: [impossible] }, []), undefined);
  });
});
