import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { HttpRequest } from '../../src/base/index.js';
import { PAGE_BYTES, PREFS } from './bench.js';
import type { Bench } from './bench.js';

export function webBehaves(bench: () => Bench): void {
  const request = (path: string, options: Partial<HttpRequest> = {}) =>
    bench().run(async () => {
      const client = bench().ports.web.client();
      try {
        return await client.request({ url: `${bench().web.url}${path}`, method: 'GET', timeoutMs: 5000, ...options });
      } finally {
        client.close();
      }
    });

  describe('web: requests', () => {
    test('a page is fetched, counted and timed by phase', async () => {
      const got = await request('/');
      assert.ok(got.outcome === 'ok', JSON.stringify(got));
      assert.deepEqual([got.status, got.bytes, got.reused], [200, PAGE_BYTES, false]);
      assert.ok((got.connectMs ?? 0) > 0 && got.ttfbMs > 0 && got.totalMs >= (got.connectMs ?? 0) + got.ttfbMs);
      assert.equal(got.tlsMs, undefined, 'there is no TLS in http');
    });

    test('HEAD has no body', async () => {
      const got = await request('/', { method: 'HEAD' });
      assert.deepEqual(got.outcome === 'ok' ? [got.status, got.bytes] : got, [200, 0]);
    });

    test('what is not there is a 404, and no failure', async () => {
      const got = await request('/nowhere');
      assert.equal(got.outcome === 'ok' ? got.status : got.outcome, 404);
    });

    test('a second request uses the connection again', async () => {
      const outcomes = await bench().run(async () => {
        const client = bench().ports.web.client();
        const ask = () => client.request({ url: `${bench().web.url}/`, method: 'GET', timeoutMs: 5000 });
        const both = [await ask(), await ask()];
        client.close();
        return both;
      });
      const [, second] = outcomes;
      assert.ok(second?.outcome === 'ok' && second.reused);
      assert.equal(second.connectMs, undefined);
    });

    test('a refused port is refused', async () => {
      const got = await request('', { url: bench().web.closedUrl });
      assert.equal(got.outcome, 'refused');
    });

    test('an aborted request fails', async () => {
      const controller = new AbortController();
      controller.abort();
      assert.equal((await request('/', { signal: controller.signal })).outcome, 'failed');
    });

    test('what is no URL fails, and does not throw', async () => {
      assert.equal((await request('', { url: 'not a url' })).outcome, 'failed');
    });

    test('TLS to a port that does not speak it fails', async () => {
      const { hostname, port } = new URL(bench().web.url);
      const got = await bench().run(() =>
        bench().ports.web.tls({ remote: { host: hostname, port: Number(port), family: 4 }, serverName: hostname, timeoutMs: 5000 }),
      );
      assert.equal(got.outcome, 'failed');
    });
  });

  describe('web: Unix sockets', () => {
    const url = 'http://local/';

    test('a page is fetched over one, whatever the URL calls the host', async () => {
      const got = await request('', { url, socketPath: bench().sockets.page });
      assert.ok(got.outcome === 'ok', JSON.stringify(got));
      assert.deepEqual([got.status, got.bytes, got.dnsMs], [200, PAGE_BYTES, undefined]);
    });

    test('a PATCH carries its body, changes what it marks, and what it changed is read again', async () => {
      const body = JSON.stringify({ Hostname: 'Zürich', HostnameSet: true, RouteAll: true });
      const headers = { 'content-type': 'application/json' };
      const socketPath = bench().sockets.prefs;
      const changed = await request('', { url, socketPath, method: 'PATCH', body, headers, keepBytesMax: 1000 });
      const read = await request('', { url, socketPath, keepBytesMax: 1000 });
      for (const got of [changed, read]) {
        assert.ok(got.outcome === 'ok' && got.status === 200, JSON.stringify(got));
        assert.deepEqual(JSON.parse(new TextDecoder().decode(got.body)), { ...PREFS, Hostname: 'Zürich' });
      }
    });

    test('a second request uses the connection again, and another socket does not', async () => {
      const outcomes = await bench().run(async () => {
        const client = bench().ports.web.client();
        const ask = (socketPath: string) => client.request({ url, socketPath, method: 'GET', timeoutMs: 500 });
        const all = [await ask(bench().sockets.page), await ask(bench().sockets.page), await ask(bench().sockets.missing)];
        client.close();
        return all.map((got) => (got.outcome === 'ok' ? got.reused : got.outcome));
      });
      assert.deepEqual(outcomes, [false, true, 'refused']);
    });

    test('one that is not there is refused, and told from one that was left behind', async () => {
      const missing = await request('', { url, socketPath: bench().sockets.missing });
      const ended = await request('', { url, socketPath: bench().sockets.ended });
      assert.deepEqual(
        [missing, ended].map((got) => (got.outcome === 'ok' ? got : [got.outcome, got.errno])),
        [
          ['refused', 'ENOENT'],
          ['refused', 'ECONNREFUSED'],
        ],
      );
      assert.match(JSON.stringify(missing), /there is no socket .*missing/);
      assert.match(JSON.stringify(ended), /nobody listens on .*ended/);
    });

    test('one that hangs ends with the timeout, and says which', async () => {
      const got = await request('', { url, socketPath: bench().sockets.mute, timeoutMs: 100 });
      assert.ok(got.outcome === 'timeout', JSON.stringify(got));
      assert.match(got.reason, /mute\.sock accepted the connection, but did not answer the request within 100 ms/);
    });

    test('a hung request can be aborted', async () => {
      const controller = new AbortController();
      const asking = request('', { url, socketPath: bench().sockets.mute, timeoutMs: 3600e3, signal: controller.signal });
      controller.abort();
      assert.equal((await asking).outcome, 'failed');
    });
  });

  describe('web: load', () => {
    for (const [direction, path] of [
      ['down', '/large'],
      ['up', '/upload'],
    ] as const) {
      test(`goes ${direction} until it is closed`, async () => {
        await bench().run(async () => {
          const load = await bench().ports.web.load({ url: `${bench().web.url}${path}`, direction, timeoutMs: 5000 });
          for (let tried = 0; tried < 500 && load.bytes() < 100_000; tried++) await bench().ports.clock.sleep(10);
          assert.ok(load.bytes() >= 100_000, `${load.bytes()} bytes, ${load.failure}`);
          assert.equal(load.failure, undefined);
          load.close();
          load.close();
        });
      });
    }

    test('one that cannot start says why, and does not reject', async () => {
      const load = await bench().run(() => bench().ports.web.load({ url: bench().web.closedUrl, direction: 'down', timeoutMs: 5000 }));
      assert.match(load.failure ?? '', /refuse/);
      assert.equal(load.bytes(), 0);
      load.close();
    });
  });
}
