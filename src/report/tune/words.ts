import { shellWord } from '../../base/index.js';
import type { NOT_DONE_REASONS, NotDone, PlanDocument, Planned } from '../../results/index.js';
import type { TuneRenderOptions } from './lines.js';

/**
 * Why something is not done, in the order in which it matters to people; how many of each are told without `--all`; and
 * whether that is what a person expects who has seen a plan.
 */
export const REASONS: readonly {
  readonly reason: (typeof NOT_DONE_REASONS)[number];
  readonly title: string;
  readonly told: number;
  readonly expected: boolean;
}[] = [
  { reason: 'would-lower', title: 'Would lower what is set', told: 8, expected: true },
  { reason: 'managed', title: 'Set by somebody else', told: 8, expected: false },
  { reason: 'needs-root', title: 'Needs root', told: 6, expected: false },
  { reason: 'read-only', title: 'Cannot be written here', told: 4, expected: false },
  { reason: 'bad-value', title: 'Value not taken', told: 8, expected: false },
  { reason: 'unreadable', title: 'Cannot be read', told: 4, expected: false },
  { reason: 'no-effect', title: 'Does nothing', told: 8, expected: true },
  { reason: 'absent', title: 'Not on this host', told: 4, expected: true },
  { reason: 'virtual-device', title: 'Virtual device', told: 2, expected: true },
  { reason: 'not-applicable', title: 'Does not apply here', told: 4, expected: true },
  { reason: 'already', title: 'Already so', told: 0, expected: true },
];

const GROUP_TITLES: Readonly<Record<string, string>> = {
  congestion: 'Congestion control',
  buffers: 'Buffers',
  tcp: 'TCP',
  queueing: 'Queueing',
  offloads: 'Offloads',
  interrupts: 'Interrupts and queues',
  power: 'Processor power',
  memory: 'Memory',
  limits: 'Limits',
  names: 'Name resolution',
  ssh: 'SSH',
  containers: 'Containers',
  vpn: 'VPN',
  'clean-up': 'Clean-up',
  link: 'Link',
};

/** A group that has no title of its own is shown as it is, so that a new one needs no entry to be readable. */
export function groupTitle(group: string): string {
  return Object.hasOwn(GROUP_TITLES, group) ? (GROUP_TITLES[group] ?? group) : group;
}

const INSTANCES_TOLD = 4;

/** `rps (eth0, eth1 and 6 more)`. */
export function labelOf(setting: string, instances: readonly string[], all = false): string {
  if (instances.length === 0) return setting;
  return `${setting} (${listed(instances, all ? Number.POSITIVE_INFINITY : INSTANCES_TOLD)})`;
}

/** `a, b and 5 more`; one more is named rather than counted. */
export function listed(words: readonly string[], most: number): string {
  if (words.length <= most + 1) return words.join(', ');
  return `${words.slice(0, most).join(', ')} and ${words.length - most} more`;
}

export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** Changes that differ in their instance only are one to a reader. */
export interface PlannedRow {
  readonly planned: Planned;
  readonly instances: readonly string[];
}

export function plannedRows(changes: readonly Planned[]): PlannedRow[] {
  const rows = new Map<string, { planned: Planned; instances: string[] }>();
  for (const planned of changes) {
    const { instance, places: _, ...same } = planned;
    const key = JSON.stringify(same);
    const row = rows.get(key) ?? { planned, instances: [] };
    if (instance !== undefined) row.instances.push(instance);
    rows.set(key, row);
  }
  return [...rows.values()];
}

/** The groups in the order of the document, each with its rows. */
export function byGroup(changes: readonly Planned[]): { readonly group: string; readonly rows: readonly PlannedRow[] }[] {
  const groups = [...new Set(changes.map(({ group }) => group))];
  return groups.map((group) => ({ group, rows: plannedRows(changes.filter((planned) => planned.group === group)) }));
}

/** What is not done for one reason and with the same words. */
export interface NotDoneRow {
  readonly labels: readonly string[];
  readonly why: string;
  /** Where it is about one setting alone. */
  readonly now?: string;
  readonly proposed?: string;
}

export function notDoneRows(entries: readonly NotDone[], all = false): NotDoneRow[] {
  const whys = new Map<string, Map<string, { instances: string[]; entry: NotDone }>>();
  for (const entry of entries) {
    // A list of all has each with its own value.
    const key = all ? JSON.stringify([entry.why, entry.now, entry.proposed]) : entry.why;
    const settings = whys.get(key) ?? new Map<string, { instances: string[]; entry: NotDone }>();
    const same = settings.get(entry.setting) ?? { instances: [], entry };
    if (entry.instance !== undefined) same.instances.push(entry.instance);
    whys.set(key, settings.set(entry.setting, same));
  }
  return [...whys.values()].flatMap((settings): NotDoneRow[] => {
    const labels = [...settings].map(([setting, { instances }]) => labelOf(setting, instances, all));
    const [first] = settings.values();
    if (!first) return [];
    const { why, now, proposed } = first.entry;
    const alone = settings.size === 1 && (first.instances.length <= 1 || all);
    return [{ labels, why, ...(alone && now !== undefined ? { now } : {}), ...(alone && proposed !== undefined ? { proposed } : {}) }];
  });
}

/** `is 4194304, asked for 212992`; nothing where the sentence says it itself. */
export function valuesOf({ now, proposed, why }: Pick<NotDoneRow, 'now' | 'proposed' | 'why'>): string {
  const parts = [
    ...(now !== undefined && !why.includes(now) ? [`is ${now}`] : []),
    ...(proposed !== undefined && proposed !== now && !why.includes(proposed) ? [`profile says ${proposed}`] : []),
  ];
  return parts.join(', ');
}

const EFFECTS = { none: 'no effect', measurable: 'measurable', risky: 'risky' } as const;

/** What a change costs and how long it stays, in a few words each. */
export function tagsOf({ effect, needsRoot, persistence }: Planned): string[] {
  return [EFFECTS[effect], needsRoot ? 'root' : 'no root', `boot: ${persistence}`];
}

/** The reason in short: its first sentence. */
export function firstSentence(text: string): string {
  return /^.*?[.!?](?=\s+[A-Z"'(])/s.exec(text)?.[0] ?? text;
}

/** Who says so, and whose wish it is where that is another profile than the one that was asked for. */
export function sourceLine({ sources, from }: Pick<Planned, 'sources' | 'from'>, profile: string): string {
  const by = from === profile ? [] : [`profile ${from}`];
  return [...by, ...sources.map(({ title }) => title)].join('; ');
}

export function environmentLine({ environment: { kind, virtualization, provider, product, init } }: Pick<PlanDocument, 'environment'>): string {
  const names = { metal: 'a machine of its own', vm: 'a virtual machine', container: 'a container' } as const;
  const by = virtualization === undefined || virtualization === 'unknown' ? '' : ` (${virtualization})`;
  const at = [provider, product].filter((part) => part !== undefined).join(' ');
  return `${names[kind]}${by}${at === '' ? '' : `, ${at}`}, init: ${init}`;
}

/** A line of `tautline tune` to type next, with what was asked before. */
export function tuneCommand(
  words: readonly string[],
  options: { readonly sudo: boolean; readonly repeat?: TuneRenderOptions['repeat']; readonly after?: string },
): string {
  const all = [...words, ...(options.repeat?.flags ?? [])].map(shellWord).join(' ');
  return `${options.sudo ? 'sudo ' : ''}tautline tune ${all}${options.after ?? ''}`;
}
