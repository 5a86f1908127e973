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

  test('variables are set and taken away', async () => {
    const script = 'console.log(process.env.TAUTLINE_GIVEN, process.env.HOME, process.env.LC_ALL)';
    const result = await commands.run(process.execPath, ['-e', script], {
      timeoutMs: 20_000,
      environment: { TAUTLINE_GIVEN: 'yes', HOME: undefined },
    });
    assert.deepEqual(result, { outcome: 'exited', code: 0, stdout: 'yes undefined C\n', stderr: '' });
  });

  test('without a terminal a program leads a session of its own and cannot open one', async () => {
    const look = 'echo $(($(cut -d" " -f6 /proc/$$/stat) == $$)); (: </dev/tty) 2>/dev/null && echo open || echo shut';
    const result = await commands.run(
      'sh',
      ['-c', process.platform === 'linux' ? look : 'echo 1; (: </dev/tty) 2>/dev/null && echo open || echo shut'],
      {
        timeoutMs: 20_000,
        terminal: 'none',
      },
    );
    assert.equal(result.outcome === 'exited' ? result.stdout : '', '1\nshut\n');
  });

  test('without a terminal what a program started ends with it when it is cut short', { timeout: 30_000 }, async () => {
    // The inner program holds the output open and does not hear SIGINT: the run ends only once it is gone too.
    const result = await commands.run('sh', ['-c', 'sleep 600 & echo started; wait'], { timeoutMs: 400, terminal: 'none' });
    assert.deepEqual(result, { outcome: 'timeout', stdout: 'started\n', stderr: '' });
  });

  for (const [name, script] of [
    ['that is cut short', 'sleep 60 & echo $!; wait'],
    ['that has ended', 'sleep 60 & echo $!'],
  ] as const) {
    test(`what a program ${name} leaves behind with its output open is not waited for`, { timeout: 30_000 }, async () => {
      const result = await commands.run('sh', ['-c', script], { timeoutMs: 400 });
      assert.equal(result.outcome, 'timeout');
      const left = Number(result.outcome === 'timeout' ? result.stdout : Number.NaN);
      assert.ok(left > 0, JSON.stringify(result));
      // It still runs, and is this test's to end.
      process.kill(left, 'SIGKILL');
    });
  }

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
