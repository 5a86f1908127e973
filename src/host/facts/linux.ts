import type { TextFiles, HostFacts, LinkFacts, NetworkInterface, Route } from '../../base/index.js';
import { libcUnavailable } from '../libc/index.js';
import { identify } from './identity.js';
import { addressedInterfaces } from './interfaces.js';
import { kernelInterfaces, kernelLinks, kernelRoute } from './linux-links.js';
import { parseProcStat, sysfsLink, tcpSettings } from './linux-proc.js';
import { parseResolvConf } from './resolv-conf.js';

/** Facts of a Linux host from the kernel itself (netlink, /proc, /sys); no program is started and nothing needs root. */
export function linuxFacts(files: TextFiles, listInterfaces?: () => NetworkInterface[]): HostFacts {
  const read = (path: string): Promise<string | undefined> => files.readText(path).catch(() => undefined);
  return {
    identity: () => identify(files),
    interfaces: () => {
      const told = listInterfaces ? undefined : kernelInterfaces();
      if (!told) return Promise.all((listInterfaces ?? addressedInterfaces)().map((item) => withDriverFacts(item, read)));
      return Promise.all(told.map(async ({ item, wired }) => ({ ...item, ...(wired ? await speedOf(item.name, read) : {}) })));
    },
    defaultRoutes: async () => [...parseRoutes4((await read('/proc/net/route')) ?? ''), ...parseRoutes6((await read('/proc/net/ipv6_route')) ?? '')],
    resolvers: () => resolvers(read),
    links: async (name) => (await kernelLinks(read, name)) ?? sysfsLinks(read, (listInterfaces ?? addressedInterfaces)(), name),
    routeTo: (address) => Promise.resolve(kernelRoute(address)),
    processors: async () => parseProcStat((await read('/proc/stat')) ?? '', performance.now()),
    tcpSettings: () => tcpSettings(read),
  };
}

type Read = (path: string) => Promise<string | undefined>;

function sysfsLinks(read: Read, listed: readonly NetworkInterface[], name: string | undefined): Promise<LinkFacts[]> {
  const why = libcUnavailable() ?? 'this kernel has no rtnetlink';
  return Promise.all(listed.filter((item) => name === undefined || item.name === name).map((item) => sysfsLink(read, item.name, why)));
}

async function withDriverFacts(item: NetworkInterface, read: Read): Promise<NetworkInterface> {
  const folder = `/sys/class/net/${item.name}`;
  const [mtu, state, speed] = await Promise.all([read(`${folder}/mtu`), read(`${folder}/operstate`), speedOf(item.name, read)]);
  const mtuBytes = Number(mtu);
  return {
    ...item,
    ...(mtu !== undefined && mtuBytes > 0 ? { mtu: mtuBytes } : {}),
    ...speed,
    // `unknown` is what drivers without carrier detection say (loopback, tun): not a reason to call it down.
    up: state === undefined ? item.up : !/^(down|lowerlayerdown|notpresent|dormant)/.test(state),
  };
}

/** Reads -1 or 4294967295 (SPEED_UNKNOWN) where the driver does not know, EINVAL where it has no such thing. */
async function speedOf(name: string, read: Read): Promise<{ readonly speedBps?: number }> {
  const speed = await read(`/sys/class/net/${name}/speed`);
  const mbps = Number(speed);
  return speed !== undefined && mbps > 0 && mbps < 4_294_967_295 ? { speedBps: mbps * 1e6 } : {};
}

/**
 * Default routes of /proc/net/route (net/ipv4/fib_trie.c, fib_route_seq_show): addresses are the
 * raw 32-bit words in host order, so little endian on every machine that we run on. Flags 0x1 is
 * up, 0x2 has a gateway. The best metric comes first.
 */
export function parseRoutes4(text: string): Route[] {
  const found: { route: Route; metric: number }[] = [];
  for (const line of text.split('\n').slice(1)) {
    const [name, destination, gateway, flags, , , metric, mask] = line.trim().split(/\s+/);
    if (name === undefined || gateway === undefined || !/^[0-9a-fA-F]{8}$/.test(gateway)) continue;
    if (destination !== '00000000' || mask !== '00000000' || (Number.parseInt(flags ?? '0', 16) & 3) !== 3) continue;
    const octets = [6, 4, 2, 0].map((at) => Number.parseInt(gateway.slice(at, at + 2), 16));
    found.push({ route: { gateway: octets.join('.'), family: 4, interfaceName: name }, metric: Number(metric) });
  }
  return bestFirst(found);
}

/**
 * Default routes of /proc/net/ipv6_route (net/ipv6/route.c, rt6_info_route): destination, its
 * prefix, source, its prefix, next hop, metric, references, use, flags, device. Flag 0x2 has a gateway, 0x200 is a reject.
 */
export function parseRoutes6(text: string): Route[] {
  const found: { route: Route; metric: number }[] = [];
  for (const line of text.split('\n')) {
    const [destination, prefix, , , gateway, metric, , , flags, name] = line.trim().split(/\s+/);
    if (name === undefined || gateway === undefined || !/^[0-9a-fA-F]{32}$/.test(gateway)) continue;
    const bits = Number.parseInt(flags ?? '0', 16);
    if (!/^0{32}$/.test(destination ?? '') || prefix !== '00' || (bits & 2) === 0 || (bits & 0x200) !== 0) continue;
    const host = shorten(gateway);
    const zone = /^fe[89ab]/.test(host) ? `%${name}` : '';
    found.push({ route: { gateway: host + zone, family: 6, interfaceName: name }, metric: Number.parseInt(metric ?? '0', 16) });
  }
  return bestFirst(found);
}

/** systemd-resolved's stub says nothing about the real resolvers; its other file does (systemd-resolved(8)). */
async function resolvers(read: Read): Promise<readonly string[]> {
  const listed = parseResolvConf((await read('/etc/resolv.conf')) ?? '');
  if (!listed.includes('127.0.0.53')) return listed;
  const upstream = parseResolvConf((await read('/run/systemd/resolve/resolv.conf')) ?? '');
  return upstream.length > 0 ? upstream : listed;
}

function bestFirst(found: { route: Route; metric: number }[]): Route[] {
  return found.sort((a, b) => a.metric - b.metric).map((entry) => entry.route);
}

/** The URL parser writes IPv6 addresses as RFC 5952 says. */
function shorten(hex: string): string {
  const groups = hex.toLowerCase().match(/.{4}/g) ?? [];
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}
