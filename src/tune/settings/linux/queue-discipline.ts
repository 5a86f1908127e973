import type { LinkFacts, QueueFacts } from '../../../base/index.js';
import type { Change } from '../../place.js';
import { commandsOf } from '../../places/registry.js';
import type { HostView, Setting, Step } from '../../setting.js';
import { notDone } from '../steps.js';
import { atLinks } from './at-links.js';
import { QUEUE_KINDS, presenceNotes, queuePresence, whyNoQueue } from './default-queue.js';
import { atBoot, kernelValue, readKernel } from './kernel-steps.js';
import { shownValue } from './given-value.js';

const DEFAULT_QUEUE = '/proc/sys/net/core/default_qdisc';

/** The root queue of interfaces that are there already, which net.core.default_qdisc does not touch. */
export const queueDiscipline: Setting<string> = {
  id: 'queue-discipline',
  title: 'Queue discipline of the uplinks',
  platforms: ['linux'],
  effect: 'measurable',
  scope: 'interface',
  group: 'queueing',
  needs: { root: true },
  sources: [
    { title: 'tc-fq(8)', url: 'https://man7.org/linux/man-pages/man8/tc-fq.8.html' },
    { title: 'RFC 8290, FlowQueue-CoDel', url: 'https://www.rfc-editor.org/rfc/rfc8290' },
    { title: 'tc-cake(8)', url: 'https://man7.org/linux/man-pages/man8/tc-cake.8.html' },
  ],
  why: 'fq sends flows in turn and paces them, as BBR likes it; fq_codel and cake also drop early where the queue stands. It helps where this host is the bottleneck: where it sends faster than its own link takes.',
  takes: `one of ${QUEUE_KINDS.join(', ')}`,
  parse: (value) =>
    QUEUE_KINDS.some((kind) => kind === value)
      ? { value: String(value) }
      : { problem: `one of ${QUEUE_KINDS.join(', ')} is wanted, not ${shownValue(value)}` },
  write: (value) => value,
  plan: (view, wanted) => atLinks(view, (link) => planQueue(view, link, wanted)),
  moves: ['rtt.loaded.up', 'throughput.up', 'cpu.up'],
};

async function planQueue(view: HostView, link: LinkFacts, wanted: string): Promise<Step> {
  const { name: instance, qdiscs } = link;
  if (!qdiscs) return notDone('unreadable', `which queue discipline ${instance} has cannot be read here`, { instance, proposed: wanted });
  const root = qdiscs.find(({ parent }) => parent === 'root');
  if (!root) return notDone('not-applicable', `${instance} has no queue: it is down, or has never been up`, { instance, proposed: wanted });
  const byKernel = isDefault(root);
  const shown = { instance, now: shownQueue(qdiscs, root), proposed: root.kind === 'mq' ? `mq ${wanted}` : wanted };
  if (root.kind === wanted) return notDone('already', `${instance} has ${wanted} already`, shown);
  const kinds = childKinds(qdiscs);
  if (root.kind === 'mq' && kinds.length === 1 && kinds[0] === wanted)
    return notDone('already', `every queue of ${instance} has ${wanted} already`, shown);
  if (root.kind === 'noqueue' && view.interfaces?.includes(instance) !== true) {
    return notDone('virtual-device', `${instance} has no queue of its own (noqueue): its packets wait, if anywhere, in the card below it`, shown);
  }
  if (!byKernel || (root.kind === 'mq' && qdiscs.some((queue) => queue !== root && isChild(queue) && !isDefault(queue)))) {
    return notDone(
      'managed',
      `somebody has set ${shown.now} on ${instance} (handle ${root.handle}), and replacing it would lose its options: remove it with tc if it is not needed`,
      shown,
    );
  }
  const presence = await queuePresence(view, wanted);
  if (presence === 'missing') return notDone('absent', whyNoQueue(view, wanted), shown);
  return root.kind === 'mq'
    ? replaceBelow(view, link, shown, wanted, presenceNotes(presence, wanted))
    : replaceRoot(instance, root.kind, wanted, presenceNotes(presence, wanted));
}

function replaceRoot(instance: string, now: string, wanted: string, notes: readonly string[]): Step {
  const place = { kind: 'root-queue', interface: instance } as const;
  const desired = { queue: wanted, byKernel: false };
  return {
    verdict: 'change',
    instance,
    now,
    proposed: wanted,
    why: queueDiscipline.why,
    changes: [{ place, original: { queue: now, byKernel: true }, desired }],
    persist: atBoot(commandsOf(place, desired), instance),
    ...(notes.length > 0 ? { notes } : {}),
  };
}

/**
 * A card with several queues has `mq` at its root, which gives each of them the default discipline of the time when it is
 * made (net/sched/sch_mq.c, mq_init). So the default is set first, and then mq is made anew: the card keeps a lock for each
 * queue, which a single root discipline would take away.
 */
async function replaceBelow(
  view: HostView,
  { name: instance, qdiscs = [] }: LinkFacts,
  shown: { now: string; proposed: string },
  wanted: string,
  notes: readonly string[],
): Promise<Step> {
  const read = await readKernel(view, DEFAULT_QUEUE);
  if (!('text' in read)) {
    const why = "the queues of a card get the kernel's default discipline, which only the host's first network namespace shows: set it there";
    return notDone('not-applicable', why, { instance, ...shown });
  }
  const place = { kind: 'root-queue', interface: instance } as const;
  const [kind = read.text] = childKinds(qdiscs);
  const change: Change = { place, original: { queue: 'mq', byKernel: true, leaf: kind }, desired: { queue: 'mq', byKernel: false, leaf: wanted } };
  return {
    verdict: 'change',
    instance,
    ...shown,
    why: queueDiscipline.why,
    changes: [...(read.text === wanted ? [] : [kernelValue(DEFAULT_QUEUE, read.text, wanted)]), change],
    persist: [{ by: 'sysctl', key: 'net.core.default_qdisc', value: wanted }],
    notes: [`each of its queues gets ${wanted}, and so does every interface that comes up from now on (net.core.default_qdisc)`, ...notes],
  };
}

/** What the kernel puts there itself has the handle 0:, and what somebody sets has another one. */
function isDefault({ handle }: QueueFacts): boolean {
  return (Number.parseInt(handle, 16) || 0) === 0;
}

function isChild({ parent }: QueueFacts): boolean {
  return parent.includes(':');
}

function childKinds(qdiscs: readonly QueueFacts[]): readonly string[] {
  return [...new Set(qdiscs.filter(isChild).map(({ kind }) => kind))];
}

function shownQueue(qdiscs: readonly QueueFacts[], root: QueueFacts): string {
  return root.kind === 'mq' ? ['mq', ...childKinds(qdiscs)].join(' ') : root.kind;
}
