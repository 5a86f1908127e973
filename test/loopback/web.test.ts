import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import http2 from 'node:http2';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { HttpLoad, HttpOutcome, Web } from '../../src/base/index.js';
import { createWeb, sniffHttp } from '../../src/host/web/index.js';
import { BODY_BYTES_MAX } from '../../src/host/web/client.js';
import { unsentOf } from '../../src/host/web/unsent.js';
import { Pace } from '../../src/host/web/zeros.js';
import { clock, freePort, listen, startServeHttp } from './web-server.js';

type Ok = Extract<HttpOutcome, { outcome: 'ok' }>;

function ok(outcome: HttpOutcome): Ok {
  assert.equal(outcome.outcome, 'ok', JSON.stringify(outcome));
  return outcome as Ok;
}

function reasonOf(outcome: HttpOutcome): string {
  return outcome.outcome === 'ok' ? '' : outcome.reason;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

describe('the HTTP client', () => {
  let web: Web;
  let serve: Awaited<ReturnType<typeof startServeHttp>>;
  before(async () => {
    web = createWeb(clock);
    serve = await startServeHttp();
  });
  after(() => serve.close());

  test('tells fresh from reused connections and times only the phases that happened', async () => {
    const client = web.client();
    const first = ok(await client.request({ url: `${serve.base}/small`, method: 'GET', timeoutMs: 5000 }));
    const second = ok(await client.request({ url: `${serve.base}/small`, method: 'GET', timeoutMs: 5000 }));
    client.close();
    assert.equal(first.reused, false);
    assert.equal(typeof first.connectMs, 'number');
    assert.equal(first.tlsMs, undefined);
    assert.equal(first.dnsMs, undefined);
    assert.equal(second.reused, true);
    assert.equal(second.connectMs, undefined);
    assert.deepEqual([first.status, first.version, first.bytes], [200, 'HTTP/1.1', 1]);
    assert.ok(first.ttfbMs > 0 && first.totalMs >= (first.connectMs ?? 0) + first.ttfbMs);
  });

  test('counts the body and hands over its head when asked', async () => {
    const client = web.client();
    const outcome = ok(await client.request({ url: `${serve.base}/bytes/100000`, method: 'GET', timeoutMs: 5000, keepBytesMax: 10 }));
    client.close();
    assert.equal(outcome.bytes, 100_000);
    assert.deepEqual([...(outcome.body ?? [])], Array(10).fill(0));
    assert.equal(outcome.cut, undefined);
  });

  test('cuts a body without end at its limit', async () => {
    const client = web.client();
    const outcome = ok(await client.request({ url: `${serve.base}/large`, method: 'GET', timeoutMs: 60_000 }));
    client.close();
    assert.equal(outcome.cut, true);
    assert.ok(outcome.bytes >= BODY_BYTES_MAX);
    await until(() => serve.attachment.counters().httpRunning === 0);
  });

  test('uses the given address instead of resolving the name', async () => {
    const client = web.client();
    const outcome = ok(
      await client.request({
        url: `http://no-such-name.invalid:${serve.port}/small`,
        remote: { host: '127.0.0.1', port: serve.port, family: 4 },
        method: 'GET',
        timeoutMs: 5000,
      }),
    );
    client.close();
    assert.equal(outcome.status, 200);
  });

  test('reports a redirect and does not follow it', async () => {
    const server = await listen((socket) =>
      socket.once('data', () => socket.end('HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n')),
    );
    const client = web.client();
    const outcome = ok(await client.request({ url: `http://127.0.0.1:${server.port}/`, method: 'GET', timeoutMs: 5000 }));
    client.close();
    await server.close();
    assert.deepEqual([outcome.status, outcome.location], [302, '/elsewhere']);
  });

  test('does not cut the path of a Unix socket that is too long, and refuses a plain file', async () => {
    const client = web.client();
    const ask = (socketPath: string) => client.request({ url: 'http://local/', socketPath, method: 'GET', timeoutMs: 5000 });
    const long = await ask(`/tmp/${'x'.repeat(200)}.sock`);
    const file = await ask('/proc/self/status');
    const empty = await ask('');
    client.close();
    assert.match(reasonOf(long), /has 210 bytes, and this system takes 10[37]/);
    assert.match(reasonOf(file), /nobody listens on|not a socket/);
    assert.match(reasonOf(empty), /is empty/);
  });

  test(
    'tells a program that accepts no more connections from one that is gone',
    { skip: process.platform !== 'linux' && 'only Linux says so' },
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'tautline-web-'));
      const socketPath = join(folder, 'hung.sock');
      // It listens, and never gets round to accepting.
      const hang = 'process.stdout.write("up"); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)';
      const listen = `require("node:net").createServer().listen({ path: ${JSON.stringify(socketPath)}, backlog: 1 }, () => { ${hang} })`;
      const child = spawn(process.execPath, ['-e', listen], { stdio: ['ignore', 'pipe', 'inherit'] });
      await once(child.stdout, 'data');
      const clients = Array.from({ length: 4 }, () => web.client());
      const outcomes = await Promise.all(
        clients.map((client) => client.request({ url: 'http://local/', socketPath, method: 'GET', timeoutMs: 500 })),
      );
      for (const client of clients) client.close();
      child.kill('SIGKILL');
      await once(child, 'exit');
      const gone = web.client();
      outcomes.push(await gone.request({ url: 'http://local/', socketPath, method: 'GET', timeoutMs: 500 }));
      gone.close();
      await rm(folder, { recursive: true });
      assert.match(reasonOf(outcomes[0] as HttpOutcome), /accepted the connection, but did not answer the request within 500 ms/);
      assert.match(reasonOf(outcomes[3] as HttpOutcome), /takes no more connections/);
      assert.match(reasonOf(outcomes[4] as HttpOutcome), /nobody listens on/);
    },
  );

  test('says that a port refuses', async () => {
    const port = await freePort();
    const client = web.client();
    const outcome = await client.request({ url: `http://127.0.0.1:${port}/`, method: 'GET', timeoutMs: 5000 });
    client.close();
    assert.equal(outcome.outcome, 'refused');
    assert.match(reasonOf(outcome), /refuses connections: nothing listens/);
  });

  const broken: readonly { name: string; answer: (socket: net.Socket) => void; outcome: string; reason: RegExp; timeoutMs?: number }[] = [
    {
      name: 'a server that accepts and is silent',
      answer: () => undefined,
      outcome: 'timeout',
      reason: /did not answer the request within 50 ms/,
      timeoutMs: 50,
    },
    {
      name: 'a server that closes without an answer',
      answer: (socket) => socket.end(),
      outcome: 'failed',
      reason: /closed the connection during the request/,
    },
    {
      name: 'a server that dies in the middle of the answer',
      answer: (socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf', () => socket.destroy()),
      outcome: 'failed',
      reason: /closed the connection during the answer/,
    },
    {
      name: 'a server whose answer never ends',
      answer: (socket) => void socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf'),
      outcome: 'timeout',
      reason: /did not end within 50 ms/,
      timeoutMs: 50,
    },
    {
      name: 'a server that speaks something else',
      answer: (socket) => void socket.end('SSH-2.0-OpenSSH_9.2\r\n'),
      outcome: 'failed',
      reason: /does not speak HTTP/,
    },
    {
      name: 'an endless head',
      answer: (socket) => void socket.write(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(20_000)}\r\n`),
      outcome: 'failed',
      reason: /longer than 16384 bytes/,
    },
  ];
  for (const { name, answer, outcome, reason, timeoutMs } of broken) {
    test(`reports ${name}`, async () => {
      const server = await listen((socket) => socket.once('data', () => answer(socket)));
      const client = web.client();
      const result = await client.request({ url: `http://127.0.0.1:${server.port}/`, method: 'GET', timeoutMs: timeoutMs ?? 5000 });
      client.close();
      await server.close();
      assert.equal(result.outcome, outcome, JSON.stringify(result));
      assert.match(reasonOf(result), reason);
    });
  }

  test('takes a fresh connection when the server had closed the idle one', async () => {
    let connections = 0;
    // Answers once a connection and closes it when the second request comes in.
    const server = await listen((socket) => {
      connections++;
      let requests = 0;
      socket.on('data', () => (++requests > 1 ? socket.destroy() : socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')));
    });
    const client = web.client();
    const url = `http://127.0.0.1:${server.port}/`;
    ok(await client.request({ url, method: 'GET', timeoutMs: 5000 }));
    const second = ok(await client.request({ url, method: 'GET', timeoutMs: 5000 }));
    client.close();
    await server.close();
    assert.equal(second.reused, false);
    assert.equal(connections, 2);
  });

  test('stops when it is aborted, before and during a request', async () => {
    const server = await listen((socket) => socket.resume());
    const client = web.client();
    const url = `http://127.0.0.1:${server.port}/`;
    const before = await client.request({ url, method: 'GET', timeoutMs: 60_000, signal: AbortSignal.abort() });
    const controller = new AbortController();
    const during = client.request({ url, method: 'GET', timeoutMs: 60_000, signal: controller.signal });
    await until(() => server.sockets.size > 0);
    controller.abort();
    for (const outcome of [before, await during]) {
      assert.equal(outcome.outcome, 'failed');
      assert.match(reasonOf(outcome), /interrupted/);
    }
    await until(() => server.sockets.size === 0);
    client.close();
    await server.close();
  });

  test('answers requests on a closed client and for something that is no URL', async () => {
    const client = web.client();
    assert.equal((await client.request({ url: 'ftp://127.0.0.1/', method: 'GET', timeoutMs: 50 })).outcome, 'failed');
    assert.equal((await client.request({ url: `${serve.base}/`, method: 'GET', headers: { 'bad name': 'x' }, timeoutMs: 50 })).outcome, 'failed');
    client.close();
    assert.equal((await client.request({ url: `${serve.base}/`, method: 'GET', timeoutMs: 50 })).outcome, 'failed');
  });
});

describe('load-generating connections', () => {
  let serve: Awaited<ReturnType<typeof startServeHttp>>;
  before(async () => {
    serve = await startServeHttp();
  });
  after(() => serve.close());

  for (const direction of ['down', 'up'] as const) {
    test(`moves bytes ${direction} over HTTP/2 and answers small requests beside them`, async () => {
      const load = await createWeb(clock).load({ url: `${serve.base}/${direction === 'down' ? 'large' : 'upload'}`, direction, timeoutMs: 5000 });
      assert.equal(load.failure, undefined);
      assert.equal(load.multiplexed, true);
      await until(() => load.bytes() > 5_000_000);
      const probe = await load.selfProbeMs(`${serve.base}/small`);
      const missing = await load.selfProbeMs(`${serve.base}/nothing-here`);
      load.close();
      load.close();
      assert.ok(probe !== undefined && probe > 0);
      assert.equal(missing, undefined);
      assert.equal(await load.selfProbeMs(`${serve.base}/small`), undefined);
      await until(() => serve.attachment.counters().httpRunning === 0 && serve.attachment.counters().httpOpen === 0);
    });

    test(`moves bytes ${direction} over HTTP/1.1 where the server speaks nothing else`, async () => {
      let preface = 0;
      const server = http.createServer((request, response) => {
        if (request.method === 'POST') return void request.resume();
        const pour = (): void => {
          while (!response.destroyed && response.write(Buffer.alloc(65_536)));
          response.once('drain', pour);
        };
        pour();
      });
      server.on('clientError', (error: Error & { rawPacket?: Buffer }, socket) => {
        if (error.rawPacket?.toString('latin1').startsWith('PRI ')) preface++;
        socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const url = `http://127.0.0.1:${(server.address() as net.AddressInfo).port}/`;
      const web = createWeb(clock);
      const loads = [await web.load({ url, direction, timeoutMs: 5000 }), await web.load({ url, direction, timeoutMs: 5000 })];
      for (const load of loads) {
        assert.equal(load.failure, undefined);
        assert.equal(load.multiplexed, false);
        await until(() => load.bytes() > 1_000_000);
        assert.equal(await load.selfProbeMs(url), undefined);
        load.close();
      }
      assert.equal(preface, 1, 'the server is asked for HTTP/2 only once');
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
  }

  test('starts a transfer again when the server ends it in good order', async () => {
    const small = await startServeHttp({ limits: { httpBytesMax: 50_000 } });
    const web = createWeb(clock);
    const down = await web.load({ url: `${small.base}/large`, direction: 'down', timeoutMs: 5000 });
    await until(() => down.bytes() >= 200_000 || down.failure !== undefined);
    assert.equal(down.failure, undefined);
    down.close();
    await small.close();
  });

  const failing: readonly { name: string; run: (web: Web) => Promise<HttpLoad>; reason: RegExp }[] = [
    {
      name: 'a path that is not there',
      run: (web) => web.load({ url: `${serve.base}/nope`, direction: 'down', timeoutMs: 5000 }),
      reason: /answers \/nope with status 404/,
    },
    {
      name: 'something that is no URL',
      run: (web) => web.load({ url: 'nope', direction: 'down', timeoutMs: 5000 }),
      reason: /not an http or https URL/,
    },
    {
      name: 'a port that refuses',
      run: async (web) => web.load({ url: `http://127.0.0.1:${await freePort()}/`, direction: 'up', timeoutMs: 5000 }),
      reason: /refuses connections/,
    },
    {
      name: 'an abort before it began',
      run: (web) => web.load({ url: `${serve.base}/large`, direction: 'down', timeoutMs: 5000, signal: AbortSignal.abort() }),
      reason: /interrupted/,
    },
  ];
  for (const { name, run, reason } of failing) {
    test(`says why it could not load: ${name}`, async () => {
      const load = await run(createWeb(clock));
      await until(() => load.failure !== undefined);
      assert.match(load.failure ?? '', reason);
      load.close();
    });
  }

  test('gives up on a server that accepts and is silent', async () => {
    const silent = await listen((socket) => socket.resume());
    const load = await createWeb(clock).load({ url: `http://127.0.0.1:${silent.port}/`, direction: 'down', timeoutMs: 50 });
    assert.match(load.failure ?? '', /did not answer within 50 ms/);
    await until(() => silent.sockets.size === 0);
    await silent.close();
  });

  test('notices that the server dies, and ends when it is aborted', async () => {
    const dying = await startServeHttp();
    const load = await createWeb(clock).load({ url: `${dying.base}/large`, direction: 'down', timeoutMs: 5000 });
    await until(() => load.bytes() > 1_000_000);
    const hanging = load.selfProbeMs(`${dying.base}/small`);
    await dying.close();
    await until(() => load.failure !== undefined);
    assert.match(load.failure ?? '', /closed the connection|failed|ended/);
    await hanging;

    const controller = new AbortController();
    const aborted = await createWeb(clock).load({ url: `${serve.base}/upload`, direction: 'up', timeoutMs: 5000, signal: controller.signal });
    await until(() => aborted.bytes() > 1_000_000);
    controller.abort();
    await until(() => serve.attachment.counters().httpOpen === 0);
    assert.equal(aborted.failure, undefined);
  });
});

describe('the HTTP side of serve', () => {
  test('lets nothing but / and /small through without a ticket once there is a key, over both versions', async () => {
    const serve = await startServeHttp({ checkTicket: (client, ticket) => client === '127.0.0.1' && ticket === 'good' });
    const client = createWeb(clock).client();
    const status = async (path: string, ticket?: string): Promise<number> =>
      ok(
        await client.request({
          url: serve.base + path,
          method: path === '/upload' ? 'POST' : 'GET',
          timeoutMs: 5000,
          ...(ticket ? { headers: { 'tautline-ticket': ticket } } : {}),
        }),
      ).status;
    assert.deepEqual(
      [await status('/'), await status('/small'), await status('/bytes/1'), await status('/bytes/1', 'bad'), await status('/bytes/1', 'good')],
      [200, 200, 401, 401, 200],
    );
    assert.deepEqual(
      [await status('/upload'), await status('/upload', 'good'), await status('/.well-known/nq'), await status('/.well-known/nq', 'good')],
      [401, 200, 401, 200],
    );
    client.close();
    const refused = await createWeb(clock).load({ url: `${serve.base}/upload`, direction: 'up', timeoutMs: 5000 });
    await until(() => refused.failure !== undefined);
    assert.match(refused.failure ?? '', /status 401.*--key-file/);
    const allowed = await createWeb(clock).load({
      url: `${serve.base}/large`,
      direction: 'down',
      headers: { 'Tautline-Ticket': 'good' },
      timeoutMs: 5000,
    });
    await until(() => allowed.bytes() > 100_000);
    allowed.close();
    await serve.close();
  });

  test('bounds requests at once, of one client and of all', async () => {
    const serve = await startServeHttp({ limits: { httpRequestsPerClientMax: 2 } });
    const web = createWeb(clock);
    const loads = [
      await web.load({ url: `${serve.base}/large`, direction: 'down', timeoutMs: 5000 }),
      await web.load({ url: `${serve.base}/large`, direction: 'down', timeoutMs: 5000 }),
    ];
    await until(() => loads.every((load) => load.bytes() > 0));
    const client = web.client();
    const third = ok(await client.request({ url: `${serve.base}/bytes/5`, method: 'GET', timeoutMs: 5000 }));
    assert.equal(third.status, 429);
    for (const load of loads) load.close();
    await until(() => serve.attachment.counters().httpRunning === 0);
    assert.equal(ok(await client.request({ url: `${serve.base}/bytes/5`, method: 'GET', timeoutMs: 5000 })).status, 200);
    client.close();
    await serve.close();

    const full = await startServeHttp({ limits: { httpRequestsMax: 1 } });
    const load = await web.load({ url: `${full.base}/large`, direction: 'down', timeoutMs: 5000 });
    await until(() => load.bytes() > 0);
    const other = web.client();
    assert.equal(ok(await other.request({ url: `${full.base}/small`, method: 'GET', timeoutMs: 5000 })).status, 503);
    other.close();
    load.close();
    await full.close();
  });

  test('ends connections that never finish a head, and bodies that do not move', async () => {
    const serve = await startServeHttp({ limits: { httpHeadMs: 100, httpStallMs: 100 } });
    const closed = (socket: net.Socket): Promise<unknown> => new Promise((resolve) => socket.once('close', resolve));
    const slow = net.connect(serve.port, '127.0.0.1', () => slow.write('GET / HTTP/1.1\r\nx'));
    const stuck = net.connect(serve.port, '127.0.0.1', () => stuck.write('POST /upload HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf'));
    const deaf = net.connect(serve.port, '127.0.0.1', () => deaf.write('GET /large HTTP/1.1\r\nhost: x\r\n\r\n'));
    for (const socket of [slow, stuck, deaf]) socket.on('error', () => undefined);
    for (const socket of [slow, stuck]) socket.resume();
    deaf.pause();
    await Promise.all([closed(slow), closed(stuck)]);
    await until(() => serve.attachment.counters().httpOpen === 0);
    assert.equal(serve.attachment.counters().httpCut, 2);
    deaf.destroy();
    await serve.close();
  });

  test('ends idle HTTP/2 connections and sessions that send garbage', async () => {
    const serve = await startServeHttp({ limits: { httpIdleMs: 1000, httpHeadMs: 100 } });
    const garbage = net.connect(serve.port, '127.0.0.1', () => garbage.write(`PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${'\xff'.repeat(200)}`));
    garbage.on('error', () => undefined);
    garbage.resume();
    await new Promise((resolve) => garbage.once('close', resolve));
    const idle = http2.connect(serve.base);
    idle.on('error', () => undefined);
    await new Promise((resolve) => idle.once('close', resolve));
    await until(() => serve.attachment.counters().httpOpen === 0);
    assert.ok((serve.attachment.counters().httpGarbled ?? 0) >= 1);
    await serve.close();
  });

  test('frees the places of pipelined requests that the end of their connection leaves unanswered', async () => {
    const serve = await startServeHttp({ checkTicket: () => false });
    const socket = net.connect(serve.port, '127.0.0.1', () => socket.write('GET /large HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(40)));
    socket.on('error', () => undefined);
    socket.resume();
    await new Promise((resolve) => socket.once('close', resolve));
    await until(() => serve.attachment.counters().httpOpen === 0);
    const { httpRequests, httpRunning } = serve.attachment.counters();
    await serve.close();
    assert.ok((httpRequests ?? 0) > 1, 'the answer to the first ended the connection before the others had theirs');
    assert.equal(httpRunning, 0);
  });

  test('takes heads up to their limit over HTTP/2, where announcing it binds nobody', async () => {
    const serve = await startServeHttp({ limits: { httpHeadBytesMax: 1024 } });
    const session = http2.connect(serve.base);
    const ask = (fill: number): Promise<unknown> =>
      new Promise((resolve) => {
        const request = session.request({ ':path': '/small', fill: 'a'.repeat(fill) });
        request.on('response', (headers) => resolve(headers[':status']));
        request.on('error', () => resolve(request.rstCode));
        request.resume();
      });
    assert.deepEqual([await ask(2000), await ask(20)], [http2.constants.NGHTTP2_ENHANCE_YOUR_CALM, 200]);
    session.destroy();
    await serve.close();
  });

  test('answers a malformed request with 400 and goes on', async () => {
    const serve = await startServeHttp();
    const socket = net.connect(serve.port, '127.0.0.1', () => socket.write('GET / HTTP/9.9\r\nbroken\r\n\r\n'));
    socket.on('error', () => undefined);
    let text = '';
    socket.on('data', (chunk) => (text += chunk.toString()));
    await new Promise((resolve) => socket.once('close', resolve));
    assert.match(text, /^HTTP\/1\.1 400 /);
    const client = createWeb(clock).client();
    assert.equal(ok(await client.request({ url: serve.base, method: 'GET', timeoutMs: 5000 })).status, 200);
    client.close();
    await serve.close();
  });

  test('counts what an upload brought and cuts one that is too long', async () => {
    const serve = await startServeHttp({ limits: { httpBytesMax: 1000 } });
    const post = (length: number): Promise<string> =>
      new Promise((resolve) => {
        const request = http.request(
          `${serve.base}/upload`,
          { method: 'POST', agent: false, headers: { 'transfer-encoding': 'chunked' } },
          (response) => {
            let text = `${response.statusCode} `;
            response.on('data', (chunk) => (text += chunk));
            response.on('end', () => resolve(text));
          },
        );
        request.on('error', () => resolve('cut'));
        request.end(Buffer.alloc(length));
      });
    assert.equal(await post(1000), '200 {"bytes":1000}\n');
    assert.equal(await post(100_000), 'cut');
    await serve.close();
  });
});

test('the first bytes of a connection tell which HTTP it is', () => {
  const told = (text: string): string | undefined => sniffHttp(Buffer.from(text));
  assert.equal(told('GET / HTTP/1.1\r\n'), 'http1');
  assert.equal(told('POST /'), 'http1');
  assert.equal(told('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), 'http2');
  assert.equal(told('P'), 'more');
  assert.equal(told('PRI * HT'), 'more');
  assert.equal(told('GE'), 'more');
  assert.equal(told('TAUT\x01\x00\x00\x00'), undefined);
  assert.equal(told('SSH-2.0'), undefined);
  assert.equal(told('TRA'), 'more');
});

test('what waits unsent in a socket is bounded where the kernel can be asked to', async () => {
  const { loadLibc, readInt } = await import('../../src/host/libc/index.js');
  const libc = loadLibc();
  const server = await listen((socket) => socket.resume());
  const socket = net.connect(server.port, '127.0.0.1');
  await new Promise((resolve) => socket.once('connect', resolve));
  const unsent = unsentOf(socket);
  assert.equal(unsent.bound(100_000), libc !== undefined);
  if (libc?.platform === 'linux') assert.equal(unsent.bytes(), 0);
  const fd = (socket as unknown as { _handle: { fd: number } })._handle.fd;
  if (libc) assert.equal(readInt(libc, fd, libc.constants.IPPROTO_TCP, libc.constants.TCP_NOTSENT_LOWAT), 100_000);
  socket.destroy();
  assert.deepEqual([unsent.bound(100_000), unsent.bytes()], [false, undefined]);
  await server.close();
});

test('chunks carry five milliseconds of the rate of a whole window, between their bounds', () => {
  const pace = new Pace(0);
  assert.equal(pace.chunkBytes, 4096);
  // A chunk that went into an empty buffer says nothing yet.
  assert.equal(pace.wrote(16_384, 0.01), 4096);
  // 1 MB/s: 5000 bytes.
  assert.equal(pace.wrote(83_616, 100), 5000);
  assert.equal(pace.wrote(1000, 10_000), 1448);
  assert.equal(pace.wrote(1e9, 10_100), 262_144);
});
