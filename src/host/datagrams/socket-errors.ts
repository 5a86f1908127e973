import { memory } from '../libc/index.js';
import type { Libc } from '../libc/index.js';

/** At most this many reports are read at a time, so that a storm of them cannot hold up the schedule. */
const REPORTS_MAX = 64;
const CONTROL_BYTES = 512;
/**
 * The kernel turns an ICMP time exceeded into EHOSTUNREACH. It is another finding (a routing loop, or a
 * small TTL), so it gets a name of its own; the number is one that no errno has.
 */
const TTL_EXCEEDED = { number: -11, name: 'TTL_EXCEEDED' } as const;
/** Origin, then type, of a `struct sock_extended_err` about an ICMP or ICMPv6 time exceeded. */
const TIME_EXCEEDED: readonly (readonly [number, number])[] = [
  [2, 11],
  [3, 3],
];
/** `struct sock_extended_err` begins with the errno; IP_RECVERR and IPV6_RECVERR carry one. */

/** Counts what went wrong on one socket by errno name: refused calls, and ICMP errors that came back. */
export class SocketErrors {
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #counts = new Map<number, number>();
  readonly #message: Uint32Array<ArrayBuffer>;
  readonly #control: DataView<ArrayBuffer>;

  constructor(libc: Libc, fd: number) {
    this.#libc = libc;
    this.#fd = fd;
    const layout = libc.layouts.msghdr;
    const control = memory(CONTROL_BYTES);
    this.#control = new DataView(control.buffer);
    const message = memory(layout.size);
    new DataView(message.buffer).setBigUint64(layout.control, libc.address(control), true);
    this.#message = new Uint32Array(message.buffer);
  }

  count(errno: number): void {
    this.#counts.set(errno, (this.#counts.get(errno) ?? 0) + 1);
  }

  /**
   * After a call failed: an error that came back over the network (it has nothing to do with the
   * datagram that this call was for) is read from the socket's error queue, where every one is found
   * exactly once; any other is counted as it is.
   * @returns whether it was one from the network, so that the call is worth repeating
   */
  afterFailure(errno: number): boolean {
    const name = this.#libc.errnoName(errno);
    // Too large for the path now is too large the next time, whoever found out.
    const collected = NETWORK_ERRORS.has(name) ? this.collect() : 0;
    if (collected > 0) return name !== 'EMSGSIZE';
    this.count(errno);
    return name === 'ECONNREFUSED';
  }

  /** Reads and counts the errors that came back. @returns how many */
  collect(): number {
    const { constants: c, layouts } = this.#libc;
    if (c.MSG_ERRQUEUE === undefined) return 0;
    let collected = 0;
    for (; collected < REPORTS_MAX; collected++) {
      this.#message[layouts.msghdr.controlLength / 4] = CONTROL_BYTES;
      if (this.#libc.recvmsg(this.#fd, this.#message, c.MSG_ERRQUEUE | c.MSG_DONTWAIT) < 0) break;
      const errno = this.#reported();
      if (errno !== 0) this.count(errno);
    }
    return collected;
  }

  /** Begins to count anew. */
  forget(): void {
    this.#counts.clear();
  }

  /** Forgets everything so far, and what is still in the queue. */
  reset(): void {
    while (this.collect() === REPORTS_MAX);
    this.#counts.clear();
  }

  byName(): Record<string, number> {
    const byName: Record<string, number> = {};
    for (const [errno, count] of this.#counts) byName[errno === TTL_EXCEEDED.number ? TTL_EXCEEDED.name : this.#libc.errnoName(errno)] = count;
    return byName;
  }

  #reported(): number {
    const { constants: c, layouts } = this.#libc;
    const { cmsghdr } = layouts;
    const used = Math.min(this.#message[layouts.msghdr.controlLength / 4] ?? 0, CONTROL_BYTES);
    for (let at = 0; at + cmsghdr.size <= used;) {
      const length = this.#control.getUint32(at, true);
      if (length < cmsghdr.size) break;
      const level = this.#control.getInt32(at + cmsghdr.level, true);
      const type = this.#control.getInt32(at + cmsghdr.type, true);
      if ((level === c.IPPROTO_IP && type === c.IP_RECVERR) || (level === c.IPPROTO_IPV6 && type === c.IPV6_RECVERR)) {
        const [origin, kind] = [this.#control.getUint8(at + cmsghdr.size + 4), this.#control.getUint8(at + cmsghdr.size + 5)];
        if (TIME_EXCEEDED.some((one) => one[0] === origin && one[1] === kind)) return TTL_EXCEEDED.number;
        return this.#control.getUint32(at + cmsghdr.size, true);
      }
      at += Math.ceil(length / cmsghdr.align) * cmsghdr.align;
    }
    return 0;
  }
}

/** What ICMP errors are turned into (net/ipv4/icmp.c icmp_err_convert, net/ipv6/icmp.c icmpv6_err_convert). */
const NETWORK_ERRORS: ReadonlySet<string> = new Set([
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
