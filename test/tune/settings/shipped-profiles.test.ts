import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { listProfiles } from '../../../src/app/tune/profiles.js';
import { createFiles } from '../../../src/host/index.js';
import { planTune } from '../../../src/tune/index.js';
import { SETTINGS } from '../../../src/tune/settings/registry.js';
import { takesAway } from '../../../src/tune/settings/linux/sysctl-value.js';
import { SYSCTLS } from '../../../src/tune/settings/linux/sysctls.js';
import { viewOf } from './tuned-host.js';

async function shipped() {
  const all = await listProfiles(createFiles(), { folders: [], settings: SETTINGS });
  return all.map((profile) => ('problem' in profile ? assert.fail(`${profile.file}: ${profile.problem}`) : profile));
}

describe('the profiles that come with it', () => {
  test('lower nothing that a kernel 6.18 has by itself', async () => {
    const view = await viewOf();
    const profiles = await shipped();
    assert.ok(profiles.length >= 7, `only ${profiles.length} profiles`);
    for (const profile of profiles) {
      assert.equal(profile.exact, false, profile.name);
      const { planned } = await planTune(view, profile, SETTINGS);
      for (const { setting, step } of planned) {
        const row = SYSCTLS.find(({ id }) => id === setting.id);
        if (row) assert.ok(!takesAway(row.better, step.now, step.proposed), `${profile.name}: ${setting.id} ${step.now} -> ${step.proposed}`);
      }
      assert.ok(planned.length > 0, `${profile.name} changes nothing at all`);
    }
  });

  test('leave a host alone on which their changes stand already', async () => {
    for (const profile of await shipped()) {
      const { planned } = await planTune(await viewOf(), profile, SETTINGS);
      const sysctls = Object.fromEntries(
        planned.flatMap(({ step }) => step.persist.flatMap((one) => (one.by === 'sysctl' ? [[one.key, one.value] as const] : []))),
      );
      const again = await planTune(await viewOf({ sysctls }), profile, SETTINGS);
      const left = again.planned.filter(({ setting }) => Object.hasOwn(sysctls, setting.id)).map(({ setting }) => setting.id);
      assert.deepEqual(left, [], profile.name);
    }
  });

  test('tell of what does nothing instead of setting it', async () => {
    const view = await viewOf();
    for (const profile of await shipped()) {
      const { planned, notDone } = await planTune(view, profile, SETTINGS);
      assert.ok(!planned.some(({ setting }) => setting.effect === 'none'), profile.name);
      assert.ok(
        notDone.every(({ why }) => why.length > 10),
        profile.name,
      );
    }
  });
});
