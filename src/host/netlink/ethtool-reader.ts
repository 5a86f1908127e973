import type { LinkFacts } from '../../base/index.js';
import type { Libc } from '../libc/index.js';
import { EthtoolIoctl } from './ethtool-ioctl-socket.js';
import { ETHTOOL, decodeEthtool, encodeEthtoolGet } from './ethtool.js';
import type { EthtoolCommand } from './ethtool.js';
import { familyOf } from './family.js';
import { NETLINK_GENERIC, NetlinkSocket } from './socket.js';

export interface DriverFacts {
  readonly facts: Partial<LinkFacts>;
  readonly unread: readonly { readonly what: string; readonly why: string }[];
}

const WHAT: Readonly<Record<EthtoolCommand, string>> = {
  [ETHTOOL.LINKINFO_GET]: 'port',
  [ETHTOOL.LINKMODES_GET]: 'speed and link modes',
  [ETHTOOL.LINKSTATE_GET]: 'carrier',
  [ETHTOOL.FEATURES_GET]: 'offloads',
  [ETHTOOL.RINGS_GET]: 'rings',
  [ETHTOOL.CHANNELS_GET]: 'queues',
  [ETHTOOL.COALESCE_GET]: 'interrupt coalescing',
};
const COMMANDS = Object.values(ETHTOOL);
/** What a driver does not have is no secret. */
const ABSENT = ['EOPNOTSUPP', 'ENOTSUP', 'ENODEV', 'EINVAL'];

/** What the drivers say of these interfaces, by index: over netlink, or where the kernel lacks the family by ioctl. */
export function readDrivers(libc: Libc, links: readonly { readonly index: number; readonly name: string }[]): Map<number, DriverFacts> {
  const found = readByNetlink(libc, links);
  const fd = libc.socket(libc.constants.AF_INET, libc.constants.SOCK_DGRAM | (libc.constants.SOCK_CLOEXEC ?? 0), 0);
  if (fd < 0) return found ?? new Map<number, DriverFacts>();
  try {
    const ask = new EthtoolIoctl(libc, fd);
    return new Map(
      links.map(({ index, name }) => {
        const more = found?.get(index) ?? { facts: found ? {} : ask.all(name), unread: [] };
        return [index, { ...more, facts: { ...more.facts, ...ask.driver(name) } }];
      }),
    );
  } finally {
    libc.close(fd);
  }
}

/** @returns undefined where the kernel has no such family */
function readByNetlink(libc: Libc, links: readonly { readonly index: number }[]): Map<number, DriverFacts> | undefined {
  const socket = NetlinkSocket.open(libc, NETLINK_GENERIC);
  if (typeof socket === 'string') return undefined;
  try {
    const family = familyOf(socket, 'ethtool');
    if (family === undefined) return undefined;
    const found = new Map<number, { facts: Partial<LinkFacts>; unread: { what: string; why: string }[] }>();
    for (const { index } of links) found.set(index, { facts: {}, unread: [] });
    for (const command of COMMANDS) {
      const one = links.length === 1 ? links[0]?.index : undefined;
      const body = encodeEthtoolGet(command, one);
      const answer = one === undefined ? socket.dump(family, body) : socket.request(family, body);
      if (!answer.ok && !ABSENT.includes(answer.error)) {
        for (const { unread } of found.values()) unread.push({ what: WHAT[command], why: whyOf(answer.error) });
      }
      for (const message of answer.ok ? answer.messages : []) {
        const told = decodeEthtool(command, message.body);
        const entry = told && found.get(told.index);
        if (entry && told) Object.assign(entry.facts, told.facts);
      }
    }
    return found;
  } finally {
    socket.close();
  }
}

function whyOf(error: string): string {
  return error === 'EPERM' || error === 'EACCES' ? 'the kernel tells it to root only' : `the kernel refused: ${error}`;
}
