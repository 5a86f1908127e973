import { TautlineError, formatEndpoint } from '../../base/index.js';
import type { Endpoint, FlowOptions } from '../../base/index.js';
import { encodeSockaddr, growReceiveBuffer, growSendBuffer, localEndpoint, setDontFragment, setDscp, setInt, setTtl } from '../libc/index.js';
import type { Libc } from '../libc/index.js';
import type { IcmpSocket } from './messages.js';

/** Receive buffer of a flow: half a second of 8 Gbit/s would not fit, a scheduling hiccup does. */
const RECEIVE_BUFFER_BYTES = 16 * 1024 * 1024;
const SEND_BUFFER_BYTES = 2 * 1024 * 1024;

export interface OpenSocket {
  readonly fd: number;
  readonly local: Endpoint;
  readonly icmp: IcmpSocket | undefined;
  readonly stamps: 'kernel' | 'user';
  readonly fallbacks: readonly string[];
  readonly dontFragment: boolean;
}

/** Makes, sets up and connects a flow's socket. @throws TautlineError `permission`, `unsupported`, `io`; then nothing stays open */
export function openSocket(libc: Libc, options: FlowOptions, identifier: number): OpenSocket {
  const { fd, icmp } =
    options.protocol === 'icmp'
      ? openIcmp(libc, options.remote.family, identifier)
      : { fd: create(libc, options.remote.family, 'SOCK_DGRAM', libc.constants.IPPROTO_UDP), icmp: undefined };
  if (fd < 0) throw failed(libc, 'cannot open a UDP socket');
  try {
    const fallbacks: string[] = [];
    const stamps = enableStamps(libc, fd) ? 'kernel' : 'user';
    if (stamps === 'user') fallbacks.push('the kernel gives no receive timestamps: arrival is when this process read it');
    const dontFragment = applyOptions(libc, fd, options, fallbacks);
    const address = encodeSockaddr(libc, options.remote);
    if (libc.connect(fd, address, address.length) !== 0) throw failed(libc, `cannot reach ${formatEndpoint(options.remote)}`);
    const local = localEndpoint(libc, fd);
    if (!local) throw failed(libc, 'cannot tell the local address');
    return { fd, icmp, stamps, fallbacks, dontFragment, local: icmp ? { ...local, port: 0 } : local };
  } catch (error) {
    libc.close(fd);
    throw error;
  }
}

/** Receive stamps in the best resolution there is. */
export function enableStamps(libc: Libc, fd: number): boolean {
  const c = libc.constants;
  return setInt(libc, fd, c.SOL_SOCKET, c.SO_TIMESTAMPNS, 1) || setInt(libc, fd, c.SOL_SOCKET, c.SO_TIMESTAMP, 1);
}

/** @returns whether don't-fragment is in force */
function applyOptions(libc: Libc, fd: number, options: FlowOptions, fallbacks: string[]): boolean {
  const c = libc.constants;
  const { family } = options.remote;
  growReceiveBuffer(libc, fd, RECEIVE_BUFFER_BYTES);
  growSendBuffer(libc, fd, SEND_BUFFER_BYTES);
  setInt(libc, fd, c.SOL_SOCKET, c.SO_RXQ_OVFL, 1);
  // Errors that come back are then queued one by one, and soft ones (no route at a router) are told too.
  if (family === 4) setInt(libc, fd, c.IPPROTO_IP, c.IP_RECVERR, 1);
  else setInt(libc, fd, c.IPPROTO_IPV6, c.IPV6_RECVERR, 1);
  if (options.dscp !== undefined && !setDscp(libc, fd, family, options.dscp))
    fallbacks.push(`DSCP ${options.dscp} was not accepted (${reason(libc)})`);
  if (options.ttl !== undefined && !setTtl(libc, fd, family, options.ttl)) fallbacks.push(`TTL ${options.ttl} was not accepted (${reason(libc)})`);
  if (options.dontFragment !== true) return false;
  if (setDontFragment(libc, fd, family)) return true;
  fallbacks.push(`don't-fragment was not accepted (${reason(libc)})`);
  return false;
}

/** The unprivileged ICMP socket first, then the raw one. */
function openIcmp(libc: Libc, family: 4 | 6, identifier: number): { fd: number; icmp: IcmpSocket } {
  const c = libc.constants;
  const protocol = family === 4 ? c.IPPROTO_ICMP : c.IPPROTO_ICMPV6;
  const plain = create(libc, family, 'SOCK_DGRAM', protocol);
  // On macOS it is a raw socket in all but name: identifier, checksum and IPv4 header are ours to deal with.
  if (plain >= 0)
    return {
      fd: plain,
      icmp:
        libc.platform === 'linux' ? { managed: true, withIpHeader: false, identifier } : { managed: false, withIpHeader: family === 4, identifier },
    };
  const plainReason = reason(libc);
  const raw = create(libc, family, 'SOCK_RAW', protocol);
  if (raw >= 0) return { fd: raw, icmp: { managed: false, withIpHeader: family === 4, identifier } };
  const rawReason = reason(libc);
  const name = family === 4 ? 'ICMP' : 'ICMPv6';
  if ([plainReason, rawReason].some((why) => why === 'EACCES' || why === 'EPERM')) {
    throw new TautlineError('permission', `no right to open an ${name} socket (${plainReason}; raw: ${rawReason})`, {
      hint:
        libc.platform === 'linux'
          ? 'allow unprivileged ping for your group (sysctl -w net.ipv4.ping_group_range="0 2147483647"), or run as root'
          : 'run as root',
    });
  }
  throw new TautlineError('unsupported', `this system opens no ${name} socket (${plainReason}; raw: ${rawReason})`, {
    hint: family === 6 ? 'IPv6 may be turned off' : 'ICMP may be turned off',
  });
}

function create(libc: Libc, family: 4 | 6, type: 'SOCK_DGRAM' | 'SOCK_RAW', protocol: number): number {
  const c = libc.constants;
  return libc.socket(family === 4 ? c.AF_INET : c.AF_INET6, c[type] | (c.SOCK_CLOEXEC ?? 0), protocol);
}

function reason(libc: Libc): string {
  return libc.errnoName(libc.errno());
}

function failed(libc: Libc, what: string): TautlineError {
  const why = reason(libc);
  const hints: Readonly<Record<string, string>> = {
    ENETUNREACH: 'this host has no route to that network',
    EHOSTUNREACH: 'this host has no route to that address',
    EADDRNOTAVAIL: 'this host has no address to reach it from; is that address family turned on?',
    EAFNOSUPPORT: 'this system has that address family turned off',
    EMFILE: 'too many open files: raise ulimit -n',
    EINVAL: 'a link-local address needs its interface, as in fe80::1%eth0',
  };
  const hint = hints[why];
  const code = why === 'EACCES' || why === 'EPERM' ? 'permission' : 'io';
  return new TautlineError(code, `${what}: ${why}`, hint === undefined ? {} : { hint });
}
