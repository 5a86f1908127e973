import { Attributes, u32At } from './message.js';
import type { Message } from './message.js';

/*
 * How the kernel acknowledges: `struct nlmsgerr` (include/uapi/linux/netlink.h) is a negative error number, zero for
 * success, then the header of the question, then the question itself unless the answer is capped, then attributes when it
 * says so, of which one is the reason in words (Documentation/userspace-api/netlink/intro.rst, "Ext ACK").
 */
const CAPPED = 0x100;
const HAS_ATTRIBUTES = 0x200;
const ERROR_BYTES = 4;
const HEADER_BYTES = 16;
const MSG = 1;
/** The kernel's own reasons are sentences; nothing longer is shown. */
const WORDS_MAX = 300;

export interface Acknowledgement {
  /** The positive error number, zero for success. */
  readonly errno: number;
  /** The kernel's own reason. */
  readonly reason?: string;
}

/** An answer that is too short to say anything says that all is well, as an acknowledgement does. */
export function decodeAcknowledgement({ flags, body }: Message): Acknowledgement {
  if (body.length < ERROR_BYTES) return { errno: 0 };
  const errno = Math.abs(new DataView(body.buffer, body.byteOffset).getInt32(0, true));
  if ((flags & HAS_ATTRIBUTES) === 0) return { errno };
  const questionBytes = (flags & CAPPED) === 0 ? Math.max(u32At(body, ERROR_BYTES) ?? 0, HEADER_BYTES) : HEADER_BYTES;
  const reason = new Attributes(body.subarray(ERROR_BYTES + ((questionBytes + 3) & ~3))).text(MSG)?.trim();
  return reason === undefined || reason === '' ? { errno } : { errno, reason: reason.slice(0, WORDS_MAX) };
}
