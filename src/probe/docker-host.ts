import type { NetworkInterface, Ports } from '../base/index.js';
import type { ListedNetwork, Network } from './docker-format.js';
import { overlapsOf, parsePrefix, prefixesOverlap } from './subnets.js';
import type { NamedSubnet } from './subnets.js';

const ROUTES_MAX = 1000;
const OVERLAPS_MAX = 100;
/** What an engine's bridge has unless somebody chose another MTU. */
const BRIDGE_MTU_BYTES = 1500;
/** Drivers whose networks have addresses of their own on this host. */
const ROUTED_DRIVERS = ['bridge', 'macvlan', 'ipvlan'];

/** What this host's own network looks like beside the engine's. */
export interface HostNetwork {
  readonly interfaces: readonly NetworkInterface[];
  readonly routes: readonly (NamedSubnet & { readonly interfaceName: string })[];
}

export async function readHostNetwork(ports: Pick<Ports, 'facts' | 'files'>): Promise<HostNetwork> {
  return { interfaces: await ports.facts.interfaces(), routes: await readRoutes(ports) };
}

/** A network as the document shows it: with the interface that it has on this host, and that interface's MTU where none was asked for. */
export function describeNetwork(network: ListedNetwork, host: HostNetwork | undefined, containers: readonly string[]): Network {
  const own = host && interfaceOf(network, host);
  const mtu = network.mtuAsked ?? own?.mtu ?? (network.driver === 'bridge' ? BRIDGE_MTU_BYTES : undefined);
  return {
    name: network.name,
    driver: network.driver,
    ...(network.scope === undefined ? {} : { scope: network.scope }),
    subnets: network.subnets,
    ...(mtu === undefined ? {} : { mtu }),
    ...(own === undefined ? {} : { interfaceName: own.name }),
    containers,
  };
}

/** Where the networks' subnets and this host's other interfaces and routes, or what was handed in, share addresses. */
export function overlapsWith(
  networks: readonly ListedNetwork[],
  host: HostNetwork | undefined,
  others: readonly NamedSubnet[],
): { readonly subnet: string; readonly with: string; readonly what: string }[] {
  return networks
    .flatMap((network) => {
      const own = host && interfaceOf(network, host)?.name;
      const here = host && ROUTED_DRIVERS.includes(network.driver) ? subnetsOf(host, own) : [];
      // Two hosts with an engine have its own network both, and nothing on it is reached from elsewhere.
      const elsewhere = network.standard ? others.filter(({ subnet }) => !network.subnets.includes(subnet)) : others;
      return overlapsOf(network.subnets, [...here, ...elsewhere]);
    })
    .slice(0, OVERLAPS_MAX);
}

/** The interface that has the network's gateway address, else the one of its name. */
function interfaceOf(network: ListedNetwork, host: HostNetwork): NetworkInterface | undefined {
  const byGateway = host.interfaces.find(({ addresses }) => addresses.some(({ address }) => network.gateways.includes(address)));
  const wanted = network.driver === 'bridge' ? network.bridge : network.parent;
  return byGateway ?? host.interfaces.find(({ name }) => name === wanted);
}

function subnetsOf(host: HostNetwork, ownInterface: string | undefined): NamedSubnet[] {
  const ofInterfaces = host.interfaces
    .filter(({ name, loopback }) => !loopback && name !== ownInterface)
    .flatMap(({ name, addresses }) =>
      addresses
        .filter(({ scope }) => scope === 'global')
        .map(({ address, prefix }) => ({ subnet: `${address}/${prefix}`, what: `interface ${name}`, interfaceName: name })),
    );
  const routes = host.routes.filter(
    ({ interfaceName, subnet }) =>
      interfaceName !== ownInterface && !ofInterfaces.some((other) => other.interfaceName === interfaceName && sameRange(other.subnet, subnet)),
  );
  return [...ofInterfaces, ...routes].map(({ subnet, what }) => ({ subnet, what }));
}

function sameRange(a: string, b: string): boolean {
  const [one, other] = [parsePrefix(a), parsePrefix(b)];
  return one !== undefined && other !== undefined && one.length === other.length && prefixesOverlap(one, other);
}

// --- The kernel's routes ---------------------------------------------------------------------

async function readRoutes(ports: Pick<Ports, 'files'>): Promise<HostNetwork['routes']> {
  const [four = '', six = ''] = await Promise.all(
    ['/proc/net/route', '/proc/net/ipv6_route'].map((path) => ports.files.readText(path).catch(() => undefined)),
  );
  return [...parseRoutes4(four), ...parseRoutes6(six)].slice(0, ROUTES_MAX);
}

/** Columns of /proc/net/route (net/ipv4/fib_trie.c, fib_route_seq_show): interface, destination, gateway, flags, ..., mask in the eighth; little endian. */
export function parseRoutes4(text: string): (NamedSubnet & { interfaceName: string })[] {
  return text.split('\n').flatMap((line) => {
    const columns = line.trim().split(/\s+/);
    const [interfaceName = '', destination = '', , flags = ''] = columns;
    const mask = columns[7] ?? '';
    if (!/^[0-9A-F]{8}$/i.test(destination) || !/^[0-9A-F]{8}$/i.test(mask)) return [];
    const length = [...Number.parseInt(mask, 16).toString(2)].filter((bit) => bit === '1').length;
    // Without a length it is the default route, which everything overlaps; unreachable and blackhole routes lead nowhere.
    if (length === 0 || (Number.parseInt(flags, 16) & RTF_REJECT) !== 0) return [];
    const address = [6, 4, 2, 0].map((at) => Number.parseInt(destination.slice(at, at + 2), 16)).join('.');
    return [{ subnet: `${address}/${length}`, what: `route by ${interfaceName}`, interfaceName }];
  });
}

const RTF_REJECT = 0x200;

/** Columns of /proc/net/ipv6_route (net/ipv6/ip6_fib.c, ipv6_route_native_seq_show): destination, its length, ..., flags in the ninth, interface in the tenth. */
export function parseRoutes6(text: string): (NamedSubnet & { interfaceName: string })[] {
  return text.split('\n').flatMap((line) => {
    const columns = line.trim().split(/\s+/);
    const [destination = '', lengthText = ''] = columns;
    const interfaceName = columns[9] ?? '';
    if (!/^[0-9a-f]{32}$/i.test(destination) || interfaceName === '' || interfaceName === 'lo') return [];
    const length = Number.parseInt(lengthText, 16);
    const linkOrMulticast = /^(fe[89ab]|ff)/i.test(destination);
    if (!(length > 0) || linkOrMulticast || (Number.parseInt(columns[8] ?? '', 16) & (RTF_REJECT | RTF_LOCAL)) !== 0) return [];
    const address = (destination.match(/.{4}/g) ?? []).map((group) => group.replace(/^0{1,3}/, '')).join(':');
    return [{ subnet: `${address}/${length}`, what: `route by ${interfaceName}`, interfaceName }];
  });
}

const RTF_LOCAL = 0x80000000;
