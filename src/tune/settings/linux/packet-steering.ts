import type { LinkFacts } from '../../../base/index.js';
import type { Change } from '../../place.js';
import { commandsOf } from '../../places/registry.js';
import type { HostView, PlanRules, Setting, Step } from '../../setting.js';
import { notDone } from '../steps.js';
import { atLinks } from './at-links.js';
import { cpuMask, maskText, onlineCpus, parseCpuList, parseMask } from './processors.js';
import { SCALING } from './sources.js';
import { atBoot, kernelValue, readKernel, whyReadOnly } from './kernel-steps.js';
import { shownValue } from './given-value.js';

/** `all`, or a list of processors such as `0-3`. */
type Wanted = 'all' | readonly number[];

const base = { platforms: ['linux'], scope: 'interface', group: 'interrupts', needs: { root: true }, sources: [SCALING] } as const;

function parseWanted(value: unknown): { readonly value: Wanted } | { readonly problem: string } {
  if (value === 'all') return { value };
  const list = typeof value === 'number' || typeof value === 'string' ? parseCpuList(String(value)) : undefined;
  return list ? { value: list } : { problem: `all or a list of processors such as 0-3 is wanted, not ${shownValue(value)}` };
}

const write = (wanted: Wanted): string => (wanted === 'all' ? wanted : wanted.join(','));

/** Receive packet steering: the kernel hands packets of a queue to several processors. */
export const receiveSteering: Setting<Wanted> = {
  ...base,
  id: 'rps',
  title: 'Receive packet steering of the uplinks',
  effect: 'measurable',
  why: 'A card with fewer queues than there are processors (virtio with one queue) leaves all receiving to few of them: RPS spreads connections over the others in software. It costs an interrupt between processors for a packet, and does nothing for one connection.',
  takes: 'all, or a list of processors such as 0-3',
  parse: parseWanted,
  write,
  plan: (view, wanted, rules) => planSteering(view, { setting: receiveSteering, way: 'rx', file: 'rps_cpus' }, wanted, rules),
  moves: ['throughput.down', 'rtt.loaded.down', 'cpu.down'],
};

/** Transmit packet steering: which of a card's queues a processor sends by. */
export const transmitSteering: Setting<Wanted> = {
  ...base,
  id: 'xps',
  title: 'Transmit packet steering of the uplinks',
  effect: 'measurable',
  why: 'Each processor sends by few queues of its own, so that they meet less at the locks. Drivers of cards with many queues set it themselves; a card with one queue has nothing to choose.',
  takes: 'all, or a list of processors such as 0-3',
  parse: parseWanted,
  write,
  plan: (view, wanted, rules) => planSteering(view, { setting: transmitSteering, way: 'tx', file: 'xps_cpus' }, wanted, rules),
  moves: ['throughput.up', 'cpu.up'],
};

interface Steering {
  readonly setting: Setting<Wanted>;
  readonly way: 'rx' | 'tx';
  readonly file: 'rps_cpus' | 'xps_cpus';
}

async function planSteering(view: HostView, steering: Steering, wanted: Wanted, rules: PlanRules): Promise<readonly Step[]> {
  const online = await onlineCpus(view);
  const cpus = wanted === 'all' ? online : wanted.filter((cpu) => online.includes(cpu));
  if (online.length < 2) return [notDone('no-effect', 'there is one processor, and nobody to share with', { proposed: write(wanted) })];
  if (cpus.length === 0) return [notDone('bad-value', `none of the processors ${write(wanted)} runs here`, { proposed: write(wanted) })];
  return atLinks(view, (link) => planLink(view, link, { steering, cpus, processors: online.length, exact: rules.exact }));
}

interface Meant {
  readonly steering: Steering;
  readonly cpus: readonly number[];
  readonly processors: number;
  readonly exact: boolean;
}

async function planLink(view: HostView, { name: instance }: LinkFacts, { steering, cpus, processors, exact }: Meant): Promise<Step> {
  const { setting, way, file } = steering;
  const folder = `/sys/class/net/${instance}/queues`;
  const listed = await view.ports.files.list(folder).catch(() => undefined);
  const queues = (listed ?? []).filter((name) => name.startsWith(`${way}-`)).toSorted((a, b) => numberOf(a) - numberOf(b));
  if (queues.length === 0) return notDone('absent', `${instance} shows no queues in ${folder}`, { instance });
  if (way === 'tx' && queues.length === 1)
    return notDone('no-effect', `${instance} has one queue to send by, so there is nothing to choose`, { instance });
  if (queues.length >= processors) {
    const why = way === 'rx' ? 'the card spreads connections itself' : 'each processor has one for itself';
    return notDone('no-effect', `${instance} has ${queues.length} queues for ${processors} processors: ${why}`, { instance });
  }
  const found = await Promise.all(
    queues.map(async (queue) => ({ path: `${folder}/${queue}/${file}`, read: await readKernel(view, `${folder}/${queue}/${file}`) })),
  );
  const changes: Change[] = [];
  const seen = new Set<string>();
  const meant = new Set<string>();
  for (const [index, { path, read }] of found.entries()) {
    if ('unreadable' in read) return notDone('unreadable', read.unreadable, { instance });
    const bits = 'text' in read ? parseMask(read.text) : undefined;
    if (!('text' in read) || bits === undefined) return notDone('absent', `the kernel was built without it (${path} is missing)`, { instance });
    if (way === 'tx' && bits !== 0n && !exact)
      return notDone('already', 'the driver, or somebody, has given each queue its processors already', { instance, now: maskText(bits) });
    const mask = parseMask(way === 'rx' ? cpuMask(cpus) : cpuMask(cpus.filter((_, at) => at % queues.length === index))) ?? 0n;
    const desired = exact || way === 'tx' ? mask : mask | bits;
    seen.add(maskText(bits));
    meant.add(maskText(desired));
    if (desired !== bits) changes.push(kernelValue(path, read.text, maskText(desired)));
  }
  const shown = { instance, now: [...seen].join(' '), proposed: [...meant].join(' ') };
  const [first] = changes;
  if (!first) return notDone('already', 'every queue has these processors already', shown);
  const manager = view.managedBy(setting.id);
  if (manager) return notDone('managed', `${manager.who} sets it: change it there`, shown);
  const readOnly = first.place.kind === 'kernel-value' ? await whyReadOnly(view, first.place.path) : undefined;
  if (readOnly !== undefined) return notDone('read-only', readOnly, shown);
  return {
    verdict: 'change',
    ...shown,
    why: setting.why,
    changes,
    persist: atBoot(
      changes.flatMap((change) => commandsOf(change.place, change.desired)),
      instance,
    ),
    notes: [`masks of processors, for ${queues.length} ${queues.length === 1 ? 'queue' : 'queues'}`],
  };
}

function numberOf(queue: string): number {
  return Number(queue.slice(queue.indexOf('-') + 1));
}
