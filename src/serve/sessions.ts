import { FloodCounter, view } from '../wire/index.js';
import type { AddressBytes } from '../wire/index.js';
import type { Limits } from './limits.js';
import type { Flood } from './floods.js';
import { TokenBucket } from './token-bucket.js';

/** Echoes that may come in one go after a pause: a tenth of a second's worth. */
const ECHO_BURST_SECONDS = 0.1;
const ECHO_BURST_MIN = 64;
/** A flood of 25 s is reported in tenths of a second; a longer one more coarsely. */
const REPORT_INTERVAL_MS = 100;
const REPORT_INTERVALS_MAX = 256;
/** Expired sessions are looked for this often. */
const SWEEP_MS = 1000;

export interface Session {
  /** The session's number as it is on the wire, in two halves: a 64-bit key would cost an allocation a datagram. */
  readonly high: number;
  readonly low: number;
  readonly id: bigint;
  readonly address: AddressBytes;
  readonly client: string;
  readonly openedMs: number;
  readonly echoes: TokenBucket;
  readonly counter: FloodCounter;
  lastMs: number;
  /** The kernel's drop count of the whole socket when the session began. */
  readonly dropsBefore: number;
  flood: Flood | undefined;
  /** The answer to the last `finish`, kept so that asking again gets the same. */
  report: { readonly nonce: number; readonly bytes: Uint8Array } | undefined;
  /** Set by `finish`, cleared by traffic: a finished session soon makes room. */
  finished: boolean;
}

export type Opening = { readonly ok: true; readonly session: Session } | { readonly ok: false; readonly retryAfterMs: number };

/** The open sessions: a bounded table, by number and by client, in which nothing outlives its time. */
export class Sessions {
  readonly #limits: Limits;
  readonly #byLow = new Map<number, Session>();
  readonly #perClient = new Map<string, number>();
  readonly #onEnd: (session: Session) => void;
  #sweptMs = 0;

  constructor(limits: Limits, onEnd: (session: Session) => void) {
    this.#limits = limits;
    this.#onEnd = onEnd;
  }

  get size(): number {
    return this.#byLow.size;
  }

  /** Clients that hold at least one session. */
  get clients(): number {
    return this.#perClient.size;
  }

  of(client: string): number {
    return this.#perClient.get(client) ?? 0;
  }

  /** The session of these two halves, if it was opened from this very address. */
  find(high: number, low: number, from: AddressBytes): Session | undefined {
    const session = this.#byLow.get(low);
    return session !== undefined && session.high === high && sameAddress(session.address, from) ? session : undefined;
  }

  /** Opens the session of this number, or gives the one that is open already. */
  open(number: Uint8Array, from: AddressBytes, state: { nowMs: number; dropsBefore: number }): Opening {
    const data = view(number);
    const high = data.getInt32(0);
    const low = data.getInt32(4);
    const open = this.find(high, low, from);
    if (open) return { ok: true, session: open };
    this.sweep(state.nowMs, this.#byLow.size >= this.#limits.udpSessionsMax);
    const client = clientOf(from);
    // Another session under the same low half (one in four thousand million): the next handshake gives another number.
    if (this.#byLow.has(low)) return { ok: false, retryAfterMs: 0 };
    if (this.#byLow.size >= this.#limits.udpSessionsMax || this.of(client) >= this.#limits.udpSessionsPerClientMax) {
      return { ok: false, retryAfterMs: this.#limits.udpSessionLingerMs };
    }
    const session: Session = {
      high,
      low,
      id: data.getBigUint64(0),
      address: from.slice(),
      client,
      openedMs: state.nowMs,
      echoes: new TokenBucket({
        perSecond: this.#limits.echoPerSecondMax,
        burst: Math.max(ECHO_BURST_MIN, this.#limits.echoPerSecondMax * ECHO_BURST_SECONDS),
        nowMs: state.nowMs,
      }),
      counter: new FloodCounter({ intervalMs: REPORT_INTERVAL_MS, intervalsMax: REPORT_INTERVALS_MAX }),
      lastMs: state.nowMs,
      dropsBefore: state.dropsBefore,
      flood: undefined,
      report: undefined,
      finished: false,
    };
    this.#byLow.set(low, session);
    this.#perClient.set(client, this.of(client) + 1);
    return { ok: true, session };
  }

  /** Ends what has had its time. Looks at most once a second unless `now` is set. */
  sweep(nowMs: number, now = false): void {
    if (!now && nowMs - this.#sweptMs < SWEEP_MS) return;
    this.#sweptMs = nowMs;
    for (const session of this.#byLow.values()) {
      const idleMs = session.finished ? this.#limits.udpSessionLingerMs : this.#limits.udpSessionIdleMs;
      if (nowMs - session.lastMs > idleMs || nowMs - session.openedMs > this.#limits.udpSessionMs) this.#end(session);
    }
  }

  #end(session: Session): void {
    this.#byLow.delete(session.low);
    const left = this.of(session.client) - 1;
    if (left > 0) this.#perClient.set(session.client, left);
    else this.#perClient.delete(session.client);
    this.#onEnd(session);
  }
}

/** Who an address belongs to, for limits: an IPv4 address (also when written as IPv6), or an IPv6 /64. */
export function clientOf(address: AddressBytes): string {
  const v4 = address[0] === 4 ? address.subarray(3, 7) : isMapped(address) ? address.subarray(15, 19) : undefined;
  return v4 ? v4.join('.') : Array.from(address.subarray(3, 11), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** `::ffff:0:0/96`, under which a dual-stack socket shows IPv4 clients. */
function isMapped(address: AddressBytes): boolean {
  for (let i = 3; i < 13; i++) if (address[i] !== 0) return false;
  return address[13] === 0xff && address[14] === 0xff;
}

function sameAddress(a: AddressBytes, b: AddressBytes): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
