import { memory } from '../libc/index.js';
import type { Libc } from '../libc/index.js';

/** Larger than any datagram, and than anything UDP_GRO puts together. */
export const SLOT_BYTES = 65_536;
const NAME_BYTES = 32;
const CONTROL_BYTES = 128;
/** A control message with the address that a datagram came to, ready for the answer: that of IPv6, the longer one. */
export const VIA_BYTES = 40;
const VIA4_BYTES = 32;
const VIA_WORDS = VIA_BYTES / 4;
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
  /** Slot i's control message for the answer begins at `i * VIA_BYTES`; `viaLength` is 0 where the kernel does not tell the address. */
  readonly via: Uint8Array<ArrayBuffer>;
  readonly viaLength: Uint32Array;
  readonly #viaWords: Uint32Array<ArrayBuffer>;
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
    this.via = memory(slots * VIA_BYTES);
    this.#viaWords = new Uint32Array(this.via.buffer);
    this.viaLength = new Uint32Array(slots);
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
    this.viaLength[i] = 0;
    for (let at = begin; at + cmsghdr.size / 4 <= end;) {
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
      else if (level === c.IPPROTO_IPV6 && type === c.IPV6_PKTINFO) this.#answerVia6(i, data);
      else if (level === c.IPPROTO_IP && type === c.IP_PKTINFO) this.#answerVia4(i, data);
      at += Math.ceil(length / cmsghdr.align) * (cmsghdr.align / 4);
    }
  }

  /** The route decides on the interface, except for an address that means nothing without one. */
  #answerVia6(i: number, data: number): void {
    const via = this.#beginVia(i, { length: 36, level: this.#libc.constants.IPPROTO_IPV6, type: this.#libc.constants.IPV6_PKTINFO });
    for (let word = 0; word < 4; word++) this.#viaWords[via + word] = this.#control[data + word] ?? 0;
    const linkLocal = ((this.#control[data] ?? 0) & 0xc0ff) === 0x80fe;
    this.#viaWords[via + 4] = linkLocal ? (this.#control[data + 4] ?? 0) : 0;
    this.viaLength[i] = VIA_BYTES;
  }

  #answerVia4(i: number, data: number): void {
    const via = this.#beginVia(i, { length: 28, level: this.#libc.constants.IPPROTO_IP, type: this.#libc.constants.IP_PKTINFO });
    this.#viaWords[via] = 0;
    this.#viaWords[via + 1] = this.#control[data + 1] ?? 0;
    this.#viaWords[via + 2] = 0;
    this.viaLength[i] = VIA4_BYTES;
  }

  /** @returns where the control message's data begins, in words */
  #beginVia(i: number, head: { length: number; level: number; type: number | undefined }): number {
    const { cmsghdr } = this.#libc.layouts;
    const at = i * VIA_WORDS;
    this.#viaWords.fill(0, at, at + VIA_WORDS);
    this.#viaWords[at] = head.length;
    this.#viaWords[at + cmsghdr.level / 4] = head.level;
    this.#viaWords[at + cmsghdr.type / 4] = head.type ?? 0;
    return at + cmsghdr.size / 4;
  }

  #sinceBase(at: number): number {
    return ((this.#control[at + 1] ?? 0) * 4294967296 + (this.#control[at] ?? 0) - this.#baseSeconds) * 1e9;
  }
}
