import type { AddressBytes } from './address.js';

/**
 * What a UDP server loop needs of whoever answers. The loop owns the socket and the clock, the
 * responder decides; neither knows the other. Times are CLOCK_REALTIME nanoseconds.
 */
export interface DatagramResponder {
  /**
   * One datagram came in. `bytes` and `from` are valid only during the call; `bytes` may be turned into the answer in
   * place. `via`, where the loop gives one, stands for the address of this host that it came to.
   * @returns the answer for `from` (often a subarray of `bytes`), to be sent before the next call, or undefined for silence
   */
  receive(bytes: Uint8Array, from: AddressBytes, rxNs: bigint, nowNs: bigint, via?: Uint8Array): Uint8Array | undefined;
  /** Floods that are due to be sent now, and when to ask again (undefined: not before the next datagram). */
  due(nowNs: bigint): DueFloods;
  /** Tells that the last `missing` datagrams of a flood just handed out were not taken by the kernel; they become due again. */
  unsent(flood: DueFlood, missing: number): void;
  /** Tells how many datagrams the receive buffer has dropped so far (SO_RXQ_OVFL), where the kernel says. */
  dropped(total: number): void;
  counters(): Readonly<Record<string, number>>;
}

export interface DueFloods {
  readonly floods: readonly DueFlood[];
  /** Single datagrams that go out now, each in one piece. */
  readonly wholes?: readonly DueWhole[];
  readonly nextNs: bigint | undefined;
}

/**
 * One datagram for one address that nobody may fragment, neither this host nor a router: don't-fragment is set, and
 * what the kernel believes of the path's MTU does not hold it back.
 */
export interface DueWhole {
  readonly to: AddressBytes;
  /** See DueFlood. */
  readonly via?: Uint8Array;
  /** Gives the datagram; asked again with `refused` when it could not be sent that way, for a short one that says so and goes out as any other. */
  readonly make: (told: WholeTold) => Uint8Array;
}

export interface WholeTold {
  /** What the kernel believes of the path's MTU, whole IP packet, where it tells. */
  readonly pathMtuBytes?: number;
  /** `size`: the interface takes no datagram of this size. `unable`: this host cannot set don't-fragment. */
  readonly refused?: 'size' | 'unable';
}

/**
 * `count` copies of `template` for one address. The loop writes the sequence numbers (`sequenceStart`,
 * `sequenceStart + 1`, ...; 4 bytes big endian at `sequenceOffset`) and the time of sending (8 bytes
 * big endian at `stampOffset`, any monotonic or real clock of this host). All are of one size, so
 * they can leave in one call (UDP_SEGMENT, sendmmsg).
 */
export interface DueFlood {
  readonly to: AddressBytes;
  /** A copy of the `via` that the order came with: the flood leaves from the address that was asked for it. */
  readonly via?: Uint8Array;
  /** The whole datagram, `sizeBytes` long; the loop must not keep changes to anything but sequence number and stamp. */
  readonly template: Uint8Array;
  readonly sizeBytes: number;
  readonly count: number;
  readonly sequenceStart: number;
  readonly sequenceOffset: number;
  readonly stampOffset: number;
}
