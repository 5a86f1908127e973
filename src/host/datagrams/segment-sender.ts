import { assert } from '../../base/index.js';
import { memory } from '../libc/index.js';
import type { Libc } from '../libc/index.js';

/** The largest payload that one UDP datagram over IPv4 can carry, and so the most that one segmented send can. */
export const UDP_BYTES_MAX = 65_507;
/** What one call takes at most: enough to make the call's own cost vanish. */
const CALL_BYTES_MAX = 256 * 1024;
const CALL_DATAGRAMS_MAX = 512;
/** UDP_MAX_SEGMENTS was 64 until Linux 6.9, and is 128 since. */
const SEGMENTS = [128, 64] as const;
const IOV_BYTES = 16;
const CONTROL_BYTES = 24;

export type Batching = 'segment' | 'mmsg' | 'none';

export interface SegmentSenderOptions {
  /** One datagram; it is copied. */
  readonly payload: Uint8Array;
  readonly sequenceOffset: number;
  readonly stampOffset: number;
  /** The sockaddr to send to; none on a connected socket. */
  readonly to?: Uint8Array;
  /** A control message for every send: the address of this host to send from. */
  readonly via?: Uint8Array;
}

/**
 * Sends many copies of one datagram that differ in sequence number and stamp only, with as few calls
 * as the system allows: segmentation offload (UDP_SEGMENT), else sendmmsg, else one call each. The
 * copies lie ready in one piece of memory, in which only the changing bytes are rewritten.
 */
export class SegmentSender {
  batching: Batching;
  /** The failure of the last call that sent nothing. */
  errno = 0;
  readonly capacity: number;
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #size: number;
  readonly #sequenceOffset: number;
  readonly #stampOffset: number;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView<ArrayBuffer>;
  readonly #to: Uint8Array<ArrayBuffer> | undefined;
  readonly #headers: Uint8Array<ArrayBuffer>;
  readonly #headerView: DataView<ArrayBuffer>;
  readonly #iov: DataView<ArrayBuffer>;
  /** `via`, then the segment size. */
  readonly #control: Uint8Array<ArrayBuffer>;
  readonly #viaBytes: number;
  readonly #bytesAddress: bigint;
  #segments: number = SEGMENTS[0];
  /** For how many datagrams the headers are laid out. */
  #laidOut = 0;

  constructor(libc: Libc, fd: number, options: SegmentSenderOptions) {
    assert(Math.max(options.sequenceOffset + 4, options.stampOffset + 8) <= options.payload.length, 'a flood datagram has room for number and stamp');
    this.#libc = libc;
    this.#fd = fd;
    this.#size = options.payload.length;
    this.#sequenceOffset = options.sequenceOffset;
    this.#stampOffset = options.stampOffset;
    this.capacity = Math.max(1, Math.min(CALL_DATAGRAMS_MAX, Math.floor(CALL_BYTES_MAX / this.#size)));
    this.#bytes = memory(this.capacity * this.#size);
    this.#view = new DataView(this.#bytes.buffer);
    for (let i = 0; i < this.capacity; i++) this.#bytes.set(options.payload, i * this.#size);
    this.#bytesAddress = libc.address(this.#bytes);
    if (options.to) {
      this.#to = memory(options.to.length);
      this.#to.set(options.to);
    }
    const stride = libc.layouts.mmsghdr?.size ?? libc.layouts.msghdr.size;
    this.#headers = memory(this.capacity * stride);
    this.#headerView = new DataView(this.#headers.buffer);
    this.#iov = new DataView(memory(this.capacity * IOV_BYTES).buffer);
    this.#viaBytes = options.via?.length ?? 0;
    this.#control = this.#controlOf(options.via);
    this.batching =
      libc.sendmmsg === undefined ? 'none' : libc.constants.UDP_SEGMENT !== undefined && 2 * this.#size <= UDP_BYTES_MAX ? 'segment' : 'mmsg';
  }

  /**
   * Sends up to `count` (at most `capacity`) datagrams without waiting.
   * @param stampNs when they leave, whole nanoseconds
   * @returns how many the kernel took; 0 means `errno`
   */
  send(count: number, sequence: number, stampNs: bigint): number {
    this.#write(count, sequence, stampNs);
    for (;;) {
      if (this.batching === 'none') return this.#sendEach(count);
      if (this.#laidOut !== count) this.#layOut(count);
      const messages = Math.ceil(count / this.#perMessage());
      const taken = this.#libc.sendmmsg?.(this.#fd, this.#headers, messages, this.#flags()) ?? -1;
      if (taken > 0) return Math.min(count, taken * this.#perMessage());
      this.errno = this.#libc.errno();
      if (!this.#fallBack()) return 0;
    }
  }

  #flags(): number {
    return this.#libc.constants.MSG_DONTWAIT | this.#libc.constants.MSG_NOSIGNAL;
  }

  #write(count: number, sequence: number, stampNs: bigint): void {
    const high = Number((stampNs >> 32n) & 0xffff_ffffn);
    const low = Number(stampNs & 0xffff_ffffn);
    const view = this.#view;
    let at = 0;
    for (let i = 0; i < count; i++, at += this.#size) {
      view.setUint32(at + this.#sequenceOffset, (sequence + i) >>> 0);
      view.setUint32(at + this.#stampOffset, high);
      view.setUint32(at + this.#stampOffset + 4, low);
    }
  }

  /** Datagrams a message. */
  #perMessage(): number {
    return this.batching === 'segment' ? Math.max(1, Math.min(this.#segments, Math.floor(UDP_BYTES_MAX / this.#size))) : 1;
  }

  #layOut(count: number): void {
    const { msghdr: layout, mmsghdr } = this.#libc.layouts;
    const stride = mmsghdr?.size ?? layout.size;
    const per = this.#perMessage();
    const view = this.#headerView;
    for (let i = 0, first = 0; first < count; i++, first += per) {
      const datagrams = Math.min(per, count - first);
      this.#iov.setBigUint64(i * IOV_BYTES, this.#bytesAddress + BigInt(first * this.#size), true);
      this.#iov.setBigUint64(i * IOV_BYTES + 8, BigInt(datagrams * this.#size), true);
      const at = i * stride;
      if (this.#to) {
        view.setBigUint64(at + layout.name, this.#libc.address(this.#to), true);
        view.setUint32(at + layout.nameLength, this.#to.length, true);
      }
      view.setBigUint64(at + layout.iov, this.#libc.address(this.#iov) + BigInt(i * IOV_BYTES), true);
      view.setUint32(at + layout.iovLength, 1, true);
      const controlBytes = this.#viaBytes + (datagrams > 1 ? CONTROL_BYTES : 0);
      view.setBigUint64(at + layout.control, controlBytes > 0 ? this.#libc.address(this.#control) : 0n, true);
      view.setUint32(at + layout.controlLength, controlBytes, true);
    }
    this.#laidOut = count;
  }

  /** The address to send from, if any, and then the control message that carries the segment size (a u16). */
  #controlOf(via: Uint8Array | undefined): Uint8Array<ArrayBuffer> {
    const control = memory(this.#viaBytes + CONTROL_BYTES);
    if (via) control.set(via);
    const view = new DataView(control.buffer, this.#viaBytes);
    const { cmsghdr } = this.#libc.layouts;
    view.setUint32(0, cmsghdr.size + 2, true);
    view.setInt32(cmsghdr.level, this.#libc.constants.IPPROTO_UDP, true);
    view.setInt32(cmsghdr.type, this.#libc.constants.UDP_SEGMENT ?? 0, true);
    view.setUint16(cmsghdr.size, this.#size, true);
    return control;
  }

  #sendEach(count: number): number {
    const to = this.#to;
    for (let i = 0; i < count; i++) {
      const bytes = this.#bytes.subarray(i * this.#size, (i + 1) * this.#size);
      const sent = to
        ? this.#libc.sendto(this.#fd, bytes, this.#size, this.#flags(), to, to.length)
        : this.#libc.send(this.#fd, bytes, this.#size, this.#flags());
      if (sent >= 0) continue;
      this.errno = this.#libc.errno();
      return i;
    }
    return count;
  }

  /**
   * Fewer segments, then none: the kernel may be older, the size above the path's MTU, or the device
   * without checksum offload (EINVAL, EMSGSIZE, EIO). Without segments, these mean what they say.
   */
  #fallBack(): boolean {
    const name = this.#libc.errnoName(this.errno);
    if (this.batching === 'mmsg' && name === 'ENOSYS') this.batching = 'none';
    else if (this.batching !== 'segment' || !['EINVAL', 'EMSGSIZE', 'EIO', 'EOPNOTSUPP', 'ENOPROTOOPT'].includes(name)) return false;
    else if (name === 'EINVAL' && this.#segments > SEGMENTS[1] && this.#perMessage() > SEGMENTS[1]) this.#segments = SEGMENTS[1];
    else this.batching = 'mmsg';
    this.#laidOut = 0;
    return true;
  }
}
