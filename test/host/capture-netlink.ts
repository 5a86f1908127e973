import { release } from 'node:os';
import { loadLibc } from '../../src/host/libc/index.js';
import * as ioctl from '../../src/host/netlink/ethtool-ioctl.js';
import { ETHTOOL, encodeEthtoolGet } from '../../src/host/netlink/ethtool.js';
import { Attributes, attributeText, join } from '../../src/host/netlink/message.js';
import { RTM_GETQDISC, RTM_GETTCLASS, encodeGetQueues } from '../../src/host/netlink/queues.js';
import {
  RTM_GETADDR,
  RTM_GETLINK,
  RTM_GETROUTE,
  decodeLink,
  encodeGetAddresses,
  encodeGetLink,
  encodeGetRoute,
} from '../../src/host/netlink/rtnetlink.js';
import { NETLINK_GENERIC, NETLINK_ROUTE, NetlinkSocket } from '../../src/host/netlink/socket.js';
import { parse4 } from '../../src/wire/address.js';

/*
 * Prints the kernel's own answers about every link of this network namespace as JSON, for the
 * fixtures of netlink.test.ts: bodies of messages and structures of ioctls in hexadecimal.
 * `test/host/fixtures/README.md` says how they were made.
 */
const libc = loadLibc();
if (!libc) throw new Error('no libc');
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const [route, generic] = [NETLINK_ROUTE, NETLINK_GENERIC].map((protocol) => NetlinkSocket.open(libc, protocol));
if (!(route instanceof NetlinkSocket) || !(generic instanceof NetlinkSocket)) throw new Error(`no netlink: ${String(route)} ${String(generic)}`);

const dump = (socket: NetlinkSocket, type: number, body: Uint8Array): string[] => {
  const answer = socket.dump(type, body);
  return answer.ok ? answer.messages.map((message) => hex(message.body)) : [];
};
const bodies = dump(route, RTM_GETLINK, encodeGetLink());
const links = bodies.flatMap((body) => decodeLink(new Uint8Array(Buffer.from(body, 'hex'))) ?? []);

const family = generic.request(0x10, join(Uint8Array.of(3, 1, 0, 0), attributeText(2, 'ethtool')));
const id = family.ok && family.messages[0] ? new Attributes(family.messages[0].body.subarray(4)).bytes(1) : undefined;
const ethtool = Object.fromEntries(
  Object.entries(ETHTOOL).map(([name, command]) => [name, id ? dump(generic, (id[0] ?? 0) | ((id[1] ?? 0) << 8), encodeEthtoolGet(command)) : []]),
);

const fd = libc.socket(libc.constants.AF_INET, libc.constants.SOCK_DGRAM, 0);
const ask = (name: string, command: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | undefined =>
  libc.ioctl(fd, ioctl.SIOCETHTOOL, ioctl.encodeIfreq(name, libc.address(command))) === 0 ? command : undefined;
const ioctls = Object.fromEntries(
  links.map(({ name }) => {
    const size = ask(name, ioctl.encodeLinkSettings(0));
    const sets = ask(name, ioctl.encodeFeatureCount());
    const count = sets ? ioctl.decodeFeatureCount(sets) : 0;
    const found = {
      driver: ask(name, ioctl.encodeCommand(ioctl.DRIVER_INFO_BYTES, ioctl.GDRVINFO)),
      settings: size && ask(name, ioctl.encodeLinkSettings(ioctl.wordsWanted(size))),
      featureNames: count > 0 ? ask(name, ioctl.encodeFeatureNames(count)) : undefined,
      featureBlocks: ask(name, ioctl.encodeCommand(8 + 16 * ioctl.BLOCKS_MAX, ioctl.GFEATURES, ioctl.BLOCKS_MAX)),
      rings: ask(name, ioctl.encodeCommand(ioctl.NUMBERS_BYTES, ioctl.GRINGPARAM)),
      channels: ask(name, ioctl.encodeCommand(ioctl.NUMBERS_BYTES, ioctl.GCHANNELS)),
      coalescing: ask(name, ioctl.encodeCommand(ioctl.NUMBERS_BYTES, ioctl.GCOALESCE)),
    };
    return [name, Object.fromEntries(Object.entries(found).flatMap(([what, bytes]) => (bytes ? [[what, hex(bytes)]] : [])))];
  }),
);
const routes = Object.fromEntries(
  process.argv.slice(2).map((address) => {
    const answer = route.request(RTM_GETROUTE, encodeGetRoute(parse4(address)));
    return [address, answer.ok ? hex(answer.messages[0]?.body ?? new Uint8Array()) : answer.error];
  }),
);
const document = {
  kernel: release(),
  links: bodies,
  addresses: dump(route, RTM_GETADDR, encodeGetAddresses()),
  disciplines: dump(route, RTM_GETQDISC, encodeGetQueues()),
  classes: links.flatMap(({ index }) => dump(route, RTM_GETTCLASS, encodeGetQueues(index))),
  routes,
  ethtool,
  ioctls,
};
process.stdout.write(`${JSON.stringify(document, undefined, 1)}\n`);
