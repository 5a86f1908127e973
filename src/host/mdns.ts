import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import type { RemoteInfo, Socket } from 'node:dgram';
import { readFile } from 'node:fs/promises';
import { BlockList } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { NetworkInterfaceInfo } from 'node:os';
import { MDNS, decodeMdnsAnswer, encodeMdnsQuery } from '../wire/index.js';

/** A query may be lost; it is repeated after these times. */
const SEND_AT_MS = [0, 250, 750];
/** Once something has come, the rest is waited for this long: a host answers once for all of its addresses. */
const MORE_MS = 120;
/** More than a host has: answers may be anybody's, and come until the end. */
const ADDRESSES_MAX = 64;
/** Each interface takes a socket a family. */
const SOCKETS_MAX = 32;
/** include/uapi/linux/if.h: a tunnel between two ends has nobody to multicast to. */
const IFF_POINTOPOINT = 0x10;
const IFF_MULTICAST = 0x1000;

export interface MdnsAnswer {
  readonly addresses: readonly { host: string; family: 4 | 6 }[];
  /** The interfaces that the query left by; without any nobody was asked. */
  readonly asked: readonly string[];
}

/**
 * One query by multicast on every network that this host is connected to (RFC 6762, section 5.1: from a port of
 * its own, one question, the answer is taken as it comes). Ends with the first answers, the time or `signal`.
 */
export async function askMdns(name: string, options: { family?: 4 | 6; timeoutMs: number; signal?: AbortSignal }): Promise<MdnsAnswer> {
  const families = options.family === undefined ? ([4, 6] as const) : [options.family];
  const id = randomInt(1, 0x10000);
  const query = encodeMdnsQuery(id, name, families);
  const found = new Map<string, { host: string; family: 4 | 6 }>();
  const asked = new Set<string>();
  const sockets: Socket[] = [];
  const timers: NodeJS.Timeout[] = [];
  const outlets = await multicastOutlets();
  return new Promise((resolve) => {
    let ending: NodeJS.Timeout | undefined;
    const finish = (): void => {
      options.signal?.removeEventListener('abort', finish);
      for (const timer of [...timers, ...(ending ? [ending] : [])]) clearTimeout(timer);
      for (const socket of sockets.splice(0)) socket.close();
      resolve({ addresses: withoutLinkLocal([...found.values()]), asked: [...asked] });
    };
    const take = (outlet: Outlet, bytes: Uint8Array, from: RemoteInfo): void => {
      if (!isNeighbour(outlet, from)) return;
      for (const { host, family } of decodeMdnsAnswer(bytes, { id, name })) {
        if (!families.some((each) => each === family)) continue;
        const zoned = /^fe[89ab]/i.test(host) ? `${host}%${outlet.name}` : host;
        if (found.size < ADDRESSES_MAX) found.set(zoned, { host: zoned, family });
      }
      if (found.size > 0 && !ending) ending = setTimeout(finish, MORE_MS);
    };
    if (options.signal?.aborted === true || outlets.length === 0) return finish();
    options.signal?.addEventListener('abort', finish, { once: true });
    timers.push(setTimeout(finish, options.timeoutMs));
    for (const outlet of outlets.slice(0, SOCKETS_MAX)) {
      const socket = createSocket({ type: outlet.family === 4 ? 'udp4' : 'udp6', ipv6Only: outlet.family === 6 });
      sockets.push(socket);
      // An interface that has just gone away costs the others nothing.
      socket.on('error', () => undefined);
      socket.on('message', (bytes, from) => take(outlet, bytes, from));
      socket.bind(0, () => {
        if (!sockets.includes(socket) || !aimAt(socket, outlet)) return;
        const send = (): void => {
          if (!sockets.includes(socket)) return;
          socket.send(query, MDNS.port, outlet.group, (error) => {
            if (!error) asked.add(outlet.name);
          });
        };
        timers.push(...SEND_AT_MS.map((atMs) => setTimeout(send, atMs)));
      });
    }
  });
}

/** An interface's way out for one family. */
interface Outlet {
  readonly name: string;
  readonly family: 4 | 6;
  readonly group: string;
  /** What multicast leaves by: IPv4 names an address of the interface, IPv6 the interface. */
  readonly via: string;
  readonly near: BlockList;
}

async function multicastOutlets(): Promise<Outlet[]> {
  const outlets = await Promise.all(
    Object.entries(networkInterfaces()).map(async ([name, entries = []]) => {
      if (entries.some(({ internal }) => internal) || !(await multicasts(name))) return [];
      return ([4, 6] as const).flatMap((family): Outlet[] => {
        const own = entries.filter((entry) => entry.family === (family === 4 ? 'IPv4' : 'IPv6'));
        const [first] = own;
        if (!first) return [];
        const near = neighbours(own, family);
        if (family === 4) return [{ name, family, group: MDNS.group4, via: first.address, near }];
        return [{ name, family, group: `${MDNS.group6}%${name}`, via: `::%${name}`, near }];
      });
    }),
  );
  return outlets.flat();
}

/** Where the system does not tell (macOS), sending will show it. */
async function multicasts(name: string): Promise<boolean> {
  const text = await readFile(`/sys/class/net/${name}/flags`, 'utf8').catch(() => undefined);
  const flags = text === undefined ? IFF_MULTICAST : Number(text.trim());
  return (flags & IFF_MULTICAST) !== 0 && (flags & IFF_POINTOPOINT) === 0;
}

function neighbours(entries: readonly NetworkInterfaceInfo[], family: 4 | 6): BlockList {
  const near = new BlockList();
  const type = family === 4 ? 'ipv4' : 'ipv6';
  if (family === 6) near.addSubnet('fe80::', 10, 'ipv6');
  for (const { address, cidr } of entries) {
    if (cidr !== null) near.addSubnet(address, Number(cidr.split('/')[1]), type);
  }
  return near;
}

/** Answers come from port 5353 of a host on the same network (sections 6 and 11); others are somebody's attempt to answer for it. */
function isNeighbour(outlet: Outlet, from: RemoteInfo): boolean {
  return from.port === MDNS.port && outlet.near.check(from.address.replace(/%.*$/, ''), outlet.family === 4 ? 'ipv4' : 'ipv6');
}

function aimAt(socket: Socket, outlet: Outlet): boolean {
  try {
    socket.setMulticastInterface(outlet.via);
    // Section 11; routers pass link-local multicast on for no value of it.
    socket.setMulticastTTL(255);
    return true;
  } catch {
    return false;
  }
}

/** A link-local address works on one interface only: the last choice. */
function withoutLinkLocal(addresses: readonly { host: string; family: 4 | 6 }[]): { host: string; family: 4 | 6 }[] {
  const wide = addresses.filter(({ host }) => !host.includes('%'));
  return (wide.length > 0 ? wide : [...addresses]).sort((a, b) => a.family - b.family);
}
