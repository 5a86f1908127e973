import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { wilson } from '../../src/stats/index.js';
import type { CheckDocument, MeasureDocument } from '../../src/results/index.js';
import { metric } from '../lab/tautline.js';
import { SERVED_PATH, measureKnownDelay, read } from './uml/served-path.js';
import { runUml, whyNoUml } from './uml/uml.js';

const skip = (await whyNoUml()) ?? false;

describe('a path with a delay that netem sets', { skip }, () => {
  for (const delayMs of [10, 50]) {
    test(`${delayMs} ms on the way out are measured within 50 us + 0.5 %`, async () => {
      const { foundMs, jitterMs, ping } = await measureKnownDelay(delayMs);
      const toleranceMs = 0.05 + 0.005 * delayMs;
      assert.ok(Math.abs(foundMs - delayMs) <= toleranceMs, `${foundMs} ms is not ${delayMs} ms within ${toleranceMs} ms (${ping})`);
      // The median may not hide behind the minimum: what lies between is this kernel's own jitter, which ping sees too.
      assert.ok(jitterMs <= toleranceMs + 1, `the median lies ${jitterMs} ms above the minimum`);
    });
  }

  test('a delay on one way is seen on that way: the other one does not vary with it', async () => {
    const { stdout, stderr } = await runUml(`${SERVED_PATH}
      near tc qdisc add dev path0 root netem delay 20ms 5ms
      measure echo --count 400 --interval 10ms`);
    const { details } = metric(read<MeasureDocument>(stdout, stderr).measurements, 'rtt');
    const spread = (way: string): number => ((details ?? {})[way] as Ways).aboveMinimumMs.median;
    assert.ok(spread('up') > 2 && spread('up') < 8, `up varies by ${spread('up')} ms`);
    assert.ok(spread('down') < 1, `down varies by ${spread('down')} ms`);
  });
});

describe('a path that loses, duplicates and reorders by netem', { skip }, () => {
  test('5 % loss on the way out is told as up, within its interval', async () => {
    const { stdout, stderr } = await runUml(`${SERVED_PATH}
      near tc qdisc add dev path0 root netem loss 5% limit 10000
      measure echo --count 3000 --interval 2ms`);
    const { details, loss } = metric(read<MeasureDocument>(stdout, stderr).measurements, 'rtt');
    const lost = details?.['lost'] as { readonly up: number; readonly down: number };
    const [low, high] = wilson(lost.up, loss?.sent ?? 0, 0.9999);
    assert.ok(low <= 0.05 && 0.05 <= high, `${lost.up} of ${loss?.sent}`);
    assert.equal(lost.down, 0);
  });

  test('duplicates and reordering are counted, and are not loss', async () => {
    const { stdout, stderr } = await runUml(`${SERVED_PATH}
      near tc qdisc add dev path0 root netem duplicate 10% limit 10000
      measure echo --count 1000 --interval 4ms
      echo ---
      near tc qdisc del dev path0 root
      near tc qdisc add dev path0 root netem delay 10ms reorder 25% limit 10000
      measure echo --count 1000 --interval 4ms`);
    const [first, second] = stdout.split('---\n');
    const duplicated = metric(read<MeasureDocument>(first, stderr).measurements, 'rtt');
    const reordered = metric(read<MeasureDocument>(second, stderr).measurements, 'rtt');
    assert.equal(duplicated.loss?.ratio, 0);
    assert.equal(reordered.loss?.ratio, 0);
    const [low, high] = wilson(total(duplicated.details?.['duplicates']), 1000, 0.9999);
    assert.ok(low <= 0.1 && 0.1 <= high, JSON.stringify(duplicated.details?.['duplicates']));
    assert.ok(total(reordered.details?.['reordered']) > 100, JSON.stringify(reordered.details?.['reordered']));
  });
});

describe('a path of 20 Mbit/s and 20 ms by netem', { skip }, () => {
  test('throughput is the rate, and the queue shows as latency under load', async () => {
    const { stdout, stderr } = await runUml(`${SERVED_PATH}
      near tc qdisc add dev path0 root netem rate 20mbit delay 20ms limit 200
      near sysctl -qw net.ipv4.tcp_congestion_control=cubic
      measure throughput --direction up --duration 6s --omit 2s`);
    const { measurements } = read<MeasureDocument>(stdout, stderr);
    const rate = metric(measurements, 'throughput.up').summary?.mean ?? Number.NaN;
    const expected = 20e6 * (1448 / 1514);
    assert.ok(Math.abs(rate / expected - 1) <= 0.05, `${rate} is not ${expected}`);
    const idle = metric(measurements, 'rtt.idle').summary?.median ?? Number.NaN;
    const loaded = metric(measurements, 'rtt.loaded.up').summary?.median ?? Number.NaN;
    assert.ok(idle >= 20 && idle < 23, `idle ${idle} ms`);
    assert.ok(loaded > idle + 20, `loaded ${loaded} ms, idle ${idle} ms`);
  });

  test('check gives delay, loss and rate of the whole path at once', async () => {
    const { stdout, stderr } = await runUml(`${SERVED_PATH}
      near tc qdisc add dev path0 root netem rate 20mbit delay 20ms loss 1% limit 1000
      near sysctl -qw net.ipv4.tcp_congestion_control=bbr || true
      check`);
    const target = read<CheckDocument>(stdout, stderr).subjects.find(({ role }) => role === 'target');
    assert.ok(target);
    const rtt = metric(
      target.measurements.filter(({ probe }) => probe === 'echo'),
      'rtt',
    );
    assert.ok(rtt.summary && rtt.summary.min >= 20 && rtt.summary.min < 20.6, JSON.stringify(rtt.summary));
    const [low, high] = wilson((rtt.loss?.sent ?? 0) - (rtt.loss?.received ?? 0), rtt.loss?.sent ?? 0, 0.9999);
    assert.ok(low <= 0.01 && 0.01 <= high, JSON.stringify(rtt.loss));
    const down = metric(target.measurements, 'throughput.down');
    const up = metric(target.measurements, 'throughput.up');
    assert.ok((up.summary?.mean ?? Infinity) <= 20e6, 'not above what the path can carry');
    assert.ok((down.summary?.mean ?? 0) > (up.summary?.mean ?? Infinity), 'the way back is not shaped');
  });
});

interface Ways {
  readonly aboveMinimumMs: { readonly median: number };
}

/** A count, or counts by direction. */
function total(value: unknown): number {
  if (typeof value === 'number') return value;
  return Object.values(value as Readonly<Record<string, number>>).reduce((sum, n) => sum + n, 0);
}
