import { memory, setReceiveTimeout } from '../libc/index.js';
import type { Libc } from '../libc/index.js';
import { decodeAcknowledgement } from './ack.js';
import { decodeMessages, encodeMessage } from './message.js';
import type { Message } from './message.js';

export const NETLINK_ROUTE = 0;
export const NETLINK_GENERIC = 16;

const AF_NETLINK = 16;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const NLM_F_REQUEST = 1;
const NLM_F_ACK = 4;
const NLM_F_DUMP_INTR = 0x10;
/** Of a request that makes something: make it when it is not there, put it in another's stead. */
export const NLM_F_CREATE = 0x400;
export const NLM_F_REPLACE = 0x100;
/** Options of the socket: acknowledgements without the question in them, and with the kernel's reason. */
const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const NLM_F_DUMP = 0x300;
/** The kernel fills at most this much into one answer of a dump (netlink_dump, net/netlink/af_netlink.c). */
const BUFFER_BYTES = 64 * 1024;
/** The kernel answers within the call that asks; this bounds what a broken one can take. */
const TIMEOUT_NS = 2e9;
const ANSWERS_MAX = 100_000;
const DUMP_TRIES = 3;

export type NetlinkAnswer =
  | { readonly ok: true; readonly messages: readonly Message[] }
  /** `error` is the kernel's word, such as `EOPNOTSUPP`, `reason` what it says to it where it says something. */
  | { readonly ok: false; readonly error: string; readonly reason?: string };

/** Questions and orders to the kernel, one at a time, each answered before the call returns. Questions need no privilege. Its owner closes it. */
export class NetlinkSocket {
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #buffer = memory(BUFFER_BYTES);
  #sequence = 0;
  #closed = false;

  private constructor(libc: Libc, fd: number) {
    this.#libc = libc;
    this.#fd = fd;
  }

  /** @returns the kernel's word where it has no such protocol */
  static open(libc: Libc, protocol: number): NetlinkSocket | string {
    const { SOCK_RAW, SOCK_CLOEXEC = 0 } = libc.constants;
    const fd = libc.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
    if (fd < 0) return libc.errnoName(libc.errno());
    setReceiveTimeout(libc, fd, TIMEOUT_NS);
    // Kernels before 4.12 have no reasons to give: there the call fails and nothing is lost.
    const yes = memory(4);
    yes[0] = 1;
    for (const option of [NETLINK_CAP_ACK, NETLINK_EXT_ACK]) libc.setsockopt(fd, SOL_NETLINK, option, yes, yes.length);
    return new NetlinkSocket(libc, fd);
  }

  /** What the kernel tells of one thing. */
  request(type: number, body: Uint8Array): NetlinkAnswer {
    return this.#ask(type, NLM_F_REQUEST | NLM_F_ACK, body);
  }

  /** What the kernel tells of every such thing. A table that changed meanwhile is asked for again. */
  dump(type: number, body: Uint8Array): NetlinkAnswer {
    for (let left = DUMP_TRIES; ; left--) {
      const answer = this.#ask(type, NLM_F_REQUEST | NLM_F_DUMP, body);
      if (left === 1 || !answer.ok || !answer.messages.some(({ flags }) => (flags & NLM_F_DUMP_INTR) !== 0)) return answer;
    }
  }

  /** Has the kernel change something. What it answers beside the acknowledgement is in `messages`. */
  change(type: number, body: Uint8Array, flags = 0): NetlinkAnswer {
    return this.#ask(type, NLM_F_REQUEST | NLM_F_ACK | flags, body);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#libc.close(this.#fd);
  }

  #ask(type: number, flags: number, body: Uint8Array): NetlinkAnswer {
    const sequence = ++this.#sequence;
    const question = encodeMessage({ type, flags, sequence, body });
    if (this.#libc.send(this.#fd, question, question.length, 0) < 0) return { ok: false, error: this.#word() };
    const messages: Message[] = [];
    for (let n = 0; n < ANSWERS_MAX; n++) {
      const length = this.#libc.recv(this.#fd, this.#buffer, this.#buffer.length, 0);
      if (length < 0 && this.#libc.errno() === this.#libc.errors.EINTR) continue;
      if (length <= 0) return { ok: false, error: this.#word() };
      for (const message of decodeMessages(this.#buffer.slice(0, length))) {
        if (message.sequence !== sequence) continue;
        if (message.type === NLMSG_DONE) return ended(messages, message);
        if (message.type === NLMSG_ERROR) {
          const { errno, reason } = decodeAcknowledgement(message);
          return errno === 0 ? { ok: true, messages } : { ok: false, error: this.#word(errno), ...(reason === undefined ? {} : { reason }) };
        }
        messages.push(message);
      }
    }
    return { ok: false, error: 'it does not come to an end' };
  }

  #word(errno = this.#libc.errno()): string {
    return this.#libc.errnoName(errno);
  }
}

/** The last message of a dump carries its flags too. */
function ended(messages: Message[], done: Message): NetlinkAnswer {
  const last = messages.at(-1);
  if (last && (done.flags & NLM_F_DUMP_INTR) !== 0) messages[messages.length - 1] = { ...last, flags: last.flags | NLM_F_DUMP_INTR };
  return { ok: true, messages };
}
