import type { LinkFacts } from '../../../base/index.js';
import { commandsOf } from '../../places/registry.js';
import type { HostView, PlanRules, Setting, Step } from '../../setting.js';
import { notDone } from '../steps.js';
import { atLinks } from './at-links.js';
import { countOf, parsePairs } from './named-values.js';
import { FASTERDATA } from './sources.js';
import { atBoot } from './kernel-steps.js';

interface Wanted {
  readonly rx?: number | 'max';
  readonly tx?: number | 'max';
}

/** Packets that a card holds for the kernel. */
export const rings: Setting<Wanted> = {
  id: 'rings',
  title: 'Rings of the uplinks',
  platforms: ['linux'],
  effect: 'measurable',
  scope: 'interface',
  group: 'queueing',
  needs: { root: true },
  sources: [FASTERDATA, { title: 'ethtool(8), -G', url: 'https://man7.org/linux/man-pages/man8/ethtool.8.html' }],
  why: 'A longer receive ring holds bursts that would be dropped while the processor is busy elsewhere (rx_missed_errors, rx_no_buffer). It adds no delay to a host that keeps up.',
  takes: 'max, or counts such as { rx: 4096, tx: max }',
  parse: (value) => {
    if (value === 'max') return { value: { rx: 'max', tx: 'max' } };
    return parsePairs<number | 'max'>(
      value,
      (name) => (name === 'rx' || name === 'tx' ? name : undefined),
      'max or a count',
      (one) => (one === 'max' ? 'max' : countOf(one, 1)),
    );
  },
  write: ({ rx, tx }) => [...(rx === undefined ? [] : [`rx ${rx}`]), ...(tx === undefined ? [] : [`tx ${tx}`])].join(', '),
  plan: (view, wanted, rules) => atLinks(view, (link) => planRings(view, link, wanted, rules)),
  moves: ['loss', 'throughput.down'],
};

function planRings(view: HostView, { name: instance, driver, rings: now }: LinkFacts, wanted: Wanted, rules: PlanRules): Step {
  const of = driver === undefined ? instance : `${instance} (${driver})`;
  if (!now) return notDone('absent', `the driver of ${of} has no rings that can be set`, { instance, proposed: rings.write(wanted) });
  const capped: string[] = [];
  const desired: { rx?: number; tx?: number } = {};
  let kept = false;
  for (const way of ['rx', 'tx'] as const) {
    const most = now[`${way}Max`];
    const asked = wanted[way] === 'max' ? most : wanted[way];
    if (asked === undefined) continue;
    const possible = Math.min(asked, most ?? now[way]);
    if (possible < asked) capped.push(`${way}: the driver goes up to ${possible}`);
    if (possible < now[way] && !rules.exact) kept = true;
    else if (possible !== now[way]) desired[way] = possible;
  }
  const seen = { instance, now: rings.write({ rx: now.rx, tx: now.tx }), proposed: rings.write(wanted) };
  if (desired.rx === undefined && desired.tx === undefined) {
    if (kept) return notDone('would-lower', 'they are longer already', seen);
    if (now.rxMax === undefined && now.txMax === undefined)
      return notDone('absent', `the driver of ${of} does not tell how long its rings may be, and does not let them be changed`, seen);
    return notDone(
      'already',
      capped.length > 0 ? `they are as long as the driver lets them be (${capped.join(', ')})` : 'they are as wanted already',
      seen,
    );
  }
  const manager = view.managedBy('rings');
  if (manager) return notDone('managed', `${manager.who} sets rings: change it there`, seen);
  const place = { kind: 'rings', interface: instance } as const;
  return {
    verdict: 'change',
    instance,
    now: rings.write({ ...(desired.rx === undefined ? {} : { rx: now.rx }), ...(desired.tx === undefined ? {} : { tx: now.tx }) }),
    proposed: rings.write(desired),
    why: rings.why,
    changes: [{ place, original: { rx: now.rx, tx: now.tx }, desired }],
    persist: atBoot(commandsOf(place, desired), instance),
    notes: ['many drivers restart the card for it: the link is gone for up to some seconds', ...capped],
  };
}
