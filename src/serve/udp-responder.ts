import { assert } from '../base/index.js';
import {
  DATAGRAM_BYTES_MAX,
  DATA_BYTES_MIN,
  ECHO_BYTES_MIN,
  HELLO_BYTES,
  KIND,
  MAC_BYTES,
  PROTOCOL_VERSION,
  REFUSAL,
  decodeClientDatagram,
  encodeCookie,
  encodeOpened,
  encodeRefused,
  encodeReport,
  openTranscript,
  proveKey,
  readHeader,
  sameProof,
  writeReply,
} from '../wire/index.js';
import type { AddressBytes, ClientDatagram, DatagramResponder, DueFlood, DueFloods, RefusalCode } from '../wire/index.js';
import { Cookies } from './cookies.js';
import { Flood } from './floods.js';
import type { Limits } from './limits.js';
import { MTU_PROBE_ECHOES, MtuAnswers, mtuProbeFault } from './mtu-answers.js';
import { int32, isOurs, joined } from './octets.js';
import { Sessions } from './sessions.js';
import type { Session } from './sessions.js';
import { TokenBucket } from './token-bucket.js';

type Of<K extends ClientDatagram['kind']> = Extract<ClientDatagram, { kind: K }>;

export interface UdpResponderOptions {
  /** At least 32 random bytes, new at every start. */
  readonly secret: Uint8Array;
  /** The pre-shared key; without one, everybody who proves an address is served. */
  readonly key?: Uint8Array;
  readonly limits: Limits;
}

const NO_MAC = new Uint8Array(MAC_BYTES);
const RETRY_AFTER_RATE_MS = 1000;

/**
 * Answers the datagrams of `tautline serve`.
 *
 * 1. An address that has not returned a cookie gets at most one shorter datagram for each of its own,
 *    and leaves no state behind.
 * 2. A session belongs to the address and port that opened it; from anywhere else its datagrams are
 *    unproven, and get silence.
 * 3. What is garbled, unproven or over a limit is counted and dropped; nothing that a peer sends throws.
 * 4. Time is what the caller passes in. Should the wall clock step back, time stands still until then.
 */
export class UdpResponder implements DatagramResponder {
  readonly #limits: Limits;
  readonly #key: Uint8Array | undefined;
  readonly #cookies: Cookies;
  readonly #sessions: Sessions;
  readonly #flooding: Session[] = [];
  readonly #mtuAnswers = new MtuAnswers();
  #hellos: TokenBucket | undefined;
  #opens: TokenBucket | undefined;
  #echoBits: TokenBucket | undefined;
  #originNs: bigint | undefined;
  #rxOriginNs = 0n;
  #lastMs = 0;
  #drops = 0;
  // Counters are fields, since a record's entry would be looked up for every datagram.
  #received = 0;
  #garbled = 0;
  #unproven = 0;
  #limited = 0;
  #cookiesMade = 0;
  #opened = 0;
  #refused = 0;
  #echoes = 0;
  #data = 0;
  #finished = 0;
  #floods = 0;
  #floodDatagrams = 0;
  #mtuProbes = 0;

  constructor(options: UdpResponderOptions) {
    assert(options.secret.length >= 32, 'the cookie secret has at least 32 bytes');
    this.#limits = options.limits;
    this.#key = options.key;
    this.#cookies = new Cookies(options.secret);
    this.#sessions = new Sessions(options.limits, (session) => this.#stopFlood(session));
  }

  receive(bytes: Uint8Array, from: AddressBytes, rxNs: bigint, nowNs: bigint, via?: Uint8Array): Uint8Array | undefined {
    this.#received++;
    const kind = bytes[5];
    // Echo and data are most of the traffic and are read in place; the rest is rare and decoded whole.
    if ((kind === KIND.echo || kind === KIND.data) && isOurs(bytes)) {
      return kind === KIND.echo ? this.#echo(bytes, from, rxNs, nowNs) : this.#countData(bytes, from, rxNs, nowNs);
    }
    const datagram = decodeClientDatagram(bytes);
    const nowMs = this.#advance(nowNs);
    switch (datagram.kind) {
      case 'hello':
        return this.#hello(datagram, from, nowMs);
      case 'open':
        return this.#open(datagram, from, nowMs);
      case 'finish':
        return this.#finish(datagram, from, nowMs, bytes.length);
      case 'flood':
        return this.#startFlood(datagram, from, { nowMs, via: via?.slice() });
      case 'mtuProbe':
        return this.#probeMtu(datagram, from, { nowMs, via });
      default:
        this.#garbled++;
        return this.#otherVersion(bytes, nowMs);
    }
  }

  due(nowNs: bigint): DueFloods {
    const nowMs = this.#advance(nowNs);
    this.#sessions.sweep(nowMs);
    const floods: DueFlood[] = [];
    let nextMs: number | undefined;
    for (let i = this.#flooding.length - 1; i >= 0; i--) {
      const session = this.#flooding[i];
      const flood = session?.flood;
      if (!session || !flood || flood.ended(nowMs)) {
        this.#flooding.splice(i, 1);
        continue;
      }
      session.lastMs = nowMs;
      const due = flood.due(nowMs);
      if (due) {
        floods.push(due);
        this.#floodDatagrams += due.count;
      }
      nextMs = Math.min(nextMs ?? Number.POSITIVE_INFINITY, flood.nextMs(nowMs));
    }
    const nextNs = nextMs === undefined ? undefined : nowNs + BigInt(Math.ceil(Math.max(0, nextMs - nowMs) * 1e6));
    return { floods, ...this.#mtuAnswers.take(), nextNs };
  }

  unsent(flood: DueFlood, missing: number): void {
    if (this.#flooding.some((session) => session.flood?.takeBack(flood, missing) === true)) this.#floodDatagrams -= missing;
  }

  dropped(total: number): void {
    this.#drops = total;
  }

  counters(): Readonly<Record<string, number>> {
    return {
      received: this.#received,
      garbled: this.#garbled,
      unproven: this.#unproven,
      limited: this.#limited,
      cookies: this.#cookiesMade,
      opened: this.#opened,
      refused: this.#refused,
      echoes: this.#echoes,
      data: this.#data,
      finished: this.#finished,
      floods: this.#floods,
      floodDatagrams: this.#floodDatagrams,
      mtuProbes: this.#mtuProbes,
      kernelDrops: this.#drops,
      sessions: this.#sessions.size,
      clients: this.#sessions.clients,
      flooding: this.#flooding.length,
    };
  }

  // --- Traffic of a session ------------------------------------------------------------------

  #echo(bytes: Uint8Array, from: AddressBytes, rxNs: bigint, nowNs: bigint): Uint8Array | undefined {
    if (bytes.length < ECHO_BYTES_MIN) {
      this.#garbled++;
      return undefined;
    }
    const session = this.#sessions.find(int32(bytes, 8), int32(bytes, 12), from);
    if (!session) {
      this.#unproven++;
      return undefined;
    }
    const nowMs = this.#advance(nowNs);
    session.lastMs = nowMs;
    session.finished = false;
    const counter = session.counter;
    counter.add(int32(bytes, 16) >>> 0, Number.NaN, Number(rxNs - this.#rxOriginNs), bytes.length);
    if (!this.#mayEcho(session, bytes.length, nowMs)) return undefined;
    this.#echoes++;
    writeReply(bytes, {
      received: counter.received,
      highest: counter.highest,
      windowHigh: counter.recent32(32),
      windowLow: counter.recent32(0),
      rxNs,
      txNs: nowNs,
    });
    return bytes;
  }

  #mayEcho(session: Session, bytes: number, nowMs: number): boolean {
    const perSecond = this.#limits.echoRateBpsMax;
    this.#echoBits ??= new TokenBucket({ perSecond, burst: Math.max(8 * DATAGRAM_BYTES_MAX, perSecond / 10), nowMs });
    return this.#unlessLimited(session.echoes.take(1, nowMs) && this.#echoBits.take(bytes * 8, nowMs));
  }

  /** The answer is longer than the question: it goes to proven addresses only, and at what many echoes cost. It leaves by `due`. */
  #probeMtu(probe: Of<'mtuProbe'>, from: AddressBytes, { nowMs, via }: { nowMs: number; via: Uint8Array | undefined }): undefined {
    const session = this.#proven(probe.session, from, nowMs);
    if (!session) return;
    session.finished = false;
    if (mtuProbeFault(probe)) this.#garbled++;
    else if (this.#unlessLimited(session.echoes.take(MTU_PROBE_ECHOES - 1, nowMs)) && this.#mayEcho(session, probe.sizeBytes, nowMs))
      if (this.#unlessLimited(this.#mtuAnswers.add(probe, { to: session.address, via }))) this.#mtuProbes++;
  }

  #countData(bytes: Uint8Array, from: AddressBytes, rxNs: bigint, nowNs: bigint): undefined {
    if (bytes.length < DATA_BYTES_MIN) {
      this.#garbled++;
      return undefined;
    }
    const session = this.#sessions.find(int32(bytes, 8), int32(bytes, 12), from);
    if (!session) {
      this.#unproven++;
      return undefined;
    }
    this.#data++;
    session.lastMs = this.#advance(nowNs);
    session.finished = false;
    const stampNs = (int32(bytes, 20) >>> 0) * 4294967296 + (int32(bytes, 24) >>> 0);
    session.counter.add(int32(bytes, 16) >>> 0, stampNs, Number(rxNs - this.#rxOriginNs), bytes.length);
    return undefined;
  }

  /** The same nonce gets the same report, however often it is asked for: reports get lost too. */
  #finish(finish: Of<'finish'>, from: AddressBytes, nowMs: number, lengthBytes: number): Uint8Array | undefined {
    const session = this.#proven(finish.session, from, nowMs);
    if (!session) return undefined;
    session.finished = true;
    if (session.report?.nonce === finish.nonce && session.report.bytes.length <= lengthBytes) return session.report.bytes;
    this.#finished++;
    this.#stopFlood(session);
    const count = session.counter.count();
    const report = encodeReport(
      {
        session: session.id,
        nonce: finish.nonce,
        highest: Math.max(0, session.counter.highest),
        received: count.received,
        bytes: count.bytes,
        duplicates: count.duplicates,
        reordered: count.reordered,
        elapsedNs: count.elapsedMs * 1e6,
        jitterNs: count.jitterMs * 1e6,
        kernelDrops: Math.max(0, this.#drops - session.dropsBefore),
        floodSent: session.flood?.sent ?? 0,
        floodBytes: session.flood?.bytes ?? 0,
        intervalMs: session.counter.intervalMs,
        intervals: count.intervals.map((interval) => interval.received),
      },
      lengthBytes,
    );
    session.report = { nonce: finish.nonce, bytes: report };
    return report;
  }

  /** Starts a flood towards the client. Asked again under the same nonce it only goes on: the first data may be lost, and the client says so that it is still there. */
  #startFlood(flood: Of<'flood'>, from: AddressBytes, { nowMs, via }: { nowMs: number; via: Uint8Array | undefined }): Uint8Array | undefined {
    const session = this.#proven(flood.session, from, nowMs);
    if (!session) return undefined;
    session.finished = false;
    const running = session.flood !== undefined && !session.flood.ended(nowMs);
    if (session.flood?.nonce === flood.nonce) {
      session.flood.heard(nowMs);
      return undefined;
    }
    if (flood.sizeBytes < DATA_BYTES_MIN || flood.sizeBytes > DATAGRAM_BYTES_MAX) return this.#refuseFlood(flood, REFUSAL.size, 0);
    const active = this.#flooding.filter((other) => other.flood?.ended(nowMs) === false);
    const own = active.filter((other) => other.client === session.client);
    if (running || active.length >= this.#limits.floodsMax || own.length >= this.#limits.floodsPerClientMax) {
      return this.#refuseFlood(flood, REFUSAL.rate, RETRY_AFTER_RATE_MS);
    }
    this.#floods++;
    const rateBps = flood.rateBps > 0 ? Math.min(flood.rateBps, this.#limits.floodRateBpsMax) : this.#limits.floodRateBpsMax;
    const durationMs = Math.min(flood.durationMs, this.#limits.floodMs);
    const order = {
      nonce: flood.nonce,
      sizeBytes: flood.sizeBytes,
      rateBps,
      durationMs,
      unpaced: flood.rateBps === 0,
      silenceMs: this.#limits.floodSilenceMs,
      ...(via ? { via } : {}),
    };
    session.flood = new Flood(session, order, nowMs);
    // It may have ended by itself and wait to be cleared out: one entry a session.
    if (!this.#flooding.includes(session)) this.#flooding.push(session);
    return undefined;
  }

  #refuseFlood(flood: Of<'flood'>, code: RefusalCode, retryAfterMs: number): Uint8Array {
    this.#refused++;
    const place = new Uint8Array(16);
    const data = new DataView(place.buffer);
    data.setBigUint64(0, flood.session);
    data.setUint32(8, flood.nonce);
    return encodeRefused({ clientNonce: place, code, retryAfterMs });
  }

  #stopFlood(session: Session): void {
    session.flood?.stop();
    const at = this.#flooding.indexOf(session);
    if (at >= 0) this.#flooding.splice(at, 1);
  }

  #proven(id: bigint, from: AddressBytes, nowMs: number): Session | undefined {
    const session = this.#sessions.find(Number(id >> 32n) | 0, Number(id & 0xffffffffn) | 0, from);
    if (session) session.lastMs = nowMs;
    else this.#unproven++;
    return session;
  }

  // --- Handshake -----------------------------------------------------------------------------

  #hello(hello: Of<'hello'>, from: AddressBytes, nowMs: number): Uint8Array | undefined {
    if (!this.#mayAnswer(nowMs)) return undefined;
    this.#cookiesMade++;
    return encodeCookie({
      clientNonce: hello.clientNonce,
      ...this.#cookies.make(from, hello.clientNonce, nowMs),
      authRequired: this.#key !== undefined,
    });
  }

  #open(open: Of<'open'>, from: AddressBytes, nowMs: number): Uint8Array | undefined {
    if (!this.#mayOpen(nowMs)) return undefined;
    if (!this.#cookies.proves(from, open.clientNonce, open, nowMs)) {
      this.#unproven++;
      return undefined;
    }
    const transcript = openTranscript(open.clientNonce, open.serverNonce, open.cookie);
    if (this.#key && !sameProof(proveKey(this.#key, 'client', transcript), open.mac)) return this.#refuse(open.clientNonce, REFUSAL.key, 0);
    const before = this.#sessions.size;
    const number = this.#cookies.session(from, open.clientNonce, open);
    const opening = this.#sessions.open(number, from, { nowMs, dropsBefore: this.#drops });
    if (!opening.ok) return this.#refuse(open.clientNonce, REFUSAL.sessions, opening.retryAfterMs);
    if (this.#sessions.size > before) this.#opened++;
    return encodeOpened({
      clientNonce: open.clientNonce,
      session: opening.session.id,
      mac: this.#key ? proveKey(this.#key, 'server', joined(transcript, number)) : NO_MAC,
      maxPps: this.#limits.echoPerSecondMax,
      maxBps: this.#limits.floodRateBpsMax,
      maxDurationMs: this.#limits.floodMs,
    });
  }

  /** A peer of another release learns that, in fewer bytes than it sent, so that a person there can be told. */
  #otherVersion(bytes: Uint8Array, nowMs: number): Uint8Array | undefined {
    const header = readHeader(bytes);
    if (!header.ok || header.version === PROTOCOL_VERSION || header.kind !== KIND.hello || bytes.length < HELLO_BYTES) return undefined;
    return this.#mayAnswer(nowMs) ? this.#refuse(bytes.slice(8, 24), REFUSAL.version, 0) : undefined;
  }

  #refuse(clientNonce: Uint8Array, code: RefusalCode, retryAfterMs: number): Uint8Array {
    this.#refused++;
    return encodeRefused({ clientNonce, code, retryAfterMs });
  }

  /** Whether an unproven address may be answered; apart from `open`, so that strangers' hellos cannot keep out who has a cookie. */
  #mayAnswer(nowMs: number): boolean {
    this.#hellos ??= this.#handshakeBucket(nowMs);
    return this.#unlessLimited(this.#hellos.take(1, nowMs));
  }

  #mayOpen(nowMs: number): boolean {
    this.#opens ??= this.#handshakeBucket(nowMs);
    return this.#unlessLimited(this.#opens.take(1, nowMs));
  }

  #handshakeBucket(nowMs: number): TokenBucket {
    const perSecond = this.#limits.udpHandshakesPerSecondMax;
    return new TokenBucket({ perSecond, burst: Math.max(4, perSecond / 4), nowMs });
  }

  #unlessLimited(allowed: boolean): boolean {
    if (!allowed) this.#limited++;
    return allowed;
  }

  /** Milliseconds since the first call, never going back. */
  #advance(nowNs: bigint): number {
    if (this.#originNs === undefined) this.#originNs = this.#rxOriginNs = nowNs;
    const nowMs = Number(nowNs - this.#originNs) / 1e6;
    if (nowMs >= this.#lastMs) return (this.#lastMs = nowMs);
    this.#originNs -= BigInt(Math.round((this.#lastMs - nowMs) * 1e6));
    return this.#lastMs;
  }
}
