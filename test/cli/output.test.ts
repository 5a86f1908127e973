import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TautlineError } from '../../src/base/index.js';
import { ResultOutput } from '../../src/cli/output.js';
import type { OutputFiles } from '../../src/cli/output.js';
import { fakeTerminal } from './fake-terminal.js';

function fakeFiles(trouble: { check?: Error; write?: Error } = {}): OutputFiles & { readonly written: string[] } {
  const written: string[] = [];
  return {
    written,
    readText: () => Promise.resolve(undefined),
    checkWritable: () => (trouble.check ? Promise.reject(trouble.check) : Promise.resolve()),
    writeText: (path, text) => {
      if (trouble.write) return Promise.reject(trouble.write);
      written.push(`${path}: ${text}`);
      return Promise.resolve();
    },
  };
}

const full = new TautlineError('io', 'cannot write /x: the disk is full', { hint: 'free some space' });

describe('where the result goes', () => {
  test('to stdout, ending in one line break, unless a file is named', async () => {
    const terminal = fakeTerminal();
    const output = new ResultOutput({ files: fakeFiles(), terminal }, {});
    await output.prepare();
    assert.equal(await output.write('result'), true);
    assert.equal(await output.write('result\n'), true);
    assert.deepEqual(terminal.out, ['result\n', 'result\n']);
  });

  test('to the file alone when one is named', async () => {
    const terminal = fakeTerminal();
    const files = fakeFiles();
    const output = new ResultOutput({ files, terminal }, { path: '/x' });
    await output.prepare();
    assert.equal(await output.write('result'), true);
    assert.deepEqual([files.written, terminal.out, terminal.err], [['/x: result\n'], [], []]);
  });

  test('a file that cannot be written is told before measuring, and the result is not lost', async () => {
    const terminal = fakeTerminal();
    const output = new ResultOutput({ files: fakeFiles({ check: full }), terminal }, { path: '/x' });
    await output.prepare();
    assert.match(
      terminal.err.join(''),
      /^tautline: cannot write \/x: the disk is full\n {2}hint: free some space; the result goes to stdout instead\n$/,
    );
    assert.equal(await output.write('result'), false);
    assert.deepEqual(terminal.out, ['result\n']);
  });

  test('a page beside it goes to its own file, and one that cannot be written costs nothing else', async () => {
    const terminal = fakeTerminal();
    const files = fakeFiles();
    const page = new ResultOutput({ files, terminal }, { path: '/x.html', beside: true });
    await page.prepare();
    assert.equal(await page.write('page'), true);
    assert.deepEqual([files.written, terminal.out], [['/x.html: page\n'], []]);
    const missed = new ResultOutput({ files: fakeFiles({ check: full }), terminal }, { path: '/x.html', beside: true });
    await missed.prepare();
    assert.equal(await missed.write('page'), false);
    assert.deepEqual(terminal.out, []);
    assert.match(terminal.err.join(''), /the disk is full/);
  });

  test('a disk that fills up while measuring loses nothing either', async () => {
    const terminal = fakeTerminal();
    const output = new ResultOutput({ files: fakeFiles({ write: full }), terminal }, { path: '/x' });
    await output.prepare();
    assert.deepEqual(terminal.err, []);
    assert.equal(await output.write('result'), false);
    assert.deepEqual(terminal.out, ['result\n']);
    assert.match(terminal.err.join(''), /disk is full/);
  });
});
