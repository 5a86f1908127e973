import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { loadProfile } from '../../src/app/tune/profiles.js';
import { createFiles } from '../../src/host/index.js';
import { recordedContainer, recordedMac, recordedMetal, recordedVps, simTuneHost } from '../../src/sim/index.js';
import { SETTINGS, createView, labelOf, placeHolds, planTune, readPlace, showState, writePlace } from '../../src/tune/index.js';
import type { Change } from '../../src/tune/index.js';
import { planPersistence } from '../../src/tune/persist.js';

const PROFILES = ['conservative', 'moderate', 'aggressive', 'voice', 'bulk', 'mesh-router', 'ai-cluster'];
const HOSTS = { vps: recordedVps, metal: recordedMetal, container: recordedContainer, mac: recordedMac };
/** Settings that each kind of host has at least, so that a plan that finds nothing is noticed. */
const LEAST = { vps: 3, metal: 3, container: 0, mac: 0 };

describe('plans for recorded hosts', () => {
  for (const [name, record] of Object.entries(HOSTS)) {
    for (const profileName of PROFILES) {
      test(`${profileName} on the ${name}: every change holds once it is made, and undone leaves the host as it was`, async () => {
        const host = simTuneHost(record());
        const before = host.snapshot();
        const view = await createView(host.ports, { homeFolder: name === 'mac' ? '/Users/me' : '/root' });
        const profile = await loadProfile(createFiles(), { folders: [], settings: SETTINGS, platform: view.platform, name: profileName });
        const plan = await planTune(view, profile, SETTINGS);
        assert.equal(host.snapshot(), before, 'planning changes nothing');
        const unread = plan.notDone.filter(({ reason }) => reason === 'unreadable' || reason === 'bad-value');
        assert.deepEqual(unread, []);
        assert.ok(plan.planned.length >= LEAST[name as keyof typeof LEAST], `${plan.planned.length} planned`);
        const steps: Change[] = [
          ...plan.planned.flatMap(({ step }) => step.changes),
          ...(await planPersistence(view, { planned: plan.planned, profile: profileName })).steps,
        ];
        const found: Change['original'][] = [];
        for (const { place, desired } of steps) {
          const now = await readPlace(host.ports, place);
          assert.ok(now !== undefined, `${labelOf(place)} is there`);
          found.push(now);
          await writePlace(host.ports, place, desired);
          const holds = await readPlace(host.ports, place);
          assert.ok(
            holds !== undefined && placeHolds(place, holds, desired),
            `${labelOf(place)}: ${holds === undefined ? 'gone' : showState(place, holds)}`,
          );
        }
        for (const [i, { place }] of [...steps.entries()].reverse()) await writePlace(host.ports, place, found[i] as Change['original']);
        assert.equal(host.snapshot(), before);
      });
    }
  }
});
