import { memory } from '../libc/index.js';
import type { Libc } from '../libc/index.js';
import { SLOT_BYTES, VIA_BYTES } from './receiver.js';

const NAME_BYTES = 32;
const IOV_BYTES = 16;

/**
 * Sends single answers. Where the socket takes every address of this host, an answer has to leave from
 * the address that was asked, which is not always the one that the route would choose; a peer drops
 * what comes from another.
 */
export class AnswerSender {
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #flags: number;
  readonly #bytes = memory(SLOT_BYTES);
  readonly #name = memory(NAME_BYTES);
  readonly #via = memory(VIA_BYTES);
  readonly #iov = new DataView(memory(IOV_BYTES).buffer);
  readonly #header: DataView<ArrayBuffer>;

  constructor(libc: Libc, fd: number) {
    this.#libc = libc;
    this.#fd = fd;
    this.#flags = libc.constants.MSG_DONTWAIT | libc.constants.MSG_NOSIGNAL;
    const layout = libc.layouts.msghdr;
    this.#header = new DataView(memory(layout.size).buffer);
    this.#iov.setBigUint64(0, libc.address(this.#bytes), true);
    this.#header.setBigUint64(layout.name, libc.address(this.#name), true);
    this.#header.setBigUint64(layout.iov, libc.address(this.#iov), true);
    this.#header.setUint32(layout.iovLength, 1, true);
    this.#header.setBigUint64(layout.control, libc.address(this.#via), true);
  }

  /** One that finds no room is lost, as on any full path. @returns the errno of a failure, else 0 */
  send(answer: Uint8Array, name: Uint8Array<ArrayBuffer>, via: Uint8Array | undefined): number {
    if (!via) {
      return this.#libc.sendto(this.#fd, answer, answer.length, this.#flags, name, name.length) < 0 ? this.#libc.errno() : 0;
    }
    const layout = this.#libc.layouts.msghdr;
    // Copying some bytes costs less than asking for their address.
    this.#bytes.set(answer);
    this.#name.set(name);
    this.#via.set(via);
    this.#iov.setBigUint64(8, BigInt(answer.length), true);
    this.#header.setUint32(layout.nameLength, name.length, true);
    this.#header.setUint32(layout.controlLength, via.length, true);
    return this.#libc.sendmsg(this.#fd, this.#header, this.#flags) < 0 ? this.#libc.errno() : 0;
  }
}
