import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { freshName, removeStale } from './namespaces.js';
import { Program, mustRun } from './processes.js';
import { RELAY_DEVICE, RELAY_READY } from './relay.js';
import type { RelayPlan } from './relay.js';

/** A network namespace with a part to play. */
export interface Place {
  readonly name: string;
  inside(argv: readonly string[]): string[];
  sh(line: string): Promise<string>;
}

/** One of the paths: near (`pathN`) - (`near0`) router (`far0`) - (`pathN`) far. */
export interface RoutedPath {
  readonly router: Place;
  /** The interface of both ends. */
  readonly device: string;
  readonly nearAddress: string;
  readonly farAddress: string;
  /** Puts every packet of the path through a relay of its own. */
  relay(plan: Omit<RelayPlan, 'far'>): Promise<void>;
}

export interface RoutedPaths {
  readonly near: Place;
  readonly far: Place;
  readonly paths: readonly RoutedPath[];
  /** Ends with the namespaces. */
  readonly programs: Program[];
}

/** Whether the far end is at the same site (a private address) or somewhere else (RFC 2544's addresses for benchmarks, which are nobody's). */
export type Site = 'same' | 'other';
const NETS: Readonly<Record<Site, string>> = { same: '10.78', other: '198.18' };

export const RELAY_PROGRAM = fileURLToPath(new URL('./relay.js', import.meta.url));

/** Makes two hosts with one or more routed paths between them, hands them to `work`, and removes everything whatever happens. */
export async function withRoutedPaths<T>(
  { count, site = 'same' }: { readonly count: number; readonly site?: Site },
  work: (lab: RoutedPaths) => Promise<T>,
): Promise<T> {
  removeStale();
  const id = freshName();
  const near = place(`${id}n`);
  const far = place(`${id}f`);
  const routers = Array.from({ length: count }, (_, i) => place(`${id}${'rstu'[i] ?? 'v'}`));
  const all = [near, far, ...routers];
  const programs: Program[] = [];
  const remove = (): void => {
    for (const program of programs) if (program.running) program.kill('SIGKILL');
    for (const { name } of all) spawnSync('ip', ['netns', 'delete', name]);
  };
  process.once('exit', remove);
  try {
    for (const { name, sh } of all) {
      await mustRun(['ip', 'netns', 'add', name]);
      await sh('ip link set lo up; sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0');
    }
    const paths: RoutedPath[] = [];
    for (const [i, router] of routers.entries()) paths.push(await join({ near, far, router, number: i, programs, net: NETS[site] }));
    return await work({ near, far, paths, programs });
  } finally {
    process.off('exit', remove);
    remove();
    await Promise.all(programs.map(({ finished }) => finished));
  }
}

interface Joint {
  readonly near: Place;
  readonly far: Place;
  readonly router: Place;
  readonly number: number;
  readonly programs: Program[];
  readonly net: string;
}

async function join({ near, far, router, number, programs, net }: Joint): Promise<RoutedPath> {
  const device = `path${number}`;
  const nearNet = `10.78.${2 * number + 1}`;
  const farNet = `${net}.${2 * number + 2}`;
  await mustRun(['ip', 'link', 'add', device, 'netns', near.name, 'type', 'veth', 'peer', 'name', 'near0', 'netns', router.name]);
  await mustRun(['ip', 'link', 'add', device, 'netns', far.name, 'type', 'veth', 'peer', 'name', 'far0', 'netns', router.name]);
  await router.sh(
    `ip addr add ${nearNet}.254/24 dev near0; ip addr add ${farNet}.254/24 dev far0; ip link set near0 up; ip link set far0 up; sysctl -qw net.ipv4.ip_forward=1`,
  );
  await near.sh(`ip addr add ${nearNet}.1/24 dev ${device}; ip link set ${device} up; ip route add ${farNet}.0/24 via ${nearNet}.254`);
  await far.sh(`ip addr add ${farNet}.2/24 dev ${device}; ip link set ${device} up; ip route add ${nearNet}.0/24 via ${farNet}.254`);
  const relay = async (plan: Omit<RelayPlan, 'far'>): Promise<void> => {
    const program = new Program(router.inside([process.execPath, RELAY_PROGRAM, JSON.stringify({ far: `${farNet}.`, ...plan })]));
    programs.push(program);
    await program.until((output) => output.includes(RELAY_READY));
    await router.sh(
      `ip link set ${RELAY_DEVICE} up txqueuelen 10000; ip route add default dev ${RELAY_DEVICE} table 100; ip rule add iif near0 lookup 100; ip rule add iif far0 lookup 100`,
    );
  };
  return { router, device, nearAddress: `${nearNet}.1`, farAddress: `${farNet}.2`, relay };
}

export function place(name: string): Place {
  const inside = (argv: readonly string[]): string[] => ['ip', 'netns', 'exec', name, ...argv];
  return { name, inside, sh: (line) => mustRun(inside(['sh', '-ec', line])) };
}
