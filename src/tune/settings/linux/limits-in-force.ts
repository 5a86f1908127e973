import type { TunePorts } from '../../ports.js';
import { quietFiles } from '../../others/quiet-files.js';

/** `unlimited` and `infinity`; of open files the kernel takes fs.nr_open for it. */
export const UNLIMITED = Number.POSITIVE_INFINITY;

export interface OpenFiles {
  readonly soft: number;
  readonly hard: number;
}

/** One line of limits.conf(5) about open files. */
export interface LimitLine {
  readonly at: string;
  readonly file: string;
  readonly domain: string;
  readonly kind: 'soft' | 'hard' | 'both';
  readonly value: number;
}

const LIMITS_FOLDER = '/etc/security/limits.d';
export const LIMITS_FILE = `${LIMITS_FOLDER}/90-tautline.conf`;

/** Every line about open files in the order in which pam_limits reads them: limits.conf, then limits.d by name; later lines win. */
export async function readLimitLines(ports: TunePorts): Promise<readonly LimitLine[]> {
  const files = quietFiles(ports);
  const names = (await files.list(LIMITS_FOLDER)).filter((name) => name.endsWith('.conf')).toSorted(byBytes);
  const paths = ['/etc/security/limits.conf', ...names.map((name) => `${LIMITS_FOLDER}/${name}`)];
  const texts = await Promise.all(paths.map((path) => files.text(path)));
  return paths.flatMap((file, i) =>
    (texts[i] ?? '').split('\n').flatMap((line, at): LimitLine[] => {
      const [domain = '', kind, item, value = ''] = line.replace(/#.*$/, '').trim().split(/\s+/);
      const kinds = { soft: 'soft', hard: 'hard', '-': 'both' } as const;
      const known = kind === undefined ? undefined : Object.hasOwn(kinds, kind) ? kinds[kind as keyof typeof kinds] : undefined;
      const limit = limitOf(value);
      return item === 'nofile' && known && limit !== undefined ? [{ at: `${file}:${at + 1}`, file, domain, kind: known, value: limit }] : [];
    }),
  );
}

/** Of /proc/self/limits: what this process has, and so a login has where no file says anything else. */
export function parseProcLimits(text: string): OpenFiles | undefined {
  const [, soft = '', hard = ''] = /^Max open files\s+(\S+)\s+(\S+)/m.exec(text) ?? [];
  const [softLimit, hardLimit] = [limitOf(soft), limitOf(hard)];
  return softLimit === undefined || hardLimit === undefined ? undefined : { soft: softLimit, hard: hardLimit };
}

/** Drop-ins of systemd, the folder that wins first: of files with the same name only one is read (systemd-system.conf(5)). */
const SYSTEMD_FOLDERS = ['/etc/systemd', '/run/systemd', '/usr/local/lib/systemd', '/usr/lib/systemd', '/lib/systemd'] as const;

export interface SystemdLimit extends OpenFiles {
  /** `/etc/systemd/system.conf:12`; undefined: its own default. */
  readonly at?: string;
  /** The name of the file that says so, for what is read after what. */
  readonly name?: string;
}

/** What `system.conf` or `user.conf` and its drop-ins give services that say nothing themselves. */
export async function readSystemdLimit(ports: TunePorts, manager: 'system' | 'user'): Promise<SystemdLimit> {
  const files = quietFiles(ports);
  const chosen = new Map<string, string>();
  for (const folder of SYSTEMD_FOLDERS) {
    for (const name of await files.list(`${folder}/${manager}.conf.d`)) {
      if (name.endsWith('.conf') && !chosen.has(name)) chosen.set(name, `${folder}/${manager}.conf.d/${name}`);
    }
  }
  const dropIns = [...chosen].toSorted(([a], [b]) => byBytes(a, b));
  const main = (
    await Promise.all(
      SYSTEMD_FOLDERS.map(async (folder) => ({ path: `${folder}/${manager}.conf`, text: await files.text(`${folder}/${manager}.conf`) })),
    )
  ).find(({ text }) => text !== undefined);
  const texts = [
    ...(main ? [{ name: '', path: main.path, text: main.text ?? '' }] : []),
    ...(await Promise.all(dropIns.map(async ([name, path]) => ({ name, path, text: (await files.text(path)) ?? '' })))),
  ];
  let found: SystemdLimit = await systemdDefault(ports);
  for (const { name, path, text } of texts) {
    text.split('\n').forEach((line, at) => {
      const limit = parsePair(/^\s*DefaultLimitNOFILE\s*=\s*(\S+)\s*$/.exec(line)?.[1] ?? '');
      if (limit) found = { ...limit, at: `${path}:${at + 1}`, name };
    });
  }
  return found;
}

/** `1024:524288`, or one number for both. */
export function parsePair(text: string): OpenFiles | undefined {
  const [soft, hard = soft] = text.split(':').map(limitOf);
  return soft === undefined || hard === undefined ? undefined : { soft, hard };
}

/** systemd gives services 1024:524288 since version 240 (its NEWS), and gave 1024:4096, the kernel's own, before. */
async function systemdDefault(ports: TunePorts): Promise<OpenFiles> {
  const files = quietFiles(ports);
  const names = (await Promise.all(['/usr/lib/systemd', '/lib/systemd'].map((folder) => files.list(folder)))).flat();
  const versions = names.flatMap((name) => /^libsystemd-shared-(\d+)/.exec(name)?.[1] ?? []).map(Number);
  return { soft: 1024, hard: versions.length > 0 && Math.max(...versions) < 240 ? 4096 : 524_288 };
}

function limitOf(text: string): number | undefined {
  if (/^(?:unlimited|infinity|-1)$/.test(text)) return UNLIMITED;
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function byBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
