import type { NetworkInterface } from '../../base/index.js';
import { decodeAddress } from '../../wire/index.js';
import { Attributes, attribute, attributeU32, join, u64At } from './message.js';

/* The route family of netlink: links, addresses and the route to one address (include/uapi/linux/rtnetlink.h, if_link.h, if_addr.h). */
export const RTM_NEWLINK = 16;
export const RTM_GETLINK = 18;
export const RTM_NEWADDR = 20;
export const RTM_GETADDR = 22;
export const RTM_NEWROUTE = 24;
export const RTM_GETROUTE = 26;

const AF_INET = 2;
const AF_INET6 = 10;
const LINK_HEADER_BYTES = 16;
const ADDRESS_HEADER_BYTES = 8;
const ROUTE_HEADER_BYTES = 12;

/** Names of struct rtnl_link_stats64, in its order; older kernels end earlier. */
const COUNTERS = [
  ...['rx_packets', 'tx_packets', 'rx_bytes', 'tx_bytes', 'rx_errors', 'tx_errors', 'rx_dropped', 'tx_dropped', 'multicast', 'collisions'],
  ...['rx_length_errors', 'rx_over_errors', 'rx_crc_errors', 'rx_frame_errors', 'rx_fifo_errors', 'rx_missed_errors'],
  ...['tx_aborted_errors', 'tx_carrier_errors', 'tx_fifo_errors', 'tx_heartbeat_errors', 'tx_window_errors'],
  ...['rx_compressed', 'tx_compressed', 'rx_nohandler', 'rx_otherhost_dropped'],
];

export interface RawLink {
  readonly index: number;
  readonly name: string;
  /** ARPHRD_* of if_arp.h. */
  readonly hardware: number;
  readonly up: boolean;
  readonly running: boolean;
  readonly loopback: boolean;
  /** RFC 2863: 0 unknown, 1 not present, 2 down, 3 lower layer down, 4 testing, 5 dormant, 6 up. */
  readonly operstate: number | undefined;
  readonly carrier: boolean | undefined;
  readonly mtu: number | undefined;
  readonly mac: string | undefined;
  /** The kernel's kind of what is no device of a bus: `veth`, `bridge`, `wireguard`. */
  readonly kind: string | undefined;
  readonly masterIndex: number | undefined;
  readonly rxQueues: number | undefined;
  readonly txQueues: number | undefined;
  readonly counters: Readonly<Record<string, number>> | undefined;
}

/** Asks for the link of this index, or in a dump for all. */
export function encodeGetLink(index = 0): Uint8Array {
  const bytes = new Uint8Array(LINK_HEADER_BYTES);
  new DataView(bytes.buffer).setInt32(4, index, true);
  return bytes;
}

/** `struct ifinfomsg` and attributes. @returns undefined for bytes that are no link */
export function decodeLink(body: Uint8Array): RawLink | undefined {
  const a = new Attributes(body.subarray(LINK_HEADER_BYTES));
  const name = a.text(3);
  if (body.length < LINK_HEADER_BYTES || name === undefined || name === '') return undefined;
  const view = new DataView(body.buffer, body.byteOffset);
  const flags = view.getUint32(8, true);
  const carrier = a.u8(33);
  return {
    index: view.getInt32(4, true),
    name,
    hardware: view.getUint16(2, true),
    up: (flags & 0x1) !== 0,
    loopback: (flags & 0x8) !== 0,
    running: (flags & 0x40) !== 0,
    operstate: a.u8(16),
    carrier: carrier === undefined ? undefined : carrier !== 0,
    mtu: a.u32(4),
    mac: macOf(a.bytes(1)),
    kind: a.nested(18).text(1),
    masterIndex: a.u32(10),
    rxQueues: a.u32(32),
    txQueues: a.u32(31),
    counters: countersOf(a.bytes(23)),
  };
}

function countersOf(bytes: Uint8Array | undefined): Readonly<Record<string, number>> | undefined {
  if (!bytes) return undefined;
  return Object.fromEntries(
    COUNTERS.flatMap((name, i) => {
      const value = u64At(bytes, 8 * i);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

function macOf(bytes: Uint8Array | undefined): string | undefined {
  if (bytes?.length !== 6 || bytes.every((byte) => byte === 0)) return undefined;
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':');
}

// --- Addresses -------------------------------------------------------------------------------

export interface RawAddress {
  readonly index: number;
  readonly address: string;
  readonly family: 4 | 6;
  readonly prefix: number;
  readonly scope: NetworkInterface['addresses'][number]['scope'];
}

/** Asks in a dump for the addresses of every interface. */
export function encodeGetAddresses(): Uint8Array {
  return new Uint8Array(ADDRESS_HEADER_BYTES);
}

/** `struct ifaddrmsg` and attributes: IFA_LOCAL is this host's own on a point-to-point link, whose IFA_ADDRESS is the other end. */
export function decodeInterfaceAddress(body: Uint8Array): RawAddress | undefined {
  const a = new Attributes(body.subarray(ADDRESS_HEADER_BYTES));
  const text = addressText(a.bytes(2) ?? a.bytes(1));
  if (body.length < ADDRESS_HEADER_BYTES || text === undefined) return undefined;
  const scope = body[3] ?? 0;
  return {
    index: new DataView(body.buffer, body.byteOffset).getUint32(4, true),
    address: text,
    family: text.includes(':') ? 6 : 4,
    prefix: body[1] ?? 0,
    // RT_SCOPE_HOST 254, RT_SCOPE_LINK 253. A link-local IPv4 address has whatever scope its owner gave it.
    scope: scope === 254 ? 'host' : scope === 253 || text.startsWith('169.254.') ? 'link' : 'global',
  };
}

// --- Routes ----------------------------------------------------------------------------------

/** Asks how the kernel would send to an address of 4 or 16 bytes, through an interface if one is named. */
export function encodeGetRoute(destination: Uint8Array, index?: number): Uint8Array {
  const header = new Uint8Array(ROUTE_HEADER_BYTES);
  header[0] = destination.length === 4 ? AF_INET : AF_INET6;
  header[1] = 8 * destination.length;
  return join(header, attribute(1, destination), ...(index === undefined ? [] : [attributeU32(4, index)]));
}

export interface RawRoute {
  readonly index: number;
  readonly source: string | undefined;
  readonly gateway: string | undefined;
  readonly mtu: number | undefined;
  readonly advmss: number | undefined;
  readonly local: boolean;
}

const RTN_UNICAST = 1;
const RTN_LOCAL = 2;
const RTN_BROADCAST = 3;
const RTN_MULTICAST = 5;

/** `struct rtmsg` and attributes; undefined for what leads nowhere (unreachable, blackhole, prohibit). */
export function decodeRoute(body: Uint8Array): RawRoute | undefined {
  const type = body[7] ?? 0;
  const a = new Attributes(body.subarray(ROUTE_HEADER_BYTES));
  const index = a.u32(4);
  if (index === undefined || ![RTN_UNICAST, RTN_LOCAL, RTN_BROADCAST, RTN_MULTICAST].includes(type)) return undefined;
  const metrics = a.nested(8);
  return {
    index,
    source: addressText(a.bytes(7)),
    // RTA_VIA: a family of two bytes and a gateway of another family than the destination.
    gateway: addressText(a.bytes(5) ?? a.bytes(18)?.subarray(2)),
    mtu: metrics.u32(2),
    advmss: metrics.u32(8),
    local: type === RTN_LOCAL,
  };
}

function addressText(bytes: Uint8Array | undefined): string | undefined {
  if (bytes?.length !== 4 && bytes?.length !== 16) return undefined;
  return decodeAddress(join(Uint8Array.of(bytes.length === 4 ? 4 : 6, 0, 0), bytes)).host;
}
