import assert from 'node:assert/strict';
import http2 from 'node:http2';
import https from 'node:https';
import net from 'node:net';
import { after, before, describe, test } from 'node:test';
import tls from 'node:tls';
import { createHostPorts } from '../../src/host/index.js';
import type { HostPorts } from '../../src/host/index.js';
import { httpProbe } from '../../src/probe/http.js';
import { responsivenessProbe } from '../../src/probe/responsiveness.js';
import { tcpProbe } from '../../src/probe/tcp.js';
import { measureHere, metric } from './probing.js';
import { freePort, listen, selfSigned, startServeHttp } from './web-server.js';
import type { KeyPair, Listening } from './web-server.js';

describe('TCP and HTTP over real sockets', () => {
  let ports: HostPorts;
  let pair: KeyPair;
  let serve: Awaited<ReturnType<typeof startServeHttp>>;
  before(async () => {
    ports = createHostPorts({ logLevel: 'none' });
    pair = selfSigned();
    serve = await startServeHttp();
  });
  after(async () => {
    await serve.close();
    await ports.close();
  });

  const quick = { count: 4, intervalMs: 1 };

  test('tcp: connections are timed and lose nothing', async () => {
    const [found] = await measureHere(tcpProbe, ports, { target: `127.0.0.1:${serve.port}`, options: quick });
    assert.deepEqual([found?.outcome, found?.summary?.n, found?.loss?.ratio], ['ok', 4, 0]);
  });

  test('tcp: a name with two addresses is reached at the one that listens', async () => {
    const [found] = await measureHere(tcpProbe, ports, { target: `localhost:${serve.port}`, options: quick });
    assert.equal(found?.outcome, 'ok');
    assert.equal(found?.details?.['remote'], `127.0.0.1:${serve.port}`);
  });

  test('tcp and http: a refused port is told', async () => {
    const target = `127.0.0.1:${await freePort()}`;
    const [connect] = await measureHere(tcpProbe, ports, { target, options: quick });
    const [request] = await measureHere(httpProbe, ports, { target, options: quick });
    for (const found of [connect, request]) {
      assert.equal(found?.outcome, 'refused');
      assert.match(found?.reason ?? '', /refuses connections: nothing listens/);
    }
    assert.equal((connect?.details?.['refused'] as { n: number }).n, 3);
  });

  test('http: fresh and kept connections against serve', async () => {
    const measurements = await measureHere(httpProbe, ports, { target: `${serve.base}/small`, options: quick });
    assert.deepEqual(
      measurements.map((found) => found.metric),
      ['http.connect', 'http.ttfb', 'http.total', 'http.keepalive.ttfb', 'http.keepalive.total'],
    );
    for (const found of measurements) assert.deepEqual([found.outcome, found.summary?.n], ['ok', 4]);
    assert.ok((metric(measurements, 'http.total').error?.value ?? 0) > 0);
  });

  test('http: TLS is a phase of its own, and its certificate has to be trusted unless told otherwise', async () => {
    const server = https.createServer(pair, (_request, response) => response.end('hello'));
    const listening = await listen((socket) => void server.emit('connection', socket));
    const target = `https://localhost:${listening.port}/`;
    const refused = metric(await measureHere(httpProbe, ports, { target, options: { ...quick, family: 4 } }), 'http.total');
    assert.equal(refused.outcome, 'lost');
    assert.match(refused.reason ?? '', /certificate of localhost:\d+ is not trusted.*--insecure/);
    const measurements = await measureHere(httpProbe, ports, { target, options: { ...quick, family: 4, insecure: true } });
    await listening.close();
    assert.deepEqual(
      measurements.map((found) => found.metric),
      ['http.dns', 'http.connect', 'http.tls', 'http.ttfb', 'http.total', 'http.keepalive.ttfb', 'http.keepalive.total'],
    );
    assert.equal(metric(measurements, 'http.total').details?.['tls'], 'TLSv1.3');
    assert.equal(metric(measurements, 'http.total').details?.['bytes'], 5);
  });

  test('http: a server that is silent times out, one that dies in between loses what it did not answer', async () => {
    const silent = await listen((socket) => socket.resume());
    const [found] = await measureHere(httpProbe, ports, { target: `127.0.0.1:${silent.port}`, options: { ...quick, timeoutMs: 30 } });
    assert.equal(found?.outcome, 'timeout');
    await silent.close();

    let answered = 0;
    const dying = await listen((socket) =>
      socket.once('data', () =>
        answered++ < 3 ? socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n') : socket.destroy(),
      ),
    );
    const cut = metric(
      await measureHere(httpProbe, ports, { target: `127.0.0.1:${dying.port}`, options: { count: 20, intervalMs: 1 } }),
      'http.total',
    );
    await dying.close();
    assert.deepEqual([cut.outcome, cut.partial, cut.summary?.n], ['lost', true, 3]);
    assert.match(cut.reason ?? '', /answers stopped after 3 of 20 requests: .*closed the connection/);
  });

  test('http: an abort in the middle keeps what was measured', async () => {
    const controller = new AbortController();
    let requests = 0;
    const server = await listen((socket) =>
      socket.once('data', () => {
        if (++requests === 3) controller.abort();
        else socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
      }),
    );
    const found = metric(
      await measureHere(httpProbe, ports, { target: `127.0.0.1:${server.port}`, options: quick, signal: controller.signal }),
      'http.total',
    );
    await server.close();
    assert.deepEqual([found.outcome, found.partial, found.summary?.n], ['ok', true, 2]);
  });

  /** Too short to be sure of anything, long enough to go through every stage. */
  const short = { durationMs: 3000 };

  test('responsiveness: over HTTP/2 without TLS against serve, both directions, nothing left behind', async () => {
    const measurements = await measureHere(responsivenessProbe, ports, { target: `127.0.0.1:${serve.port}`, options: short });
    assert.deepEqual(
      measurements.map((found) => found.metric),
      ['responsiveness.down', 'responsiveness.up'],
    );
    for (const found of measurements) {
      assert.equal(found.outcome, 'ok', found.reason);
      assert.equal(found.summary?.unit, 'rpm');
      assert.equal(found.details?.['http'], 'HTTP/2 without TLS');
      assert.ok((found.details?.['self'] as { n: number }).n > 0 && (found.details?.['foreign'] as { n: number }).n > 0);
      assert.ok((found.details?.['idleRpm'] as number) > 0);
      assert.ok((found.details?.['goodputBps'] as number) > 0);
    }
    while (serve.attachment.counters()['httpOpen'] !== 0) await new Promise((resolve) => setImmediate(resolve));
  });

  test('responsiveness: over HTTP/2 with TLS, found by a configuration that leads to other paths', async () => {
    const h2 = nqServer(pair);
    const target = `https://localhost:${h2.port()}/.well-known/nq`;
    const listening = await h2.listening;
    const untrusted = await measureHere(responsivenessProbe, ports, {
      target: `https://localhost:${listening.port}/`,
      options: { ...short, family: 4 },
    });
    assert.match(untrusted[0]?.reason ?? '', /not trusted/);
    const measurements = await measureHere(responsivenessProbe, ports, {
      target: target.replace(/:\d+/, `:${listening.port}`),
      options: { ...short, family: 4, insecure: true },
    });
    await h2.close();
    for (const found of measurements) {
      assert.equal(found.outcome, 'ok', found.reason);
      assert.equal(found.details?.['http'], 'HTTP/2 over TLS');
      const { tlsMs } = found.details?.['foreign'] as { tlsMs?: number };
      assert.ok((tlsMs ?? 0) > 0);
    }
  });
});

/** An HTTP/2 server over TLS with a configuration document that names paths of its own. */
function nqServer(pair: KeyPair): { port: () => number; listening: Promise<Listening>; close: () => Promise<void> } {
  const server = http2.createSecureServer({ ...pair, allowHTTP1: true }, (request, response) => {
    const host = request.headers[':authority'] ?? request.headers.host ?? '';
    if (request.url === '/.well-known/nq') {
      response.end(
        JSON.stringify({
          version: 1,
          urls: { small_download_url: `https://${host}/one`, large_download_url: `https://${host}/many`, upload_url: `https://${host}/take` },
        }),
      );
    } else if (request.url === '/one') {
      response.end('x');
    } else if (request.url === '/many') {
      const pour = (): void => {
        while (!response.stream?.destroyed && response.write(Buffer.alloc(65_536)));
        response.once('drain', pour);
      };
      pour();
    } else if (request.url === '/take') {
      request.resume();
      request.on('end', () => response.end());
    } else {
      response.statusCode = 404;
      response.end();
    }
  });
  server.on('sessionError', () => undefined);
  const sockets = new Set<net.Socket>();
  server.on('secureConnection', (socket: tls.TLSSocket) => sockets.add(socket));
  let port = 0;
  const listening = listen((socket) => void server.emit('connection', socket)).then((made) => {
    port = made.port;
    return made;
  });
  return {
    port: () => port,
    listening,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await (await listening).close();
    },
  };
}
