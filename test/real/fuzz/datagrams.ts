import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { seededRandom } from '../../../src/base/index.js';
import type { Random } from '../../../src/base/index.js';
import {
  decodeServerDatagram,
  encodeData,
  encodeEcho,
  encodeFinish,
  encodeFlood,
  encodeHello,
  encodeMtuProbe,
  encodeOpen,
  openTranscript,
  proveKey,
} from '../../../src/wire/index.js';
import { mutate } from './mutate.js';

/*
 * Sends mutated datagrams to a running serve from several sockets and prints one JSON object: what
 * was sent, and what came back to the sockets that never proved their address.
 *
 *     node datagrams.js ADDRESS PORT COUNT SEED KEY_FILE
 */
const STRANGERS = 8;
const PROVEN = 2;
const BATCH = 128;
/** Valid requests for a flood are few and short: what they ask for is sent for real. */
const FLOODS = 40;

const [address = '', port = '', count = '', seed = '', keyFile = ''] = process.argv.slice(2);
const random = seededRandom(Number(seed));
const key = Buffer.from((await readFile(keyFile, 'utf8')).trim());

interface Sender {
  readonly socket: Socket;
  /** Undefined for a stranger. */
  readonly session: bigint | undefined;
  sentBytes: number;
  receivedBytes: number;
  received: number;
}

const senders: Sender[] = [];
for (let i = 0; i < STRANGERS + PROVEN; i++) senders.push(await openSender(i >= STRANGERS));
const sessions = senders.flatMap(({ session }) => (session === undefined ? [] : [session]));
let floods = 0;

for (let sent = 0; sent < Number(count); sent += BATCH) {
  await Promise.all(Array.from({ length: BATCH }, () => sendOne(senders[random.below(senders.length)])));
  // A turn of the event loop, so that answers are read and not dropped by a full buffer.
  await new Promise((resolve) => setImmediate(resolve));
}
await new Promise((resolve) => setTimeout(resolve, 300));
for (const { socket } of senders) socket.close();

const strangers = senders.filter(({ session }) => session === undefined);
process.stdout.write(
  JSON.stringify({
    sent: Math.ceil(Number(count) / BATCH) * BATCH,
    sessions: sessions.length,
    strangers: strangers.map(({ sentBytes, receivedBytes, received }) => ({ sentBytes, receivedBytes, received })),
  }),
);

function sendOne(sender: Sender | undefined): Promise<void> {
  if (!sender) return Promise.resolve();
  const bytes = mutate(template(sender, random), random);
  sender.sentBytes += bytes.length;
  return new Promise((resolve) => sender.socket.send(bytes, () => resolve()));
}

/** A valid datagram of some kind. Strangers also try the sessions of others. */
function template(sender: Sender, dice: Random): Uint8Array {
  const session = sender.session ?? (dice.below(2) === 0 ? (sessions[dice.below(sessions.length)] ?? 0n) : BigInt(dice.below(2 ** 31)));
  const sixteen = (): Uint8Array => Uint8Array.from({ length: 16 }, () => dice.below(256));
  switch (dice.below(7)) {
    case 0:
      return encodeHello(sixteen());
    case 1:
      return encodeOpen({ clientNonce: sixteen(), cookie: sixteen(), serverNonce: sixteen(), mac: new Uint8Array(32) });
    case 2:
      return encodeEcho(session, dice.below(2 ** 31), 64 + dice.below(1300));
    case 3:
      return encodeFinish(sender.session === undefined ? session : session ^ 1n, dice.below(2 ** 31));
    case 4:
      return encodeData(session, dice.below(2 ** 31), BigInt(dice.below(2 ** 31)), 28 + dice.below(1400));
    case 5:
      return encodeMtuProbe({ session, sequence: dice.below(2 ** 31), sizeBytes: dice.below(65_536), flags: dice.below(3) });
    default: {
      const valid = sender.session === undefined || floods++ < FLOODS;
      return encodeFlood({
        session: valid ? session : 0n,
        nonce: dice.below(2 ** 31),
        sizeBytes: dice.below(1400),
        rateBps: 1e6,
        durationMs: 1 + dice.below(20),
      });
    }
  }
}

async function openSender(proven: boolean): Promise<Sender> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  await new Promise<void>((resolve) => socket.connect(Number(port), address, resolve));
  const sender: Sender = { socket, session: proven ? await handshake(socket) : undefined, sentBytes: 0, receivedBytes: 0, received: 0 };
  // What the fuzzed server thinks of it may come back as an ICMP error; that is no failure of this program.
  socket.on('error', () => undefined);
  socket.on('message', (bytes) => {
    sender.received += 1;
    sender.receivedBytes += bytes.length;
  });
  return sender;
}

/** The handshake as it is written down in the wire format. */
async function handshake(socket: Socket): Promise<bigint> {
  const clientNonce = randomBytes(16);
  const cookie = decodeServerDatagram(await ask(socket, encodeHello(clientNonce)));
  if (cookie.kind !== 'cookie') throw new Error(`hello was answered by ${cookie.kind}`);
  const mac = proveKey(key, 'client', openTranscript(clientNonce, cookie.serverNonce, cookie.cookie));
  const opened = decodeServerDatagram(await ask(socket, encodeOpen({ clientNonce, cookie: cookie.cookie, serverNonce: cookie.serverNonce, mac })));
  if (opened.kind !== 'opened') throw new Error(`open was answered by ${opened.kind}`);
  return opened.session;
}

function ask(socket: Socket, bytes: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve) => {
    socket.once('message', resolve);
    socket.send(bytes);
  });
}
