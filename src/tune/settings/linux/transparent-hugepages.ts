import { commandsOf } from '../../places/registry.js';
import type { HostView, Setting, Step } from '../../setting.js';
import { notDone } from '../steps.js';
import { THP, TUNED_NETWORK_LATENCY } from './sources.js';
import { atBoot, choiceValue, readKernel, whyReadOnly } from './kernel-steps.js';
import { parsePairs } from './named-values.js';

interface Wanted {
  readonly enabled?: string;
  readonly defrag?: string;
}

const FOLDER = '/sys/kernel/mm/transparent_hugepage';
const CHOICES = { enabled: ['always', 'madvise', 'never'], defrag: ['always', 'defer', 'defer+madvise', 'madvise', 'never'] } as const;
const FILES = ['enabled', 'defrag'] as const;

/** Whether the kernel backs memory of programs by pages of 2 MB. */
export const transparentHugepages: Setting<Wanted> = {
  id: 'transparent-hugepages',
  title: 'Transparent huge pages',
  platforms: ['linux'],
  effect: 'risky',
  scope: 'host',
  group: 'memory',
  needs: { root: true },
  sources: [TUNED_NETWORK_LATENCY, THP],
  why: 'Making huge pages can stop a program for some milliseconds while memory is moved together: it is jitter, and not throughput. Programs that work on much memory (models on the CPU, databases, the JVM) can be slower without, so measure on such hosts.',
  takes: 'never, madvise or always for both, or such as { enabled: madvise, defrag: never }',
  parse: (value) => {
    const both = CHOICES.enabled.find((word) => word === value);
    if (both !== undefined) return { value: { enabled: both, defrag: both } };
    return parsePairs(
      value,
      (name) => FILES.find((file) => file === name),
      'one of the words that the kernel offers',
      (word, name) => (name === 'enabled' ? CHOICES.enabled : CHOICES.defrag).find((one) => one === word),
    );
  },
  write: (wanted) => FILES.flatMap((file) => (wanted[file] === undefined ? [] : [`${file} ${wanted[file]}`])).join(', '),
  plan: async (view, wanted) => [await planPages(view, wanted)],
  moves: ['jitter'],
};

async function planPages(view: HostView, wanted: Wanted): Promise<Step> {
  const proposed = transparentHugepages.write(wanted);
  const found: { path: string; now: string; desired: string }[] = [];
  for (const file of FILES) {
    const desired = wanted[file];
    if (desired === undefined) continue;
    const path = `${FOLDER}/${file}`;
    const read = await readKernel(view, path);
    if ('unreadable' in read) return notDone('unreadable', read.unreadable, { proposed });
    const now = 'text' in read ? /\[([^\]]+)\]/.exec(read.text)?.[1] : undefined;
    if (!('text' in read) || now === undefined)
      return notDone('absent', `this kernel has no transparent huge pages (${path} is missing)`, { proposed });
    if (!read.text.replaceAll(/[[\]]/g, '').split(/\s+/).includes(desired))
      return notDone('absent', `this kernel does not offer ${desired} for ${file}: it has ${read.text}`, { now, proposed });
    found.push({ path, now, desired });
  }
  const now = transparentHugepages.write(Object.fromEntries(found.map((one) => [one.path.slice(FOLDER.length + 1), one.now])));
  const shown = { now, proposed };
  const differing = found.filter((one) => one.now !== one.desired);
  const [first] = differing;
  if (!first) return notDone('already', 'they are as wanted already', shown);
  const manager = view.managedBy('transparent-hugepages');
  if (manager && manager.value !== first.desired)
    return notDone('managed', `${manager.who} sets them${manager.value === undefined ? '' : ` to ${manager.value}`}: change it there`, shown);
  const readOnly = await whyReadOnly(view, first.path);
  if (readOnly !== undefined) return notDone('read-only', readOnly, shown);
  const changes = differing.map((one) => choiceValue(one.path, one.now, one.desired));
  return {
    verdict: 'change',
    ...shown,
    why: transparentHugepages.why,
    changes,
    persist: atBoot(changes.flatMap(({ place, desired }) => commandsOf(place, desired))),
    notes: ['programs that run keep the huge pages that they have'],
  };
}
