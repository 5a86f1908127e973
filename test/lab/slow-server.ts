import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createSecureContext } from 'node:tls';
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
  const identity = { key: readFileSync(server.key), cert: readFileSync(server.certificate) };
  const context = createSecureContext(identity);
  createTlsServer({ ...identity, SNICallback: (_name, give) => void setTimeout(() => give(null, context), answerMs) }, (_request, response) => {
    response.end('late\n');
  }).listen(port, host, ready);
}

const [, script = '', plan] = process.argv;
if (plan !== undefined && script.endsWith('slow-server.js')) start(JSON.parse(plan) as SlowServer);
