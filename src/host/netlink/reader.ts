import type { QueueFacts } from '../../base/index.js';
import { encodeAddress } from '../../wire/index.js';
import type { Libc } from '../libc/index.js';
import { RTM_GETQDISC, RTM_GETTCLASS, RTM_NEWQDISC, RTM_NEWTCLASS, decodeQueue, encodeGetQueues } from './queues.js';
import {
  RTM_GETADDR,
  RTM_GETLINK,
  RTM_GETROUTE,
  RTM_NEWADDR,
  RTM_NEWLINK,
  RTM_NEWROUTE,
  decodeInterfaceAddress,
  decodeLink,
  decodeRoute,
  encodeGetAddresses,
  encodeGetLink,
  encodeGetRoute,
} from './rtnetlink.js';
import type { RawAddress, RawLink, RawRoute } from './rtnetlink.js';
import { NETLINK_ROUTE, NetlinkSocket } from './socket.js';

/** Every link of this network namespace, or undefined where the kernel does not tell. */
export function readLinks(libc: Libc): RawLink[] | undefined {
  return onRoute(libc, (socket) => links(socket));
}

/** Links with the addresses that they have. */
export function readAddresses(libc: Libc): { readonly links: readonly RawLink[]; readonly addresses: readonly RawAddress[] } | undefined {
  return onRoute(libc, (socket) => {
    const answer = socket.dump(RTM_GETADDR, encodeGetAddresses());
    const all = links(socket);
    if (!answer.ok || !all) return undefined;
    return { links: all, addresses: answer.messages.flatMap(({ type, body }) => (type === RTM_NEWADDR ? (decodeInterfaceAddress(body) ?? []) : [])) };
  });
}

/** How the kernel would send to an address literal, which may name an interface as its zone. */
export function readRoute(libc: Libc, address: string): (RawRoute & { readonly link: RawLink | undefined }) | undefined {
  const [host = '', zone] = address.split('%');
  const zoneIndex = zone === undefined ? undefined : /^\d+$/.test(zone) ? Number(zone) : libc.if_nametoindex(zone);
  const destination = encodeAddress({ host, port: 0, family: host.includes(':') ? 6 : 4 }).subarray(3);
  return onRoute(libc, (socket) => {
    const answer = socket.request(RTM_GETROUTE, encodeGetRoute(destination, zoneIndex));
    const message = answer.ok ? answer.messages.find(({ type }) => type === RTM_NEWROUTE) : undefined;
    const route = message && decodeRoute(message.body);
    return route && { ...route, link: links(socket, route.index)?.[0] };
  });
}

/** Queue disciplines and classes of these interfaces, by index. */
export function readQueues(libc: Libc, indexes: readonly number[]): Map<number, QueueFacts[]> {
  const found = new Map<number, QueueFacts[]>(indexes.map((index) => [index, []]));
  onRoute(libc, (socket) => {
    const disciplines = socket.dump(RTM_GETQDISC, encodeGetQueues());
    for (const message of disciplines.ok ? disciplines.messages : []) {
      const told = message.type === RTM_NEWQDISC ? decodeQueue(message.body) : undefined;
      if (told) found.get(told.index)?.push(told.queue);
    }
    for (const [index, queues] of found) {
      if (!queues.some(({ kind }) => CLASSFUL.includes(kind))) continue;
      const classes = socket.dump(RTM_GETTCLASS, encodeGetQueues(index));
      for (const message of classes.ok ? classes.messages : []) {
        const told = message.type === RTM_NEWTCLASS ? decodeQueue(message.body) : undefined;
        // A discipline's own queues are listed as classes too, and say nothing that it does not.
        if (told?.index === index && CLASSFUL.includes(told.queue.kind)) queues.push(told.queue);
      }
    }
    return true;
  });
  return found;
}

/** Disciplines whose classes shape each for itself. */
const CLASSFUL = ['htb', 'hfsc', 'cbq', 'drr', 'qfq'];

function links(socket: NetlinkSocket, index?: number): RawLink[] | undefined {
  const answer = index === undefined ? socket.dump(RTM_GETLINK, encodeGetLink()) : socket.request(RTM_GETLINK, encodeGetLink(index));
  return answer.ok ? answer.messages.flatMap(({ type, body }) => (type === RTM_NEWLINK ? (decodeLink(body) ?? []) : [])) : undefined;
}

function onRoute<T>(libc: Libc, work: (socket: NetlinkSocket) => T | undefined): T | undefined {
  const socket = NetlinkSocket.open(libc, NETLINK_ROUTE);
  if (typeof socket === 'string') return undefined;
  try {
    return work(socket);
  } finally {
    socket.close();
  }
}
