import { TautlineError } from '../base/index.js';
import type { Connection } from '../base/index.js';
import { encodeAddress } from '../wire/index.js';
import { answerQuery } from './dns-server.js';
import type { SimHost } from './host.js';
import { serviceOf } from './http-server.js';
import { sendAnswer } from './packets.js';
import type { DnsServiceSpec, ServiceSpec, WebServiceSpec } from './scenario.js';

const DNS_PORT = 53;

/** Starts what a scenario says that a host answers with. */
export function startService(host: SimHost, service: ServiceSpec): void {
  switch (service.kind) {
    case 'udp-echo':
      host.bindUdp({ take: (packet) => sendAnswer(host, packet, packet.payload.slice()), fail() {} }, service.port);
      return;
    case 'dns':
      return startDns(host, service);
    case 'tcp-echo':
      host.listen(service.port, { onConnection: (connection) => void echo(connection) });
      return;
    case 'tcp-discard':
      host.listen(service.port, { onConnection: (connection) => void discard(connection) });
      return;
    case 'silent':
      if (service.protocol === 'udp') host.bindUdp({ take() {}, fail() {} }, service.port);
      else host.listen(service.port, {});
      return;
    case 'web':
      return startWeb(host, service);
  }
}

function startWeb(host: SimHost, service: WebServiceSpec): void {
  const { port, socketPath, permitted = true } = service;
  const http = serviceOf(service);
  if (port !== undefined && socketPath === undefined) host.listen(port, { http });
  else if (port === undefined && socketPath !== undefined) host.listenOnSocket(socketPath, { http, permitted });
  else throw new TautlineError('config', 'not a scenario: a web service listens on either a port or a socketPath');
}

function startDns(host: SimHost, service: DnsServiceSpec): void {
  const { timeline, scenario } = host.network;
  const names = Object.fromEntries(Object.entries(scenario.names ?? {}).map(([name, addresses]) => [name.toLowerCase(), addresses]));
  const addressBytes = (literal: string): Uint8Array => encodeAddress({ host: literal, port: 0, family: literal.includes(':') ? 6 : 4 }).subarray(3);
  const port = service.port ?? DNS_PORT;
  host.bindUdp(
    {
      take(packet) {
        const answer = answerQuery(packet.payload, names, { answers: service.answers, addressBytes });
        if (answer) timeline.after((service.answerMs ?? 0) * 1e6, () => host.dead === undefined && sendAnswer(host, packet, answer));
      },
      fail() {},
    },
    port,
  );
}

async function echo(connection: Connection): Promise<void> {
  try {
    for (let bytes = await connection.read(); bytes; bytes = await connection.read()) await connection.write(bytes);
  } catch {
    // The client is gone; there is nobody to answer.
  }
  connection.close();
}

async function discard(connection: Connection): Promise<void> {
  while (await connection.read());
  connection.close();
}
