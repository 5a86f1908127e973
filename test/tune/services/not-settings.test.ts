import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SETTINGS } from '../../../src/tune/index.js';
import { NOT_SETTINGS } from '../../../src/tune/settings/not-settings.js';
import { leftFor, planOn, served, settingOf } from './served-host.js';

describe('what is no setting of a host', () => {
  for (const { id, why } of NOT_SETTINGS) {
    test(`${id} is answered once, with its reason`, async () => {
      const steps = await planOn((await served()).view, id, true);
      assert.equal(steps.length, 1);
      assert.equal(leftFor(steps[0], 'not-applicable'), why);
    });
  }

  test('is known to have no effect, so that nobody takes it for one', () => {
    for (const { id } of NOT_SETTINGS) assert.equal(settingOf(id).effect, 'none');
  });
});

describe('every setting', () => {
  test('has a name of its own, says why, and takes what it writes', () => {
    const ids = SETTINGS.map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
    for (const { id, why, takes, sources } of SETTINGS) {
      assert.match(why, /\.$/, id);
      assert.ok(takes.length > 1 && !takes.endsWith('.'), id);
      for (const { url } of sources) assert.match(url ?? 'https://', /^https:\/\//, id);
    }
  });
});
