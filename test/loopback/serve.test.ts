import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startServe } from '../../src/app/serve.js';
import type { Serve, ServeOptions } from '../../src/app/serve.js';
import { TautlineError } from '../../src/base/index.js';
import { createHostPorts } from '../../src/host/index.js';
import type { HostPorts } from '../../src/host/index.js';
import { explainListen } from '../../src/host/streams/index.js';
import { openControl } from '../../src/probe/control-client.js';
import { openEchoSession } from '../../src/probe/echo-session.js';
import { limitsOf } from '../../src/serve/index.js';
import { encodeFrame, encodePreface } from '../../src/wire/index.js';

const NEVER = new AbortController().signal;

describe('serve on loopback', () => {
  let ports: HostPorts;
  let folder: string;
  const running: Serve[] = [];
  before(async () => {
    ports = createHostPorts({ logLevel: 'none' });
    folder = await mkdtemp(join(tmpdir(), 'tautline-serve-'));
  });
  after(async () => {
    await Promise.all(running.map((serve) => serve.close()));
    await ports.close();
    await rm(folder, { recursive: true });
  });
  async function start(options: ServeOptions = {}): Promise<Serve> {
    const serve = await startServe(ports, { port: 0, ...options });
    running.push(serve);
    return serve;
  }
  function refusal(code: string, says: RegExp): (error: unknown) => boolean {
    return (error) => {
      assert.ok(error instanceof TautlineError);
      assert.equal(error.code, code);
      assert.match(`${error.message}: ${error.hint ?? ''}`, says);
      return true;
    };
  }
  function dial(port: number): Promise<Socket> {
    return new Promise((resolve) => {
      const socket = connect({ host: '127.0.0.1', port }, () => resolve(socket));
      socket.on('error', () => {});
      socket.resume();
    });
  }
  /** The server hears of a closed connection in its own time. */
  async function until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise(setImmediate);
  }
  async function control(serve: Serve): Promise<string> {
    const opened = await openControl({ ports, remote: { host: '127.0.0.1', port: serve.port, family: 4 }, timeoutMs: 3000, signal: NEVER });
    if (opened.outcome === 'ok') opened.control.close();
    return opened.outcome;
  }

  it('answers UDP, our TCP protocol and HTTP on one port, and nobody else without a key', async () => {
    const serve = await start();
    const remote = { host: '127.0.0.1', port: serve.port, family: 4 as const };
    assert.equal(serve.local.host, '127.0.0.1');
    assert.equal(await control(serve), 'ok');
    const echo = await openEchoSession({ ports, remote, timeoutMs: 3000, signal: NEVER });
    assert.equal(echo.outcome, 'ok');
    if (echo.outcome === 'ok') await echo.session.close();
    const client = ports.web.client();
    const small = await client.request({ url: `http://127.0.0.1:${serve.port}/small`, method: 'GET', timeoutMs: 3000 });
    client.close();
    assert.ok(small.outcome === 'ok' && small.status === 200 && small.bytes === 1);
    assert.match(serve.lines.join('\n'), new RegExp(`this host only[^]*tautline check 127\\.0\\.0\\.1:${serve.port}[^]*--key-file`));
  });

  it('counts and drops what is neither', async () => {
    const serve = await start();
    for (const bytes of ['SSH-2.0-x\r\n', '\0\0\0\0', 'GETX', 'TAUX', 'P', Buffer.alloc(5000, 0xff)]) {
      const socket = await dial(serve.port);
      socket.end(bytes);
      await once(socket, 'close');
    }
    await until(() => serve.counters()['tcpOpen'] === 0);
    assert.equal(serve.counters()['tcpGarbage'], 5);
    assert.equal(await control(serve), 'ok');
  });

  it('does not wait for peers that say nothing, too little, or stop in the handshake', async () => {
    const serve = await start({ limits: limitsOf({ firstBytesMs: 100, handshakeMs: 150 }) });
    const hello = encodeFrame({ type: 'hello', nonce: '00'.repeat(16) });
    for (const bytes of [
      undefined,
      'TAU',
      'GE',
      encodePreface(),
      new Uint8Array([...encodePreface(), ...hello.subarray(0, 10)]),
      new Uint8Array([...encodePreface(), ...hello]),
    ]) {
      const socket = await dial(serve.port);
      if (bytes !== undefined) socket.write(bytes);
      await once(socket, 'close');
    }
    await until(() => serve.counters()['tcpOpen'] === 0);
    assert.equal(serve.counters()['tcpSilent'], 3);
    assert.equal(serve.counters()['tcpHandshakeTimeouts'], 3);
    assert.equal(await control(serve), 'ok');
  });

  it('bounds connections that have not proved anything, and has room again when they go', async () => {
    const serve = await start({ limits: limitsOf({ unprovenConnectionsMax: 2 }) });
    const idle = [await dial(serve.port), await dial(serve.port)];
    const third = await dial(serve.port);
    await once(third, 'close');
    assert.equal(serve.counters()['tcpRefusedConnections'], 1);
    assert.notEqual(await control(serve), 'ok');
    for (const socket of idle) socket.destroy();
    await until(() => serve.counters()['tcpUnproven'] === 0);
    assert.equal(await control(serve), 'ok');
  });

  it('does not let one address that fills all places keep others out', { skip: process.platform !== 'linux' }, async () => {
    for (const limits of [{ unprovenConnectionsMax: 4 }, { connectionsMax: 4 }]) {
      const serve = await start({ limits: limitsOf(limits) });
      const silent = [];
      for (let i = 0; i < 4; i++) {
        const socket = connect({ port: serve.port, host: '127.0.0.1', localAddress: '127.0.0.2' });
        socket.on('error', () => {});
        await once(socket, 'connect');
        silent.push(once(socket, 'close'));
      }
      await until(() => serve.counters()['tcpConnections'] === 4);
      assert.equal(await control(serve), 'ok');
      await silent[0];
      assert.equal(serve.counters()['tcpYielded'], 1);
      assert.equal(serve.counters()['tcpRefusedConnections'], 0);
    }
  });

  it('says when the port is taken, for TCP and for UDP', async () => {
    const tcp = createServer();
    tcp.listen(0, '127.0.0.1');
    await once(tcp, 'listening');
    await assert.rejects(start({ port: (tcp.address() as AddressInfo).port }), refusal('io', /in use by another program.*--port/));
    tcp.close();
    const udp = createSocket('udp4');
    udp.bind(0, '127.0.0.1');
    await once(udp, 'listening');
    const { port } = udp.address();
    await assert.rejects(start({ port }), refusal('io', /UDP.*--port/));
    udp.close();
    // The TCP side that had been opened is closed again.
    const again = await start({ port });
    assert.equal(again.port, port);
  });

  it('refuses an address that others can reach without a key, and what is no address', async () => {
    for (const bind of ['0.0.0.0', '::', '192.0.2.1']) await assert.rejects(start({ bind }), refusal('usage', /without a key.*--key-file/));
    for (const bind of ['example.org', '', '1.2.3', 'eth0']) await assert.rejects(start({ bind }), refusal('usage', /is none.*127\.0\.0\.1/));
    for (const bind of ['127.0.0.1', 'localhost', '127.3.4.5']) assert.match((await start({ bind })).local.host, /^127\./);
  });

  it('takes a key file, answers everywhere with it, and complains about a bad one', async () => {
    const path = join(folder, 'tautline.key');
    await assert.rejects(start({ keyFile: path }), refusal('config', /no key file.*urandom/));
    await writeFile(path, '');
    await assert.rejects(start({ keyFile: path }), refusal('config', /shorter than 16/));
    await writeFile(path, '  fifteen chars 1 \n\n');
    await assert.rejects(start({ keyFile: path }), refusal('config', /shorter than 16/));
    await writeFile(path, 'sixteen letters!\n');
    await chmod(path, 0o644);
    const open = await start({ keyFile: path });
    assert.match(open.warnings.join('\n'), /everybody.*chmod 600/);
    assert.ok(['::', '0.0.0.0'].includes(open.local.host));
    assert.match(open.lines.join('\n'), /tautline check .*--key-file tautline\.key/);
    await chmod(path, 0o600);
    assert.deepEqual((await start({ keyFile: path, bind: '127.0.0.1' })).warnings, []);
  });

  it('lets go of its port when it closes, with connections open, and closes twice', async () => {
    const serve = await start();
    const idle = await dial(serve.port);
    await Promise.all([serve.close(), once(idle, 'close')]);
    await serve.close();
    assert.equal((await start({ port: serve.port })).port, serve.port);
  });
});

describe('explaining why a port cannot be listened on', () => {
  it('names the place and what to do for each cause', () => {
    const cases: readonly (readonly [string, number, string, RegExp])[] = [
      ['EADDRINUSE', 7227, 'io', /127\.0\.0\.1:7227 is in use/],
      ['EACCES', 80, 'permission', /below 1024 need root/],
      ['EACCES', 8080, 'permission', /another --port/],
      ['EADDRNOTAVAIL', 7227, 'usage', /not an address of this host/],
      ['EAFNOSUPPORT', 7227, 'unsupported', /has no IPv4/],
      ['EWHATEVER', 7227, 'io', /EWHATEVER/],
    ];
    for (const [code, port, kind, says] of cases) {
      const error = explainListen({ code, message: code }, '127.0.0.1', port);
      assert.equal(error.code, kind);
      assert.match(`${error.message}: ${error.hint ?? ''}`, says);
    }
  });
});
