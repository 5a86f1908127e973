import { createSocket } from 'node:dgram';
import { encodeAddress } from '../../wire/index.js';
import type { DatagramResponder, DueFlood } from '../../wire/index.js';
import { bindFailure } from './udp-socket.js';

export interface UdpNodeOptions {
  readonly bind: string;
  readonly port: number;
  readonly responder: DatagramResponder;
  /** Ends it. */
  readonly signal: AbortSignal;
  readonly onReady: (port: number) => void;
  /** Called about once a second. */
  readonly onTick?: () => void;
}

const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;
/** Sends that the socket has not finished with; floods beyond are not due yet. */
const PENDING_MAX = 1024;
const RETRY_MS = 1;
const HOUSEKEEPING_MS = 100;
const TICK_MS = 1000;

/**
 * Serves UDP on Node's own socket, where the system's functions cannot be reached: slower, and times
 * are when this process read or wrote a datagram.
 * @returns when it has ended
 * @throws TautlineError `io` or `permission` when it cannot listen
 */
export async function runUdpNode(options: UdpNodeOptions): Promise<void> {
  const { bind, responder, signal } = options;
  const family = bind.includes(':') ? 6 : 4;
  const socket = createSocket({ type: family === 4 ? 'udp4' : 'udp6', recvBufferSize: RECEIVE_BUFFER_BYTES });
  const wallNs = wallClock();
  let timer: NodeJS.Timeout | undefined;
  let pending = 0;
  let closed = false;

  const sendFlood = (flood: DueFlood, host: string, port: number): void => {
    const count = Math.min(flood.count, Math.max(0, PENDING_MAX - pending));
    for (let i = 0; i < count; i++) {
      const bytes = Buffer.from(flood.template.subarray(0, flood.sizeBytes));
      bytes.writeUInt32BE((flood.sequenceStart + i) >>> 0, flood.sequenceOffset);
      bytes.writeBigUInt64BE(process.hrtime.bigint(), flood.stampOffset);
      pending++;
      socket.send(bytes, port, host, () => pending--);
    }
    if (count < flood.count) responder.unsent(flood, flood.count - count);
  };
  const sendDue = (): void => {
    if (closed) return;
    const nowNs = wallNs();
    const { floods, wholes = [], nextNs } = responder.due(nowNs);
    for (const whole of wholes) socket.send(whole.make({ refused: 'unable' }), portOf(whole.to), hostOf(whole.to, family));
    for (const flood of floods) sendFlood(flood, hostOf(flood.to, family), portOf(flood.to));
    const waitMs = nextNs === undefined ? HOUSEKEEPING_MS : Math.max(pending >= PENDING_MAX ? RETRY_MS : 0, Number(nextNs - nowNs) / 1e6);
    clearTimeout(timer);
    timer = setTimeout(sendDue, Math.min(HOUSEKEEPING_MS, waitMs));
  };

  await bound(socket, options);
  socket.on('error', () => undefined);
  socket.on('message', (bytes, from) => {
    const nowNs = wallNs();
    const host = from.address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/, '');
    const answer = responder.receive(bytes, encodeAddress({ host, port: from.port, family: host.includes(':') ? 6 : 4 }), nowNs, nowNs);
    // Copied: the answer may be in memory that the responder uses again before the socket is done with it.
    if (answer) socket.send(Buffer.from(answer), from.port, from.address);
    sendDue();
  });
  options.onReady(socket.address().port);
  sendDue();
  const ticking = options.onTick && setInterval(options.onTick, TICK_MS);
  await new Promise<void>((resolve) => {
    const end = (): void => {
      closed = true;
      clearTimeout(timer);
      clearInterval(ticking);
      socket.close(() => resolve());
    };
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}

function bound(socket: ReturnType<typeof createSocket>, options: UdpNodeOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      socket.close();
      reject(bindFailure({ host: options.bind, port: options.port, family: options.bind.includes(':') ? 6 : 4 }, error.code ?? error.message));
    };
    socket.once('error', failed);
    socket.bind(options.port, options.bind, () => {
      socket.off('error', failed);
      resolve();
    });
  });
}

/** CLOCK_REALTIME in nanoseconds: the milliseconds that Node has, and the monotonic clock's nanoseconds from there. */
function wallClock(): () => bigint {
  const startNs = BigInt(Date.now()) * 1_000_000n;
  const origin = process.hrtime.bigint();
  return () => startNs + (process.hrtime.bigint() - origin);
}

function hostOf(address: Uint8Array, family: 4 | 6): string {
  const bytes = address.subarray(3);
  if (address[0] === 4) return family === 6 ? `::ffff:${bytes.join('.')}` : bytes.join('.');
  const groups: string[] = [];
  for (let i = 0; i < 16; i += 2) groups.push((((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0)).toString(16));
  return groups.join(':');
}

function portOf(address: Uint8Array): number {
  return ((address[1] ?? 0) << 8) | (address[2] ?? 0);
}
