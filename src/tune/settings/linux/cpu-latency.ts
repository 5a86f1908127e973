import { LATENCY_DEVICE } from '../../../base/index.js';
import { commandsOf, readPlace } from '../../places/registry.js';
import type { HostView, PlanRules, Setting, Step } from '../../setting.js';
import { notDone } from '../steps.js';
import { countOf } from './named-values.js';
import { PM_QOS, TUNED_LATENCY } from './sources.js';
import { atBoot, readKernel } from './kernel-steps.js';
import { shownValue } from './given-value.js';

const CPU = '/sys/devices/system/cpu';
const STATES_MAX = 16;

/** How deep idle processors may sleep. */
export const cpuLatency: Setting<number> = {
  id: 'cpu-latency',
  title: 'Idle states of the processors',
  platforms: ['linux'],
  effect: 'risky',
  scope: 'host',
  group: 'power',
  needs: { root: true },
  sources: [PM_QOS, TUNED_LATENCY],
  why: 'A processor in a deep idle state takes up to some hundred microseconds to wake for a packet. As long as a process holds /dev/cpu_dma_latency open, states that take longer than the figure are not entered. It costs power, and turbo frequencies where there is no more room for heat.',
  takes: 'microseconds that waking may take, such as 1; 0 keeps processors from sleeping at all',
  parse: (value) => {
    const count = countOf(value, 0);
    return count === undefined ? { problem: `a whole number of microseconds is wanted, not ${shownValue(value)}` } : { value: count };
  },
  write: String,
  plan: async (view, wanted, rules) => [await planLatency(view, wanted, rules)],
  moves: ['rtt', 'jitter'],
};

async function planLatency(view: HostView, wanted: number, rules: PlanRules): Promise<Step> {
  const proposed = `${wanted} us`;
  const place = { kind: 'latency-hold' } as const;
  const held = await readPlace(view.ports, place);
  if (held === undefined)
    return notDone('absent', `there is no ${LATENCY_DEVICE} here${view.environment.kind === 'container' ? ': hold it on the host' : ''}`, {
      proposed,
    });
  const now = held === null ? 'not held' : `${held} us`;
  const shown = { now, proposed };
  const driver = await readKernel(view, `${CPU}/cpuidle/current_driver`);
  if (!('text' in driver) || driver.text === 'none' || driver.text === '') {
    const who =
      view.environment.kind === 'metal' ? 'the firmware or the boot line turned them off' : 'the hypervisor decides how its processors sleep';
    return notDone('no-effect', `the kernel has no driver for idle states here: ${who}`, shown);
  }
  const deepest = await deepestState(view);
  if (deepest && deepest.latencyUs <= wanted) {
    return notDone('no-effect', `the deepest idle state (${deepest.name}) takes ${deepest.latencyUs} us to leave, and is allowed anyway`, shown);
  }
  if (held === wanted) return notDone('already', `it is held at ${held} us already`, shown);
  if (held !== null && held < wanted && !rules.exact) return notDone('would-lower', `it is held at ${held} us already, which is stricter`, shown);
  const manager = view.managedBy('cpu-latency');
  if (manager) return notDone('managed', `${manager.who} holds it: change it there`, shown);
  return {
    verdict: 'change',
    ...shown,
    why: cpuLatency.why,
    changes: [{ place, original: held, desired: wanted }],
    persist: atBoot(commandsOf(place, wanted)),
    notes: [
      'a small process stays behind that holds the device open, until the change is rolled back',
      ...(deepest ? [`the deepest idle state here, ${deepest.name}, takes ${deepest.latencyUs} us to leave`] : []),
    ],
  };
}

async function deepestState(view: HostView): Promise<{ readonly name: string; readonly latencyUs: number } | undefined> {
  let deepest: { name: string; latencyUs: number } | undefined;
  for (let state = 0; state < STATES_MAX; state++) {
    const folder = `${CPU}/cpu0/cpuidle/state${state}`;
    const [name, latency] = await Promise.all([readKernel(view, `${folder}/name`), readKernel(view, `${folder}/latency`)]);
    if (!('text' in latency)) break;
    const latencyUs = Number(latency.text);
    if (latencyUs >= (deepest?.latencyUs ?? 0)) deepest = { name: 'text' in name ? name.text : `state ${state}`, latencyUs };
  }
  return deepest;
}
