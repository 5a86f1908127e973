import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { PumpMeter } from '../../src/host/streams/pump-meter.js';
import type { PumpInterval } from '../../src/base/index.js';

describe('pump meter', () => {
  let nowMs = 5000;
  let bytes = [0, 0];
  let timer: { readonly ms: number; readonly call: () => void } | undefined;
  const source = {
    streams: 2,
    originMs: (): number => 5000,
    bytes: (i: number): number => bytes[i] ?? 0,
    tcp: () => undefined,
    nowMs: (): number => nowMs,
    after: (ms: number, call: () => void): (() => void) => {
      timer = { ms, call };
      return () => (timer = undefined);
    },
  };
  /** Lets the timer fire after `ms`, whatever it was set to. */
  const pass = (ms: number, more: number[]): void => {
    nowMs += ms;
    bytes = bytes.map((sum, i) => sum + (more[i] ?? 0));
    timer?.call();
  };
  beforeEach(() => {
    nowMs = 5000;
    bytes = [0, 0];
    timer = undefined;
  });

  it("cuts intervals on a grid from the first byte, with each stream's own bytes", () => {
    const told: PumpInterval[] = [];
    const meter = new PumpMeter(source, 100, (interval) => told.push(interval));
    meter.start();
    pass(100, [10, 1]);
    pass(100, [20, 2]);
    bytes = [33, 3];
    const intervals = meter.finish(230);
    assert.deepEqual(
      intervals.map(({ startMs, endMs, bytes: moved }) => [startMs, endMs, moved]),
      [
        [0, 100, [10, 1]],
        [100, 200, [20, 2]],
        [200, 230, [3, 0]],
      ],
    );
    assert.equal(told.length, 3);
    assert.equal(timer, undefined);
  });

  it('lets a late timer make an interval longer, not its rate wrong, and stays on the grid', () => {
    const meter = new PumpMeter(source, 100);
    meter.start();
    assert.equal(timer?.ms, 100);
    pass(150, [15, 0]);
    assert.equal(timer?.ms, 50);
    pass(50, [5, 0]);
    assert.deepEqual(
      meter.finish(200).map(({ endMs, bytes: moved }) => [endMs, moved[0]]),
      [
        [150, 15],
        [200, 5],
      ],
    );
  });

  it('does not take the line that an early timer just missed for the next one', () => {
    const meter = new PumpMeter(source, 100);
    meter.start();
    pass(99.5, [10, 0]);
    assert.equal(timer?.ms, 100.5);
    pass(100.5, [10, 0]);
    assert.deepEqual(
      meter.finish(200).map(({ endMs }) => endMs),
      [99.5, 200],
    );
  });

  it('keeps no interval beyond the last byte', () => {
    const meter = new PumpMeter(source, 100);
    meter.start();
    pass(100, [10, 0]);
    pass(100, [5, 0]);
    pass(100, [0, 0]);
    assert.deepEqual(
      meter.finish(150).map(({ startMs, endMs }) => [startMs, endMs]),
      [
        [0, 100],
        [100, 150],
      ],
    );
  });

  it('has one interval for a run shorter than one, and none for a run without bytes', () => {
    bytes = [7, 0];
    assert.deepEqual(
      new PumpMeter(source, 100).finish(3).map(({ startMs, endMs, bytes: moved }) => [startMs, endMs, moved]),
      [[0, 3, [7, 0]]],
    );
    bytes = [0, 0];
    assert.deepEqual(new PumpMeter(source, 100).finish(0), []);
  });
});
