import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { listProfiles } from '../../../src/app/tune/profiles.js';
import { createFiles } from '../../../src/host/index.js';
import { recordedContainer, recordedMetal, recordedVps, simTuneHost } from '../../../src/sim/index.js';
import type { SimTuneHost, TuneHostSpec } from '../../../src/sim/index.js';
import { createView, planTune } from '../../../src/tune/index.js';
import type { HostView, Setting, TunePlan } from '../../../src/tune/index.js';
import { writePlace } from '../../../src/tune/places/registry.js';
import { SYSCTL_SETTINGS } from '../../../src/tune/settings/linux/sysctls.js';
import { SETTINGS } from '../../../src/tune/settings/registry.js';

const CARD_AND_POWER = [
  ...['queue-discipline', 'offloads', 'coalescing', 'rings', 'queues', 'rps', 'xps', 'irq-affinity'],
  ...['cpu-governor', 'cpu-latency', 'transparent-hugepages'],
];
const KERNEL_SETTINGS = new Set([...SYSCTL_SETTINGS.map(({ id }) => id), ...CARD_AND_POWER]);
const isOfKernel = ({ id }: Pick<Setting, 'id'>): boolean => KERNEL_SETTINGS.has(id);

const profiles = (await listProfiles(createFiles(), { folders: [], settings: SETTINGS })).flatMap((profile) =>
  'problem' in profile ? [] : [profile],
);

async function planOf(host: SimTuneHost, name: string): Promise<TunePlan> {
  const profile = profiles.find((one) => one.name === name) ?? assert.fail(`there is no profile ${name}`);
  const view: HostView = await createView(host.ports, { homeFolder: '/root' });
  const settings = profile.settings.filter(isOfKernel);
  return planTune(view, { ...profile, settings }, SETTINGS);
}

/** What became of each setting, in one word: `change`, or the reason. */
async function outcomes(spec: TuneHostSpec, name: string): Promise<Record<string, string>> {
  const { planned, notDone } = await planOf(simTuneHost(spec), name);
  return Object.fromEntries([...planned.map(({ setting }) => [setting.id, 'change']), ...notDone.map(({ setting, reason }) => [setting, reason])]);
}

/** Lines of one snapshot that are not in the other. */
function linesBeside(after: string, before: string): string[] {
  const [own, others] = [after.split('\n'), before.split('\n')];
  return [
    ...own.filter((line) => !others.includes(line)).map((line) => `+${line}`),
    ...others.filter((line) => !own.includes(line)).map((line) => `-${line}`),
  ];
}

/** What is for the next plan, when the card has its queues. */
const waits = (notDone: TunePlan['notDone'], { id }: Pick<Setting, 'id'>): boolean =>
  notDone.some(({ setting, why }) => setting === id && why.includes('gets another number of queues first'));

const HOSTS = { 'a rented virtual machine': recordedVps, 'a machine with a 10 Gbit/s card': recordedMetal };

for (const [what, spec] of Object.entries(HOSTS)) {
  describe(`profiles on ${what}`, () => {
    for (const { name } of profiles) {
      test(`${name}: what is planned can be written, is so then, and goes back without a trace`, async () => {
        const host = simTuneHost(spec());
        const before = host.snapshot();
        const { planned, notDone } = await planOf(host, name);
        assert.ok(planned.length > 3, planned.map(({ setting }) => setting.id).join());
        const changes = planned.flatMap(({ step }) => step.changes);
        for (const { place, desired } of changes) await writePlace(host.ports, place, desired);
        const again = await planOf(host, name);
        assert.deepEqual(
          again.planned.flatMap(({ setting, step }) => (waits(notDone, setting) ? [] : [[setting.id, step.now, step.proposed]])),
          [],
        );
        for (const { place, original } of changes.toReversed()) await writePlace(host.ports, place, original);
        assert.deepEqual(linesBeside(host.snapshot(), before), []);
      });
    }
  });
}

describe('the aggressive profile', () => {
  test('leaves on a virtual machine what the hypervisor decides', async () => {
    const found = await outcomes(recordedVps(), 'aggressive');
    assert.deepEqual(Object.fromEntries(CARD_AND_POWER.flatMap((id) => (found[id] === undefined ? [] : [[id, found[id]]]))), {
      'queue-discipline': 'change',
      offloads: 'already',
      coalescing: 'already',
      queues: 'already',
      'irq-affinity': 'already',
      'cpu-governor': 'absent',
      'cpu-latency': 'no-effect',
      'transparent-hugepages': 'change',
    });
    assert.equal(found['net.ipv4.tcp_low_latency'], 'no-effect');
    assert.equal(found['net.ipv4.tcp_congestion_control'], 'change');
  });

  test('sets on metal what metal has', async () => {
    const found = await outcomes(recordedMetal(), 'aggressive');
    for (const id of ['queue-discipline', 'coalescing', 'queues', 'cpu-governor', 'cpu-latency', 'transparent-hugepages']) {
      assert.equal(found[id], 'change', id);
    }
  });

  test('leaves interrupts for the next plan where the card gets other queues, and its driver deals them out anew', async () => {
    const host = simTuneHost(recordedMetal());
    const first = await planOf(host, 'aggressive');
    assert.ok(waits(first.notDone, { id: 'irq-affinity' }), JSON.stringify(first.notDone.find(({ setting }) => setting === 'irq-affinity')));
    for (const { place, desired } of first.planned.flatMap(({ step }) => step.changes)) await writePlace(host.ports, place, desired);
    assert.ok((await planOf(host, 'aggressive')).planned.some(({ setting }) => setting.id === 'irq-affinity'));
  });

  test('finds next to nothing to do in a container, and says where it is to be done', async () => {
    const { planned, notDone } = await planOf(simTuneHost(recordedContainer()), 'aggressive');
    assert.deepEqual(
      planned.map(({ setting }) => setting.id),
      [],
    );
    const reason = (id: string): string | undefined => notDone.find(({ setting }) => setting === id)?.reason;
    assert.equal(reason('net.ipv4.tcp_slow_start_after_idle'), 'read-only');
    assert.equal(reason('net.core.rmem_max'), 'absent');
    assert.equal(reason('queue-discipline'), 'virtual-device');
    assert.equal(reason('cpu-governor'), 'absent');
    assert.equal(reason('transparent-hugepages'), 'read-only');
  });
});
