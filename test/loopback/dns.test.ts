import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import type { RemoteInfo, Socket } from 'node:dgram';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import packet from 'dns-packet';
import type { Resolution } from '../../src/base/index.js';
import { createHostPorts } from '../../src/host/index.js';
import type { HostPorts } from '../../src/host/index.js';
import { createNames, explainLookup } from '../../src/host/names.js';
import { dnsProbe } from '../../src/probe/dns.js';
import { measureHere } from './probing.js';
import { clock, listen } from './web-server.js';

type Reply = (query: packet.DecodedPacket, number: number, raw: Buffer) => readonly Uint8Array[];

interface Responder {
  readonly target: string;
  readonly port: number;
  readonly asked: packet.DecodedPacket[];
  close(): Promise<void>;
}

/** A DNS server on loopback that answers as the test wants. */
async function responder(reply: Reply, port = 0): Promise<Responder> {
  const socket: Socket = createSocket('udp4');
  const asked: packet.DecodedPacket[] = [];
  socket.on('message', (raw: Buffer, from: RemoteInfo) => {
    const query = packet.decode(raw);
    asked.push(query);
    for (const bytes of reply(query, asked.length, raw)) socket.send(bytes, from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(port, '127.0.0.1', resolve));
  const bound = (socket.address() as AddressInfo).port;
  return { target: `127.0.0.1:${bound}`, port: bound, asked, close: () => new Promise((resolve) => socket.close(() => resolve())) };
}

function answer(query: packet.DecodedPacket, options: { id?: number; flags?: number; ttl?: number; name?: string } = {}): Buffer {
  return packet.encode({
    type: 'response',
    id: options.id ?? query.id ?? 0,
    flags: packet.RECURSION_DESIRED | packet.RECURSION_AVAILABLE | (options.flags ?? 0),
    questions: (query.questions ?? []).map((question) => ({ ...question, name: options.name ?? question.name })),
    answers: [{ type: 'A', name: query.questions?.[0]?.name ?? '', ttl: options.ttl ?? 60, data: '192.0.2.1' }],
  });
}

const NXDOMAIN = 3;

describe('DNS over real sockets', () => {
  let ports: HostPorts;
  before(() => {
    ports = createHostPorts({ logLevel: 'none' });
  });
  after(() => ports.close());

  const quick = { count: 4, intervalMs: 2, timeoutMs: 200 };

  test('answers are timed, the first apart from the repeated', async () => {
    const server = await responder((query) => [answer(query)]);
    const [found, ...more] = await measureHere(dnsProbe, ports, { target: server.target, options: { ...quick, name: 'www.example.com', type: 'A' } });
    await server.close();
    assert.equal(more.length, 0);
    assert.deepEqual([found?.outcome, found?.summary?.n, found?.loss?.sent, found?.loss?.received], ['ok', 3, 4, 4]);
    assert.deepEqual([found?.details?.['rcode'], found?.details?.['answers'], found?.details?.['ttlSeconds']], ['NOERROR', ['A 192.0.2.1'], 60]);
    assert.ok((found?.details?.['firstMs'] as number) > 0);
    assert.ok((found?.error?.value ?? -1) >= 0);
    for (const { questions, flags } of server.asked)
      assert.deepEqual([questions?.[0]?.name, (flags ?? 0) & packet.RECURSION_DESIRED], ['www.example.com', packet.RECURSION_DESIRED]);
  });

  test('that a name does not exist is an answer', async () => {
    const server = await responder((query) => [answer(query, { flags: NXDOMAIN })]);
    const [found] = await measureHere(dnsProbe, ports, { target: server.target, options: quick });
    await server.close();
    assert.equal(found?.outcome, 'ok');
    assert.match(found?.reason ?? '', /no name example\.com \(NXDOMAIN\)/);
    assert.equal(found?.summary?.n, 3);
  });

  test('a truncated answer is asked again over TCP', async () => {
    const overTcp = await listen((socket) =>
      socket.once('data', (data: Buffer) => {
        const reply = answer(packet.decode(data.subarray(2)));
        const length = Buffer.alloc(2);
        length.writeUInt16BE(reply.length);
        // In two pieces, as a network may cut it.
        socket.write(Buffer.concat([length, reply.subarray(0, 5)]), () => socket.write(reply.subarray(5)));
      }),
    );
    const server = await responder((query) => [answer(query, { flags: packet.TRUNCATED_RESPONSE })], overTcp.port);
    const [found] = await measureHere(dnsProbe, ports, { target: server.target, options: quick });
    await server.close();
    await overTcp.close();
    assert.equal(found?.outcome, 'ok');
    assert.match(found?.reason ?? '', /did not fit into a datagram; asked again over TCP it took/);
    assert.ok((found?.details?.['overTcpMs'] as number) > 0);
    assert.equal(found?.details?.['truncated'], true);
  });

  test('a truncated answer that cannot be had over TCP is said', async () => {
    const server = await responder((query) => [answer(query, { flags: packet.TRUNCATED_RESPONSE })]);
    const [found] = await measureHere(dnsProbe, ports, { target: server.target, options: quick });
    await server.close();
    assert.equal(found?.outcome, 'ok');
    assert.match(found?.reason ?? '', /could not be had over TCP: .*refuses connections/);
  });

  const hostile: readonly { name: string; reply: Reply; reason: RegExp; outcome: string }[] = [
    { name: 'garbage', reply: () => [Buffer.from('this is not DNS at all')], reason: /not with DNS messages \(\d+ garbled\)/, outcome: 'lost' },
    { name: 'empty datagrams', reply: () => [Buffer.alloc(0)], reason: /not with DNS messages/, outcome: 'lost' },
    { name: 'wrong ids', reply: (query) => [answer(query, { id: 40_000 })], reason: /other questions than those asked/, outcome: 'lost' },
    {
      name: 'another question',
      reply: (query) => [answer(query, { name: 'evil.example' })],
      reason: /other questions than those asked/,
      outcome: 'lost',
    },
    { name: 'its own question back', reply: (_query, _number, raw) => [raw], reason: /not with DNS messages/, outcome: 'lost' },
    { name: 'nothing', reply: () => [], reason: /did not answer 2 queries within 200 ms each/, outcome: 'timeout' },
  ];
  for (const { name, reply, reason, outcome } of hostile) {
    test(`a server that answers ${name} is told as such`, async () => {
      const server = await responder(reply);
      const [found] = await measureHere(dnsProbe, ports, { target: server.target, options: quick });
      await server.close();
      assert.equal(found?.outcome, outcome, found?.reason);
      assert.match(found?.reason ?? '', reason);
      assert.equal(found?.summary, undefined);
    });
  }

  test('garbage beside the answers does not hide them', async () => {
    const server = await responder((query) => [Buffer.from('noise'), answer(query, { id: 40_000 }), answer(query)]);
    const [found] = await measureHere(dnsProbe, ports, { target: server.target, options: quick });
    await server.close();
    assert.equal(found?.outcome, 'ok', found?.reason);
    assert.equal(found?.details?.['rcode'], 'NOERROR');
    assert.ok((found?.details?.['garbled'] as number) > 0 && (found?.details?.['foreign'] as number) > 0);
    assert.equal(found?.summary?.n, 3);
  });

  test('a query that went unanswered is repeated, and counts as lost', async () => {
    const server = await responder((query, number) => (number === 1 ? [] : [answer(query)]));
    const [found] = await measureHere(dnsProbe, ports, { target: server.target, options: quick });
    await server.close();
    assert.equal(found?.outcome, 'ok');
    assert.deepEqual([found?.loss?.sent, found?.loss?.received, found?.details?.['retried']], [5, 4, 1]);
  });

  test('answers that come twice count once', async () => {
    const server = await responder((query) => [answer(query), answer(query)]);
    const [found] = await measureHere(dnsProbe, ports, { target: server.target, options: { ...quick, count: 1 } });
    await server.close();
    assert.deepEqual([found?.outcome, found?.loss?.sent, found?.loss?.received], ['ok', 1, 1]);
  });

  test('a closed port is told as refused', async () => {
    const server = await responder(() => []);
    await server.close();
    const [found] = await measureHere(dnsProbe, ports, { target: server.target, options: quick });
    assert.equal(found?.outcome, 'refused');
    assert.match(found?.reason ?? '', /nothing listens on that UDP port/);
  });

  test('an abort in the middle keeps what was measured', async () => {
    const controller = new AbortController();
    const server = await responder((query, number) => {
      if (number === 3) controller.abort();
      return number < 3 ? [answer(query)] : [];
    });
    const [found] = await measureHere(dnsProbe, ports, {
      target: server.target,
      options: { ...quick, timeoutMs: 60_000 },
      signal: controller.signal,
    });
    await server.close();
    assert.deepEqual([found?.outcome, found?.partial], ['ok', true]);
    assert.match(found?.reason ?? '', /interrupted/);
  });
});

function reasonOf(found: Resolution): string {
  return found.outcome === 'ok' ? '' : found.reason;
}

describe('names on this host', () => {
  const names = createNames(clock);

  test('addresses are their own, localhost has one, and what cannot be a name is not known', async () => {
    const options = { timeoutMs: 5000 };
    const four = await names.lookup('127.0.0.1', options);
    assert.deepEqual(four.outcome === 'ok' && four.addresses, [{ host: '127.0.0.1', family: 4 }]);
    const six = await names.lookup('::1', options);
    assert.deepEqual(six.outcome === 'ok' && six.addresses, [{ host: '::1', family: 6 }]);
    const local = await names.lookup('localhost', { ...options, family: 4 });
    assert.deepEqual(local.outcome === 'ok' && local.addresses, [{ host: '127.0.0.1', family: 4 }]);
    const wrong = await names.lookup('127.0.0.1', { ...options, family: 6 });
    assert.equal(wrong.outcome, 'unknown');
    assert.match(reasonOf(wrong), /IPv4 address, but only IPv6/);
  });

  test('an abort ends a lookup at once', async () => {
    const aborted = await names.lookup('localhost', { timeoutMs: 5000, signal: AbortSignal.abort() });
    assert.equal(aborted.outcome, 'failed');
    assert.match(reasonOf(aborted), /interrupted/);
  });

  test("getaddrinfo's errors are told apart, with what to do", () => {
    const said = (code: string, family?: 4 | 6): string => {
      const { outcome, reason } = explainLookup('x.example', { code, message: 'm' }, family);
      return `${outcome}: ${reason}`;
    };
    assert.match(said('ENOTFOUND'), /^unknown: 'x\.example' is not known: check the spelling/);
    assert.match(said('ENOTFOUND', 6), /^unknown: 'x\.example' has no IPv6 address/);
    assert.match(said('EAI_AGAIN'), /^failed: .*no resolver answered; check the network/);
    assert.match(said('EAI_FAIL'), /^failed: .*the resolver failed/);
    assert.match(said('EAI_MEMORY'), /^failed: .*EAI_MEMORY/);
  });
});
