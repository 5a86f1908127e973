/**
 * Imports test files one after another into this process; node:test runs what they declare. One
 * process for hundreds of files is many times faster than a process a file, and it proves that no
 * test leaves anything behind: the last test looks.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';

/** What may still be open at the end: the pipes to the parent. */
const STANDARD_STREAMS = ['PipeWrap', 'TTYWrap', 'FSReqPromise', 'FSReqCallback', 'CloseReq', 'Immediate'];

for (const file of process.argv.slice(2)) {
  try {
    await import(pathToFileURL(file).href);
  } catch (error) {
    test(`${file} loads`, () => {
      throw error;
    });
  }
}

test('nothing that the tests opened is left open', async () => {
  // What has just been closed is gone some turns of the event loop later.
  let open = [];
  for (let turn = 0; turn < 10; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    open = process.getActiveResourcesInfo().filter((kind) => !STANDARD_STREAMS.includes(kind));
    if (open.length === 0) break;
  }
  // A leak must fail this test and not keep the process from telling so.
  if (open.length > 0) {
    for (const handle of process._getActiveHandles()) handle.unref?.();
    setTimeout(() => process.exit(1), 5_000).unref();
  }
  assert.deepEqual(open, []);
});
