import { commandsOf } from '../../places/registry.js';
import type { HostView, PlanRules, Setting, Step } from '../../setting.js';
import { notDone } from '../steps.js';
import { batteryOf } from './battery.js';
import { CPUFREQ, TUNED_LATENCY } from './sources.js';
import { atBoot, kernelValue, readKernel, whyReadOnly } from './kernel-steps.js';
import { shownValue } from './given-value.js';

const FOLDER = '/sys/devices/system/cpu/cpufreq';
const GOVERNORS = ['performance', 'powersave', 'schedutil', 'ondemand', 'conservative', 'userspace'];

/** Who chooses the frequency of the processors. */
export const cpuGovernor: Setting<string> = {
  id: 'cpu-governor',
  title: 'Frequency governor of the processors',
  platforms: ['linux'],
  effect: 'measurable',
  scope: 'host',
  group: 'power',
  needs: { root: true },
  sources: [CPUFREQ, TUNED_LATENCY],
  why: 'At full frequency no packet waits for a processor to speed up. It costs power; a busy host is at full frequency in any case.',
  takes: `one of ${GOVERNORS.join(', ')}`,
  parse: (value) =>
    typeof value === 'string' && GOVERNORS.includes(value)
      ? { value }
      : { problem: `one of ${GOVERNORS.join(', ')} is wanted, not ${shownValue(value)}` },
  write: (value) => value,
  plan: async (view, wanted, rules) => [await planGovernor(view, wanted, rules)],
  moves: ['rtt', 'jitter', 'connect'],
};

async function planGovernor(view: HostView, wanted: string, rules: PlanRules): Promise<Step> {
  const names = (await view.ports.files.list(FOLDER).catch(() => undefined)) ?? [];
  const folders = names.filter((name) => /^policy\d+$/.test(name)).map((name) => `${FOLDER}/${name}`);
  const found = (
    await Promise.all(
      folders.map(async (folder) => {
        const [now, available] = await Promise.all([
          readKernel(view, `${folder}/scaling_governor`),
          readKernel(view, `${folder}/scaling_available_governors`),
        ]);
        return 'text' in now
          ? [{ path: `${folder}/scaling_governor`, now: now.text, can: 'text' in available ? available.text.split(/\s+/) : [] }]
          : [];
      }),
    )
  ).flat();
  if (found.length === 0) return notDone('absent', whyAbsent(view), { proposed: wanted });
  const nows = [...new Set(found.map(({ now }) => now))].join(' ');
  const shown = { now: nows, proposed: wanted };
  const differing = found.filter(({ now }) => now !== wanted);
  const [first] = differing;
  if (!first) return notDone('already', `every processor has ${wanted} already`, shown);
  if (!first.can.includes(wanted)) return notDone('absent', `the driver has no governor ${wanted}; it has ${first.can.join(', ')}`, shown);
  const battery = wanted === 'performance' && !rules.exact ? await batteryOf(view) : undefined;
  if (battery !== undefined) {
    const why = `this host has a battery (${battery}), which full frequency would empty, and a network seldom shows it; a profile that says exact would set it`;
    return notDone('not-applicable', why, shown);
  }
  const manager = view.managedBy('cpu-governor');
  if (manager && manager.value !== wanted)
    return notDone('managed', `${manager.who} sets the governor${manager.value === undefined ? '' : ` to ${manager.value}`}: change it there`, shown);
  const readOnly = await whyReadOnly(view, first.path);
  if (readOnly !== undefined) return notDone('read-only', readOnly, shown);
  const changes = differing.map(({ path, now }) => kernelValue(path, now, wanted));
  return {
    verdict: 'change',
    ...shown,
    why: cpuGovernor.why,
    changes,
    persist: atBoot(changes.flatMap(({ place, desired }) => commandsOf(place, desired))),
    notes: [`for ${changes.length} of ${found.length} frequency policies; the host takes more power, and gets warmer`],
  };
}

function whyAbsent(view: HostView): string {
  switch (view.environment.kind) {
    case 'vm':
      return 'a virtual machine has no say in the frequency of its processors: the hypervisor decides';
    case 'container':
      return 'no frequency driver is seen here: set it on the host of the container';
    case 'metal':
      return 'no frequency driver is loaded: the firmware decides (look for power management there), or the driver (acpi-cpufreq, intel_pstate, amd_pstate) is missing';
  }
}
