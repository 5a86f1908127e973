/**
 * The numbers of the system's headers that differ between platforms, or exist on one only (`undefined`
 * elsewhere). Names are those of the headers, so that they can be looked up.
 */
export interface Constants {
  readonly AF_INET: number;
  readonly AF_INET6: number;
  readonly SOCK_STREAM: number;
  readonly SOCK_DGRAM: number;
  readonly SOCK_RAW: number;
  /** Added to the type at `socket()`; where missing, use `fcntl`. */
  readonly SOCK_NONBLOCK: number | undefined;
  readonly SOCK_CLOEXEC: number | undefined;

  readonly IPPROTO_IP: number;
  readonly IPPROTO_ICMP: number;
  readonly IPPROTO_TCP: number;
  readonly IPPROTO_UDP: number;
  readonly IPPROTO_IPV6: number;
  readonly IPPROTO_ICMPV6: number;

  readonly SOL_SOCKET: number;
  readonly SO_REUSEADDR: number;
  readonly SO_REUSEPORT: number;
  readonly SO_TYPE: number;
  readonly SO_ERROR: number;
  readonly SO_SNDBUF: number;
  readonly SO_RCVBUF: number;
  readonly SO_SNDBUFFORCE: number | undefined;
  readonly SO_RCVBUFFORCE: number | undefined;
  readonly SO_RCVLOWAT: number;
  readonly SO_RCVTIMEO: number;
  readonly SO_SNDTIMEO: number;
  readonly SO_KEEPALIVE: number;
  readonly SO_LINGER: number;
  readonly SO_NOSIGPIPE: number | undefined;
  /** Receive stamps with nanoseconds (a timespec); the control message has the same number. */
  readonly SO_TIMESTAMPNS: number | undefined;
  /** Receive stamps with microseconds (a timeval), and the number of their control message. */
  readonly SO_TIMESTAMP: number;
  readonly SCM_TIMESTAMP: number;
  readonly SO_RXQ_OVFL: number | undefined;
  readonly SO_BUSY_POLL: number | undefined;
  readonly SO_MAX_PACING_RATE: number | undefined;
  readonly SO_MEMINFO: number | undefined;

  readonly IP_TOS: number;
  readonly IP_TTL: number;
  readonly IP_MTU_DISCOVER: number | undefined;
  readonly IP_PMTUDISC_DO: number | undefined;
  readonly IP_PMTUDISC_PROBE: number | undefined;
  readonly IP_MTU: number | undefined;
  readonly IP_RECVERR: number | undefined;
  readonly IP_DONTFRAG: number | undefined;
  readonly IPV6_UNICAST_HOPS: number;
  readonly IPV6_V6ONLY: number;
  readonly IPV6_TCLASS: number;
  readonly IPV6_MTU_DISCOVER: number | undefined;
  readonly IPV6_MTU: number | undefined;
  readonly IPV6_RECVERR: number | undefined;
  readonly IPV6_DONTFRAG: number | undefined;

  /** Which address of this host a datagram came to, or is to leave from (struct in_pktinfo, in6_pktinfo). */
  readonly IP_PKTINFO: number | undefined;
  readonly IPV6_RECVPKTINFO: number | undefined;
  readonly IPV6_PKTINFO: number | undefined;
  readonly UDP_SEGMENT: number | undefined;
  readonly UDP_GRO: number | undefined;

  readonly TCP_NODELAY: number;
  readonly TCP_MAXSEG: number;
  readonly TCP_INFO: number | undefined;
  readonly TCP_CONNECTION_INFO: number | undefined;
  readonly TCP_QUICKACK: number | undefined;
  readonly TCP_CONGESTION: number | undefined;
  readonly TCP_NOTSENT_LOWAT: number;
  readonly TCP_USER_TIMEOUT: number | undefined;

  readonly MSG_PEEK: number;
  readonly MSG_TRUNC: number;
  readonly MSG_DONTWAIT: number;
  readonly MSG_NOSIGNAL: number;
  readonly MSG_ERRQUEUE: number | undefined;
  readonly MSG_WAITFORONE: number | undefined;
  readonly MSG_ZEROCOPY: number | undefined;

  readonly POLLIN: number;
  readonly POLLOUT: number;
  readonly POLLERR: number;
  readonly POLLHUP: number;

  readonly F_GETFL: number;
  readonly F_SETFL: number;
  readonly O_NONBLOCK: number;
  readonly SHUT_RD: number;
  readonly SHUT_WR: number;
  readonly SHUT_RDWR: number;
  /** The last datagram's receive stamp as a timespec; an ioctl. */
  readonly SIOCGSTAMPNS: number | undefined;

  readonly CLOCK_REALTIME: number;
  readonly CLOCK_MONOTONIC: number;
  readonly CLOCK_THREAD_CPUTIME_ID: number;
  readonly RUSAGE_SELF: number;
  readonly RUSAGE_THREAD: number | undefined;
  readonly PR_SET_TIMERSLACK: number | undefined;
}

/** Where the fields of the system's structures are, 64-bit little endian. Sizes and offsets in bytes. */
export interface Layouts {
  /** BSD's sockaddr opens with its length, and the family is one byte. */
  readonly sockaddrHasLength: boolean;
  readonly msghdr: {
    readonly size: number;
    readonly name: number;
    readonly nameLength: number;
    readonly iov: number;
    readonly iovLength: number;
    readonly control: number;
    readonly controlLength: number;
    readonly flags: number;
  };
  /** `struct mmsghdr` is a msghdr, then the length of what was moved. */
  readonly mmsghdr: { readonly size: number; readonly length: number } | undefined;
  readonly cmsghdr: { readonly size: number; readonly align: number; readonly level: number; readonly type: number };
  readonly timespec: { readonly size: number; readonly nanoseconds: number };
  /** `struct timeval`: whole seconds (8 bytes), then microseconds in 8 bytes, or in 4 with 4 unused. */
  readonly timeval: { readonly size: number };
}

/** What ICMP errors are turned into (net/ipv4/icmp.c icmp_err_convert, net/ipv6/icmp.c icmpv6_err_convert). */
export const NETWORK_ERRORS: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ENONET',
  'ENOPROTOOPT',
  'EOPNOTSUPP',
  'EPROTO',
  'EACCES',
  'EMSGSIZE',
]);
