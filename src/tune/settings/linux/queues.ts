import type { LinkChannels, LinkFacts } from '../../../base/index.js';
import { commandsOf } from '../../places/registry.js';
import type { HostView, PlanRules, Setting, Step } from '../../setting.js';
import { notDone } from '../steps.js';
import { atLinks } from './at-links.js';
import { countOf } from './named-values.js';
import { onlineCpus } from './processors.js';
import { SCALING } from './sources.js';
import { atBoot } from './kernel-steps.js';
import { shownValue } from './given-value.js';

type Wanted = number | 'cpus';

/** Queues of a card, each with an interrupt of its own. */
export const queues: Setting<Wanted> = {
  id: 'queues',
  title: 'Queues of the uplinks',
  platforms: ['linux'],
  effect: 'measurable',
  scope: 'interface',
  group: 'interrupts',
  needs: { root: true },
  sources: [SCALING, { title: 'ethtool(8), -L', url: 'https://man7.org/linux/man-pages/man8/ethtool.8.html' }],
  why: 'With a queue for each processor the card itself spreads connections over them. One connection stays in one queue and gets no faster.',
  takes: 'cpus (one for each processor, as far as the card has them), or a count',
  parse: (value) => {
    const count = value === 'cpus' ? value : countOf(value, 1);
    return count === undefined ? { problem: `cpus or a count is wanted, not ${shownValue(value)}` } : { value: count };
  },
  write: String,
  plan: async (view, wanted, rules) => {
    const cpus = (await onlineCpus(view)).length;
    return atLinks(view, (link) => planQueues(view, link, wanted === 'cpus' ? cpus : wanted, rules));
  },
  moves: ['throughput.down', 'rtt.loaded.down'],
};

async function planQueues(view: HostView, { name: instance, driver }: LinkFacts, wanted: number, rules: PlanRules): Promise<Step> {
  const now = await view.ports.control.readChannels(instance).catch(() => undefined);
  const ways = (['combined', 'rx', 'tx'] as const).filter((way) => (now?.[`${way}Max`] ?? 0) > 0);
  if (!now || ways.length === 0) {
    return notDone('absent', `the driver of ${instance}${driver === undefined ? '' : ` (${driver})`} has no queues that can be counted or set`, {
      instance,
      proposed: String(wanted),
    });
  }
  // Cards that pair their queues have no use for single ones beside them.
  const used = ways.includes('combined') ? (['combined'] as const) : ways;
  const desired: { rx?: number; tx?: number; combined?: number } = {};
  let kept = false;
  let least = wanted;
  for (const way of used) {
    const possible = Math.min(wanted, now[`${way}Max`] ?? 0);
    const have = now[way] ?? 0;
    least = Math.min(least, possible);
    if (possible < have && !rules.exact) kept = true;
    else if (possible !== have) desired[way] = possible;
  }
  const seen = { instance, now: shown(now, used), proposed: shown(Object.fromEntries(used.map((way) => [way, wanted])), used) };
  if (Object.keys(desired).length === 0) {
    if (kept) return notDone('would-lower', 'it has more queues already', seen);
    return notDone('already', least < wanted ? `it has ${least}, and the card has no more` : 'it has as many already', seen);
  }
  const manager = view.managedBy('queues');
  if (manager) return notDone('managed', `${manager.who} sets the number of queues: change it there`, seen);
  const place = { kind: 'channels', interface: instance } as const;
  const { rx, tx, combined } = now;
  const original = { ...(rx === undefined ? {} : { rx }), ...(tx === undefined ? {} : { tx }), ...(combined === undefined ? {} : { combined }) };
  return {
    verdict: 'change',
    instance,
    now: shown(now, used),
    proposed: shown(desired, used),
    why: queues.why,
    changes: [{ place, original, desired }],
    persist: atBoot(commandsOf(place, desired), instance),
    notes: [
      'many drivers restart the card for it: the link is gone for up to some seconds',
      ...(least < wanted ? [`the card has ${least} at most`] : []),
    ],
  };
}

function shown(values: LinkChannels, ways: readonly ('rx' | 'tx' | 'combined')[]): string {
  return ways.flatMap((way) => (values[way] === undefined ? [] : [`${way} ${values[way]}`])).join(', ');
}
