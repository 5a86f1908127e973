import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import tls from 'node:tls';
import type { TlsOutcome } from '../../src/base/index.js';
import { createHostPorts } from '../../src/host/index.js';
import type { HostPorts } from '../../src/host/index.js';
import { tlsProbe } from '../../src/probe/tls.js';
import { measureHere, metric } from './probing.js';
import { freePort, listen, selfSigned } from './web-server.js';
import type { KeyPair, Listening } from './web-server.js';

function reasonOf(outcome: TlsOutcome): string {
  return outcome.outcome === 'ok' ? '' : outcome.reason;
}

describe('TLS over real sockets', () => {
  let ports: HostPorts;
  let pair: KeyPair;
  before(() => {
    ports = createHostPorts({ logLevel: 'none' });
    pair = selfSigned();
  });
  after(() => ports.close());

  /** A TLS server on a plain listener, so that its connections can be ended with it; `seen` are the names that clients asked for. */
  async function tlsServer(options: tls.TlsOptions = {}): Promise<Listening & { seen: string[]; shaken: () => number }> {
    const seen: string[] = [];
    let shaken = 0;
    // Called only for a client that names the server.
    const SNICallback: tls.TlsOptions['SNICallback'] = (name, done) => {
      seen.push(name);
      done(null);
    };
    const server = tls.createServer({ ...pair, SNICallback, ...options }, (socket) => {
      shaken++;
      socket.on('error', () => undefined);
      socket.resume();
    });
    server.on('tlsClientError', () => undefined);
    const listening = await listen((socket) => void server.emit('connection', socket));
    return { ...listening, seen, shaken: () => shaken };
  }

  const shake = (port: number, serverName: string, timeoutMs = 5000): Promise<TlsOutcome> =>
    ports.web.tls({ remote: { host: '127.0.0.1', port, family: 4 }, serverName, timeoutMs });

  test('the handshake is timed apart from the connection, with its facts; an untrusted certificate is measured and said', async () => {
    const server = await tlsServer({ ALPNProtocols: ['h2'] });
    const outcome = await shake(server.port, 'localhost');
    while (server.sockets.size > 0) await new Promise((resolve) => setImmediate(resolve));
    await server.close();
    assert.equal(outcome.outcome, 'ok');
    assert.equal(server.shaken(), 1, 'the server saw the whole handshake');
    assert.ok(outcome.outcome === 'ok' && outcome.connectMs > 0 && outcome.handshakeMs > 0);
    assert.deepEqual([outcome.protocol, outcome.alpn, outcome.resumed, outcome.authorized], ['TLSv1.3', 'h2', false, false]);
    assert.match(outcome.authorizationError ?? '', /self.signed/i);
    assert.deepEqual(
      [outcome.certificate?.subject, outcome.certificate?.issuer, outcome.certificate?.names],
      ['localhost', 'localhost', 'DNS:localhost'],
    );
    assert.deepEqual(server.seen, ['localhost']);
  });

  test('an address is not sent as a server name', async () => {
    const server = await tlsServer();
    await shake(server.port, '127.0.0.1');
    await server.close();
    assert.deepEqual(server.seen, []);
  });

  test('an older protocol is told', async () => {
    const server = await tlsServer({ maxVersion: 'TLSv1.2' });
    const outcome = await shake(server.port, 'localhost');
    await server.close();
    assert.ok(outcome.outcome === 'ok' && outcome.protocol === 'TLSv1.2');
  });

  test('a server with no protocol in common says so', async () => {
    const server = await tlsServer({ minVersion: 'TLSv1.3', ciphers: 'TLS_AES_128_CCM_SHA256' });
    const outcome = await shake(server.port, 'localhost');
    await server.close();
    assert.equal(outcome.outcome, 'failed');
    assert.match(reasonOf(outcome), /no common ground|closed the connection/);
  });

  test('plain text, an early end, silence, refusal and an abort are told apart', async () => {
    const plain = await listen((socket) => socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')));
    const ending = await listen((socket) => socket.once('data', () => socket.destroy()));
    const silent = await listen((socket) => socket.resume());
    const reasons = new Map<string, TlsOutcome>([
      ['plain', await shake(plain.port, 'localhost')],
      ['ending', await shake(ending.port, 'localhost')],
      ['silent', await shake(silent.port, 'localhost', 50)],
      ['refused', await shake(await freePort(), 'localhost')],
      [
        'aborted',
        await ports.web.tls({
          remote: { host: '127.0.0.1', port: silent.port, family: 4 },
          serverName: 'localhost',
          timeoutMs: 5000,
          signal: AbortSignal.abort(),
        }),
      ],
    ]);
    for (const server of [plain, ending, silent]) await server.close();
    const told = (name: string): string => {
      const outcome = reasons.get(name);
      return outcome === undefined || outcome.outcome === 'ok' ? 'ok' : `${outcome.outcome}: ${outcome.reason}`;
    };
    assert.match(told('plain'), /^failed: .*no common ground/);
    assert.match(told('ending'), /^failed: .*closed the connection during the TLS handshake/);
    assert.match(told('silent'), /^timeout: .*accepted the connection, but the TLS handshake did not finish within 50 ms/);
    assert.match(told('refused'), /^refused: .*refuses connections/);
    assert.match(told('aborted'), /^failed: .*interrupted/);
  });

  test('the probe sums handshakes up, with the name that it was told to ask for', async () => {
    const server = await tlsServer();
    const measurements = await measureHere(tlsProbe, ports, {
      target: `127.0.0.1:${server.port}`,
      options: { count: 4, intervalMs: 1, serverName: 'localhost' },
    });
    await server.close();
    const found = metric(measurements, 'tls');
    assert.deepEqual([found.outcome, found.summary?.n, found.details?.['protocol'], found.details?.['trusted']], ['ok', 4, 'TLSv1.3', false]);
    assert.match(found.reason ?? '', /certificate is not trusted/);
    assert.ok((found.error?.value ?? 0) > 0);
    assert.ok((metric(measurements, 'tls.total').summary?.min ?? 0) > (metric(measurements, 'connect').summary?.min ?? 0));
    assert.deepEqual(server.seen, Array(4).fill('localhost'));
  });

  test('the probe stops when it is aborted in the middle, and leaves no connection', async () => {
    const controller = new AbortController();
    const server = await listen((socket) => {
      socket.resume();
      controller.abort();
    });
    const [found] = await measureHere(tlsProbe, ports, {
      target: `127.0.0.1:${server.port}`,
      signal: controller.signal,
      options: { timeoutMs: 60_000 },
    });
    assert.deepEqual([found?.outcome, found?.partial], ['unchecked', true]);
    await server.close();
  });
});
