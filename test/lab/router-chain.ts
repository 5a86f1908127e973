import { spawnSync } from 'node:child_process';
import { freshName, removeStale } from './namespaces.js';
import { mustRun } from './processes.js';
import { place } from './routed-paths.js';
import type { Place } from './routed-paths.js';

/**
 * Client, three routers and a server in a row; between the first and the last router a second one stands beside
 * the middle one.
 *
 *     client -1- first -2- middle -3- last -4- server
 *                  `---5-- beside --6--'
 *
 * Link n is 10.78.n.0/24 and fd78:n::/64; whoever is nearer to the client has .1 on it, who is farther .2.
 */
export interface RouterChain {
  readonly client: Place;
  readonly first: Place;
  readonly middle: Place;
  readonly beside: Place;
  readonly last: Place;
  readonly server: Place;
  /** Sends flows over both middle routers, by addresses and ports. */
  shareLoad(): Promise<void>;
}

export const SERVER = { 4: '10.78.4.2', 6: 'fd78:4::2' } as const;
/** The addresses that the routers answer from, in order. */
export const ROUTERS = {
  4: ['10.78.1.2', '10.78.2.2', '10.78.3.2'],
  6: ['fd78:1::2', 'fd78:2::2', 'fd78:3::2'],
} as const;
export const BESIDE = { 4: '10.78.5.2', 6: 'fd78:5::2' } as const;

/** Addresses, protocol and ports (Documentation/networking/ip-sysctl.rst). */
const FIVE_TUPLE = 0x37;

/** Makes them, hands them to `work`, and removes them whatever happens. Routers answer as often as they are asked. */
export async function withRouterChain<T>(work: (chain: RouterChain) => Promise<T>): Promise<T> {
  removeStale();
  const id = freshName();
  const [client, first, middle, beside, last, server] = [...'nabcdf'].map((letter) => place(`${id}${letter}`)) as [
    Place,
    Place,
    Place,
    Place,
    Place,
    Place,
  ];
  const all = [client, first, middle, beside, last, server];
  const remove = (): void => all.forEach(({ name }) => void spawnSync('ip', ['netns', 'delete', name]));
  process.once('exit', remove);
  try {
    for (const { name, sh } of all) {
      await mustRun(['ip', 'netns', 'add', name]);
      // A router asks for its neighbours by its link-local address, which duplicate address detection holds back for a second or two.
      await sh(`ip link set lo up; sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.default.dad_transmits=0 \
        net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 \
        net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0`);
    }
    const ends = [
      [client, first],
      [first, middle],
      [middle, last],
      [last, server],
      [first, beside],
      [beside, last],
    ] as const;
    for (const [i, [near, far]] of ends.entries()) await link(near, far, i + 1);
    await route(client, 'default', { 4: '10.78.1.2', 6: 'fd78:1::2' });
    await routeNets(first, [3, 4], 2, '2');
    await routeNets(first, [6], 5, '2');
    await route(middle, 'default', { 4: '10.78.3.2', 6: 'fd78:3::2' });
    await routeNets(middle, [1], 2, '1');
    await route(beside, 'default', { 4: '10.78.6.2', 6: 'fd78:6::2' });
    await routeNets(beside, [1], 5, '1');
    await routeNets(last, [1, 2], 3, '1');
    await routeNets(last, [5], 6, '1');
    await route(server, 'default', { 4: '10.78.4.1', 6: 'fd78:4::1' });
    // Policy 1 would do on real wires; a veth pair hands over the sender's own random hash, which policy 1 then takes (include/net/ip_fib.h).
    const shareLoad = async (): Promise<void> => {
      await first.sh(`sysctl -qw net.ipv4.fib_multipath_hash_policy=3 net.ipv4.fib_multipath_hash_fields=${FIVE_TUPLE} \
          net.ipv6.fib_multipath_hash_policy=3 net.ipv6.fib_multipath_hash_fields=${FIVE_TUPLE}
        ip route replace 10.78.4.0/24 nexthop via 10.78.2.2 nexthop via 10.78.5.2
        ip -6 route replace fd78:4::/64 nexthop via fd78:2::2 nexthop via fd78:5::2`);
    };
    return await work({ client, first, middle, beside, last, server, shareLoad });
  } finally {
    process.off('exit', remove);
    remove();
  }
}

/** The interface of link n is called `linkn` at both ends. */
async function link(near: Place, far: Place, n: number): Promise<void> {
  await mustRun(['ip', 'link', 'add', `link${n}`, 'netns', near.name, 'type', 'veth', 'peer', 'name', `link${n}`, 'netns', far.name]);
  for (const [{ sh }, host] of [
    [near, 1],
    [far, 2],
  ] as const) {
    await sh(`ip addr add 10.78.${n}.${host}/24 dev link${n}; ip addr add fd78:${n}::${host}/64 dev link${n} nodad; ip link set link${n} up`);
  }
}

async function route({ sh }: Place, to: string, via: { readonly 4: string; readonly 6: string }): Promise<void> {
  await sh(`ip route add ${to} via ${via[4]}; ip -6 route add ${to} via ${via[6]}`);
}

async function routeNets({ sh }: Place, nets: readonly number[], by: number, host: string): Promise<void> {
  for (const net of nets)
    await sh(`ip route add 10.78.${net}.0/24 via 10.78.${by}.${host}; ip -6 route add fd78:${net}::/64 via fd78:${by}::${host}`);
}
