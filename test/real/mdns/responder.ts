/**
 * Answers for one name by multicast DNS on an interface, as avahi would, or wrongly. A program for tests:
 * `node responder.js INTERFACE NAME BEHAVIOUR ADDRESS...`; it says `ready`, and then a line a query.
 */
import { createSocket } from 'node:dgram';
import type { RemoteInfo, Socket } from 'node:dgram';
import packet from 'dns-packet';
import type { Answer } from 'dns-packet';

const [interfaceName = '', name = '', behaviour = 'answers', ...addresses] = process.argv.slice(2);
let asked = 0;

function records(owner: string): Answer[] {
  return addresses.map((data) => ({
    name: owner,
    type: data.includes(':') ? ('AAAA' as const) : ('A' as const),
    ttl: 10,
    class: 'IN' as const,
    data,
  }));
}

function answer(socket: Socket, bytes: Buffer, from: RemoteInfo): void {
  const query = packet.decode(bytes);
  if (query.type !== 'query') return;
  asked++;
  const classBytes = query.questions?.map((question) => (question as unknown as { class: string }).class).join(' ');
  process.stdout.write(
    `asked ${query.questions?.map((question) => `${question.name} ${question.type}`).join(' ')} ${classBytes} from ${from.port}\n`,
  );
  const send = (id: number, answers: Answer[], out: Socket = socket): void => {
    out.send(
      packet.encode({ type: 'response', id, flags: packet.AUTHORITATIVE_ANSWER, questions: query.questions ?? [], answers }),
      from.port,
      from.address,
    );
  };
  const id = query.id ?? 0;
  if (behaviour === 'sleepy' && asked === 1) return;
  if (behaviour === 'garbage') return socket.send(Buffer.from('\x00\x01\x84\x00\xff\xff\xff\xff\xc0\x0c\xc0\x0c'), from.port, from.address);
  if (behaviour === 'stranger') return send((id + 1) & 0xffff, records(name));
  if (behaviour === 'other-name') return send(id, records('evil.local'));
  if (behaviour === 'wrong-port') {
    const elsewhere = createSocket(from.family === 'IPv6' ? 'udp6' : 'udp4');
    return send(id, records(name), elsewhere);
  }
  if (query.questions?.some((question) => question.name.toLowerCase() === name)) send(id, records(query.questions[0]?.name ?? name));
}

let ready = 0;
for (const [type, group, via] of [
  ['udp4', '224.0.0.251', addresses.find((address) => address.includes('.')) ?? ''],
  ['udp6', `ff02::fb%${interfaceName}`, `::%${interfaceName}`],
] as const) {
  if (via === '') continue;
  const socket = createSocket({ type, reuseAddr: true, ipv6Only: type === 'udp6' });
  socket.on('message', (bytes, from) => answer(socket, bytes, from));
  socket.bind(5353, () => {
    socket.addMembership(group, via);
    ready++;
    process.stdout.write(`ready ${ready}\n`);
  });
}
