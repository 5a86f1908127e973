import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { planTimes } from '../../src/app/tune/try-times.js';
import { BLOCKS_DEFAULT, BLOCKS_MIN } from '../../src/tune/index.js';

const PATH = { rttMs: 20, handshakeMs: 45, overheadMs: 500, groups: 1, settleMs: 250 };

describe('how long an experiment takes', () => {
  test('has the usual number of blocks and runs without a wish', () => {
    const { blocks, run, totalMs } = planTimes(PATH);
    assert.equal(blocks, BLOCKS_DEFAULT);
    assert.equal(run.loadMs, 1000);
    assert.ok(totalMs > 60_000 && totalMs < 180_000, String(totalMs));
    assert.equal(planTimes({ ...PATH, groups: 3 }).totalMs, 3 * totalMs);
  });

  test('stays within the time, with shorter runs and then fewer blocks', () => {
    let last = Number.POSITIVE_INFINITY;
    for (const timeMs of [600_000, 300_000, 150_000, 100_000, 80_000]) {
      const { blocks, totalMs } = planTimes({ ...PATH, timeMs });
      assert.ok(totalMs <= timeMs, `${totalMs} of ${timeMs}`);
      assert.ok(blocks <= last && blocks >= BLOCKS_MIN, `${blocks} blocks`);
      last = blocks;
    }
    assert.equal(planTimes({ ...PATH, timeMs: 600_000 }).blocks, 20);
  });

  test('gives what is left to longer loads, and leaves the blocks that were asked for', () => {
    const { blocks, run, totalMs } = planTimes({ ...PATH, blocks: 7, timeMs: 400_000 });
    assert.equal(blocks, 7);
    assert.ok(run.loadMs > 3000 && totalMs <= 400_000, `${run.loadMs} ms, ${totalMs}`);
  });

  test('is refused where the loads alone do not fit, and not because the host was busy when it looked', () => {
    assert.throws(() => planTimes({ ...PATH, timeMs: 10_000 }), { code: 'usage', message: /10 seconds are too short for a group/ });
    assert.throws(() => planTimes({ ...PATH, groups: 4, timeMs: 60_000 }), /too short for 4 groups/);
    assert.equal(planTimes({ ...PATH, overheadMs: 9000, timeMs: 60_000 }).blocks, BLOCKS_MIN);
  });

  test('grows with the round trip, so that windows have grown before anything counts', () => {
    const near = planTimes(PATH).run;
    const far = planTimes({ ...PATH, rttMs: 200 }).run;
    assert.ok(far.omitMs > near.omitMs && far.loadMs > near.loadMs && far.timeoutMs > near.timeoutMs);
    assert.equal(planTimes({ ...PATH, handshakeMs: 900 }).run.timeoutMs, 3000);
    for (const blocks of [1, 5, 6.5, 21]) assert.throws(() => planTimes({ ...PATH, blocks }), /cannot have/);
  });
});
