import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mustRun, run } from './processes.js';

/** The two ends of a path between two network namespaces; the interface is called `path0` in both. */
export interface PathEnds {
  readonly near: Namespace;
  readonly far: Namespace;
}

export const INTERFACE = 'path0';

/** A network namespace of this process's own. */
export interface Namespace {
  readonly name: string;
  readonly address4: string;
  readonly address6: string;
  /** The command line that runs `argv` inside. */
  inside(argv: readonly string[]): string[];
  /** Runs a shell line inside and expects success. */
  sh(line: string): Promise<string>;
}

/** Why namespaces cannot be made here, or undefined when they can. */
export async function whyNoNamespaces(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  const probe = freshName();
  const made = await run(['ip', 'netns', 'add', probe]);
  if (made.code !== 0) return `network namespaces cannot be made here: ${made.stderr.trim() || 'ip is missing (package iproute2)'}`;
  await run(['ip', 'netns', 'delete', probe]);
  return undefined;
}

/**
 * Makes two namespaces joined by a veth pair, hands them to `work`, and removes them whatever
 * happens. IPv4 10.77.0.1 (near) and .2 (far), IPv6 fd77::1 and ::2; `ipv6Only` leaves IPv4 out.
 */
export async function withPath<T>(work: (ends: PathEnds) => Promise<T>, options: { ipv6Only?: boolean } = {}): Promise<T> {
  removeStale();
  const id = freshName();
  const near = namespace(`${id}n`, 1);
  const far = namespace(`${id}f`, 2);
  const remove = (): void => void [near, far].map(({ name }) => spawnSync('ip', ['netns', 'delete', name]));
  process.once('exit', remove);
  try {
    for (const { name } of [near, far]) await mustRun(['ip', 'netns', 'add', name]);
    await mustRun(['ip', 'link', 'add', INTERFACE, 'netns', near.name, 'type', 'veth', 'peer', 'name', INTERFACE, 'netns', far.name]);
    for (const end of [near, far]) {
      const four = options.ipv6Only === true ? '' : `ip addr add ${end.address4}/24 dev ${INTERFACE}; `;
      await end.sh(`ip link set lo up; ip link set ${INTERFACE} up; ${four}ip addr add ${end.address6}/64 dev ${INTERFACE} nodad`);
      if (options.ipv6Only === true) await end.sh('ip addr flush dev lo; ip addr add ::1/128 dev lo');
    }
    return await work({ near, far });
  } finally {
    process.off('exit', remove);
    remove();
  }
}

function namespace(name: string, number: number): Namespace {
  const inside = (argv: readonly string[]): string[] => ['ip', 'netns', 'exec', name, ...argv];
  return { name, address4: `10.77.0.${number}`, address6: `fd77::${number}`, inside, sh: (line) => mustRun(inside(['sh', '-ec', line])) };
}

/** A name of its own that carries this process's id, so that what a killed run left behind can be told. */
export function freshName(): string {
  return `tautline-${process.pid}-${randomBytes(3).toString('hex')}`;
}

export function removeStale(): void {
  const listed = spawnSync('ip', ['netns', 'list'], { encoding: 'utf8' });
  for (const line of listed.stdout.split('\n')) {
    const [, name, pid] = /^(tautline-(\d+)-[0-9a-f]{6}[a-z])\b/.exec(line) ?? [];
    if (name !== undefined && !existsSync(`/proc/${pid}`)) spawnSync('ip', ['netns', 'delete', name]);
  }
}
