import { TautlineError } from '../../base/index.js';
import type { Endpoint, PacketSpec } from '../../base/index.js';
import { encodeSockaddr, localEndpoint, memory, readInt, readOption, setDscp, setInt } from '../libc/index.js';
import { READINGS_MAX, SocketHeader, queueErrors } from './flow.js';
import type { Departure, FlowContext, PacketFlow, Watched } from './flow.js';
import { outcomeOfIcmpError } from './icmp-errors.js';
import type { QuotedError } from './quoted-errors.js';
import { ORIGIN } from './socket-reader.js';

/** `tcpi_rtt` in `struct tcp_info` (include/uapi/linux/tcp.h), in microseconds. */
const TCP_INFO_RTT_AT = 68;
const TCP_INFO_BYTES = 256;
/** The kernel sends a SYN again after a second (RFC 6298), and an answer would not say to which. */
const WAIT_MS_MAX = 990;

/**
 * SYNs from one source port: a connection attempt each, which an ICMP error ends in SYN_SENT
 * (net/ipv4/tcp_ipv4.c tcp_v4_err). Two attempts with one pair of ports cannot be at once, so each waits
 * for the one before.
 */
export class TcpFlow implements PacketFlow {
  local: Endpoint | undefined;
  port: number;
  readonly capacity = 1;
  readonly waitMsMax = WAIT_MS_MAX;
  readonly #context: FlowContext;
  readonly #address: Uint8Array<ArrayBuffer>;
  #current: { readonly index: number; readonly fd: number; readonly sentNs: number } | undefined;
  #kernelMtuBytes: number | undefined;

  constructor(context: FlowContext) {
    this.#context = context;
    this.#address = encodeSockaddr(context.libc, context.plan.remote);
    this.port = context.portWanted ?? 0;
    context.desk.fallback('a TCP handshake is stamped by this process, and a SYN has a fixed size');
  }

  watched(): readonly Watched[] {
    return this.#current === undefined ? [] : [{ fd: this.#current.fd, events: this.#context.libc.constants.POLLOUT }];
  }

  send(index: number, spec: PacketSpec): Departure {
    const { libc, stamps, plan } = this.#context;
    this.#end();
    const fd = this.#open();
    const refused = new SocketHeader(libc, fd, plan.remote.family).apply(spec) ?? this.#bind(fd);
    if (refused !== undefined) {
      libc.close(fd);
      return { kind: 'unsent', errno: refused };
    }
    const sentNs = stamps.now();
    const errno = libc.connect(fd, this.#address, this.#address.length) === 0 ? undefined : libc.errno();
    const callNs = stamps.now() - sentNs;
    this.#remember(fd);
    this.#current = { index, fd, sentNs };
    // On loopback the answer is there when the call returns.
    if (errno === undefined || errno === libc.errors.EINPROGRESS) return { kind: 'sent', sentNs, callNs };
    if (errno === libc.errors.ECONNREFUSED) {
      this.#finish(errno);
      return { kind: 'answered' };
    }
    this.#end();
    return { kind: 'unsent', errno: libc.errnoName(errno) };
  }

  attend(): void {
    const current = this.#current;
    if (!current) return;
    const { libc, reader } = this.#context;
    for (let n = 0; n < READINGS_MAX; n++) {
      const report = reader.report(current.fd);
      if (!report) break;
      const { error, stampNs } = report;
      if (!error || (error.origin !== ORIGIN.icmp && error.origin !== ORIGIN.icmp6)) continue;
      this.told({
        family: error.origin === ORIGIN.icmp ? 4 : 6,
        type: error.type,
        code: error.code,
        mtuBytes: error.info,
        from: error.offender?.host ?? '',
        stampNs,
        quote: report.bytes,
      });
      if (this.#current !== current) return;
    }
    const ready = new Int32Array(memory(8).buffer);
    ready[0] = current.fd;
    ready[1] = libc.constants.POLLOUT;
    if (libc.poll(ready, 1, 0) <= 0) return;
    this.#finish(readInt(libc, current.fd, libc.constants.SOL_SOCKET, libc.constants.SO_ERROR) ?? 0);
  }

  told(error: QuotedError): void {
    const current = this.#current;
    const { libc, stamps, plan, remoteHost, desk } = this.#context;
    const { ports } = error;
    if (!current) return;
    if (ports && (ports.protocol !== libc.constants.IPPROTO_TCP || ports.source !== this.port || ports.destination !== plan.remote.port)) return;
    const rttMs = (stamps.arrivedNs(error.stampNs, current.sentNs) - current.sentNs) / 1e6;
    const outcome = outcomeOfIcmpError({ ...error, rttMs }, remoteHost);
    if (outcome) desk.settle(current.index, outcome);
  }

  forget(index: number): void {
    if (this.#current?.index === index) this.#end();
  }

  kernelMtuBytes(): number | undefined {
    return this.#kernelMtuBytes;
  }

  close(): void {
    this.#end();
  }

  #open(): number {
    const { libc, plan, desk, errors } = this.#context;
    const c = libc.constants;
    const { family } = plan.remote;
    const type = c.SOCK_STREAM | (c.SOCK_CLOEXEC ?? 0) | (c.SOCK_NONBLOCK ?? 0);
    const fd = libc.socket(family === 4 ? c.AF_INET : c.AF_INET6, type, c.IPPROTO_TCP);
    if (fd < 0) throw new TautlineError('io', `cannot open a TCP socket: ${libc.errnoName(libc.errno())}`);
    // Where the type cannot say it, the descriptor is made non-blocking by itself.
    if (c.SOCK_NONBLOCK === undefined) libc.fcntl(fd, c.F_SETFL, libc.fcntl(fd, c.F_GETFL, 0) | c.O_NONBLOCK);
    if (errors === 'queue' && !queueErrors(libc, fd, family)) {
      libc.close(fd);
      throw new TautlineError('unsupported', 'this system does not tell programs which router answered (it has no IP_RECVERR)');
    }
    setInt(libc, fd, c.SOL_SOCKET, c.SO_TIMESTAMPNS, 1);
    setInt(libc, fd, c.SOL_SOCKET, c.SO_REUSEADDR, 1);
    // Closing then resets: nothing lingers that would keep the pair of ports.
    const linger = memory(8);
    new DataView(linger.buffer).setInt32(0, 1, true);
    libc.setsockopt(fd, c.SOL_SOCKET, c.SO_LINGER, linger, 8);
    if (plan.dscp !== undefined && !setDscp(libc, fd, family, plan.dscp))
      desk.fallback(`DSCP ${plan.dscp} was not accepted (${libc.errnoName(libc.errno())})`);
    return fd;
  }

  /** The first attempt takes any port, all others the same. */
  #bind(fd: number): string | undefined {
    const { libc, plan } = this.#context;
    const { family } = plan.remote;
    const any = encodeSockaddr(libc, { host: family === 4 ? '0.0.0.0' : '::', port: this.port, family });
    return libc.bind(fd, any, any.length) === 0 ? undefined : libc.errnoName(libc.errno());
  }

  #remember(fd: number): void {
    const { libc, plan } = this.#context;
    const c = libc.constants;
    const local = localEndpoint(libc, fd);
    if (local && local.port > 0) {
      this.port = local.port;
      // A socket whose attempt has failed already has no address left.
      if (!/^(0\.0\.0\.0|::)$/.test(local.host)) this.local = local;
    }
    this.#kernelMtuBytes ??= plan.remote.family === 4 ? readInt(libc, fd, c.IPPROTO_IP, c.IP_MTU) : readInt(libc, fd, c.IPPROTO_IPV6, c.IPV6_MTU);
  }

  /** The attempt has ended with this errno, without an ICMP error. */
  #finish(errno: number): void {
    const current = this.#current;
    if (!current) return;
    const { libc, stamps, remoteHost: from, desk } = this.#context;
    const rttMs = (stamps.now() - current.sentNs) / 1e6;
    if (errno === 0) desk.settle(current.index, { outcome: 'reply', rttMs: this.#kernelRttMs(current.fd) ?? rttMs, from, kind: 'syn-ack' });
    else if (errno === libc.errors.ECONNREFUSED) desk.settle(current.index, { outcome: 'reply', rttMs, from, kind: 'reset' });
    else if (errno === libc.errors.ETIMEDOUT) desk.settle(current.index, { outcome: 'silent' });
    else desk.settle(current.index, { outcome: 'unsent', errno: libc.errnoName(errno) });
  }

  /** The kernel has timed the handshake itself. */
  #kernelRttMs(fd: number): number | undefined {
    const { libc } = this.#context;
    const { constants: c } = libc;
    const info = readOption(libc, fd, { level: c.IPPROTO_TCP, option: c.TCP_INFO, sizeBytesMax: TCP_INFO_BYTES });
    if (!info || info.length < TCP_INFO_RTT_AT + 4) return undefined;
    const micros = new DataView(info.buffer).getUint32(TCP_INFO_RTT_AT, true);
    return micros > 0 ? micros / 1e3 : undefined;
  }

  #end(): void {
    if (!this.#current) return;
    this.#context.libc.close(this.#current.fd);
    this.#current = undefined;
  }
}
