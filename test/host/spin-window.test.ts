import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { seededRandom } from '../../src/base/index.js';
import { SpinWindow } from '../../src/host/datagrams/spin-window.js';

const INTERVAL_NS = 1e6;

function learned(latenessNs: (i: number) => number, intervalNs = INTERVAL_NS): number {
  const window = new SpinWindow(intervalNs);
  for (let i = 0; i < 256; i++) window.learn(latenessNs(i));
  return window.windowNs;
}

describe('how long before a due time to wake up', () => {
  test('a machine that wakes up punctually hardly spins', () => {
    assert.ok(learned(() => 1_000) <= 10_000);
  });

  test('the window covers nearly all wake-ups of a machine that is late evenly', () => {
    const random = seededRandom(1);
    const windowNs = learned(() => 10_000 + random.next() * 10_000);
    assert.ok(windowNs >= 19_500 && windowNs <= 26_000, String(windowNs));
  });

  test('rare long stalls are not chased: spinning stays within a small share of the interval', () => {
    const windowNs = learned((i) => (i % 10 === 0 ? 5e6 : 20_000));
    assert.ok(windowNs - 20_000 <= INTERVAL_NS / 50, String(windowNs));
  });

  test('a longer interval allows for more spinning', () => {
    const late = (i: number): number => (i % 10 === 0 ? 100_000 : 20_000);
    assert.ok(learned(late, 10e6) > learned(late, 1e6));
    assert.ok(learned(() => 50e6, 1e9) <= 300_000, 'up to a bound');
  });

  test('it follows a machine that calms down', () => {
    const window = new SpinWindow(INTERVAL_NS);
    for (let i = 0; i < 256; i++) window.learn(80_000);
    const before = window.windowNs;
    for (let i = 0; i < 256; i++) window.learn(5_000);
    assert.ok(before >= 80_000 && window.windowNs <= 12_000);
  });
});
