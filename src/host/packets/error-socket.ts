import { TautlineError } from '../../base/index.js';
import { setInt } from '../libc/index.js';
import type { Libc } from '../libc/index.js';
import { READINGS_MAX } from './flow.js';
import { openIcmpSocket } from './icmp-socket.js';
import { readIcmpError } from './quoted-errors.js';
import type { QuotedError } from './quoted-errors.js';
import type { SocketReader } from './socket-reader.js';

/**
 * Reads everybody's ICMP errors, for systems whose kernel does not hand them to the socket that they are about. On
 * macOS the ICMP socket that needs no privilege gets them all (xnu's icmp_input passes what it does not answer to
 * every ICMP socket); on Linux it takes a raw one.
 */
export class ErrorSocket {
  readonly fd: number;
  readonly #libc: Libc;
  readonly #family: 4 | 6;
  readonly #reader: SocketReader;

  /** @throws TautlineError `permission`, `unsupported` */
  constructor(libc: Libc, family: 4 | 6, reader: SocketReader) {
    this.#libc = libc;
    this.#family = family;
    this.#reader = reader;
    this.fd = libc.platform === 'linux' ? rawSocket(libc, family) : openIcmpSocket(libc, family).fd;
    const c = libc.constants;
    if (!setInt(libc, this.fd, c.SOL_SOCKET, c.SO_TIMESTAMPNS, 1)) setInt(libc, this.fd, c.SOL_SOCKET, c.SO_TIMESTAMP, 1);
  }

  /** Hands over what has come. */
  attend(take: (error: QuotedError) => void): void {
    for (let n = 0; n < READINGS_MAX; n++) {
      const packet = this.#reader.packet(this.fd);
      if (!packet) return;
      const { bytes, stampNs, from } = packet;
      // IPv4 comes with its header, IPv6 without.
      const message = this.#family === 4 ? bytes.subarray(((bytes[0] ?? 0) & 0x0f) * 4) : bytes;
      const error = readIcmpError(message, this.#family);
      if (error && from) take({ ...error, from: from.host, stampNs });
    }
  }

  close(): void {
    this.#libc.close(this.fd);
  }
}

function rawSocket(libc: Libc, family: 4 | 6): number {
  const c = libc.constants;
  const fd = libc.socket(family === 4 ? c.AF_INET : c.AF_INET6, c.SOCK_RAW | (c.SOCK_CLOEXEC ?? 0), family === 4 ? c.IPPROTO_ICMP : c.IPPROTO_ICMPV6);
  if (fd >= 0) return fd;
  throw new TautlineError('permission', `no right to open a raw ICMP socket (${libc.errnoName(libc.errno())})`, { hint: 'run as root' });
}
