import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer } from 'node:net';
import { decode, encode } from 'dns-packet';

/*
 * A program: a server that answers late, as an overloaded or distant one does.
 *
 *     node slow-server.js '{"kind": "http", "host": "10.78.2.2", "port": 8080, "answerMs": 400}'
 */

export type SlowServer = { readonly host: string; readonly port: number; readonly answerMs: number } & (
  | { readonly kind: 'http' }
  | { readonly kind: 'tls'; readonly key: string; readonly certificate: string }
  /** Every name leads to `address`. */
  | { readonly kind: 'dns'; readonly address: string }
);

export const SLOW_READY = 'slow server ready';

function start(server: SlowServer): void {
  const ready = (): void => void process.stdout.write(`${SLOW_READY}\n`);
  const { host, port, answerMs } = server;
  if (server.kind === 'dns') {
    const socket = createSocket('udp4');
    socket.on('message', (message, from) => {
      const query = decode(message);
      const answers = (query.questions ?? []).flatMap(({ name, type }) =>
        type === 'A' ? [{ name, type: 'A' as const, class: 'IN' as const, ttl: 0, data: server.address }] : [],
      );
      const response = encode({
        type: 'response',
        ...(query.id === undefined ? {} : { id: query.id }),
        flags: 0x0180,
        questions: query.questions ?? [],
        answers,
      });
      setTimeout(() => socket.send(response, from.port, from.address), answerMs);
    });
    socket.bind(port, host, ready);
    return;
  }
  if (server.kind === 'http') {
    createServer((_request, response) => void setTimeout(() => response.end('late\n'), answerMs)).listen(port, host, ready);
    return;
  }
  const secure = createTlsServer({ key: readFileSync(server.key), cert: readFileSync(server.certificate) }, (_request, response) => {
    response.end('late\n');
  });
  // The client's first message waits in the socket, as it does in a server that has no processor time for it.
  createTcpServer({ pauseOnConnect: true }, (socket) => void setTimeout(() => secure.emit('connection', socket), answerMs)).listen(port, host, ready);
}

const [, script = '', plan] = process.argv;
if (plan !== undefined && script.endsWith('slow-server.js')) start(JSON.parse(plan) as SlowServer);
