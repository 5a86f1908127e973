import type { LinkFacts } from '../../base/index.js';
import { memory } from '../libc/index.js';
import type { Libc } from '../libc/index.js';
import {
  BLOCKS_MAX,
  DRIVER_INFO_BYTES,
  GCHANNELS,
  GCOALESCE,
  GDRVINFO,
  GFEATURES,
  GRINGPARAM,
  NUMBERS_BYTES,
  SIOCETHTOOL,
  decodeChannels,
  decodeCoalescing,
  decodeDriverInfo,
  decodeFeatureBlocks,
  decodeFeatureCount,
  decodeLinkSettings,
  decodeRings,
  encodeCommand,
  encodeFeatureCount,
  encodeFeatureNames,
  encodeIfreq,
  encodeLinkSettings,
  wordsWanted,
} from './ethtool-ioctl.js';
import { ETHTOOL, decodeEthtool, encodeEthtoolGet } from './ethtool.js';
import type { EthtoolCommand } from './ethtool.js';
import { Attributes, attributeText, join } from './message.js';
import { NETLINK_GENERIC, NetlinkSocket } from './socket.js';

export interface DriverFacts {
  readonly facts: Partial<LinkFacts>;
  readonly unread: readonly { readonly what: string; readonly why: string }[];
}

const CONTROLLER = 0x10;
const GET_FAMILY = 3;
const FAMILY_ID = 1;
const FAMILY_NAME = 2;

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
    const family = familyOf(socket);
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

/** Numbers of families are given out as they register: the controller knows them by name. */
function familyOf(socket: NetlinkSocket): number | undefined {
  const answer = socket.request(CONTROLLER, join(Uint8Array.of(GET_FAMILY, 1, 0, 0), attributeText(FAMILY_NAME, 'ethtool')));
  const body = answer.ok ? answer.messages[0]?.body : undefined;
  const id = body && new Attributes(body.subarray(4)).bytes(FAMILY_ID);
  return id?.length === 2 ? (id[0] ?? 0) | ((id[1] ?? 0) << 8) : undefined;
}

function whyOf(error: string): string {
  return error === 'EPERM' || error === 'EACCES' ? 'the kernel tells it to root only' : `the kernel refused: ${error}`;
}

/** Commands by ioctl. What a driver does not have is left out. */
class EthtoolIoctl {
  readonly #libc: Libc;
  readonly #fd: number;

  constructor(libc: Libc, fd: number) {
    this.#libc = libc;
    this.#fd = fd;
  }

  driver(name: string): Partial<LinkFacts> {
    const info = encodeCommand(DRIVER_INFO_BYTES, GDRVINFO);
    return this.#run(name, info) ? decodeDriverInfo(info) : {};
  }

  all(name: string): Partial<LinkFacts> {
    const numbers = (command: number, decode: (bytes: Uint8Array) => Partial<LinkFacts>): Partial<LinkFacts> => {
      const bytes = encodeCommand(NUMBERS_BYTES, command);
      return this.#run(name, bytes) ? decode(bytes) : {};
    };
    return {
      ...this.#settings(name),
      ...this.#features(name),
      ...numbers(GRINGPARAM, decodeRings),
      ...numbers(GCHANNELS, decodeChannels),
      ...numbers(GCOALESCE, decodeCoalescing),
    };
  }

  #settings(name: string): Partial<LinkFacts> {
    const size = encodeLinkSettings(0);
    const words = this.#run(name, size) ? wordsWanted(size) : 0;
    if (words === 0) return {};
    const settings = encodeLinkSettings(words);
    return this.#run(name, settings) ? decodeLinkSettings(settings) : {};
  }

  #features(name: string): Partial<LinkFacts> {
    const sets = encodeFeatureCount();
    const count = this.#run(name, sets) ? decodeFeatureCount(sets) : 0;
    if (count === 0) return {};
    const names = encodeFeatureNames(count);
    const blocks = encodeCommand(8 + 16 * BLOCKS_MAX, GFEATURES, BLOCKS_MAX);
    return this.#run(name, names) && this.#run(name, blocks) ? decodeFeatureBlocks(names, blocks) : {};
  }

  #run(name: string, command: Uint8Array<ArrayBuffer>): boolean {
    const request = memory(40);
    request.set(encodeIfreq(name, this.#libc.address(command)));
    return this.#libc.ioctl(this.#fd, SIOCETHTOOL, request) === 0;
  }
}
