import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TautlineError } from '../../src/base/index.js';
import { DEFAULT_LIMITS, LIMITS, LIMIT_NAMES, limitsOf } from '../../src/serve/index.js';

const config =
  (pattern: RegExp) =>
  (error: unknown): boolean =>
    error instanceof TautlineError && error.code === 'config' && pattern.test(`${error.message} ${error.hint ?? ''}`);

test('every default is within its own bounds', () => {
  for (const name of LIMIT_NAMES) assert.equal(limitsOf({ [name]: LIMITS[name].default })[name], DEFAULT_LIMITS[name]);
});

test('what is set replaces the default, the rest stays', () => {
  const limits = limitsOf({ floodsMax: 3, udpSessionsMax: undefined });
  assert.equal(limits.floodsMax, 3);
  assert.equal(limits.udpSessionsMax, DEFAULT_LIMITS.udpSessionsMax);
});

test('unknown names and impossible values are configuration errors that say what would do', () => {
  assert.throws(() => limitsOf({ floodMax: 3 }), config(/no limit called 'floodMax'.*floodsMax/));
  assert.throws(() => limitsOf({ toString: 3 }), config(/no limit called/));
  for (const value of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '3', null, 1e9]) {
    assert.throws(() => limitsOf({ floodsMax: value }), config(/floodsMax cannot be .* from 0 to 1024/));
  }
});
