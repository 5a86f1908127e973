import { TautlineError, formatEndpoint } from '../../base/index.js';
import type { Endpoint } from '../../base/index.js';
import { encodeSockaddr, growReceiveBuffer, growSendBuffer, localEndpoint, setInt } from '../libc/index.js';
import type { Libc } from '../libc/index.js';
import { enableStamps } from './sockets.js';

/** As much as the kernel allows, up to this: floods come in at tens of Gbit/s on loopback. */
const RECEIVE_BUFFER_BYTES = 32 * 1024 * 1024;
const SEND_BUFFER_BYTES = 4 * 1024 * 1024;

export interface ServerSocket {
  readonly fd: number;
  readonly family: 4 | 6;
  readonly port: number;
}

/** A bound UDP socket; `::` takes IPv4 too. @throws TautlineError `io`, `permission` */
export function bindUdp(libc: Libc, bind: string, port: number): ServerSocket {
  const c = libc.constants;
  const endpoint: Endpoint = { host: bind, port, family: bind.includes(':') ? 6 : 4 };
  const fd = libc.socket(endpoint.family === 4 ? c.AF_INET : c.AF_INET6, c.SOCK_DGRAM | (c.SOCK_CLOEXEC ?? 0), c.IPPROTO_UDP);
  // A host without IPv6 is still to be reached at every address it has.
  if (fd < 0 && bind === '::') return bindUdp(libc, '0.0.0.0', port);
  if (fd < 0) throw bindFailure(endpoint, libc.errnoName(libc.errno()));
  if (bind === '::') setInt(libc, fd, c.IPPROTO_IPV6, c.IPV6_V6ONLY, 0);
  enableStamps(libc, fd);
  setInt(libc, fd, c.SOL_SOCKET, c.SO_RXQ_OVFL, 1);
  setInt(libc, fd, c.IPPROTO_UDP, c.UDP_GRO, 1);
  // Answers leave from the address that was asked. IPv4 on an IPv6 socket is told as a mapped address.
  if (bind === '::') setInt(libc, fd, c.IPPROTO_IPV6, c.IPV6_RECVPKTINFO, 1);
  else if (bind === '0.0.0.0') setInt(libc, fd, c.IPPROTO_IP, c.IP_PKTINFO, 1);
  growReceiveBuffer(libc, fd, RECEIVE_BUFFER_BYTES);
  growSendBuffer(libc, fd, SEND_BUFFER_BYTES);
  const address = encodeSockaddr(libc, endpoint);
  const errno = libc.bind(fd, address, address.length) === 0 ? undefined : libc.errnoName(libc.errno());
  const local = errno === undefined ? localEndpoint(libc, fd) : undefined;
  if (!local) {
    libc.close(fd);
    throw bindFailure(endpoint, errno ?? 'no local address');
  }
  return { fd, family: endpoint.family, port: local.port };
}

/** The same words for the native socket and Node's. */
export function bindFailure(endpoint: Endpoint, why: string): TautlineError {
  const hints: Readonly<Record<string, string>> = {
    EADDRINUSE: 'another program answers on that UDP port; stop it, or choose another with --port',
    EADDRNOTAVAIL: 'this host has no such address; `ip address` lists those it has',
    EACCES: 'ports below 1024 need root',
    EAFNOSUPPORT: 'this system has IPv6 turned off; bind 0.0.0.0 instead',
  };
  const hint = hints[why];
  return new TautlineError(
    why === 'EACCES' || why === 'EPERM' ? 'permission' : 'io',
    `cannot listen on UDP ${formatEndpoint(endpoint)}: ${why}`,
    hint === undefined ? {} : { hint },
  );
}
