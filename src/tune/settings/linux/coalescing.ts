import type { LinkCoalescing, LinkFacts } from '../../../base/index.js';
import { commandsOf } from '../../places/registry.js';
import type { HostView, Setting, Step } from '../../setting.js';
import { notDone } from '../steps.js';
import { atLinks } from './at-links.js';
import { countOf, parsePairs, switchOf } from './named-values.js';
import { ENA, TUNED_NETWORK_LATENCY } from './sources.js';
import { atBoot } from './kernel-steps.js';

const FIELDS: Readonly<Record<string, keyof LinkCoalescing>> = {
  'adaptive-rx': 'adaptiveRx',
  'adaptive-tx': 'adaptiveTx',
  'rx-usecs': 'rxUsecs',
  'tx-usecs': 'txUsecs',
};

/** How long a card waits for more packets before it interrupts. */
export const coalescing: Setting<LinkCoalescing> = {
  id: 'coalescing',
  title: 'Interrupt coalescing of the uplinks',
  platforms: ['linux'],
  effect: 'risky',
  scope: 'interface',
  group: 'interrupts',
  needs: { root: true },
  sources: [ENA, TUNED_NETWORK_LATENCY],
  why: 'A card that waits for nothing interrupts for every packet: tens of microseconds less delay, and an interrupt for each packet. For hosts that have processors to spare.',
  takes: 'such as { adaptive-rx: off, rx-usecs: 0, tx-usecs: 0 }',
  parse: (value) =>
    parsePairs<number | boolean>(
      value,
      (name) => (Object.hasOwn(FIELDS, name) ? FIELDS[name] : undefined),
      'on or off, or microseconds',
      (one, name) => (name.startsWith('adaptive') ? switchOf(one) : countOf(one, 0)),
    ),
  write: (value) => shown(value),
  plan: (view, wanted) => atLinks(view, (link) => planCoalescing(view, link, wanted)),
  moves: ['rtt', 'jitter', 'cpu.up', 'cpu.down'],
};

function planCoalescing(view: HostView, { name: instance, driver, coalescing: now }: LinkFacts, wanted: LinkCoalescing): Step {
  const keys = Object.values(FIELDS).filter((key) => wanted[key] !== undefined);
  const can = keys.filter((key) => now?.[key] !== undefined);
  const proposed = shown(wanted);
  if (!now || can.length === 0) {
    const why = view.environment.kind === 'metal' ? '' : '; virtual cards often have none, as their interrupts are made by the hypervisor';
    return notDone(
      'absent',
      `the driver of ${instance}${driver === undefined ? '' : ` (${driver})`} has no interrupt coalescing that can be set${why}`,
      { instance, proposed },
    );
  }
  const changing = can.filter((key) => now[key] !== wanted[key] || moves(now, key));
  const seen = { instance, now: shown(pick(now, can)), proposed };
  const lacking = keys.filter((key) => !can.includes(key));
  if (changing.length === 0) return notDone('already', 'it is as wanted already', seen);
  const manager = view.managedBy('coalescing');
  if (manager) return notDone('managed', `${manager.who} sets coalescing: change it there`, seen);
  const place = { kind: 'coalescing', interface: instance } as const;
  const desired = pick(wanted, changing);
  return {
    verdict: 'change',
    instance,
    now: shown(pick(now, changing)),
    proposed: shown(desired),
    why: coalescing.why,
    changes: [{ place, original: now, desired }],
    persist: atBoot(commandsOf(place, desired), instance),
    notes: [
      'drivers round these figures, and some refuse single ones',
      ...(lacking.length > 0 ? [`the driver has no ${lacking.map(nameOf).join(', ')}`] : []),
    ],
  };
}

/** The time that a driver adapts by itself is what it is just now, and no setting. */
function moves(now: LinkCoalescing, key: keyof LinkCoalescing): boolean {
  return (key === 'rxUsecs' && now.adaptiveRx === true) || (key === 'txUsecs' && now.adaptiveTx === true);
}

function pick(from: LinkCoalescing, keys: readonly (keyof LinkCoalescing)[]): LinkCoalescing {
  return Object.fromEntries(keys.flatMap((key) => (from[key] === undefined ? [] : [[key, from[key]]])));
}

function nameOf(key: keyof LinkCoalescing): string {
  return Object.entries(FIELDS).find(([, field]) => field === key)?.[0] ?? key;
}

function shown(values: LinkCoalescing): string {
  return Object.values(FIELDS)
    .flatMap((key) => {
      const value = values[key];
      return value === undefined ? [] : [`${nameOf(key)} ${typeof value === 'boolean' ? (value ? 'on' : 'off') : value}`];
    })
    .join(', ');
}
