import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { choosePaths } from '../../src/paths/index.js';
import type { Comparison, PathChoice } from '../../src/results/index.js';

type Metric = 'rtt' | 'throughput.down' | 'throughput.up';

function compared(path: string, against: string, { metric = 'rtt', better }: { metric?: Metric; better?: string }): Comparison {
  const verdict = better === undefined ? 'same' : 'differs';
  return {
    peer: 'beta',
    metric,
    path,
    against,
    unit: metric === 'rtt' ? 'ms' : 'bps',
    value: 1,
    againstValue: 1,
    ratio: 1,
    turns: 6,
    verdict,
    ...(verdict === 'differs' && better !== undefined ? { better } : {}),
    sentence: `${path} ${verdict} ${against} in ${metric}`,
  };
}

const three = [{ path: 'a' }, { path: 'b' }, { path: 'c' }];
const choose = (comparisons: readonly Comparison[], candidates: Parameters<typeof choosePaths>[1] = three): readonly PathChoice[] =>
  choosePaths('beta', candidates, comparisons);

describe('the choice among three paths', () => {
  test('is the one that beats both others', () => {
    const [latency] = choose([compared('b', 'a', { better: 'a' }), compared('c', 'a', { better: 'a' }), compared('c', 'b', { better: 'b' })]);
    assert.equal(latency?.path, 'a');
  });

  test('passes over one that is beaten by a sound path, also where one that loses packets beats it too', () => {
    const lossy = [
      { path: 'a', lossCi95: [0.05, 0.1] as const },
      { path: 'b', lossCi95: [0, 0.001] as const },
      { path: 'c', lossCi95: [0, 0.001] as const },
    ];
    const all = [compared('b', 'a', { better: 'a' }), compared('c', 'a', { better: 'a' }), compared('c', 'b', { better: 'b' })];
    assert.equal(choose(all, lossy)[0]?.path, 'b');
  });

  test('does not call paths the same that were never compared', () => {
    const [latency, , overall] = choose([compared('b', 'a', {}), compared('c', 'b', {})]);
    assert.equal(latency?.path, undefined);
    assert.match(latency?.sentence ?? '', /^a and c were not compared for latency/);
    assert.match(overall?.sentence ?? '', /not told apart/);
  });

  test('is none where each is beaten by another', () => {
    const [latency] = choose([compared('b', 'a', { better: 'a' }), compared('c', 'b', { better: 'b' }), compared('c', 'a', { better: 'c' })]);
    assert.equal(latency?.path, undefined);
    assert.match(latency?.sentence ?? '', /^a, b and c each do better/);
  });
});

describe('the choice of two paths of which each is faster in one direction', () => {
  const pair = [{ path: 'a' }, { path: 'b' }];
  const rates = [compared('b', 'a', { metric: 'throughput.down', better: 'a' }), compared('b', 'a', { metric: 'throughput.up', better: 'b' })];

  test('depends on the work, and is not said to be either', () => {
    const [, bulk, overall] = choose([compared('b', 'a', {}), ...rates], pair);
    assert.match(bulk?.sentence ?? '', /each do better in one direction/);
    assert.match(overall?.sentence ?? '', /^it depends on the work/);
    assert.equal(overall?.path, undefined);
  });

  test('is not taken for unclear because of a name', () => {
    const names = [{ path: 'unclear' }, { path: 'b' }];
    const [, , overall] = choose([compared('b', 'unclear', {}), compared('b', 'unclear', { metric: 'throughput.up' })], names);
    assert.match(overall?.sentence ?? '', /^use either/);
  });
});
