import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trainError } from '../../src/probe/own-error.js';

const KERNEL = { stamps: 'kernel', fallbacks: [] } as const;
const callMs = Float64Array.from({ length: 1000 }, (_, i) => (i % 50 === 0 ? 0.04 : 0.005));
const latenessMs = Float64Array.from({ length: 1000 }, (_, i) => (i % 10 === 0 ? 3 : 0.02));
const QUIET = { flow: KERNEL, intervalMs: 1, latenessMs, callMs, kernelDrops: 0, cpuMs: 30, elapsedMs: 1000 };

test('the error of a median is how long handing over took, and reading where this process stamps arrivals', () => {
  assert.equal(trainError(QUIET).value, 0.005);
  const user = trainError({ ...QUIET, flow: { stamps: 'user', fallbacks: ['no kernel stamps here'] } });
  assert.equal(user.value, 0.025);
  assert.ok(user.from.includes('no kernel stamps here'));
});

test('what happened at worst is told beside it', () => {
  const { from } = trainError(QUIET);
  assert.ok(
    from.some((cause) => /5\.000 us \(median\), 40\.00 us \(p99\)/.test(cause)),
    from.join(),
  );
  assert.ok(from.includes('timer: 99 % left at most 3.000 ms late'), from.join());
  assert.ok(from.includes('timer: 100 of 1000 sends were late by more than 1.000 ms'), from.join());
});

test('a busy processor and a full buffer are named', () => {
  const error = trainError({ ...QUIET, cpuMs: 990, kernelDrops: 3, also: ['and this'] });
  assert.ok(error.from.some((cause) => /busy 99 %/.test(cause)));
  assert.ok(error.from.some((cause) => /dropped 3 datagrams/.test(cause)));
  assert.ok(error.from.includes('and this'));
  const nothing = new Float64Array(0);
  assert.equal(trainError({ ...QUIET, latenessMs: nothing, callMs: nothing }).value, 0);
});
