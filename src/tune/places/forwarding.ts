import { shellWord } from '../../base/index.js';
import type { Place, PlaceOf, PlaceStates } from '../place.js';
import type { TunePorts } from '../ports.js';

type State = PlaceStates['forwarding'];
type Ref = PlaceOf<'forwarding'>;

/**
 * Whether a host forwards, with everything that the kernel changes by the way, so that undoing it undoes that too. Writing
 * ip_forward sets forwarding of every interface to the same, and conf.all.accept_redirects to the contrary (net/ipv4/devinet.c,
 * inet_forward_change); a write of conf.all.forwarding does the former for IPv6 (net/ipv6/addrconf.c,
 * addrconf_fixup_forwarding), and removes default routes learnt from routers where accept_ra is 1.
 * Keys are paths below /proc/sys/net/ipv4 or ipv6.
 */
export const forwardingPlace: Place<'forwarding'> = {
  kind: 'forwarding',
  read,
  async write(ports, ref, state) {
    for (const key of inOrder(ref, state)) {
      const path = pathOf(ref, key);
      const now = await ports.control.readValue(path);
      // An interface that is gone has nothing to be put back.
      if (now !== undefined && Number(now) !== state[key]) await ports.control.writeValue(path, `${state[key]}\n`);
    }
  },
  // Interfaces come and go: one that is not there any more, or was not there yet, does not count.
  holds: (state, meant) => Object.entries(meant).every(([key, value]) => (state[key] ?? value) === value),
  label: (ref) => (ref.family === 4 ? 'net.ipv4.ip_forward' : 'net.ipv6.conf.all.forwarding'),
  show(state, beside) {
    const switchKey = 'ip_forward' in state ? 'ip_forward' : 'conf/all/forwarding';
    const others = Object.entries(state).filter(([key, value]) => key !== switchKey && beside?.[key] !== undefined && beside[key] !== value);
    return [`${state[switchKey] ?? ''}`, ...others.map(([key, value]) => `${key} ${value}`)].join(', ');
  },
  commands: (ref, state) => inOrder(ref, state).map((key) => `printf '%s\\n' ${state[key]} > ${shellWord(pathOf(ref, key))}`),
  reach: () => 'network',
};

async function read({ files, control }: TunePorts, ref: Ref): Promise<State | undefined> {
  const names = (await files.list(pathOf(ref, 'conf'))) ?? [];
  const own = names.filter((name) => name !== 'all').map((name) => `conf/${name}/forwarding`);
  const others = ref.family === 4 ? ['conf/all/accept_redirects'] : names.filter((name) => name !== 'all').map((name) => `conf/${name}/accept_ra`);
  const keys = [switchOf(ref), ...others, ...own];
  const values = await Promise.all(keys.map((key) => control.readValue(pathOf(ref, key))));
  if (values[0] === undefined) return undefined;
  return Object.fromEntries(keys.flatMap((key, index) => (values[index] === undefined ? [] : [[key, Number(values[index])]])));
}

function switchOf({ family }: Ref): string {
  return family === 4 ? 'ip_forward' : 'conf/all/forwarding';
}

function pathOf({ family }: Ref, key: string): string {
  return `/proc/sys/net/ipv${family}/${key}`;
}

/** What is dragged along comes after the switch; accept_ra before it is turned on, and after it was turned off. */
function inOrder(ref: Ref, state: State): readonly string[] {
  const first = switchOf(ref);
  const on = state[first] === 1;
  const rank = (key: string): number => (key === first ? 1 : key.endsWith('/accept_ra') ? (on ? 0 : 3) : 2);
  return Object.keys(state).toSorted((a, b) => rank(a) - rank(b));
}
