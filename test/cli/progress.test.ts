import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createProgress } from '../../src/cli/progress.js';
import { fakeTerminal } from './fake-terminal.js';

const PLAN = { lines: ['ping a and echo a', 'throughput a'], totalMs: 15_400 };

describe('progress', () => {
  test('without a terminal it is one line a step', () => {
    const terminal = fakeTerminal();
    const progress = createProgress(terminal, { quiet: false });
    progress.planned(PLAN);
    progress.update('ping a', 15_000);
    progress.update('ping a', 14_000);
    progress.update('throughput a', 200);
    progress.update('looking', undefined);
    progress.done();
    assert.deepEqual(terminal.err, [
      'plan, about 15 s:\n  ping a and echo a\n  throughput a\n',
      'ping a (about 15 s left)\n',
      'throughput a (about 1 s left)\n',
      'looking\n',
    ]);
  });

  test('on a terminal it is one line that is written over and wiped at the end', () => {
    const terminal = fakeTerminal({ stderrIsTty: true, width: 24 });
    const progress = createProgress(terminal, { quiet: false });
    progress.update('throughput up 10.0.0.1', 5000);
    progress.update('throughput up 10.0.0.1', 5000);
    progress.done();
    assert.deepEqual(terminal.err, ['\r\u001b[2Kthroughput up 10.0.0.1 ', '\r\u001b[2K']);
  });

  test('quiet is quiet', () => {
    const terminal = fakeTerminal({ stderrIsTty: true });
    const progress = createProgress(terminal, { quiet: true });
    progress.planned(PLAN);
    progress.update('ping', 1);
    progress.done();
    assert.deepEqual(terminal.err, []);
  });
});
