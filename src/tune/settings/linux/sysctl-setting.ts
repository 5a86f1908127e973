import type { Change } from '../../place.js';
import type { HostView, Persisted, PlanRules, Setting, Step } from '../../setting.js';
import { sysctlPath } from '../../places/kernel-value.js';
import { ceilingNotes } from './buffer-ceiling.js';
import { releaseAtLeast } from './kernel-release.js';
import { notDone } from '../steps.js';
import { kernelValue, readKernel, whyReadOnly } from './kernel-steps.js';
import { betterOf, describeForm, parseSysctl, singleSpaced, takesAway } from './sysctl-value.js';
import type { Sysctl } from './sysctl.js';

/** A setting from its row of the table. `probe` looks at what the row cannot say, and returns why nothing is to be done. */
export function sysctlSetting(row: Sysctl, probe?: SysctlProbe): Setting<string> {
  return {
    id: row.id,
    title: row.title,
    platforms: ['linux'],
    effect: row.effect,
    scope: row.reach === 'namespace' ? 'namespace' : 'host',
    group: row.group,
    needs: { root: true },
    sources: row.sources,
    why: row.why,
    takes: `${describeForm(row.form)}, such as ${String(row.example)}`,
    parse: (value) => parseSysctl(row.form, value),
    write: (value) => value,
    plan: async (view, wanted, rules) => [await planSysctl(view, row, wanted, rules, probe)],
    ...(row.moves ? { moves: row.moves } : {}),
  };
}

export type SysctlProbe = (view: HostView, wanted: string, now: string) => Promise<Probed>;

/** `changes`: in place of writing the key alone; `persist`: before the key itself. */
export type Probed =
  | { readonly step: Step }
  | { readonly notes: readonly string[]; readonly changes?: readonly Change[]; readonly persist?: readonly Persisted[] };

/** The order matters: what does nothing and what is not there is said first, then what is there already, then who else has a say. */
async function planSysctl(view: HostView, row: Sysctl, wanted: string, rules: PlanRules, probe: SysctlProbe | undefined): Promise<Step> {
  const path = sysctlPath(row.id);
  const read = await readKernel(view, path);
  if (isInert(row, view)) {
    return notDone('no-effect', row.inert?.why ?? row.why, { ...('text' in read ? { now: singleSpaced(read.text) } : {}), proposed: wanted });
  }
  if ('absent' in read) return notDone('absent', await whyAbsent(view, row), { proposed: wanted });
  if ('unreadable' in read) return notDone('unreadable', read.unreadable, { proposed: wanted });
  const now = singleSpaced(read.text);
  const shown = { now, proposed: wanted };
  if (now === wanted) return notDone('already', `it is ${now} already`, shown);
  if (row.leaveAlone !== undefined && !rules.exact) return notDone('not-applicable', row.leaveAlone, shown);
  const desired = rules.exact ? wanted : betterOf(row.better, now, wanted);
  if (desired === now) return notDone('would-lower', whyKept(row, now, wanted), shown);
  const manager = view.managedBy(row.id);
  if (manager && singleSpaced(manager.value ?? '') !== desired) {
    const value = manager.value === undefined ? 'this key' : `it to ${manager.value}`;
    return notDone('managed', `${manager.who} sets ${value}: change it there, or take the line away`, shown);
  }
  const probed = await probe?.(view, desired, now);
  if (probed && 'step' in probed) return probed.step;
  const readOnly = await whyReadOnly(view, path);
  if (readOnly !== undefined) return notDone('read-only', whyNotHere(row, readOnly), shown);
  const lowers = takesAway(row.better, now, desired);
  const notes = [
    ...(row.buffer ? ceilingNotes(Number(desired.split(' ').at(-1))) : []),
    ...(desired === wanted || rules.exact ? [] : [`the profile says ${wanted}; what is larger here already is kept`]),
    ...(lowers ? [`the profile sets exact values, and this takes away from ${now}`] : []),
    ...(row.notes ?? []),
    ...(probed ? probed.notes : []),
  ];
  return {
    verdict: 'change',
    now,
    proposed: desired,
    why: row.why,
    changes: probed?.changes ?? [kernelValue(path, now, desired)],
    persist: [...(probed?.persist ?? []), { by: 'sysctl', key: row.id, value: desired }],
    ...(lowers ? { effect: 'risky' } : {}),
    ...(notes.length > 0 ? { notes } : {}),
  };
}

function isInert({ inert }: Sysctl, view: HostView): boolean {
  return inert !== undefined && (inert.since === undefined || releaseAtLeast(view.identity.kernel, inert.since));
}

async function whyAbsent(view: HostView, { since, removed, reach, id }: Sysctl): Promise<string> {
  const { kernel } = view.identity;
  if (removed && (removed.in === undefined || releaseAtLeast(kernel, removed.in))) return removed.why;
  if (since !== undefined && !releaseAtLeast(kernel, since)) return `kernel ${kernel} does not have it: it came with Linux ${since}`;
  if (id.startsWith('net.') && reach === 'host' && (await inChildNamespace(view))) {
    return "it belongs to the whole kernel, and is seen in the host's first network namespace only: set it on the host";
  }
  return `kernel ${kernel} was built without it, or its module is not loaded`;
}

/** Keys that only the first network namespace has are missing in every other. */
export async function inChildNamespace(view: HostView): Promise<boolean> {
  return 'absent' in (await readKernel(view, '/proc/sys/net/core/netdev_max_backlog'));
}

function whyNotHere({ reach, id }: Sysctl, why: string): string {
  const namespace = reach === 'host' && id.startsWith('net.') && why.startsWith('not even root');
  return namespace ? "it belongs to the whole kernel, and other network namespaces than the host's first may only read it: set it on the host" : why;
}

function whyKept({ better }: Sysctl, now: string, wanted: string): string {
  switch (better) {
    case 'lower':
      return `it is ${now} already, which is lower than ${wanted}, and lower is better here`;
    case 'bits':
      return `${now} has everything that ${wanted} asks for, and more`;
    case 'wider':
      return `${now} is wider than ${wanted} already`;
    default:
      return `it is ${now} already, and ${wanted} would take from it; a profile that says exact would`;
  }
}
