import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flowsNeeded, losesMoreByChance } from '../../src/probe/multipath.js';

test('as many flows are sent as the multipath detection algorithm asks for', () => {
  // Augustin, Friedman, Teixeira (E2EMON 2007), table 1: probes to rule out a further interface at 95 %.
  assert.deepEqual(
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((seen) => flowsNeeded(seen)),
    [6, 11, 16, 21, 27, 33, 38, 44, 51, 57],
  );
  // One of two ways is missed with probability 2 / 2^n.
  assert.equal(flowsNeeded(1, 0.99), 8);
});

test('the chance that a hop loses more than another is that of Fisher', () => {
  const close = (actual: number, expected: number): void => assert.ok(Math.abs(actual - expected) < 1e-9, `${actual} is not ${expected}`);
  // Ways to choose which four of twenty are lost, all of them of the first ten: 210 / 4845.
  close(losesMoreByChance({ sent: 10, lost: 4 }, { sent: 10, lost: 0 }), 0.043343653250774);
  close(losesMoreByChance({ sent: 6, lost: 5 }, { sent: 6, lost: 0 }), 0.007575757575758);
  // Fisher's lady tasting tea: 17 / 70.
  close(losesMoreByChance({ sent: 4, lost: 3 }, { sent: 4, lost: 1 }), 0.242857142857143);
  close(losesMoreByChance({ sent: 5, lost: 0 }, { sent: 5, lost: 2 }), 1);
});
