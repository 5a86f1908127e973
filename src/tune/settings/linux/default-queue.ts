import type { HostView, Setting } from '../../setting.js';
import { modulePresence } from './kernel-modules.js';
import type { ModulePresence } from './kernel-modules.js';
import { NET_SYSCTL } from './sources.js';
import { notDone } from '../steps.js';
import { sysctlSetting } from './sysctl-setting.js';
import type { Sysctl } from './sysctl.js';

/** Queue disciplines that make sense at the root of a card without parameters. */
export const QUEUE_KINDS = ['fq', 'fq_codel', 'cake', 'pfifo_fast'] as const;

const ROW: Sysctl = {
  id: 'net.core.default_qdisc',
  title: 'Queue discipline of new interfaces',
  group: 'queueing',
  reach: 'host',
  since: '3.12',
  form: { kind: 'word', words: QUEUE_KINDS },
  better: 'neither',
  effect: 'measurable',
  why: 'What an interface gets when it comes up. Interfaces that are up keep theirs: queue-discipline changes those, and this makes the choice last over a boot.',
  sources: [NET_SYSCTL],
  example: 'fq',
  moves: ['rtt.loaded.up'],
};

export const defaultQueue: Setting<string> = sysctlSetting(ROW, async (view, wanted, now) => {
  const presence = await queuePresence(view, wanted);
  if (presence === 'missing') return { step: notDone('absent', whyNoQueue(view, wanted), { now, proposed: wanted }) };
  return { notes: ['interfaces that are up keep the discipline that they have', ...presenceNotes(presence, wanted)] };
});

/** Whether the kernel has this discipline; every one of them has a function of this name (net/sched/sch_*.c). */
export async function queuePresence(view: HostView, kind: string): Promise<ModulePresence> {
  // Built in since the beginning (net/sched/sch_generic.c).
  return kind === 'pfifo_fast' ? 'in-use' : modulePresence(view, `sch_${kind}`, `${kind}_enqueue`);
}

export function whyNoQueue(view: HostView, kind: string): string {
  return view.environment.kind === 'container'
    ? `the kernel has not loaded sch_${kind}, and a container cannot load it: run 'modprobe sch_${kind}' on the host, then plan again`
    : `kernel ${view.identity.kernel} has no queue discipline ${kind} (module sch_${kind})`;
}

export function presenceNotes(presence: ModulePresence, kind: string): readonly string[] {
  if (presence === 'loadable') return [`the kernel loads its module sch_${kind}; it stays loaded after a roll-back, where it does nothing`];
  if (presence === 'unknown') return [`whether this kernel has ${kind} is only seen when it is set; without it, nothing of the change is kept`];
  return [];
}
