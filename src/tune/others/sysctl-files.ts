import type { QuietFiles } from './quiet-files.js';

/** One line of a sysctl.d file. */
export interface SysctlLine {
  readonly file: string;
  readonly line: number;
  /** As a path below /proc/sys; with `*`, `?` or `[` it may stand for several keys. */
  readonly key: string;
  /** Left out in `-key`, which keeps patterns away from a key. */
  readonly value?: string;
  /** `distribution`: shipped with the system or put there by the provider's installer, so nobody's own wish. */
  readonly from: 'administrator' | 'distribution' | 'tautline';
}

/**
 * Folders of sysctl.d(5), the one that wins first: of files with the same name only the first is read, so that an empty
 * file or a link to /dev/null in /etc masks one in /usr/lib. /lib counts where it is not a link to /usr/lib.
 */
const FOLDERS = ['/etc/sysctl.d', '/run/sysctl.d', '/usr/local/lib/sysctl.d', '/usr/lib/sysctl.d', '/lib/sysctl.d'] as const;

/** Files in /etc that a package or the provider's image put there (Debian and Ubuntu procps, cloud images, Hetzner's installimage). */
const SHIPPED_IN_ETC: readonly string[] = [
  '10-bufferbloat.conf',
  '10-console-messages.conf',
  '10-ipv6-privacy.conf',
  '10-kernel-hardening.conf',
  '10-magic-sysrq.conf',
  '10-map-count.conf',
  '10-network-security.conf',
  '10-ptrace.conf',
  '10-zeropage.conf',
  '99-cloudimg-ipv6.conf',
  '99-hetzner.conf',
];

/** Every line that is read at boot, in the order in which it is read: all files sorted by name, whatever their folder; later lines win. */
export async function readSysctlFiles(files: QuietFiles): Promise<SysctlLine[]> {
  const listed = await Promise.all(FOLDERS.map(async (folder) => ({ folder, names: await files.list(folder) })));
  const chosen = new Map<string, string>();
  for (const { folder, names } of listed) {
    for (const name of names) {
      if (name.endsWith('.conf') && !chosen.has(name)) chosen.set(name, `${folder}/${name}`);
    }
  }
  const paths = [...chosen].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, path]) => path);
  const [texts, own] = await Promise.all([Promise.all(paths.map((path) => files.text(path))), files.text('/etc/sysctl.conf')]);
  const lines = paths.flatMap((path, i) => {
    const text = texts[i] ?? '';
    // Debian links 99-sysctl.conf to /etc/sysctl.conf: it is then one file, and people know it by that name.
    return parseSysctlFile(text, path.endsWith('/99-sysctl.conf') && text === own ? '/etc/sysctl.conf' : path);
  });
  const linked = lines.some(({ file }) => file === '/etc/sysctl.conf');
  // Without that link systemd leaves it unread; `sysctl --system`, and TuneD after its own values, read it last.
  return linked || own === undefined ? lines : [...lines, ...parseSysctlFile(own, '/etc/sysctl.conf')];
}

/** Lines in the syntax of sysctl.d(5): comments with `#` or `;`, a leading `-` for "failure is no matter". */
export function parseSysctlFile(text: string, file: string): SysctlLine[] {
  const from = originOf(file);
  return text.split('\n').flatMap((raw, at): SysctlLine[] => {
    const trimmed = raw.trim();
    if (trimmed === '' || trimmed.startsWith('#') || trimmed.startsWith(';')) return [];
    const equals = trimmed.indexOf('=');
    const optional = trimmed.startsWith('-');
    const name = trimmed.slice(optional ? 1 : 0, equals < 0 ? undefined : equals).trim();
    if (name === '' || (equals < 0 && !optional)) return [];
    const value = equals < 0 ? {} : { value: trimmed.slice(equals + 1).trim() };
    return [{ file, line: at + 1, key: sysctlPath(name), ...value, from }];
  });
}

/**
 * A sysctl's name as a path below /proc/sys. sysctl.d(5): if the first separator is a slash, the name is a path already;
 * if it is a dot, dots and slashes change places (`net.ipv4.conf.eth0/100.rp_filter`).
 */
export function sysctlPath(name: string): string {
  const first = /[./]/.exec(name)?.[0];
  return first === '.' ? name.replace(/[./]/g, (mark) => (mark === '.' ? '/' : '.')) : name;
}

/**
 * The line that decides a key, as systemd-sysctl does it (src/sysctl/sysctl.c): what names the key goes before patterns, and
 * of each the last; `-key` takes an assignment back and keeps patterns away. A pattern that is said again with the same
 * value keeps its place among the other patterns.
 */
export function decidingLine(lines: readonly SysctlLine[], key: string): SysctlLine | undefined {
  const path = sysctlPath(key);
  const assigned = new Map<string, SysctlLine>();
  for (const line of lines) {
    if (assigned.get(line.key)?.value === line.value && assigned.has(line.key)) continue;
    assigned.delete(line.key);
    assigned.set(line.key, line);
  }
  const named = assigned.get(path);
  if (named) return named.value === undefined ? undefined : named;
  return [...assigned.values()].findLast((line) => line.value !== undefined && isPattern(line.key) && fits(line.key, path));
}

export function isPattern(key: string): boolean {
  return /[*?[]/.test(key);
}

/** glob(7) as systemd uses it on /proc/sys: `*` and `?` stop at a slash. */
function fits(pattern: string, path: string): boolean {
  const source = pattern.replace(/\[!?[^\]]+\]|[*?]|[.+^${}()|\\[\]]/g, (mark) => {
    if (mark === '*') return '[^/]*';
    if (mark === '?') return '[^/]';
    if (mark.length > 1) return mark.replace('[!', '[^').replaceAll('\\', '\\\\');
    return `\\${mark}`;
  });
  try {
    return new RegExp(`^${source}$`).test(path);
  } catch {
    // Such as `[z-a]`: it matches nothing to glob(7) either.
    return false;
  }
}

function originOf(file: string): SysctlLine['from'] {
  const name = file.slice(file.lastIndexOf('/') + 1);
  if (/(?:^|[-_])tautline(?:[-_.]|$)/.test(name)) return 'tautline';
  if (file.startsWith('/usr/lib/') || file.startsWith('/lib/')) return 'distribution';
  return file.startsWith('/etc/sysctl.d/') && SHIPPED_IN_ETC.includes(name) ? 'distribution' : 'administrator';
}
