import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createCommands } from '../../src/host/commands.js';
import { createLog } from '../../src/host/log.js';

describe('commands', () => {
  const commands = createCommands();

  test('output and exit code are handed over, and nothing goes through a shell', async () => {
    const result = await commands.run(process.execPath, ['-e', 'console.log(process.argv[1]); console.error("e"); process.exitCode = 3', '$HOME;x'], {
      timeoutMs: 20_000,
    });
    assert.deepEqual(result, { outcome: 'exited', code: 3, stdout: '$HOME;x\n', stderr: 'e\n' });
  });

  test('a program that does not exist is missing', async () => {
    assert.deepEqual(await commands.run('/none/tautline-no-such-program', [], { timeoutMs: 1000 }), { outcome: 'missing' });
  });

  test('a program that is cut short hands over what it printed', async () => {
    const stop = new AbortController();
    stop.abort();
    const result = await commands.run(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { timeoutMs: 20_000, signal: stop.signal });
    assert.equal(result.outcome, 'timeout');
  });

  test('output beyond the limit is cut', async () => {
    const result = await commands.run(process.execPath, ['-e', 'process.stdout.write("x".repeat(5 * 1024 * 1024))'], { timeoutMs: 20_000 });
    assert.equal(result.outcome === 'exited' ? result.stdout.length : 0, 4 * 1024 * 1024);
  });
});

describe('log', () => {
  test('messages below the level are dropped', () => {
    const written: string[] = [];
    const log = createLog({ level: 'info', write: (text) => written.push(text) });
    log.debug('a');
    log.info('b');
    log.warn('c');
    assert.deepEqual(written, ['tautline: b\n', 'tautline: warning: c\n']);
    createLog({ level: 'none', write: (text) => written.push(text) }).warn('d');
    assert.equal(written.length, 2);
  });
});
