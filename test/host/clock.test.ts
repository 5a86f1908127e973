import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createClock } from '../../src/host/index.js';

describe('the machine’s clock', () => {
  const clock = createClock();

  test('a sleep that is over at once resolves, as does one that was aborted before', async () => {
    await clock.sleep(0);
    await clock.sleep(-5);
    await clock.sleep(3_600_000, AbortSignal.abort());
  });

  test('a sleep too long for one timer does not end at once', async () => {
    const controller = new AbortController();
    let over = false;
    const sleeping = clock.sleep(3_000_000_000, controller.signal).then(() => (over = true));
    await clock.sleep(2);
    assert.equal(over, false);
    controller.abort();
    await sleeping;
  });

  test('wall time is milliseconds since 1970', () => {
    const before = Date.now();
    const wallMs = clock.wallMs();
    // performance and Date read the wall clock at different moments, and only Date follows it when it is set.
    assert.ok(Math.abs(wallMs - before) < 60_000, `${wallMs} and ${before}`);
  });
});
