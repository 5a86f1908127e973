import { parseSysctls } from '../../places/macos-sysctl.js';
import { readPlace } from '../../places/registry.js';
import type { Effect, Group, HostView, PlanRules, Setting, Source, Step } from '../../setting.js';
import { readOnce } from '../once.js';
import { notDone } from '../steps.js';

const XNU: Source = { title: 'XNU, bsd/netinet and bsd/kern/uipc_socket2.c', url: 'https://github.com/apple-oss-distributions/xnu' };
const FASTERDATA: Source = { title: 'ESnet fasterdata, macOS tuning', url: 'https://fasterdata.es.net/host-tuning/macos/' };
const ALL_TIMEOUT_MS = 5000;

interface MacosSysctl {
  readonly id: string;
  readonly title: string;
  readonly group: Group;
  readonly effect: Effect;
  readonly why: string;
  readonly min: number;
  readonly max: number;
  readonly better: 'higher' | 'neither';
  readonly example: number;
  readonly notes?: readonly string[];
  readonly moves?: readonly string[];
}

const KERNEL_CAP = 'the kernel refuses what is above its own cap (ERANGE): then nothing is changed, and the refusal is told';
const buffers = {
  group: 'buffers',
  effect: 'measurable',
  min: 4096,
  max: 2 ** 31 - 1,
  better: 'higher',
  moves: ['throughput.up', 'throughput.down'],
} as const;

/** The table. /etc/sysctl.conf is not read since macOS 11, so a LaunchDaemon sets them at boot. */
const SYSCTLS: readonly MacosSysctl[] = [
  {
    ...buffers,
    id: 'net.inet.tcp.autorcvbufmax',
    title: 'Largest TCP receive buffer',
    why: 'Autotuning lets the receive buffer of a connection grow up to this: it bounds downloads to this much for each round trip (4 MB at 50 ms: 671 Mbit/s).',
    example: 16_777_216,
    notes: [KERNEL_CAP],
  },
  {
    ...buffers,
    id: 'net.inet.tcp.autosndbufmax',
    title: 'Largest TCP send buffer',
    why: 'Autotuning lets the send buffer of a connection grow up to this: it bounds uploads to this much for each round trip.',
    example: 16_777_216,
    notes: [KERNEL_CAP],
  },
  {
    ...buffers,
    id: 'net.inet.tcp.sendspace',
    title: 'First TCP send buffer',
    why: 'Where autotuning starts from. More helps short transfers over long round trips, and costs memory for every connection.',
    example: 1_048_576,
  },
  {
    ...buffers,
    id: 'net.inet.tcp.recvspace',
    title: 'First TCP receive buffer',
    why: 'Where autotuning starts from, and the first window that a peer is told. More helps short transfers over long round trips.',
    example: 1_048_576,
  },
  {
    ...buffers,
    id: 'kern.ipc.maxsockbuf',
    title: 'Largest buffer that a program may ask for',
    why: 'It bounds what programs ask for themselves (SO_RCVBUF, UDP); TCP that tunes itself is bounded by autorcvbufmax and autosndbufmax. 8 MB is the usual default and often also the cap.',
    example: 16_777_216,
    notes: [KERNEL_CAP],
  },
  {
    id: 'kern.ipc.somaxconn',
    title: 'Connections that wait to be accepted',
    group: 'tcp',
    effect: 'measurable',
    why: 'A server that is busy for a moment refuses connections beyond this many that wait; the program must ask for as much in listen(2).',
    min: 1,
    max: 32_767,
    better: 'higher',
    example: 1024,
    moves: ['connect'],
  },
  {
    id: 'net.inet.tcp.delayed_ack',
    title: 'Delayed acknowledgements',
    group: 'tcp',
    effect: 'risky',
    why: 'The default 3 detects streams and acknowledges every second segment there. 0 acknowledges every one: twice as many packets; a program that must not wait sets TCP_NODELAY instead.',
    min: 0,
    max: 3,
    better: 'neither',
    example: 3,
    moves: ['rtt', 'cpu.up'],
  },
];

export const MACOS_SYSCTL_SETTINGS: readonly Setting<number>[] = SYSCTLS.map((row) => ({
  id: row.id,
  title: row.title,
  platforms: ['macos'],
  effect: row.effect,
  scope: 'host',
  group: row.group,
  needs: { root: true },
  sources: [XNU, FASTERDATA],
  why: row.why,
  takes: `a number from ${row.min} to ${row.max}, such as ${row.example}`,
  parse(value: unknown) {
    const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
    const fits = typeof number === 'number' && Number.isInteger(number) && number >= row.min && number <= row.max;
    return fits ? { value: number } : { problem: `a whole number from ${row.min} to ${row.max} is expected` };
  },
  write: String,
  plan: async (view: HostView, wanted: number, rules: PlanRules) => [await planSysctl(view, row, { wanted, rules })],
  ...(row.moves ? { moves: row.moves } : {}),
}));

async function planSysctl(
  view: HostView,
  row: MacosSysctl,
  { wanted, rules }: { readonly wanted: number; readonly rules: PlanRules },
): Promise<Step> {
  const place = { kind: 'macos-sysctl', name: row.id } as const;
  const proposed = String(wanted);
  const now = view.once ? (await readOnce(view, 'every value of sysctl', () => readAll(view))).get(row.id) : await readPlace(view.ports, place);
  if (now === undefined) return notDone('absent', `${view.identity.os} ${view.identity.kernel} has no ${row.id}`, { proposed });
  const shown = { now, proposed };
  if (Number(now) === wanted) return notDone('already', `it is ${now} already`, shown);
  if (row.better === 'higher' && Number(now) > wanted && !rules.exact) return notDone('would-lower', `it is ${now} already, which is more`, shown);
  return {
    verdict: 'change',
    ...shown,
    why: row.why,
    changes: [{ place, original: now, desired: proposed }],
    persist: [{ by: 'sysctl', key: row.id, value: proposed }],
    ...(row.notes ? { notes: row.notes } : {}),
  };
}

/** One process for all of them. */
async function readAll(view: HostView): Promise<ReadonlyMap<string, string>> {
  const shown = await view.ports.commands.run('sysctl', ['-a'], { timeoutMs: ALL_TIMEOUT_MS });
  return parseSysctls(shown.outcome === 'missing' ? '' : shown.stdout);
}
