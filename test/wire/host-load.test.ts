import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProcessorTimes } from '../../src/base/index.js';
import { hostLoad, processorShares } from '../../src/wire/index.js';

const times = (...cpus: readonly (readonly [busyMs: number, softirqMs: number, stealMs: number, idleMs: number])[]): ProcessorTimes => ({
  atMs: 0,
  cpus: cpus.map(([busyMs, softirqMs, stealMs, idleMs]) => ({ busyMs, softirqMs, stealMs, idleMs })),
});

test('the busiest processor is told apart from the mean, with what network receive took of it', () => {
  const before = times([1000, 100, 0, 9000], [500, 0, 50, 9450]);
  const after = times([1900, 700, 0, 9100], [600, 10, 150, 10_250]);
  assert.deepEqual(hostLoad(before, after), { busy: 0.5, busiestCpu: 0.9, softirq: 0.6, steal: 0.05 });
});

test('without time between, or with processors that came or went, nothing is said', () => {
  const one = times([1000, 0, 0, 1000]);
  assert.equal(hostLoad(one, one), undefined);
  assert.equal(hostLoad(one, times([1100, 0, 0, 1000], [0, 0, 0, 100])), undefined);
  assert.equal(hostLoad(undefined, one), undefined);
  assert.deepEqual(processorShares(one, times()), []);
});

test('shares stay within their range when a counter steps back', () => {
  const [share] = processorShares(times([1000, 0, 0, 1000]), times([1100, 0, 0, 990]));
  assert.deepEqual(share, { busy: 1, softirq: 0, steal: 0 });
});
