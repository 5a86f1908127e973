import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compare, runContest, spread } from '../../bench/rounds.js';
import type { Participant } from '../../bench/rounds.js';
import { fillRow, insertTable, markdownTable } from '../../bench/rows.js';
import type { Row } from '../../bench/rows.js';

function participant(name: string, values: readonly (number | Error)[], log: string[] = []): Participant {
  const left = [...values];
  return {
    name,
    async run() {
      log.push(name);
      const value = left.shift();
      if (value instanceof Error || value === undefined) throw value ?? new Error('ran too often');
      return { rate: value };
    },
  };
}

const ignore = (): void => undefined;
const ROW: Row = {
  contest: 'c',
  figure: 'TCP',
  where: 'loopback',
  unit: 'bps',
  ours: 'rate',
  anchor: { participant: 'anchor', label: 'iperf3' },
  goal: { of: 'ratio', atLeast: 1.3 },
};

describe('rounds', () => {
  test('everybody runs once a round, and the order turns round', async () => {
    const log: string[] = [];
    await runContest({ name: 'c', participants: [participant('a', [1, 1, 1], log), participant('b', [1, 1, 1], log)] }, 3, ignore);
    assert.equal(log.join(''), 'abbaab');
  });

  test('the ratio is of medians, its spread of single rounds', async () => {
    const [ours, anchor] = await runContest(
      { name: 'c', participants: [participant('tautline', [10, 20, 30]), participant('anchor', [10, 5, 10])] },
      3,
      ignore,
    );
    assert.ok(ours && anchor);
    assert.deepEqual(compare(ours, 'rate', anchor), {
      ours: { median: 20, min: 10, max: 30, n: 3 },
      anchor: { median: 10, min: 5, max: 10, n: 3 },
      ratio: { median: 2, min: 1, max: 4, n: 3 },
    });
  });

  test('a run that fails costs its round, is told, and does not end the contest', async () => {
    const records = await runContest(
      { name: 'c', participants: [participant('tautline', [10, 20, 30]), participant('anchor', [10, new Error('no server'), 10])] },
      3,
      ignore,
    );
    const row = fillRow(ROW, records);
    assert.equal(row.comparison?.ratio?.n, 2);
    assert.deepEqual(row.failures, ['anchor: no server']);
  });

  test('an anchor that never ran leaves the goal unmet and the row standing', async () => {
    const records = await runContest(
      { name: 'c', participants: [participant('tautline', [10]), participant('anchor', [new Error('missing')])] },
      1,
      ignore,
    );
    const row = fillRow(ROW, records);
    assert.equal(row.met, false);
    assert.match(markdownTable([row]), /\| TCP \| loopback \| iperf3 \| failed \|/);
  });

  test('the median of an even number is the middle of the middle two', () => {
    assert.deepEqual(spread([4, 1, 3, 2]), { median: 2.5, min: 1, max: 4, n: 4 });
    assert.equal(spread([]), undefined);
  });
});

describe('the table', () => {
  test('shows both figures, the ratio with its spread, and whether the goal is met', async () => {
    const records = await runContest(
      { name: 'c', participants: [participant('tautline', [30e9, 40e9]), participant('anchor', [20e9, 20e9])] },
      2,
      ignore,
    );
    assert.equal(
      markdownTable([fillRow(ROW, records), fillRow({ ...ROW, goal: { of: 'value', atMost: 1e9 } }, records)])
        .split('\n')
        .slice(2)
        .join('\n'),
      '| TCP | loopback | iperf3 | 35.00 Gbit/s | 20.00 Gbit/s | 1.75 (1.50 to 2.00) | >= 1.3 | yes | 2 |\n| TCP | loopback | iperf3 | 35.00 Gbit/s | 20.00 Gbit/s | 1.75 (1.50 to 2.00) | <= 1.000 Gbit/s | no | 2 |\n',
    );
  });

  test('replaces what is between the markers and nothing else', () => {
    const readme = 'a\n<!-- bench:begin -->\nold\n<!-- bench:end -->\nb\n';
    assert.equal(insertTable(readme, '| new |\n'), 'a\n<!-- bench:begin -->\n| new |\n<!-- bench:end -->\nb\n');
    assert.throws(() => insertTable('no markers', ''), /no <!-- bench:begin -->/);
  });
});
