import { shellWord } from '../../base/index.js';
import type { Place, PlaceOf } from '../place.js';

/** A file of /proc or /sys that holds one value. */
export const kernelValuePlace: Place<'kernel-value'> = {
  kind: 'kernel-value',
  async read(ports, ref) {
    const text = await ports.control.readValue(ref.path);
    return text === undefined ? undefined : valueOf(ref, text);
  },
  // With a line end, as echo writes it: without one, an empty value would be no write at all.
  write: (ports, ref, state) => ports.control.writeValue(ref.path, `${state}\n`),
  holds: (state, meant) => comparable(state) === comparable(meant),
  label: ({ path }) => sysctlName(path) ?? path,
  show: (state) => (state === '' ? 'empty' : state),
  commands: ({ path }, state) => [`printf '%s\\n' ${shellWord(state)} > ${shellWord(path)}`],
  reach: ({ path }) => (BELONGS_TO_A_NETWORK.test(path) ? 'network' : 'machine'),
};

/** `net.ipv4.tcp_rmem` for its file below /proc/sys; interfaces' names may have dots, which sysctl(8) writes as slashes. */
export function sysctlName(path: string): string | undefined {
  if (!path.startsWith('/proc/sys/')) return undefined;
  return path.slice('/proc/sys/'.length).replaceAll(/[./]/g, (separator) => (separator === '/' ? '.' : '/'));
}

/** The file of a sysctl, by either way of writing its name (`net.ipv4.conf.eth0/100.rp_filter`, `net/ipv4/tcp_rmem`), as sysctl.d(5) has it. */
export function sysctlPath(name: string): string {
  const slashesFirst = /^[^./]*\//.test(name);
  return `/proc/sys/${slashesFirst ? name : name.replaceAll(/[./]/g, (separator) => (separator === '.' ? '/' : '.'))}`;
}

/** Words separated by single spaces; of a choice the word in brackets (mm/huge_memory.c prints `always [madvise] never`). */
function valueOf(ref: PlaceOf<'kernel-value'>, text: string): string {
  const chosen = ref.choice ? /\[([^\]]*)\]/.exec(text)?.[1] : undefined;
  return normal(chosen ?? text);
}

function normal(text: string): string {
  return text.trim().split(/\s+/).join(' ');
}

/** Masks of processors are printed with as many zeros as the kernel has processors: `2` is read again as `00000000,00000002`. */
function comparable(text: string): string {
  return normal(text)
    .split(' ')
    .map((word) => (/^[0-9a-f]{1,8}(?:,[0-9a-f]{8})*$/i.test(word) ? word.toLowerCase().replace(/^[0,]+(?=[0-9a-f])/, '') : word))
    .join(' ');
}

/**
 * What a network namespace has for itself, and what only the first one shows. Of net.core only a few keys are kept for each
 * namespace (net/core/sysctl_net_core.c, netns_core_table: somaxconn, txrehash, optmem_max since 6.9); the others are one for
 * the machine, but a namespace other than the first one does not show them (default_qdisc, busy_poll, netdev_max_backlog) or
 * refuses to write them (rmem_max). The same goes for net.ipv4 (tcp_mem, udp_mem, tcp_low_latency). Undone from another
 * namespace they would seem to be gone, so all of them are bound to the namespace that they were written in.
 * /sys/class/net and what lies below a device's net/ show the interfaces of one namespace.
 */
const BELONGS_TO_A_NETWORK = /^\/proc\/sys\/net\/|^\/sys\/class\/net\/|^\/sys\/devices\/.*\/net\/|^\/proc\/(?:self\/)?net\//;
