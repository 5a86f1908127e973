import { createHash } from 'node:crypto';
import type { HostFacts, LinkFacts, RouteFacts, TcpSettings } from '../base/index.js';
import type { Environment } from '../results/index.js';

export interface EnvironmentQuery {
  /** Addresses that were measured; the links and routes to them are what counts. */
  readonly remotes: readonly string[];
  readonly tool: string;
}

/**
 * What a run's figures depend on beside the network: kernel, tool, the links that packets leave through with
 * their drivers and offloads, TCP settings, queue disciplines, routes. Counters, loads and times are not in it:
 * two runs on an unchanged host have the same fingerprint.
 */
export async function environmentOf(facts: HostFacts, query: EnvironmentQuery): Promise<Environment> {
  const [identity, links, tcp, routes] = await Promise.all([facts.identity(), facts.links(), facts.tcpSettings(), routesOf(facts, query.remotes)]);
  const used = links.filter((link) => (routes.length > 0 ? routes.some(({ route }) => route.interfaceName === link.name) : isOwnWay(link)));
  const environment = {
    kernel: `${identity.os} ${identity.kernel} ${identity.arch}`,
    tool: query.tool,
    links: used.map(shortLink).sort((a, b) => String(a['name']).localeCompare(String(b['name']))),
    settings: settingsOf(tcp),
    routes: routes.map(({ remote, route }) => shortRoute(remote, route)),
  };
  return { fingerprint: fingerprintOf(environment), ...environment };
}

/** SHA-256 over the environment as JSON with its keys in order. */
export function fingerprintOf(environment: Omit<Environment, 'fingerprint'>): string {
  const { kernel, tool, links, settings, routes } = environment;
  return createHash('sha256').update(canonical({ kernel, tool, links, settings, routes })).digest('hex');
}

/** What differs between two environments, in words: `eth0 mtu 1500 -> 9000`. */
export function environmentChanges(before: Environment, after: Environment): string[] {
  const [old, now] = [flat(before), flat(after)];
  return [...new Set([...old.keys(), ...now.keys()])].sort().flatMap((key) => {
    const [was, is] = [old.get(key), now.get(key)];
    if (was === is) return [];
    return [was === undefined ? `${key} ${is} (new)` : is === undefined ? `${key} ${was} (gone)` : `${key} ${was} -> ${is}`];
  });
}

/** Where no target has a route to look at: what is plugged in and up. */
function isOwnWay(link: LinkFacts): boolean {
  return link.up && (link.kind === 'ethernet' || link.kind === 'wireless');
}

async function routesOf(facts: HostFacts, remotes: readonly string[]): Promise<{ remote: string; route: RouteFacts }[]> {
  const wanted = [...new Set(remotes)].sort();
  const found = await Promise.all(wanted.map(async (remote) => ({ remote, route: await facts.routeTo(remote) })));
  return found.flatMap(({ remote, route }) => (route ? [{ remote, route }] : []));
}

type Short = Environment['links'][number];

function shortLink(link: LinkFacts): Short {
  const on = Object.entries(link.features ?? {})
    .filter(([, feature]) => feature.on)
    .map(([name]) => name)
    .sort();
  return defined({
    name: link.name,
    kind: link.kind,
    mtu: link.mtu,
    driver: link.driver,
    firmware: link.firmware,
    // A radio's rate changes from second to second.
    speedBps: link.kind === 'wireless' ? undefined : link.speedBps,
    duplex: link.duplex,
    autonegotiation: link.autonegotiation,
    queues: link.queues && `${link.queues.rx} rx, ${link.queues.tx} tx`,
    rings: link.rings && `${link.rings.rx} rx, ${link.rings.tx} tx`,
    // An adaptive interval follows the traffic, so only that it is adaptive is a setting.
    coalescing:
      link.coalescing &&
      `rx ${link.coalescing.adaptiveRx === true ? 'adaptive' : (link.coalescing.rxUsecs ?? '?')}, tx ${link.coalescing.adaptiveTx === true ? 'adaptive' : (link.coalescing.txUsecs ?? '?')}`,
    offloads: link.features && on.join(' '),
    qdiscs:
      link.qdiscs &&
      link.qdiscs.map(({ kind, parent, rateBps }) => `${kind} at ${parent}${rateBps === undefined ? '' : ` ${rateBps} bit/s`}`).join(', '),
  });
}

/** The source address is left out: it may come from DHCP and changes nothing about the way. */
function shortRoute(to: string, route: RouteFacts): Record<string, string> {
  return {
    to,
    through: route.interfaceName,
    ...(route.gateway === undefined ? {} : { gateway: route.gateway }),
    ...(route.mtu === undefined ? {} : { mtu: String(route.mtu) }),
    ...(route.advmss === undefined ? {} : { advmss: String(route.advmss) }),
  };
}

function settingsOf(tcp: TcpSettings): Record<string, string> {
  const entries = Object.entries(tcp).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([key, value]) => [`tcp.${key}`, Array.isArray(value) ? value.join(' ') : String(value)]).sort());
}

function defined(values: Readonly<Record<string, string | number | boolean | undefined>>): Short {
  return Object.fromEntries(Object.entries(values).filter((entry): entry is [string, string | number | boolean] => entry[1] !== undefined));
}

function flat({ kernel, tool, links, settings, routes }: Environment): Map<string, string> {
  const entries: [string, string][] = [
    ['kernel', kernel],
    ['tool', tool],
    ...Object.entries(settings),
    ...links.flatMap((link) =>
      Object.entries(link).flatMap(([key, value]): [string, string][] => (key === 'name' ? [] : [[`${String(link['name'])} ${key}`, String(value)]])),
    ),
    ...routes.flatMap((route) =>
      Object.entries(route).flatMap(([key, value]): [string, string][] => (key === 'to' ? [] : [[`route to ${route['to']} ${key}`, value]])),
    ),
  ];
  return new Map(entries);
}

/** JSON in which the order of keys says nothing. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`).join(',')}}`;
}
