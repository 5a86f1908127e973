import type { PacketOutcome } from '../../base/index.js';

type Answer = Extract<PacketOutcome, { outcome: 'reply' | 'error' }>;

export interface IcmpError {
  readonly family: 4 | 6;
  readonly type: number;
  readonly code: number;
  /** The word of the message that has the next hop's MTU where the error is about size. */
  readonly mtuBytes: number;
  readonly from: string;
  readonly rttMs: number;
}

/** What an ICMP error says of the packet that it is about; `remote` is where the packet was sent to. @returns undefined for errors that say nothing final */
export function outcomeOfIcmpError(error: IcmpError, remote: string): Answer | undefined {
  const { family, type, code, from, rttMs } = error;
  const what = (family === 4 ? what4 : what6)(type, code);
  if (what === undefined) return undefined;
  // Whoever has the address and no such port has got the packet. A firewall before it may say the same, in its own name.
  if (what === 'port-unreachable' && from === remote) return { outcome: 'reply', rttMs, from, kind: what };
  const told = what === 'too-big' && error.mtuBytes > 0 ? { mtuBytes: error.mtuBytes } : {};
  return { outcome: 'error', rttMs, from, what: what === 'port-unreachable' ? 'unreachable' : what, type, code, ...told };
}

type What = Extract<PacketOutcome, { outcome: 'error' }>['what'] | 'port-unreachable' | undefined;

/** RFC 792, RFC 1122 section 3.2.2.1, RFC 1812 section 5.2.7.1. */
function what4(type: number, code: number): What {
  if (type === 11) return code === 0 ? 'ttl-exceeded' : undefined;
  if (type === 12) return 'unreachable';
  if (type !== 3) return undefined;
  if (code === 3) return 'port-unreachable';
  if (code === 4) return 'too-big';
  return code === 9 || code === 10 || code === 13 ? 'prohibited' : 'unreachable';
}

/** RFC 4443 section 3. */
function what6(type: number, code: number): What {
  if (type === 3) return code === 0 ? 'ttl-exceeded' : undefined;
  if (type === 2) return 'too-big';
  if (type === 4) return 'unreachable';
  if (type !== 1) return undefined;
  if (code === 4) return 'port-unreachable';
  return code === 1 || code === 5 || code === 6 ? 'prohibited' : 'unreachable';
}
