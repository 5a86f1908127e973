import type { DueWhole } from '../../wire/index.js';
import { readPathMtu, setDontFragment } from '../libc/index.js';
import type { Libc } from '../libc/index.js';
import type { AnswerSender } from './answer-sender.js';
import { sockaddrOf } from './peer-address.js';
import type { ServerSocket } from './udp-socket.js';

/**
 * Sends single datagrams in one piece over a socket whose other datagrams may be fragmented: don't-fragment is on for
 * just the one call. A socket of its own would need another port, and a NAT before the client would drop it.
 */
export class WholeSender {
  readonly #libc: Libc;
  readonly #socket: ServerSocket;
  readonly #answers: AnswerSender;

  constructor(libc: Libc, socket: ServerSocket, answers: AnswerSender) {
    this.#libc = libc;
    this.#socket = socket;
    this.#answers = answers;
  }

  send(due: DueWhole): void {
    const { fd, family: socketFamily } = this.#socket;
    // IPv4 over an IPv6 socket obeys the options of IPv4.
    const family = due.to[0] === 4 ? 4 : 6;
    const name = sockaddrOf(this.#libc, due.to, socketFamily);
    const via = due.via as Uint8Array<ArrayBuffer> | undefined;
    const pathMtuBytes = this.#believedMtu(due, family);
    const told = pathMtuBytes === undefined ? {} : { pathMtuBytes };
    let errno = 0;
    const able = setDontFragment(this.#libc, fd, family);
    if (able) errno = this.#answers.send(due.make(told), name, via);
    setDontFragment(this.#libc, fd, family, false);
    const refused = able ? (this.#libc.errnoName(errno) === 'EMSGSIZE' ? 'size' : undefined) : 'unable';
    if (refused) this.#answers.send(due.make({ ...told, refused }), name, via);
  }

  /** The kernel tells it of connected sockets only. */
  #believedMtu(due: DueWhole, family: 4 | 6): number | undefined {
    const { constants: c } = this.#libc;
    const fd = this.#libc.socket(family === 4 ? c.AF_INET : c.AF_INET6, c.SOCK_DGRAM | (c.SOCK_CLOEXEC ?? 0), c.IPPROTO_UDP);
    if (fd < 0) return undefined;
    const name = sockaddrOf(this.#libc, due.to, family);
    const mtu = this.#libc.connect(fd, name, name.length) === 0 ? readPathMtu(this.#libc, fd, family) : undefined;
    this.#libc.close(fd);
    return mtu;
  }
}
