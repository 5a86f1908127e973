import type { SettingOwner } from '../setting.js';
import type { QuietFiles } from './quiet-files.js';

/** What TuneD has in force. */
export interface TunedState {
  /** As in /etc/tuned/active_profile; several may be merged. */
  readonly profile: string;
  /** Whether it runs, or starts at boot; a profile that a removed package left behind does nothing. */
  readonly running: boolean;
  /** Its values by sysctl name, and by setting id what it does beside them. */
  readonly values: ReadonlyMap<string, SettingOwner>;
  /** Profiles that could not be found or read. */
  readonly missing: readonly string[];
}

/** Newest layout first (TuneD 2.23 moved profiles a folder down), a person's own before those of the package. */
const FOLDERS = ['/etc/tuned/profiles', '/etc/tuned', '/usr/lib/tuned/profiles', '/usr/lib/tuned'] as const;

/** Profiles that include others that include others: TuneD's own go four deep. */
const PROFILES_MAX = 32;

/** Options of other sections that Tautline sets too, by its setting's id. */
const OPTIONS: readonly { readonly section: string; readonly option: string; readonly setting: string }[] = [
  { section: 'cpu', option: 'governor', setting: 'cpu-governor' },
  { section: 'cpu', option: 'force_latency', setting: 'cpu-latency' },
  { section: 'vm', option: 'transparent_hugepages', setting: 'transparent-hugepages' },
  { section: 'vm', option: 'transparent_hugepage', setting: 'transparent-hugepages' },
  { section: 'sysfs', option: '/sys/kernel/mm/transparent_hugepage/enabled', setting: 'transparent-hugepages' },
];

export async function readTuned(files: QuietFiles): Promise<TunedState | undefined> {
  const profile = (await files.text('/etc/tuned/active_profile'))?.trim() ?? '';
  if (profile === '') return undefined;
  const [pid, wanted] = await Promise.all([
    files.exists('/run/tuned/tuned.pid'),
    files.exists('/etc/systemd/system/multi-user.target.wants/tuned.service'),
  ]);
  const values = new Map<string, SettingOwner>();
  const missing: string[] = [];
  const seen = new Set<string>();
  for (const name of profile.split(/\s+/)) await load(name);
  return { profile, running: pid || wanted, values, missing };

  /** What a profile includes comes first, so that its own values win. */
  async function load(name: string): Promise<void> {
    if (seen.has(name) || seen.size >= PROFILES_MAX || !/^[\w.-]+$/.test(name)) return;
    seen.add(name);
    const text = await profileText(files, name);
    if (text === undefined) {
      missing.push(name);
      return;
    }
    const entries = parseIni(text);
    const included = entries.find(({ section, option }) => section === 'main' && option === 'include')?.value ?? '';
    for (const other of included.split(/[,;]/)) await load(other.trim());
    for (const entry of entries) {
      const id = settingOf(entry);
      if (id !== undefined) values.set(id, { who: `TuneD profile ${name}`, ...valueOf(entry.value) });
    }
  }
}

async function profileText(files: QuietFiles, name: string): Promise<string | undefined> {
  const texts = await Promise.all(FOLDERS.map((folder) => files.text(`${folder}/${name}/tuned.conf`)));
  return texts.find((text) => text !== undefined);
}

function settingOf({ section, type, option }: IniEntry): string | undefined {
  const kind = type ?? section;
  return kind === 'sysctl' ? option : OPTIONS.find((known) => known.section === kind && known.option === option)?.setting;
}

/** `>2048` and `<2048` change a value only upwards or downwards; variables are known to TuneD alone. */
function valueOf(text: string): { readonly value?: string } {
  const value = text
    .replace(/^[<>]/, '')
    .replace(/^"(.*)"$/, '$1')
    .trim();
  return value.includes('${') ? {} : { value };
}

interface IniEntry {
  readonly section: string;
  /** A section's `type=` says what it is where its name is free. */
  readonly type?: string;
  readonly option: string;
  readonly value: string;
}

/** As TuneD's parser: `=` alone separates, `#` begins a comment anywhere after a space, options keep their case. */
function parseIni(text: string): IniEntry[] {
  const entries: IniEntry[] = [];
  let section = '';
  for (const raw of text.split('\n')) {
    const line = raw.replace(/(^|\s)#.*$/, '').trim();
    const head = /^\[(.+)\]$/.exec(line);
    const equals = line.indexOf('=');
    if (head) section = head[1] as string;
    else if (equals > 0 && !line.startsWith(';'))
      entries.push({ section, option: line.slice(0, equals).trim(), value: line.slice(equals + 1).trim() });
  }
  return entries.map((entry) => {
    const type = entries.find(({ section: of, option }) => of === entry.section && option === 'type')?.value;
    return type === undefined ? entry : { ...entry, type };
  });
}
