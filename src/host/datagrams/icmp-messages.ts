import { ICMP_TYPE, internetChecksum } from '../../wire/index.js';
import type { IcmpSocket } from './messages.js';

/** What has to be done about ICMP messages on a socket, as far as the kernel does not do it. */
export class IcmpMessages {
  readonly #socket: IcmpSocket;
  readonly #family: 4 | 6;

  constructor(socket: IcmpSocket, family: 4 | 6) {
    this.#socket = socket;
    this.#family = family;
  }

  /** Fills in identifier and checksum of a message that is about to leave. ICMPv6 checksums are the kernel's on any socket. */
  seal(message: Uint8Array): void {
    const { managed, identifier } = this.#socket;
    if (managed) return;
    message[4] = identifier >>> 8;
    message[5] = identifier;
    if (this.#family === 6) return;
    message[2] = message[3] = 0;
    const sum = internetChecksum(message);
    message[2] = sum >>> 8;
    message[3] = sum;
  }

  /** Where our echo reply begins in what the socket delivered, or -1 when it is not ours. */
  replyAt(bytes: Uint8Array): number {
    const { managed, identifier, withIpHeader } = this.#socket;
    const at = withIpHeader ? ((bytes[0] ?? 0) & 0x0f) * 4 : 0;
    if (bytes.length < at + 8 || bytes[at] !== ICMP_TYPE[this.#family].echoReply) return -1;
    return managed || (((bytes[at + 4] ?? 0) << 8) | (bytes[at + 5] ?? 0)) === identifier ? at : -1;
  }
}
