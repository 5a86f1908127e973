import type { TooBig } from '../../base/index.js';
import { NETWORK_ERRORS, decodeSockaddr, memory } from '../libc/index.js';
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
/** `struct sock_extended_err` begins with the errno; IP_RECVERR and IPV6_RECVERR carry one, and behind it who said so (SO_EE_OFFENDER). */
const EXTENDED_ERROR_BYTES = 16;
const ORIGIN = { local: 1, icmp: 2, icmp6: 3 } as const;
/** So many "too big" answers are kept of an operation; a router has nothing new to say after the first. */
const TOO_BIG_MAX = 64;

/** Counts what went wrong on one socket by errno name: refused calls, and ICMP errors that came back. */
export class SocketErrors {
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #counts = new Map<number, number>();
  readonly #message: Uint32Array<ArrayBuffer>;
  readonly #control: DataView<ArrayBuffer>;
  #tooBig: TooBig[] = [];
  /** The interface refused one of the reports that were collected last. */
  #refusedHere = false;

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
    // What is too large for the interface now is so the next time; what a router said was about an earlier one.
    const collected = NETWORK_ERRORS.has(name) ? this.collect() : 0;
    if (collected > 0) return name !== 'EMSGSIZE' || !this.#refusedHere;
    this.count(errno);
    return name === 'ECONNREFUSED';
  }

  /** Reads and counts the errors that came back. @returns how many */
  collect(): number {
    const { constants: c, layouts } = this.#libc;
    if (c.MSG_ERRQUEUE === undefined) return 0;
    let collected = 0;
    this.#refusedHere = false;
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
    this.#tooBig = [];
  }

  /** Forgets everything so far, and what is still in the queue. */
  reset(): void {
    while (this.collect() === REPORTS_MAX);
    this.forget();
  }

  /** Routers that said "too big" since this began to count. */
  tooBig(): readonly TooBig[] {
    return this.#tooBig;
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
        const errno = this.#control.getUint32(at + cmsghdr.size, true);
        if (this.#libc.errnoName(errno) === 'EMSGSIZE') this.#tooLong(origin, at + cmsghdr.size, at + length);
        return errno;
      }
      at += Math.ceil(length / cmsghdr.align) * cmsghdr.align;
    }
    return 0;
  }

  /** The interface refused it, or a router answered. `ee_info` is the MTU. */
  #tooLong(origin: number, from: number, to: number): void {
    if (origin === ORIGIN.local) this.#refusedHere = true;
    if ((origin !== ORIGIN.icmp && origin !== ORIGIN.icmp6) || this.#tooBig.length >= TOO_BIG_MAX) return;
    const mtuBytes = this.#control.getUint32(from + 8, true);
    const offender = decodeSockaddr(this.#libc, new Uint8Array(this.#control.buffer, from + EXTENDED_ERROR_BYTES, to - from - EXTENDED_ERROR_BYTES));
    if (offender) this.#tooBig.push({ from: offender.host, ...(mtuBytes > 0 ? { mtuBytes } : {}) });
  }
}
