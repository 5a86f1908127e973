import { memory } from '../libc/index.js';
import type { Libc } from '../libc/index.js';

/** Larger than any datagram, and than anything UDP_GRO puts together. */
export const SLOT_BYTES = 65_536;
const NAME_BYTES = 32;
const CONTROL_BYTES = 128;
const IOV_BYTES = 16;

/**
 * Receives up to `slots` datagrams a call, each with its kernel stamp, its sender, the segment size
 * where the kernel joined several (UDP_GRO), and the count of datagrams dropped so far. Everything is
 * read into fields of typed arrays; nothing is allocated.
 */
export class Receiver {
  /** All slots' bytes; slot i begins at `i * SLOT_BYTES`. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView<ArrayBuffer>;
  /** What arrived in slot i. */
  readonly length: Uint32Array;
  /** When, in wall-clock nanoseconds from `baseSeconds`; NaN without a stamp. */
  readonly stampNs: Float64Array;
  /** The size of the datagrams that are joined in slot i; 0 for a single one. */
  readonly segment: Uint32Array;
  /** All slots' senders; that of slot i, a sockaddr, begins at `i * 32`. */
  readonly names: Uint8Array<ArrayBuffer>;
  /** Datagrams the receive buffer dropped since the socket was made, as far as told. */
  drops = 0;
  /** The failure of the last call that returned -1. */
  errno = 0;
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #slots: number;
  readonly #baseSeconds: number;
  readonly #headers: Uint32Array<ArrayBuffer>;
  readonly #headerWords: number;
  readonly #control: Uint32Array<ArrayBuffer>;
  /** Kept, since the kernel has only its address. */
  readonly #iov: BigUint64Array<ArrayBuffer>;

  constructor(libc: Libc, fd: number, options: { slots: number; baseSeconds: number }) {
    const { slots } = options;
    this.#libc = libc;
    this.#fd = fd;
    this.#slots = slots;
    this.#baseSeconds = options.baseSeconds;
    this.bytes = memory(slots * SLOT_BYTES);
    this.view = new DataView(this.bytes.buffer);
    this.length = new Uint32Array(slots);
    this.stampNs = new Float64Array(slots);
    this.segment = new Uint32Array(slots);
    this.names = memory(slots * NAME_BYTES);
    const control = memory(slots * CONTROL_BYTES);
    this.#control = new Uint32Array(control.buffer);
    this.#iov = new BigUint64Array(memory(slots * IOV_BYTES).buffer);
    const layout = libc.layouts.msghdr;
    const stride = libc.layouts.mmsghdr?.size ?? layout.size;
    this.#headerWords = stride / 4;
    const headers = memory(slots * stride);
    this.#headers = new Uint32Array(headers.buffer);
    const pointers = new DataView(headers.buffer);
    for (let i = 0; i < slots; i++) {
      this.#iov[2 * i] = libc.address(this.bytes) + BigInt(i * SLOT_BYTES);
      this.#iov[2 * i + 1] = BigInt(SLOT_BYTES);
      pointers.setBigUint64(i * stride + layout.name, libc.address(this.names) + BigInt(i * NAME_BYTES), true);
      pointers.setBigUint64(i * stride + layout.iov, libc.address(this.#iov) + BigInt(i * IOV_BYTES), true);
      pointers.setUint32(i * stride + layout.iovLength, 1, true);
      pointers.setBigUint64(i * stride + layout.control, libc.address(control) + BigInt(i * CONTROL_BYTES), true);
      this.#rearm(i);
    }
  }

  /** @returns how many slots were filled, or -1 (`errno` says why) */
  receive(flags: number): number {
    const libc = this.#libc;
    if (!libc.recvmmsg) return this.#receiveOneByOne(flags);
    const count = libc.recvmmsg(this.#fd, this.#headers, this.#slots, flags, null);
    if (count < 0) {
      this.errno = libc.errno();
      return -1;
    }
    const lengthAt = (libc.layouts.mmsghdr?.length ?? 0) / 4;
    for (let i = 0; i < count; i++) {
      this.length[i] = this.#headers[i * this.#headerWords + lengthAt] ?? 0;
      this.#readControl(i);
      this.#rearm(i);
    }
    return count;
  }

  #receiveOneByOne(flags: number): number {
    for (let i = 0; i < this.#slots; i++) {
      const header = this.#headers.subarray(i * this.#headerWords, (i + 1) * this.#headerWords);
      const length = this.#libc.recvmsg(this.#fd, header, i === 0 ? flags : flags | this.#libc.constants.MSG_DONTWAIT);
      if (length < 0) {
        if (i > 0) return i;
        this.errno = this.#libc.errno();
        return -1;
      }
      this.length[i] = length;
      this.#readControl(i);
      this.#rearm(i);
    }
    return this.#slots;
  }

  /** The kernel writes what it used into the header: put the full sizes back. */
  #rearm(i: number): void {
    const layout = this.#libc.layouts.msghdr;
    const at = i * this.#headerWords;
    this.#headers[at + layout.nameLength / 4] = NAME_BYTES;
    this.#headers[at + layout.controlLength / 4] = CONTROL_BYTES;
  }

  #readControl(i: number): void {
    const { constants: c, layouts } = this.#libc;
    const words = this.#control;
    const { cmsghdr } = layouts;
    const begin = (i * CONTROL_BYTES) / 4;
    const used = this.#headers[i * this.#headerWords + layouts.msghdr.controlLength / 4] ?? 0;
    const end = begin + Math.min(used, CONTROL_BYTES) / 4;
    this.stampNs[i] = Number.NaN;
    this.segment[i] = 0;
    for (let at = begin; at + cmsghdr.size / 4 <= end; ) {
      const length = words[at] ?? 0;
      if (length < cmsghdr.size) break;
      const level = words[at + cmsghdr.level / 4];
      const type = words[at + cmsghdr.type / 4];
      const data = at + cmsghdr.size / 4;
      if (level === c.SOL_SOCKET) {
        if (type === c.SO_TIMESTAMPNS) this.stampNs[i] = this.#sinceBase(data) + (words[data + 2] ?? 0);
        else if (type === c.SCM_TIMESTAMP) this.stampNs[i] = this.#sinceBase(data) + (words[data + 2] ?? 0) * 1e3;
        else if (type === c.SO_RXQ_OVFL) this.drops = words[data] ?? 0;
      } else if (level === c.IPPROTO_UDP && type === c.UDP_GRO) this.segment[i] = words[data] ?? 0;
      at += Math.ceil(length / cmsghdr.align) * (cmsghdr.align / 4);
    }
  }

  #sinceBase(at: number): number {
    return ((this.#control[at + 1] ?? 0) * 4294967296 + (this.#control[at] ?? 0) - this.#baseSeconds) * 1e9;
  }
}
