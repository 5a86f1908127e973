import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { definePeer } from '../../src/paths/index.js';
import type { Scenario } from '../../src/sim/index.js';
import { runCheck } from './sim-check.js';

/** A peer with a cable and a tunnel. */
function twoPaths(lan: Partial<Scenario['paths'][number]>, vpn: Partial<Scenario['paths'][number]>, seed = 1): Scenario {
  return {
    seed,
    hosts: { laptop: { addresses: ['10.1.0.9', '10.2.0.9'] }, server: { addresses: ['10.1.0.2', '10.2.0.2'] } },
    paths: [
      { from: 'laptop', to: '10.1.0.2', ...lan },
      { from: 'laptop', to: '10.2.0.2', ...vpn },
    ],
  };
}
const beta = definePeer('beta', { paths: { lan: '10.1.0.2', vpn: '10.2.0.2' }, defaultPath: 'lan' });

describe('a check of a peer with two paths', () => {
  test('measures them in turns, compares them and names the better one', async () => {
    const jitter = { distribution: 'normal', ms: 0.05 } as const;
    const scenario = twoPaths({ delayMs: 0.5, rateBps: 1e9, jitter }, { delayMs: 1, rateBps: 200e6, jitter });
    const { document, progress } = await runCheck(scenario, { target: 'beta', peers: [beta], depth: 'default' });
    assert.match(progress.find((line) => line.startsWith('plan')) ?? '', /echo 10\.1\.0\.2:7227, in 6 turns/);
    const order = progress.filter((line) => line.startsWith('ping ')).map((line) => line.slice('ping 10.'.length, 'ping 10.x'.length));
    assert.equal(order.filter((path, i) => path !== order[i - 1]).join(''), '1212121');
    const delay = document.comparisons?.find(({ metric }) => metric === 'rtt') ?? assert.fail('the delays are compared');
    assert.deepEqual([delay.path, delay.against, delay.verdict, delay.better, delay.turns], ['vpn', 'lan', 'differs', 'lan', 6]);
    assert.ok(Math.abs(delay.ratio - 2) < 0.1, `ratio ${delay.ratio}`);
    assert.ok(delay.ci95 && delay.ci95[0] < 2.05 && delay.ci95[1] > 1.9 && delay.ci95[1] - delay.ci95[0] < 0.4, String(delay.ci95));
    const down = document.comparisons?.find(({ metric }) => metric === 'throughput.down');
    assert.equal(down?.better, 'lan', down?.sentence);
    assert.deepEqual(
      document.choices?.map(({ purpose, path }) => [purpose, path]),
      [
        ['latency', 'lan'],
        ['bulk', 'lan'],
        ['overall', 'lan'],
      ],
    );
    const rtt = document.subjects[0]?.measurements.find(({ probe, metric }) => probe === 'echo' && metric === 'rtt');
    assert.equal(rtt?.summary?.n, 402);
    assert.equal((rtt.details?.['turns'] as unknown[]).length, 6);
  });

  test('compares those that answer in all their turns, also when a third one that is written down does not', async () => {
    const jitter = { distribution: 'normal', ms: 0.05 } as const;
    const scenario = twoPaths({ delayMs: 0.5, rateBps: 1e9, jitter }, { delayMs: 1, rateBps: 200e6, jitter });
    const three = definePeer('beta', { paths: { old: '10.3.0.2', lan: '10.1.0.2', vpn: '10.2.0.2' }, defaultPath: 'old' });
    const { document } = await runCheck(scenario, { target: 'beta', peers: [three], depth: 'quick' });
    const delay = document.comparisons?.find(({ metric }) => metric === 'rtt');
    assert.deepEqual([delay?.path, delay?.against, delay?.better, delay?.turns], ['vpn', 'lan', 'lan', 4]);
    assert.equal(document.choices?.find(({ purpose }) => purpose === 'overall')?.path, 'lan');
    assert.equal(document.verdict.outcome, 'fail', 'a path that is written down and leads nowhere is a failure');
    assert.deepEqual([document.findings?.[0]?.id, document.findings?.[0]?.path], ['peer-down', 'old']);
  });

  test('of two paths of the same quality says in hardly any case that they differ', async () => {
    let differ = 0;
    let compared = 0;
    const same = { delayMs: 5, rateBps: 50e6, jitter: { distribution: 'normal', ms: 1 } } as const;
    for (let seed = 1; seed <= 12; seed++) {
      const { document } = await runCheck(twoPaths(same, same, seed), { target: 'beta', peers: [beta], depth: 'default' });
      for (const { verdict, metric } of document.comparisons ?? []) {
        compared++;
        if (verdict === 'differs') differ++;
        if (metric === 'rtt') assert.notEqual(verdict, 'unclear', `seed ${seed}: enough turns settle the delay`);
      }
      assert.equal(document.choices?.find(({ purpose }) => purpose === 'latency')?.path, undefined);
    }
    assert.ok(compared >= 36 && differ <= 1, `${differ} of ${compared} comparisons differ`);
  });
});
