import { TautlineError } from '../../base/index.js';
import type { Libc } from '../libc/index.js';

/** The unprivileged ICMP socket first, then the raw one. @throws TautlineError `permission`, `unsupported` */
export function openIcmpSocket(libc: Libc, family: 4 | 6): { readonly fd: number; readonly managed: boolean } {
  const c = libc.constants;
  const open = (type: number): number =>
    libc.socket(family === 4 ? c.AF_INET : c.AF_INET6, type | (c.SOCK_CLOEXEC ?? 0), family === 4 ? c.IPPROTO_ICMP : c.IPPROTO_ICMPV6);
  const plain = open(c.SOCK_DGRAM);
  if (plain >= 0) return { fd: plain, managed: libc.platform === 'linux' };
  const plainReason = libc.errnoName(libc.errno());
  const raw = open(c.SOCK_RAW);
  if (raw >= 0) return { fd: raw, managed: false };
  const rawReason = libc.errnoName(libc.errno());
  const name = family === 4 ? 'ICMP' : 'ICMPv6';
  const refused = [plainReason, rawReason].some((why) => why === 'EACCES' || why === 'EPERM');
  throw new TautlineError(
    refused ? 'permission' : 'unsupported',
    refused
      ? `no right to open an ${name} socket (${plainReason}; raw: ${rawReason})`
      : `this system opens no ${name} socket (${plainReason}; raw: ${rawReason})`,
    {
      hint: refused
        ? 'allow unprivileged ping for your group (sysctl -w net.ipv4.ping_group_range="0 2147483647"), run as root, or use UDP packets, which need no right'
        : family === 6
          ? 'IPv6 may be turned off'
          : 'ICMP may be turned off',
    },
  );
}
