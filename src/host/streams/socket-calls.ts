import type { TcpInfo } from '../../base/index.js';
import { loadLibc, memory, readInt, readOption, setDscp as setDscpOption, setInt } from '../libc/index.js';
import type { Libc } from '../libc/index.js';
import type { PumpCalls } from './pump-loop.js';
import { TCP_INFO_BYTES, decodeDarwinTcpInfo, decodeLinuxTcpInfo } from './tcp-info.js';

/** What this room asks of the kernel about TCP sockets. Nothing in it throws for what the kernel says. */
export interface SocketCalls extends PumpCalls {
  dup(fd: number): number;
  close(fd: number): void;
  /** @returns whether the kernel will keep to `rateBps` by itself; `unsentBytes` bounds what waits in the socket */
  setPacing(fd: number, rateBps: number, unsentBytes: number): boolean;
  /** Processor time of the calling thread. */
  threadCpuMs(): number | undefined;
}

/** The calls, for one pump or thread; undefined where libc cannot be reached. */
export function loadSocketCalls(): SocketCalls | undefined {
  const libc = loadLibc();
  return libc && build(libc);
}

export function tcpInfoOf(fd: number | undefined): TcpInfo | undefined {
  const libc = fd === undefined ? undefined : loadLibc();
  if (!libc || fd === undefined) return undefined;
  const { IPPROTO_TCP: level, TCP_INFO, TCP_CONNECTION_INFO, TCP_CONGESTION } = libc.constants;
  const bytes = readOption(libc, fd, { level, option: TCP_INFO ?? TCP_CONNECTION_INFO, sizeBytesMax: TCP_INFO_BYTES });
  const info = bytes && (libc.platform === 'linux' ? decodeLinuxTcpInfo(bytes) : decodeDarwinTcpInfo(bytes));
  const name = info && readOption(libc, fd, { level, option: TCP_CONGESTION, sizeBytesMax: CONGESTION_BYTES });
  if (!name) return info;
  const congestion = new TextDecoder().decode(name).split('\0')[0] ?? '';
  return congestion === '' ? info : { ...info, congestion };
}

/** @returns whether the kernel took it */
export function setDscp(fd: number | undefined, dscp: number, family: 4 | 6): boolean {
  const libc = fd === undefined || fd < 0 ? undefined : loadLibc();
  return libc !== undefined && fd !== undefined && setDscpOption(libc, fd, family, dscp);
}

/** CLOCK_MONOTONIC in milliseconds, the same in every thread. */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}

/** TCP_CA_NAME_MAX. */
const CONGESTION_BYTES = 16;
/** SIOCOUTQ: bytes in the send queue, acknowledged or not yet sent. Linux; macOS has an option for it. */
const SIOCOUTQ = 0x5411;
const SO_NWRITE_DARWIN = 0x1024;
const F_DUPFD_CLOEXEC = { linux: 1030, darwin: 67 } as const;

function build(libc: Libc): SocketCalls {
  const c = libc.constants;
  const linux = libc.platform === 'linux';
  const sendFlags = c.MSG_DONTWAIT | c.MSG_NOSIGNAL;
  // Only Linux's TCP discards with MSG_TRUNC (tcp(7)).
  const discardFlags = c.MSG_DONTWAIT | (linux ? c.MSG_TRUNC : 0);
  const negated = (result: number): number => (result < 0 ? -libc.errno() : Number(result));
  const word = memory(4);
  const wordView = new DataView(word.buffer);
  const time = memory(16);
  const timeView = new DataView(time.buffer);
  // performance.now() is the cheapest monotonic clock and differs from it by a constant of the thread.
  const offsetMs = clockOffsetMs();
  return {
    send: (fd, bytes, length) => negated(libc.send(fd, bytes, length, sendFlags)),
    recv: (fd, bytes, length, discard) => negated(libc.recv(fd, bytes, length, discard ? discardFlags : c.MSG_DONTWAIT)),
    poll: (entries, timeoutMs) => libc.poll(entries, entries.length / 2, timeoutMs),
    shutdownSend: (fd) => void libc.shutdown(fd, c.SHUT_WR),
    setWakeBytes: (fd, bytes) => void setInt(libc, fd, c.SOL_SOCKET, c.SO_RCVLOWAT, bytes),
    setUnsentMax: (fd, bytes) => void setInt(libc, fd, c.IPPROTO_TCP, c.TCP_NOTSENT_LOWAT, bytes),
    unackedBytes(fd) {
      if (!linux) return readInt(libc, fd, c.SOL_SOCKET, SO_NWRITE_DARWIN);
      return libc.ioctl(fd, SIOCOUTQ, word) === 0 ? wordView.getInt32(0, true) : undefined;
    },
    nowMs: () => offsetMs + performance.now(),
    again: AGAIN[libc.platform],
    dup: (fd) => libc.fcntl(fd, F_DUPFD_CLOEXEC[libc.platform], 0),
    close: (fd) => void libc.close(fd),
    setPacing(fd, rateBps, unsentBytes) {
      if (c.SO_MAX_PACING_RATE === undefined) return false;
      const rate = memory(8);
      new DataView(rate.buffer).setBigUint64(0, BigInt(Math.round(rateBps / 8)), true);
      if (libc.setsockopt(fd, c.SOL_SOCKET, c.SO_MAX_PACING_RATE, rate, 8) !== 0) return false;
      return setInt(libc, fd, c.IPPROTO_TCP, c.TCP_NOTSENT_LOWAT, unsentBytes);
    },
    threadCpuMs() {
      if (libc.clock_gettime(c.CLOCK_THREAD_CPUTIME_ID, time) !== 0) return undefined;
      return Number(timeView.getBigInt64(0, true)) * 1e3 + Number(timeView.getBigInt64(8, true)) / 1e6;
    },
  };
}

/** EAGAIN and EINTR, negated. */
const AGAIN = { linux: [-11, -4], darwin: [-35, -4] } as const;

/** The smallest of a few differences: the readings between which this thread was not interrupted. */
function clockOffsetMs(): number {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 5; i++) {
    const before = performance.now();
    best = Math.min(best, monotonicMs() - before);
  }
  return best;
}
