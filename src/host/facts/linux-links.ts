import { isIP } from 'node:net';
import type { LinkFacts, NetworkInterface, RouteFacts } from '../../base/index.js';
import { loadLibc } from '../libc/index.js';
import { kindOf, readAddresses, readDrivers, readLinks, readQueues, readRoute } from '../netlink/index.js';
import type { DriverFacts, RawLink } from '../netlink/index.js';

type Read = (path: string) => Promise<string | undefined>;

/** Links as the kernel describes them; undefined where it cannot be asked directly. */
export async function kernelLinks(read: Read, name: string | undefined): Promise<LinkFacts[] | undefined> {
  const libc = loadLibc();
  const all = libc && readLinks(libc);
  if (!libc || !all) return undefined;
  const asked = name === undefined ? all : all.filter((link) => link.name === name);
  if (asked.length === 0) return [];
  const drivers = readDrivers(libc, asked);
  const indexes = asked.map(({ index }) => index);
  const queues = readQueues(libc, indexes);
  return Promise.all(
    asked.map(async (link) => {
      const wireless = /^DEVTYPE=wlan$/m.test((await read(`/sys/class/net/${link.name}/uevent`)) ?? '');
      const master = all.find(({ index }) => index === link.masterIndex)?.name;
      return describe(link, { wireless, master, driver: drivers.get(link.index), qdiscs: queues.get(link.index) ?? [] });
    }),
  );
}

interface Known {
  readonly wireless: boolean;
  readonly master: string | undefined;
  readonly driver: DriverFacts | undefined;
  readonly qdiscs: NonNullable<LinkFacts['qdiscs']>;
}

export function describe(link: RawLink, { wireless, master, driver, qdiscs }: Known): LinkFacts {
  const kind = kindOf(link, wireless);
  const { speedBps, duplex, autonegotiation, port, queues, carrier, ...facts } = driver?.facts ?? {};
  const unread = [...(driver?.unread ?? [])];
  // A wire has a speed. What drivers without one say (veth 10 Gbit/s, tun 10 Mbit/s) bounds nothing.
  const wired = isWired(kind);
  if (kind === 'wireless') unread.push({ what: 'speed', why: 'a wireless rate changes from frame to frame and is not negotiated' });
  const seen = link.carrier ?? carrier;
  if (wired && speedBps === undefined && link.up && seen === true) unread.push({ what: 'speed', why: 'the driver does not tell' });
  return {
    name: link.name,
    kind,
    up: link.up,
    ...(link.up && seen !== undefined ? { carrier: seen } : {}),
    ...(link.mtu === undefined ? {} : { mtu: link.mtu }),
    ...(link.mac === undefined ? {} : { mac: link.mac }),
    ...(link.kind === undefined ? {} : { type: link.kind }),
    ...(master === undefined ? {} : { master }),
    ...(wired && speedBps !== undefined ? { speedBps } : {}),
    ...(wired && duplex !== undefined ? { duplex } : {}),
    ...(wired && autonegotiation !== undefined ? { autonegotiation } : {}),
    ...(wired && port !== undefined ? { port } : {}),
    ...facts,
    ...queuesOf(link, queues),
    ...(link.counters ? { counters: link.counters } : {}),
    ...(qdiscs.length === 0 ? {} : { qdiscs }),
    ...(unread.length === 0 ? {} : { unread }),
  };
}

function isWired(kind: LinkFacts['kind']): boolean {
  return kind === 'ethernet' || kind === 'other';
}

/** A driver that cannot change its queues does not tell of them; what the kernel set aside is then the truth only when it is one. */
function queuesOf(link: RawLink, told: LinkFacts['queues']): Pick<LinkFacts, 'queues'> {
  if (told && (told.rx > 0 || told.tx > 0)) return { queues: told };
  return link.rxQueues === 1 && link.txQueues === 1 ? { queues: { rx: 1, tx: 1 } } : {};
}

/** Not present, down, down below, dormant (RFC 2863); unknown is what drivers without carrier detection say. */
const DOWN = [1, 2, 3, 5];

/**
 * Interfaces that have an address, those without a partner too, and whether a speed that their driver states
 * is that of a wire; undefined where the kernel cannot be asked directly.
 */
export function kernelInterfaces(): { readonly item: NetworkInterface; readonly wired: boolean }[] | undefined {
  const libc = loadLibc();
  const found = libc && readAddresses(libc);
  if (!found) return undefined;
  return found.links.flatMap((link) => {
    const addresses = found.addresses.filter(({ index }) => index === link.index);
    if (addresses.length === 0) return [];
    const item: NetworkInterface = {
      name: link.name,
      addresses: addresses.map(({ address, family, prefix, scope }) => ({ address, family, prefix, scope })),
      ...(link.mac === undefined ? {} : { mac: link.mac }),
      ...(link.mtu === undefined ? {} : { mtu: link.mtu }),
      up: link.up && !DOWN.includes(link.operstate ?? 0),
      loopback: link.loopback,
    };
    return [{ item, wired: isWired(kindOf(link, false)) }];
  });
}

/** How the kernel would send to an address now. */
export function kernelRoute(address: string): RouteFacts | undefined {
  const libc = loadLibc();
  if (!libc || isIP(address.replace(/%.*$/, '')) === 0) return undefined;
  const route = readRoute(libc, address);
  if (!route?.link) return undefined;
  const mtu = route.mtu ?? route.link.mtu;
  return {
    interfaceName: route.link.name,
    ...(route.source === undefined ? {} : { source: route.source }),
    ...(route.gateway === undefined ? {} : { gateway: route.gateway }),
    ...(mtu === undefined ? {} : { mtu }),
    ...(route.advmss === undefined ? {} : { advmss: route.advmss }),
    local: route.local,
  };
}
