import { connect } from 'node:net';
import { seededRandom } from '../../../src/base/index.js';
import { encodeFrame, encodePreface } from '../../../src/wire/index.js';
import { mutate, noise } from './mutate.js';

/*
 * Opens many TCP connections to a running serve, writes mutated beginnings of every protocol that it
 * speaks, and leaves in different ways. Prints one JSON object.
 *
 *     node connections.js ADDRESS PORT COUNT SEED
 */
const AT_ONCE = 64;
/** How long a connection that the server keeps open waits before it leaves. */
const PATIENCE_MS = 20;
const ENOUGH_MS = 5_000;

const [address = '', port = '', count = '', seed = ''] = process.argv.slice(2);
const random = seededRandom(Number(seed));
const result = { connections: 0, failed: 0, sentBytes: 0, receivedBytes: 0, receivedBytesMax: 0 };

await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    while (result.connections < Number(count)) {
      result.connections += 1;
      await oneConnection(opening());
    }
  }),
);
process.stdout.write(JSON.stringify(result));

function oneConnection(pieces: readonly Uint8Array[]): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: Number(port), noDelay: true });
    let receivedBytes = 0;
    let refused = true;
    const leaveHow = random.below(3);
    const leave = (): void => void (leaveHow === 0 ? socket.destroy() : leaveHow === 1 ? socket.resetAndDestroy() : socket.end());
    // A server that does not accept, or never closes its half, must not hold this program.
    const last = setTimeout(() => socket.destroy(), ENOUGH_MS);
    let timer: NodeJS.Timeout | undefined;
    socket.on('connect', () => {
      refused = false;
      timer = setTimeout(leave, PATIENCE_MS);
      for (const piece of pieces) {
        result.sentBytes += piece.length;
        socket.write(piece);
      }
    });
    socket.on('data', (bytes) => (receivedBytes += bytes.length));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(timer);
      clearTimeout(last);
      result.receivedBytes += receivedBytes;
      result.receivedBytesMax = Math.max(result.receivedBytesMax, receivedBytes);
      if (refused) result.failed += 1;
      resolve();
    });
  });
}

/** What a client might say first, damaged, in one to three writes. */
function opening(): Uint8Array[] {
  const text = (...lines: string[]): Uint8Array => Buffer.from(lines.join('\r\n'));
  const hex = Buffer.from(noise(16, random)).toString('hex');
  const frames = [
    encodeFrame({ type: 'hello', nonce: hex }),
    encodeFrame({ type: 'auth', mac: `${hex}${hex}` }),
    encodeFrame({ type: 'test', direction: 'both', streams: random.below(2 ** 31), durationMs: random.below(2 ** 31), intervalMs: 1 }),
    encodeFrame({ type: 'join', test: hex, index: random.below(100), direction: 'up' }),
    encodeFrame({ type: 'start' }),
    encodeFrame({ type: 'stop' }),
  ];
  const whole = [
    [encodePreface(), frames[0], frames[random.below(frames.length)]],
    [encodePreface(), frames[random.below(frames.length)]],
    [text('GET /small HTTP/1.1', `Host: ${address}`, 'Connection: close', '', '')],
    [text('GET /large HTTP/1.1', `Host: ${address}`, `tautline-ticket: ${hex}`, '', '')],
    [text('POST /upload HTTP/1.1', `Host: ${address}`, 'Transfer-Encoding: chunked', '', hex.slice(0, 4), hex, '')],
    [text('PRI * HTTP/2.0', '', 'SM', '', ''), noise(60, random)],
    [
      text('PRI * HTTP/2.0', '', 'SM', '', ''),
      Uint8Array.of(0, 0, 0, 4, 0, 0, 0, 0, 0),
      Uint8Array.of(0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8),
    ],
    [Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3), noise(120, random)],
    [noise(random.below(2000), random)],
    [],
  ][random.below(10)];
  return (whole ?? []).map((piece) => mutate(piece ?? new Uint8Array(0), random));
}
