import { assert } from '../../base/index.js';
import type { SysctlLine } from '../others/sysctl-files.js';
import { parseSysctlFile, sysctlPath } from '../others/sysctl-files.js';
import { MARK } from './own-files.js';

export const SYSCTL_FOLDER = '/etc/sysctl.d';
/** In the order in which they are tried: as early as possible leaves the administrator the most room after it. */
export const SYSCTL_NAMES = ['90-tautline.conf', '99-zz-tautline.conf'] as const;

export interface SysctlOrder {
  readonly name: (typeof SYSCTL_NAMES)[number];
  /** Keys that another file sets otherwise after ours whatever ours is called: they must be set after all files were read. */
  readonly late: readonly string[];
  readonly notes: readonly string[];
}

/**
 * What to call our file, so that its values are those that stand after a boot. Both readers sort all files by name,
 * whatever their folder, and the last line wins (sysctl.d(5), "Configuration directories and precedence"; sysctl(8),
 * "System file precedence"). They part over /etc/sysctl.conf: systemd-sysctl reads it only where a link 99-sysctl.conf leads
 * to it, and then by that name; `sysctl --system` of procps, which boots hosts without systemd, reads it after all others.
 *
 * @param lines every line that is read at boot, in order; one of /etc/sysctl.conf goes by that name, linked or not
 */
export function sysctlOrder(values: Readonly<Record<string, string>>, lines: readonly SysctlLine[], init: string): SysctlOrder {
  const rivals = Object.entries(values).flatMap(([key, value]) =>
    lines
      .filter((line) => line.from !== 'tautline' && line.key === sysctlPath(key) && line.value !== undefined && spaced(line.value) !== spaced(value))
      .map((line) => ({ key, line })),
  );
  const unbeaten = (name: string): typeof rivals => rivals.filter(({ line }) => nameOf(line, init) > name);
  const name = SYSCTL_NAMES.find((each) => unbeaten(each).length === 0) ?? '99-zz-tautline.conf';
  const left = unbeaten(name);
  return {
    name,
    late: [...new Set(left.map(({ key }) => key))].toSorted(),
    notes: rivals.flatMap(({ key, line }) => {
      const where = `${line.file}:${line.line} sets ${key} to ${line.value ?? ''}`;
      if (left.some((rival) => rival.line === line)) return [`${where} after every file of ours: it is set once more when all are read`];
      if (line.file === SYSCTL_CONF) return [`${where}: at boot ${name} comes after it, but \`sysctl --system\` reads it last`];
      return [];
    }),
  };
}

const SYSCTL_CONF = '/etc/sysctl.conf';

/** The name by which a file is sorted. */
function nameOf({ file }: SysctlLine, init: string): string {
  // Read last of all, or by systemd under the name of its link. Where that link is missing, systemd does not read it at all.
  if (file === SYSCTL_CONF) return init === 'systemd' ? '99-sysctl.conf' : '\uffff';
  return file.slice(file.lastIndexOf('/') + 1);
}

function spaced(value: string): string {
  return value.trim().split(/\s+/).join(' ');
}

/** What a file of ours sets. */
export function sysctlValues(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split('\n').flatMap((line) => {
      const [parsed] = parseSysctlFile(line, '');
      const key = line.slice(0, line.indexOf('=')).trim();
      return parsed?.value === undefined ? [] : [[key, parsed.value]];
    }),
  );
}

export function sysctlText(values: Readonly<Record<string, string>>, profiles: readonly string[]): string {
  const lines = Object.entries(values)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => {
      assert(!/[\n\r\0]/.test(`${key}${value}`) && /^[^\s=#;]+$/.test(key), `${key} is one line of a sysctl file`);
      return `${key} = ${value}`;
    });
  return [
    `# Kernel settings. ${MARK}.`,
    `# Profile: ${profiles.join(', ')}`,
    '# Read at boot by systemd-sysctl(8) or `sysctl --system`; nothing of Tautline is needed for it.',
    '# `tautline tune rollback` puts back what was here before. By hand: remove this file, and the values of the',
    '# system hold again from the next boot on.',
    '',
    ...lines,
    '',
  ].join('\n');
}

/** Whose wishes a file of ours has gathered. */
export function profilesIn(text: string): string[] {
  const found = /^# Profile: (.*)$/m.exec(text)?.[1];
  return found === undefined ? [] : found.split(', ');
}
