import type { Endpoint } from '../../base/index.js';
import { SOCKADDR_BYTES_MAX, decodeSockaddr, memory } from '../libc/index.js';
import type { Libc } from '../libc/index.js';

/** Larger than any packet. */
const BYTES_MAX = 65_536;
const CONTROL_BYTES = 512;
const IOV_BYTES = 16;
/** `struct sock_extended_err` (include/uapi/linux/errqueue.h). */
const ERROR_BYTES = 16;

/** Where a report in the error queue comes from: SO_EE_ORIGIN_*. */
export const ORIGIN = { local: 1, icmp: 2, icmp6: 3 } as const;

export interface Received {
  /** Valid until the next reading. In the error queue: what the error quotes of our packet, or our packet. */
  readonly bytes: Uint8Array;
  /** Who sent it; in the error queue, where our packet went. */
  readonly from: Endpoint | undefined;
  /** Wall-clock nanoseconds from `baseSeconds`; NaN without a stamp. */
  readonly stampNs: number;
  readonly error:
    | {
        readonly errno: number;
        readonly origin: number;
        readonly type: number;
        readonly code: number;
        readonly info: number;
        /** Who sent it. */
        readonly offender: Endpoint | undefined;
      }
    | undefined;
}

/** Reads one packet or one report of the error queue at a time, with its kernel stamp. */
export class SocketReader {
  /** Why the last reading gave nothing. */
  errno = 0;
  readonly #libc: Libc;
  readonly #baseSeconds: number;
  readonly #bytes = memory(BYTES_MAX);
  readonly #control = memory(CONTROL_BYTES);
  readonly #name = memory(SOCKADDR_BYTES_MAX);
  readonly #message: Uint8Array<ArrayBuffer>;
  readonly #header: DataView<ArrayBuffer>;
  /** Kept, since the kernel has only its address. */
  readonly #iov: BigUint64Array<ArrayBuffer>;

  constructor(libc: Libc, baseSeconds: number) {
    this.#libc = libc;
    this.#baseSeconds = baseSeconds;
    const { msghdr } = libc.layouts;
    this.#iov = new BigUint64Array(memory(IOV_BYTES).buffer);
    this.#iov[0] = libc.address(this.#bytes);
    this.#iov[1] = BigInt(BYTES_MAX);
    this.#message = memory(msghdr.size);
    this.#header = new DataView(this.#message.buffer);
    this.#header.setBigUint64(msghdr.name, libc.address(this.#name), true);
    this.#header.setBigUint64(msghdr.iov, libc.address(this.#iov), true);
    this.#header.setUint32(msghdr.iovLength, 1, true);
    this.#header.setBigUint64(msghdr.control, libc.address(this.#control), true);
  }

  packet(fd: number): Received | undefined {
    return this.#read(fd, 0);
  }

  /** The oldest report in the error queue; undefined too where the platform has none. */
  report(fd: number): Received | undefined {
    const flag = this.#libc.constants.MSG_ERRQUEUE;
    return flag === undefined ? undefined : this.#read(fd, flag);
  }

  #read(fd: number, flags: number): Received | undefined {
    const { constants: c, layouts } = this.#libc;
    this.#header.setUint32(layouts.msghdr.controlLength, CONTROL_BYTES, true);
    this.#header.setUint32(layouts.msghdr.nameLength, SOCKADDR_BYTES_MAX, true);
    this.#name.fill(0);
    const length = this.#libc.recvmsg(fd, this.#message, flags | c.MSG_DONTWAIT);
    if (length < 0) {
      this.errno = this.#libc.errno();
      return undefined;
    }
    const bytes = this.#bytes.subarray(0, Math.min(length, BYTES_MAX));
    return {
      bytes,
      from: decodeSockaddr(this.#libc, this.#name),
      ...this.#controls(Math.min(this.#header.getUint32(layouts.msghdr.controlLength, true), CONTROL_BYTES)),
    };
  }

  #controls(used: number): Pick<Received, 'stampNs' | 'error'> {
    const { constants: c, layouts } = this.#libc;
    const { cmsghdr } = layouts;
    const view = new DataView(this.#control.buffer);
    let stampNs = Number.NaN;
    let error: Received['error'];
    for (let at = 0; at + cmsghdr.size <= used;) {
      const length = view.getUint32(at, true);
      if (length < cmsghdr.size || at + length > used) break;
      const level = view.getInt32(at + cmsghdr.level, true);
      const type = view.getInt32(at + cmsghdr.type, true);
      const data = at + cmsghdr.size;
      if (level === c.SOL_SOCKET && type === c.SO_TIMESTAMPNS) stampNs = this.#sinceBase(view, data) + view.getUint32(data + 8, true);
      else if (level === c.SOL_SOCKET && type === c.SCM_TIMESTAMP) stampNs = this.#sinceBase(view, data) + view.getUint32(data + 8, true) * 1e3;
      else if ((level === c.IPPROTO_IP && type === c.IP_RECVERR) || (level === c.IPPROTO_IPV6 && type === c.IPV6_RECVERR))
        error = this.#error(view, data, at + length);
      at += Math.ceil(length / cmsghdr.align) * cmsghdr.align;
    }
    return { stampNs, error };
  }

  #error(view: DataView<ArrayBuffer>, data: number, end: number): Received['error'] {
    if (data + ERROR_BYTES > end) return undefined;
    return {
      errno: view.getUint32(data, true),
      origin: view.getUint8(data + 4),
      type: view.getUint8(data + 5),
      code: view.getUint8(data + 6),
      info: view.getUint32(data + 8, true),
      offender: decodeSockaddr(this.#libc, this.#control.slice(data + ERROR_BYTES, Math.min(end, data + ERROR_BYTES + SOCKADDR_BYTES_MAX))),
    };
  }

  #sinceBase(view: DataView<ArrayBuffer>, at: number): number {
    return (Number(view.getBigInt64(at, true)) - this.#baseSeconds) * 1e9;
  }
}
