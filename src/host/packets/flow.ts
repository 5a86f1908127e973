import type { Endpoint, PacketOutcome, PacketPlan, PacketSpec } from '../../base/index.js';
import { setInt, setTtl } from '../libc/index.js';
import type { Libc } from '../libc/index.js';
import type { QuotedError } from './quoted-errors.js';
import type { SocketReader } from './socket-reader.js';
import type { Stamps } from './stamps.js';

/** The packets of one flow number: they share addresses, ports and checksum. */
export interface PacketFlow {
  readonly local: Endpoint | undefined;
  /** The source port, or the identifier of ICMP; 0 before there is one. */
  readonly port: number;
  /** How many may be out at a time, so that answers can be told apart. */
  readonly capacity: number;
  /** Longer than this an answer is not waited for: it could be to a packet that the kernel sent by itself. */
  readonly waitMsMax: number;
  /** What to wait for. */
  watched(): readonly Watched[];
  send(index: number, spec: PacketSpec): Departure;
  /** Reads all that has come, and tells the desk. */
  attend(): void;
  /** An error that may be about one of its packets. */
  told(error: QuotedError): void;
  /** Nobody waits for this packet's answer any more. */
  forget(index: number): void;
  /** What the kernel believes of the path. */
  kernelMtuBytes(): number | undefined;
  close(): void;
}

export interface Watched {
  readonly fd: number;
  readonly events: number;
}

export type Departure =
  | { readonly kind: 'sent'; readonly sentNs: number; readonly callNs: number }
  | { readonly kind: 'answered' }
  | { readonly kind: 'unsent'; readonly errno: string; readonly mtuBytes?: number };

/** Where flows report to. */
export interface FlowDesk {
  settle(index: number, outcome: PacketOutcome): void;
  /** An answer came that could be any of several packets': they have to be asked again, one at a time. */
  confused(flow: PacketFlow): void;
  fallback(why: string): void;
}

/** What all flows of a plan work with. */
export interface FlowContext {
  readonly libc: Libc;
  readonly plan: Pick<PacketPlan, 'protocol' | 'remote' | 'dscp'>;
  /** The remote's address as the kernel writes it, for comparing with who answers. */
  readonly remoteHost: string;
  readonly run: number;
  readonly reader: SocketReader;
  readonly stamps: Stamps;
  readonly desk: FlowDesk;
  /** The port that this flow had in an earlier plan. */
  readonly portWanted: number | undefined;
  /** Where ICMP errors are read: from the flow's own socket, or for all flows from one of ICMP. */
  readonly errors: 'queue' | 'socket';
}

/** Reports and packets read in one go, so that a storm of them cannot hold up the schedule. */
export const READINGS_MAX = 256;
/** Linux' IP_PMTUDISC_DONT and IPV6_PMTUDISC_DONT. */
const PMTUDISC_DONT = 0;
/** Linux takes it for the system's own. */
const TTL_OF_SYSTEM = -1;
const TTL_USUAL = 64;

export function ipHeaderBytes(family: 4 | 6): number {
  return family === 4 ? 20 : 40;
}

/** Sets what differs from packet to packet, when it differs from what the socket has. */
export class SocketHeader {
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #family: 4 | 6;
  #ttl: number | undefined;
  #dontFragment: boolean | undefined;

  constructor(libc: Libc, fd: number, family: 4 | 6) {
    this.#libc = libc;
    this.#fd = fd;
    this.#family = family;
  }

  /** @returns the errno of what the kernel did not take */
  apply({ ttl, dontFragment = true }: PacketSpec): string | undefined {
    const libc = this.#libc;
    if (ttl !== this.#ttl && !setTtl(libc, this.#fd, this.#family, ttl ?? (libc.platform === 'linux' ? TTL_OF_SYSTEM : TTL_USUAL)))
      return libc.errnoName(libc.errno());
    this.#ttl = ttl;
    if (dontFragment !== this.#dontFragment) {
      if (!this.#setDontFragment(dontFragment)) return libc.errnoName(libc.errno());
      this.#dontFragment = dontFragment;
    }
    return undefined;
  }

  #setDontFragment(on: boolean): boolean {
    const { constants: c, platform } = this.#libc;
    const [level, option] =
      this.#family === 4
        ? [c.IPPROTO_IP, platform === 'linux' ? c.IP_MTU_DISCOVER : c.IP_DONTFRAG]
        : [c.IPPROTO_IPV6, platform === 'linux' ? c.IPV6_MTU_DISCOVER : c.IPV6_DONTFRAG];
    return setInt(this.#libc, this.#fd, level, option, platform === 'linux' ? (on ? (c.IP_PMTUDISC_PROBE ?? 0) : PMTUDISC_DONT) : on ? 1 : 0);
  }
}

/** Errors that come back from the network are then queued one by one, each with its sender and what it quotes. */
export function queueErrors(libc: Libc, fd: number, family: 4 | 6): boolean {
  const c = libc.constants;
  return family === 4 ? setInt(libc, fd, c.IPPROTO_IP, c.IP_RECVERR, 1) : setInt(libc, fd, c.IPPROTO_IPV6, c.IPV6_RECVERR, 1);
}
