import { shellWord } from '../base/index.js';
import type { JournalStep } from './journal/records.js';
import { quietFiles } from './others/quiet-files.js';
import { readSysctlFiles } from './others/sysctl-files.js';
import {
  BOOT_SCRIPT,
  DAEMON,
  DAEMON_SCRIPT,
  IFUP_HOOK,
  OPENRC_HOOK,
  UNIT,
  UNIT_LINK,
  daemonText,
  ifupText,
  openrcText,
  unitText,
} from './persist/boot-hooks.js';
import { blocksIn, bootScript } from './persist/boot-script.js';
import type { BootBlock, KeptBlock } from './persist/boot-script.js';
import { fileSteps, linkSteps, ownText } from './persist/own-files.js';
import type { OwnFile } from './persist/own-files.js';
import { SYSCTL_FOLDER, SYSCTL_NAMES, profilesIn, sysctlOrder, sysctlText, sysctlValues } from './persist/sysctl-file.js';
import type { ChangingStep } from './plan.js';
import type { HostView } from './setting.js';

export interface PersistRequest {
  /** What is changed now, each with the setting that it comes from. */
  readonly planned: readonly { readonly setting: { readonly id: string }; readonly step: Pick<ChangingStep, 'instance' | 'persist'> }[];
  readonly profile: string;
}

export interface Persistence {
  /** Files, links and folders of our own, in the order in which they are to be written. */
  readonly steps: readonly JournalStep[];
  /** What to know: who sets the same after us, what cannot be held over a boot here. */
  readonly notes: readonly string[];
}

type View = Pick<HostView, 'ports' | 'platform' | 'environment'>;

/**
 * Our own drop-in files that make a change outlive a boot, as changes of the host. What an earlier change has put into them
 * stays there: it still holds, so its values are not planned again, and rolling this change back puts the former files back.
 * @throws TautlineError where a foreign file is in the way
 */
export async function planPersistence(view: View, { planned, profile }: PersistRequest): Promise<Persistence> {
  const values: Record<string, string> = {};
  const blocks: BootBlock[] = [];
  for (const { setting, step } of planned) {
    const title = step.instance === undefined ? setting.id : `${setting.id} (${step.instance})`;
    const commands = step.persist.flatMap((each) => (each.by === 'boot' ? each.commands : []));
    const name = step.persist.flatMap((each) => (each.by === 'boot' && each.interface !== undefined ? [each.interface] : []))[0];
    for (const each of step.persist) if (each.by === 'sysctl') values[each.key] = each.value;
    if (commands.length > 0) blocks.push({ title, commands, ...(name === undefined ? {} : { interface: name }) });
  }
  return view.platform === 'macos' ? onMacos(view, { values, blocks, profile }) : onLinux(view, { values, blocks, profile });
}

interface Wanted {
  readonly values: Readonly<Record<string, string>>;
  readonly blocks: readonly BootBlock[];
  readonly profile: string;
}

async function onLinux(view: View, { values, blocks, profile }: Wanted): Promise<Persistence> {
  const { init } = view.environment;
  const sysctl = await sysctlFiles(view, values, profile);
  const late = sysctl.late.map((key): BootBlock => ({ title: key, commands: [`sysctl -q -w ${shellWord(`${key}=${values[key]}`)}`] }));
  const { files, steps } = { files: sysctl.files, steps: [] as JournalStep[] };
  const wanted = [...late, ...blocks];
  if (wanted.length === 0) return { steps: await fileSteps(view.ports, files), notes: sysctl.notes };
  const hook = init === 'systemd' ? 'systemd' : await otherHook(view);
  if (hook === undefined) {
    const lost = `nothing here runs a hook of ours at boot (systemd, ${IFUP_HOOK}, ${OPENRC_HOOK}): ${wanted.map(({ title }) => title).join(', ')} last until the next one`;
    return { steps: await fileSteps(view.ports, files), notes: [...sysctl.notes, lost] };
  }
  const { text, interfaces } = await mergedScript(view, BOOT_SCRIPT, wanted, profile);
  const script: OwnFile = { path: BOOT_SCRIPT, text, mode: 0o755 };
  steps.push(...(await fileSteps(view.ports, [...files, script, ...HOOKS[hook](interfaces)])));
  // The link is what has it run at boot, so it comes last, and goes first.
  if (hook === 'systemd') steps.push(...(await linkSteps(view.ports, UNIT_LINK, UNIT)));
  return { steps, notes: sysctl.notes };
}

/** `systemctl enable` would make the same link. networkd-dispatcher and NetworkManager's dispatcher run on hosts with systemd only, where the unit does for all. */
const HOOKS = {
  systemd: (interfaces: readonly string[]): OwnFile[] => [{ path: UNIT, text: unitText(interfaces), mode: 0o644 }],
  ifupdown: (interfaces: readonly string[]): OwnFile[] => [{ path: IFUP_HOOK, text: ifupText(interfaces), mode: 0o755 }],
  openrc: (): OwnFile[] => [{ path: OPENRC_HOOK, text: openrcText(), mode: 0o755 }],
} as const;

async function otherHook({ ports }: View): Promise<keyof typeof HOOKS | undefined> {
  const files = quietFiles(ports);
  if (await files.isFolder('/etc/network/if-up.d')) return 'ifupdown';
  return (await files.isFolder('/etc/local.d')) ? 'openrc' : undefined;
}

async function onMacos(view: View, { values, blocks, profile }: Wanted): Promise<Persistence> {
  // macOS reads no sysctl.conf since Big Sur.
  const sysctls = Object.entries(values).map(([key, value]): BootBlock => ({ title: key, commands: [`sysctl -w ${shellWord(`${key}=${value}`)}`] }));
  const wanted = [...sysctls, ...blocks];
  if (wanted.length === 0) return { steps: [], notes: [] };
  const { text } = await mergedScript(view, DAEMON_SCRIPT, wanted, profile);
  const files = [
    { path: DAEMON_SCRIPT, text, mode: 0o755 },
    { path: DAEMON, text: daemonText(), mode: 0o644 },
  ];
  return { steps: await fileSteps(view.ports, files), notes: [] };
}

/** One file for all keys, also those of earlier changes; its other name goes when it has to be called otherwise now. */
async function sysctlFiles({ ports, environment }: View, values: Readonly<Record<string, string>>, profile: string) {
  if (Object.keys(values).length === 0) return { files: [] as OwnFile[], late: [], notes: [] };
  const standing: Record<string, string> = {};
  const profiles: string[] = [];
  const there = new Set<string>();
  for (const name of SYSCTL_NAMES) {
    const text = await ownText(ports, `${SYSCTL_FOLDER}/${name}`);
    if (text === undefined) continue;
    there.add(name);
    Object.assign(standing, sysctlValues(text));
    profiles.push(...profilesIn(text));
  }
  const all = { ...standing, ...values };
  const order = sysctlOrder(all, await readSysctlFiles(quietFiles(ports)), environment.init);
  const files: OwnFile[] = [{ path: `${SYSCTL_FOLDER}/${order.name}`, text: sysctlText(all, united(profiles, profile)), mode: 0o644 }];
  for (const name of SYSCTL_NAMES)
    if (name !== order.name && there.has(name)) files.push({ path: `${SYSCTL_FOLDER}/${name}`, text: undefined, mode: 0o644 });
  return { files, late: order.late.filter((key) => Object.hasOwn(values, key)), notes: order.notes };
}

async function mergedScript({ ports }: View, path: string, wanted: readonly BootBlock[], profile: string) {
  const standing = await ownText(ports, path);
  const kept: KeptBlock[] = blocksIn(standing ?? '').filter(({ title }) => !wanted.some((block) => block.title === title));
  const text = bootScript([...kept, ...wanted], united(profilesIn(standing ?? ''), profile));
  const named = [...text.matchAll(/^\[ -e '?\/sys\/class\/net\/(.+?)'? \]$/gm)].map((match) => match[1] ?? '');
  return { text, interfaces: [...new Set(named)].toSorted() };
}

function united(profiles: readonly string[], profile: string): string[] {
  return [...new Set([...profiles, profile])];
}
