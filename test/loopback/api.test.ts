import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { TautlineError, check, measure } from '../../src/index.js';

test('a program measures and checks as the command line does', async () => {
  const server = createServer((socket) => socket.resume().on('error', () => undefined));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const target = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    const { measurements } = await measure('tcp', target, { probeOptions: { count: 5, intervalMs: 5 } });
    assert.deepEqual([measurements[0]?.outcome, measurements[0]?.summary?.n], ['ok', 5]);
    const stop = new AbortController();
    stop.abort();
    const { interrupted, subjects } = await check(target, { depth: 'quick', signal: stop.signal });
    assert.deepEqual([interrupted, subjects.length], [true, 1]);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});

test('what cannot be understood is an error with a code and a hint', async () => {
  await assert.rejects(
    measure('pong', '10.0.0.1'),
    (error) => error instanceof TautlineError && error.code === 'usage' && error.hint === "did you mean 'ping'?",
  );
  await assert.rejects(check('ftp://x'), { code: 'usage' });
});
