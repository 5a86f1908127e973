import { DATAGRAM_BYTES_MAX, MTU_PROBE_BYTES, MTU_PROBE_WHOLE, encodeMtuReply } from '../wire/index.js';
import type { AddressBytes, DueFloods, DueWhole, MtuProbe } from '../wire/index.js';

/** An answer may be a thousand times as long as its question, and takes system calls of its own: it costs as much of a session's rate as so many echoes. */
export const MTU_PROBE_ECHOES = 10;
/** Answers that wait to be sent; the loop takes them after each batch of datagrams that it reads. */
const WAITING_MAX = 64;

/** Why an MTU probe gets no answer. A flag that this release does not know asks for something that it would not do. */
export function mtuProbeFault(probe: MtuProbe): 'flags' | 'size' | undefined {
  if (probe.flags !== MTU_PROBE_WHOLE) return 'flags';
  return probe.sizeBytes < MTU_PROBE_BYTES || probe.sizeBytes > DATAGRAM_BYTES_MAX ? 'size' : undefined;
}

/** Answers to MTU probes that are to be sent in one piece. Whoever adds has proved the address and paid for the answer. */
export class MtuAnswers {
  #waiting: DueWhole[] = [];

  /** @returns false when too many wait already */
  add(probe: MtuProbe, place: { readonly to: AddressBytes; readonly via: Uint8Array | undefined }): boolean {
    if (this.#waiting.length >= WAITING_MAX) return false;
    const { session, sequence, sizeBytes } = probe;
    this.#waiting.push({
      to: place.to,
      ...(place.via ? { via: place.via.slice() } : {}),
      make: ({ refused, pathMtuBytes = 0 }) => encodeMtuReply({ session, sequence, sizeBytes, code: refused ?? 'whole', pathMtuBytes }),
    });
    return true;
  }

  /** Hands over what waits. */
  take(): Pick<DueFloods, 'wholes'> {
    if (this.#waiting.length === 0) return {};
    const wholes = this.#waiting;
    this.#waiting = [];
    return { wholes };
  }
}
