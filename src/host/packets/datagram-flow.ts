import { TautlineError, assert } from '../../base/index.js';
import type { Endpoint, PacketSpec } from '../../base/index.js';
import { ICMP_TYPE, internetChecksum } from '../../wire/index.js';
import { NETWORK_ERRORS, encodeSockaddr, localEndpoint, memory, readInt, setDscp, setInt } from '../libc/index.js';
import { READINGS_MAX, SocketHeader, ipHeaderBytes, queueErrors } from './flow.js';
import type { Departure, FlowContext, PacketFlow, Watched } from './flow.js';
import { outcomeOfIcmpError } from './icmp-errors.js';
import { openIcmpSocket } from './icmp-socket.js';
import { BALANCE_BYTES, TAG_BYTES, tagOffset, writeIcmpMessage, writeUdpPayload } from './payload.js';
import type { QuotedError } from './quoted-errors.js';
import { ORIGIN } from './socket-reader.js';
import type { Received } from './socket-reader.js';

const BYTES_MAX = 65_536;
const TRANSPORT_BYTES = 8;
/** So often at most an error of an earlier packet is taken off the socket before a send. */
const ATTEMPTS = 8;
const ROOM_NS = 1_000_000;

interface Outstanding {
  readonly sentNs: number;
  /** As many of its bytes as differ between packets. */
  readonly head: Uint8Array;
}

/** UDP datagrams or ICMP echoes from one connected socket. */
export class DatagramFlow implements PacketFlow {
  local: Endpoint | undefined;
  port = 0;
  readonly capacity = Number.POSITIVE_INFINITY;
  readonly waitMsMax = Number.POSITIVE_INFINITY;
  readonly #context: FlowContext;
  readonly #fd: number;
  /** The kernel fills in identifier and checksum. */
  readonly #managed: boolean;
  readonly #header: SocketHeader;
  readonly #bytes = memory(BYTES_MAX);
  readonly #outstanding = new Map<number, Outstanding>();
  /** The destination cannot be sent to at all. */
  #refused: string | undefined;
  #tooLongMtu: number | undefined;

  /** @throws TautlineError `permission`, `unsupported`, `io` */
  constructor(context: FlowContext) {
    this.#context = context;
    const { libc, plan } = context;
    const { family } = plan.remote;
    const opened = plan.protocol === 'icmp' ? openIcmpSocket(libc, family) : { fd: this.#udpSocket(), managed: false };
    this.#fd = opened.fd;
    this.#managed = opened.managed;
    this.#header = new SocketHeader(libc, this.#fd, family);
    const address = encodeSockaddr(libc, plan.remote);
    try {
      this.#prepare();
      this.#bind();
      if (libc.connect(this.#fd, address, address.length) !== 0) this.#refused = libc.errnoName(libc.errno());
      else this.#remember();
    } catch (error) {
      libc.close(this.#fd);
      throw error;
    }
  }

  watched(): readonly Watched[] {
    return this.#outstanding.size === 0 ? [] : [{ fd: this.#fd, events: this.#context.libc.constants.POLLIN }];
  }

  send(index: number, spec: PacketSpec): Departure {
    if (this.#refused !== undefined) return { kind: 'unsent', errno: this.#refused };
    const { libc, stamps } = this.#context;
    const refused = this.#header.apply(spec);
    if (refused !== undefined) return { kind: 'unsent', errno: refused };
    const bytes = this.#compose(index, spec);
    const c = libc.constants;
    for (let attempt = 0; ; attempt++) {
      // What earlier packets' errors have left on the socket would fail this call.
      this.attend();
      this.#tooLongMtu = undefined;
      const sentNs = stamps.now();
      if (libc.send(this.#fd, bytes, bytes.length, c.MSG_DONTWAIT | c.MSG_NOSIGNAL) >= 0) {
        const callNs = stamps.now() - sentNs;
        this.#outstanding.set(index, { sentNs, head: bytes.slice(0, this.#headBytes(spec)) });
        return { kind: 'sent', sentNs, callNs };
      }
      const errno = libc.errnoName(libc.errno());
      // The queue says whether it was this packet: a report with origin "local" is about a call of ours.
      this.attend();
      if (this.#tooLongMtu !== undefined) return { kind: 'unsent', errno, ...(this.#tooLongMtu > 0 ? { mtuBytes: this.#tooLongMtu } : {}) };
      if (attempt >= ATTEMPTS || !(NETWORK_ERRORS.has(errno) || FULL.has(errno))) return { kind: 'unsent', errno };
      if (FULL.has(errno)) libc.poll(new Int32Array([this.#fd, c.POLLOUT]), 1, ROOM_NS / 1e6);
    }
  }

  attend(): void {
    const { reader, libc } = this.#context;
    for (let n = 0; n < READINGS_MAX; n++) {
      const report = reader.report(this.#fd);
      if (!report) break;
      this.#reported(report);
    }
    // The last error stays on the socket beside the queue, and keeps poll awake.
    readInt(libc, this.#fd, libc.constants.SOL_SOCKET, libc.constants.SO_ERROR);
    for (let n = 0; n < READINGS_MAX; n++) {
      const packet = reader.packet(this.#fd);
      if (!packet) break;
      if (this.#context.plan.protocol === 'icmp') this.#echoed(packet);
      else this.#answered(packet);
    }
  }

  told(error: QuotedError): void {
    const { plan, remoteHost, desk, libc } = this.#context;
    const icmp = plan.protocol === 'icmp';
    const { ports, quote } = error;
    if (ports) {
      const { constants: c } = libc;
      const protocol = icmp ? (plan.remote.family === 4 ? c.IPPROTO_ICMP : c.IPPROTO_ICMPV6) : c.IPPROTO_UDP;
      if (ports.protocol !== protocol || ports.source !== this.port || (!icmp && ports.destination !== plan.remote.port)) return;
    }
    const index = icmp ? this.#byEcho(withoutIpHeader(quote)) : this.#byQuote(quote);
    if (index === undefined) return;
    const rttMs = this.#rttMs(error.stampNs, this.#outstanding.get(index) as Outstanding);
    const outcome = outcomeOfIcmpError({ ...error, rttMs }, remoteHost);
    if (outcome) desk.settle(index, outcome);
  }

  forget(index: number): void {
    this.#outstanding.delete(index);
  }

  kernelMtuBytes(): number | undefined {
    const { libc, plan } = this.#context;
    const c = libc.constants;
    if (this.#refused !== undefined) return undefined;
    return plan.remote.family === 4 ? readInt(libc, this.#fd, c.IPPROTO_IP, c.IP_MTU) : readInt(libc, this.#fd, c.IPPROTO_IPV6, c.IPV6_MTU);
  }

  close(): void {
    this.#context.libc.close(this.#fd);
  }

  // --- Opening -------------------------------------------------------------------------------

  #udpSocket(): number {
    const { libc, plan } = this.#context;
    const c = libc.constants;
    const fd = libc.socket(plan.remote.family === 4 ? c.AF_INET : c.AF_INET6, c.SOCK_DGRAM | (c.SOCK_CLOEXEC ?? 0), c.IPPROTO_UDP);
    if (fd < 0) throw new TautlineError('io', `cannot open a UDP socket: ${libc.errnoName(libc.errno())}`);
    return fd;
  }

  #prepare(): void {
    const { libc, plan, desk, errors } = this.#context;
    const c = libc.constants;
    const { family } = plan.remote;
    if (!setInt(libc, this.#fd, c.SOL_SOCKET, c.SO_TIMESTAMPNS, 1)) setInt(libc, this.#fd, c.SOL_SOCKET, c.SO_TIMESTAMP, 1);
    if (errors === 'queue' && !queueErrors(libc, this.#fd, family)) {
      throw new TautlineError('unsupported', 'this system does not tell programs which router answered (it has no IP_RECVERR)');
    }
    if (plan.dscp !== undefined && !setDscp(libc, this.#fd, family, plan.dscp))
      desk.fallback(`DSCP ${plan.dscp} was not accepted (${libc.errnoName(libc.errno())})`);
  }

  #bind(): void {
    const { libc, plan, portWanted, run, desk } = this.#context;
    const { family } = plan.remote;
    if (plan.protocol === 'icmp' && !this.#managed) {
      this.port = portWanted ?? run;
      return;
    }
    if (portWanted === undefined) return;
    const any = encodeSockaddr(libc, { host: family === 4 ? '0.0.0.0' : '::', port: portWanted, family });
    if (libc.bind(this.#fd, any, any.length) !== 0)
      desk.fallback(`source port ${portWanted} is taken (${libc.errnoName(libc.errno())}): packets of one flow may have gone different ways`);
  }

  #remember(): void {
    const { libc, plan } = this.#context;
    const local = localEndpoint(libc, this.#fd);
    if (!local) return;
    const icmp = plan.protocol === 'icmp';
    this.local = icmp ? { ...local, port: 0 } : local;
    if (!icmp || this.#managed) this.port = local.port;
  }

  // --- Packets -------------------------------------------------------------------------------

  #compose(index: number, spec: PacketSpec): Uint8Array<ArrayBuffer> {
    const { plan, run } = this.#context;
    const { family } = plan.remote;
    const icmp = plan.protocol === 'icmp';
    const least = icmp ? TRANSPORT_BYTES : (spec.payload?.length ?? 0);
    const smallest = icmp ? TRANSPORT_BYTES + BALANCE_BYTES : tagOffset(spec.payload) + TAG_BYTES;
    const around = ipHeaderBytes(family) + (icmp ? 0 : TRANSPORT_BYTES);
    const length = spec.sizeBytes === undefined ? smallest : spec.sizeBytes - around;
    assert(length >= least && length <= BYTES_MAX, `a packet of ${spec.sizeBytes} bytes has room for its headers and payload`);
    const bytes = this.#bytes.subarray(0, length);
    if (!icmp) writeUdpPayload(bytes, spec, { run, index });
    else {
      writeIcmpMessage(bytes, { type: ICMP_TYPE[family].echoRequest, identifier: this.port, sequence: this.#sequence(index) });
      if (!this.#managed && family === 4) {
        const sum = internetChecksum(bytes);
        bytes[2] = sum >>> 8;
        bytes[3] = sum;
      }
    }
    return bytes;
  }

  #headBytes(spec: PacketSpec): number {
    return this.#context.plan.protocol === 'icmp' ? TRANSPORT_BYTES : tagOffset(spec.payload) + TAG_BYTES;
  }

  /** Plans that follow one another with one identifier have different numbers. */
  #sequence(index: number): number {
    return (this.#context.run + index) & 0xffff;
  }

  // --- Answers -------------------------------------------------------------------------------

  #reported({ bytes, stampNs, error }: Received): void {
    if (!error) return;
    if (error.origin === ORIGIN.local) this.#tooLongMtu = error.info;
    if (error.origin !== ORIGIN.icmp && error.origin !== ORIGIN.icmp6) return;
    this.told({
      family: error.origin === ORIGIN.icmp ? 4 : 6,
      type: error.type,
      code: error.code,
      mtuBytes: error.info,
      from: error.offender?.host ?? '',
      stampNs,
      quote: bytes,
    });
  }

  #echoed({ bytes, stampNs }: Received): void {
    const { family } = this.#context.plan.remote;
    const raw = !this.#managed && family === 4;
    const message = raw ? bytes.subarray(((bytes[0] ?? 0) & 0x0f) * 4) : bytes;
    if (message[0] !== ICMP_TYPE[family].echoReply) return;
    const index = this.#byEcho(message);
    if (index === undefined) return;
    this.#context.desk.settle(index, {
      outcome: 'reply',
      rttMs: this.#rttMs(stampNs, this.#outstanding.get(index) as Outstanding),
      from: this.#context.remoteHost,
      kind: 'echo-reply',
      sizeBytes: bytes.length + (raw ? 0 : ipHeaderBytes(family)),
    });
  }

  #answered({ bytes, stampNs }: Received): void {
    const { plan } = this.#context;
    const index = this.#byAnswer(bytes);
    if (index === undefined) return;
    this.#context.desk.settle(index, {
      outcome: 'reply',
      rttMs: this.#rttMs(stampNs, this.#outstanding.get(index) as Outstanding),
      from: this.#context.remoteHost,
      kind: 'datagram',
      sizeBytes: bytes.length + TRANSPORT_BYTES + ipHeaderBytes(plan.remote.family),
    });
  }

  #rttMs(stampNs: number, { sentNs }: Outstanding): number {
    return (this.#context.stamps.arrivedNs(stampNs, sentNs) - sentNs) / 1e6;
  }

  /** The packet that begins as the quote does. Routers quote at least 8 bytes (RFC 792), which is no payload at all. */
  #byQuote(quote: Uint8Array): number | undefined {
    const candidates = [...this.#outstanding].filter(([, { head }]) => agree(head, quote));
    if (candidates.length > 1) this.#context.desk.confused(this);
    return candidates.length === 1 ? candidates[0]?.[0] : undefined;
  }

  #byEcho(message: Uint8Array): number | undefined {
    if (message.length < TRANSPORT_BYTES) return undefined;
    if (!this.#managed && (((message[4] ?? 0) << 8) | (message[5] ?? 0)) !== this.port) return undefined;
    const sequence = ((message[6] ?? 0) << 8) | (message[7] ?? 0);
    const index = (sequence - this.#context.run) & 0xffff;
    return this.#outstanding.has(index) ? index : undefined;
  }

  /** An answer that gives our tag back is to that packet. One that does not is to the only one that is out. */
  #byAnswer(answer: Uint8Array): number | undefined {
    for (const [index, { head }] of this.#outstanding) {
      if (head.length >= TAG_BYTES && answer.length >= head.length && agree(head.subarray(-TAG_BYTES), answer.subarray(head.length - TAG_BYTES)))
        return index;
    }
    if (this.#outstanding.size > 1) this.#context.desk.confused(this);
    return this.#outstanding.size === 1 ? this.#outstanding.keys().next().value : undefined;
  }
}

function agree(a: Uint8Array, b: Uint8Array): boolean {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Raw sockets of some kernels quote from the IP header on; an echo request begins with 8 or 128, which is neither version. */
function withoutIpHeader(quote: Uint8Array): Uint8Array {
  const first = quote[0] ?? 0;
  if (first >>> 4 === 4) return quote.subarray((first & 0x0f) * 4);
  return first >>> 4 === 6 ? quote.subarray(40) : quote;
}

const FULL: ReadonlySet<string> = new Set(['EAGAIN', 'ENOBUFS']);
