import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { seededRandom } from '../../src/base/index.js';
import { choosePaths, compareSeries } from '../../src/paths/index.js';
import type { TurnSeries } from '../../src/paths/index.js';
import { mean, normalQuantile } from '../../src/stats/index.js';

function series(path: string, turns: readonly number[], rest: Partial<TurnSeries> = {}): TurnSeries {
  return { path, metric: 'rtt', unit: 'ms', value: mean(turns), error: 0.001, byTurn: new Map(turns.map((value, turn) => [turn, value])), ...rest };
}

const lan = series('lan', [1.28, 1.3, 1.27, 1.29]);
const tailscale = series('tailscale', [1.97, 1.99, 1.95, 1.98]);

describe('two paths to a peer', () => {
  test('differ when the interval of their ratio says so: the overhead of a tunnel', () => {
    const found = compareSeries('beta', tailscale, lan) ?? assert.fail();
    assert.equal(found.verdict, 'differs');
    assert.equal(found.better, 'lan');
    assert.ok(Math.abs(found.ratio - 1.535) < 0.01);
    assert.ok((found.ci95?.[0] ?? 0) > 1.5 && (found.ci95?.[1] ?? 9) < 1.57);
    assert.match(
      found.sentence,
      /^delay of tailscale is 15[34] % of that of lan: 1\.97\d? ms against 1\.28\d? ms \(95 % interval 15\d % to 15\d %, 4 turns each\)$/,
    );
  });

  test('are the same when the whole interval lies within what matters', () => {
    const found = compareSeries('beta', series('b', [1.3, 1.28, 1.29, 1.27]), lan);
    assert.equal(found?.verdict, 'same');
    assert.equal(found?.better, undefined);
  });

  test('are not told apart when turns are few or disagree, or when the difference is within the error of the measuring', () => {
    assert.equal(compareSeries('beta', series('b', [2, 2.1]), series('a', [1, 1.1]))?.verdict, 'unclear');
    assert.equal(compareSeries('beta', series('b', [1, 3, 1, 4]), series('a', [2, 1, 3, 1]))?.verdict, 'unclear');
    assert.equal(compareSeries('beta', { ...tailscale, error: 0.5 }, { ...lan, error: 0.3 })?.verdict, 'unclear');
    assert.equal(compareSeries('beta', series('b', []), lan), undefined);
    const why = (one: TurnSeries, other: TurnSeries): string | undefined =>
      /unclear, (.*?):/.exec(compareSeries('beta', one, other)?.sentence ?? '')?.[1];
    assert.equal(why(series('b', [2, 2.1]), series('a', [1, 1.1])), 'too few turns for an interval');
    assert.equal(why(series('b', [1, 2, 1, 2], { error: 9 }), series('a', [2, 1, 2, 1], { error: 9 })), 'the turns disagree too much');
    assert.equal(why({ ...tailscale, error: 0.5 }, { ...lan, error: 0.3 }), 'the difference is within what the measuring may be off');
  });

  test('on one cable differ by microseconds that matter to nobody', () => {
    assert.equal(compareSeries('beta', series('b', [0.05, 0.051, 0.05, 0.049]), series('a', [0.03, 0.031, 0.03, 0.029]))?.verdict, 'same');
  });

  test('that are one path are said to differ in less than 5 % of comparisons', () => {
    const seed = 20261121;
    const random = seededRandom(seed);
    const draw = (): number => 10 * Math.exp(0.15 * normalQuantile(random.next() * 0.999998 + 0.000001));
    const turns = (): number[] => Array.from({ length: 6 }, draw);
    let differ = 0;
    for (let round = 0; round < 1000; round++) if (compareSeries('beta', series('a', turns()), series('b', turns()))?.verdict === 'differs') differ++;
    assert.ok(differ < 50, `seed ${seed}: ${differ} of 1000`);
  });
});

describe('the choice of a path', () => {
  const rates = (path: string, values: readonly number[], metric = 'throughput.down'): TurnSeries =>
    series(path, values, { unit: 'bps', metric, error: 1e3 });
  const compare = (one: TurnSeries, other: TurnSeries) => compareSeries('beta', one, other) ?? assert.fail();
  const candidates = [{ path: 'lan' }, { path: 'tailscale' }];
  const faster = compare(rates('tailscale', [4e8, 4.1e8, 4e8, 4.05e8]), rates('lan', [9.4e8, 9.4e8, 9.3e8, 9.4e8]));

  test('names what is best for latency, for bulk and overall', () => {
    const choices = choosePaths('beta', candidates, [compare(tailscale, lan), faster]);
    assert.deepEqual(
      choices.map(({ purpose, path }) => [purpose, path]),
      [
        ['latency', 'lan'],
        ['bulk', 'lan'],
        ['overall', 'lan'],
      ],
    );
  });

  test('says that paths do not differ, and that it depends', () => {
    const same = compare(series('tailscale', [1.3, 1.28, 1.29, 1.27]), lan);
    const sameRates = compare(rates('tailscale', [9.4e8, 9.3e8, 9.4e8, 9.4e8]), rates('lan', [9.4e8, 9.4e8, 9.3e8, 9.4e8]));
    const [, , overall] = choosePaths('beta', candidates, [same, sameRates]);
    assert.equal(overall?.path, undefined);
    assert.match(overall?.sentence ?? '', /use either: lan and tailscale do not differ/);
    const slower = compare(rates('tailscale', [9.4e8, 9.3e8, 9.4e8, 9.4e8]), rates('lan', [1e8, 1.1e8, 1e8, 1e8]));
    assert.match(choosePaths('beta', candidates, [compare(tailscale, lan), slower])[2]?.sentence ?? '', /^it depends on the work/);
  });

  test('passes over a path that certainly loses more', () => {
    const lossy = [
      { path: 'lan', lossCi95: [0.02, 0.05] as const },
      { path: 'tailscale', lossCi95: [0, 0.001] as const },
    ];
    const [latency] = choosePaths('beta', lossy, [compare(tailscale, lan), faster]);
    assert.equal(latency?.path, 'tailscale');
    assert.match(latency?.sentence ?? '', /lan loses more packets/);
  });

  test('passes over a path that stopped answering, and names none where all did', () => {
    const comparisons = [compare(tailscale, lan), faster];
    const choices = choosePaths('beta', [{ path: 'lan', gone: true }, { path: 'tailscale' }], comparisons);
    assert.deepEqual(
      choices.map(({ path }) => path),
      ['tailscale', 'tailscale', 'tailscale'],
    );
    assert.match(choices[0]?.sentence ?? '', /lan stopped answering/);
    const none = choosePaths(
      'beta',
      candidates.map(({ path }) => ({ path, gone: true })),
      comparisons,
    );
    assert.ok(none.every(({ path }) => path === undefined));
    assert.match(none[0]?.sentence ?? '', /lan and tailscale stopped answering/);
  });

  test('of one path is none', () => {
    assert.ok(choosePaths('beta', [{ path: 'lan' }], []).every(({ path }) => path === undefined));
  });
});
