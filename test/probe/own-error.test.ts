import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trainError } from '../../src/probe/own-error.js';

const KERNEL = { stamps: 'kernel', fallbacks: [] } as const;
const QUIET = { flow: KERNEL, intervalMs: 1, kernelDrops: 0, cpuMs: 30, elapsedMs: 1000 };

test('the error is how long the process was held up, twice where it stamps arrivals too', () => {
  const latenessMs = Float64Array.from({ length: 1000 }, (_, i) => (i % 50 === 0 ? 0.04 : 0.001));
  assert.equal(trainError({ ...QUIET, latenessMs }).value, 0.04);
  const user = trainError({ ...QUIET, latenessMs, flow: { stamps: 'user', fallbacks: ['no kernel stamps here'] } });
  assert.equal(user.value, 0.08);
  assert.ok(user.from.includes('no kernel stamps here'));
});

test('one long pause does not make an error of every send that it made late', () => {
  // 200 ms late at once; the queue then leaves one every 10 us until it is worked off.
  const latenessMs = Float64Array.from({ length: 1000 }, (_, i) => (i < 300 ? 0.001 : Math.max(0.001, 200 - (i - 300) * 0.99)));
  const error = trainError({ ...QUIET, latenessMs });
  assert.ok(error.value < 0.02, `${error.value} ms`);
  assert.ok(error.from.some((cause) => /sends were late by more than 1.000 ms/.test(cause)), 'but it is told');
});

test('a busy processor and a full buffer are named', () => {
  const error = trainError({ ...QUIET, latenessMs: new Float64Array(10), cpuMs: 990, kernelDrops: 3, also: ['and this'] });
  assert.ok(error.from.some((cause) => /busy 99 %/.test(cause)));
  assert.ok(error.from.some((cause) => /dropped 3 datagrams/.test(cause)));
  assert.ok(error.from.includes('and this'));
  assert.equal(trainError({ ...QUIET, latenessMs: new Float64Array(0) }).value, 0);
});
