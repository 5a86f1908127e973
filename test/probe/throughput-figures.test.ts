import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PumpInterval } from '../../src/base/index.js';
import { makerOf } from '../../src/probe/measuring.js';
import type { DirectionResult } from '../../src/probe/stream-test.js';
import { fairness, tcpRttMs, throughputMeasurement } from '../../src/probe/throughput-figures.js';
import type { FigureOptions } from '../../src/probe/throughput-figures.js';
import type { Measurement } from '../../src/results/index.js';
import type { PumpReport } from '../../src/wire/index.js';

const make = makerOf('throughput', {
  target: { text: 'host:7227', host: 'host', port: 7227 },
  path: 'default',
  ports: { clock: { nowMs: () => 0, nowNs: () => 0n, wallMs: () => 0, sleep: () => Promise.resolve() } } as unknown as Parameters<
    typeof makerOf
  >[1]['ports'],
});
const OPTIONS: FigureOptions = { make, seed: 1, streams: 1, omitMs: 200, intervalMs: 100, copy: false, also: [] };

/** Intervals of 100 ms that moved so many bytes. */
function intervals(...bytes: number[]): PumpInterval[] {
  return bytes.map((moved, i) => ({ startMs: 100 * i, endMs: 100 * (i + 1), bytes: [moved], tcp: [undefined] }));
}

function report(direction: 'up' | 'down', more: Partial<PumpReport> = {}): PumpReport {
  return {
    direction,
    bytes: [0],
    elapsedMs: 0,
    tcp: [undefined],
    method: 'native',
    fallbacks: [],
    cpuMs: 1,
    broken: 0,
    aborted: false,
    ...more,
  };
}

function result(parts: Partial<DirectionResult>): DirectionResult {
  return { direction: 'up', intervals: [], senderIntervals: [], receiver: report('up'), sender: report('up'), cut: undefined, ...parts };
}

function causes(measurement: Measurement): string {
  return measurement.error?.from.join('\n') ?? '';
}

describe('throughput figures', () => {
  it('leave out the warm-up and sum up what follows in bits per second', () => {
    const measurement = throughputMeasurement(result({ intervals: intervals(1, 2, 12_500, 12_500, 25_000) }), OPTIONS);
    assert.equal(measurement.outcome, 'ok');
    assert.deepEqual([measurement.summary?.n, measurement.summary?.min, measurement.summary?.median, measurement.summary?.max], [3, 1e6, 1e6, 2e6]);
    assert.equal(measurement.details?.['goodputBps'], (50_000 * 8000) / 300);
    assert.equal(measurement.details?.['omittedMs'], 200);
  });

  it('give a line within an interval to its larger part', () => {
    for (const [omitMs, from] of [
      [240, 200],
      [260, 300],
    ] as const) {
      const { details } = throughputMeasurement(result({ intervals: intervals(1, 1, 1, 1, 1) }), { ...OPTIONS, omitMs });
      assert.equal(details?.['omittedMs'], from);
    }
  });

  it('do not sum up a short last interval, but count its bytes', () => {
    const cut: PumpInterval = { startMs: 500, endMs: 510, bytes: [1000], tcp: [undefined] };
    const { summary, details } = throughputMeasurement(result({ intervals: [...intervals(0, 0, 12_500, 12_500, 12_500), cut] }), OPTIONS);
    assert.equal(summary?.n, 3);
    assert.equal(details?.['goodputBps'], (38_500 * 8000) / 310);
  });

  it('count the warm-up when the run ended within it, and say so', () => {
    const measurement = throughputMeasurement(result({ intervals: intervals(12_500) }), OPTIONS);
    assert.equal(measurement.summary?.median, 1e6);
    assert.match(causes(measurement), /short run: it ended within its warm-up/);
  });

  it('keep partial figures with the reason, and are lost or unchecked without any byte', () => {
    const partial = throughputMeasurement(
      result({ intervals: intervals(1, 1, 1, 1), cut: 'the server closed the connection or died', receiver: undefined }),
      OPTIONS,
    );
    assert.deepEqual([partial.outcome, partial.partial], ['ok', true]);
    assert.match(partial.reason ?? '', /died/);
    assert.equal(partial.details?.['bytes'], 4);
    const lost = throughputMeasurement(result({ cut: 'the server did not report in time' }), OPTIONS);
    assert.deepEqual([lost.outcome, lost.partial, lost.summary], ['lost', true, undefined]);
    assert.equal(throughputMeasurement(result({ cut: 'interrupted' }), OPTIONS).outcome, 'unchecked');
    assert.deepEqual(
      [throughputMeasurement(result({}), OPTIONS).outcome, throughputMeasurement(result({}), OPTIONS).reason],
      ['lost', 'no bytes arrived'],
    );
  });

  it('are no rate where the receiver read in a moment what had piled up for seconds', () => {
    const burst: PumpInterval = { startMs: 0, endMs: 0.1, bytes: [350_000], tcp: [undefined] };
    const asked = { ...OPTIONS, durationMs: 2500 };
    const starved = throughputMeasurement(result({ intervals: [burst], receiver: report('up', { bytes: [350_000] }) }), asked);
    assert.deepEqual([starved.outcome, starved.summary, starved.partial], ['unchecked', undefined, true]);
    assert.match(starved.reason ?? '', /^no rate can be told: all 350\.0 kB came within 100\.0 us of the 2500 ms asked for/);
    assert.equal(starved.details?.['bytes'], 350_000, 'what came is told');
    assert.equal(throughputMeasurement(result({ intervals: intervals(1, 1, 1) }), asked).outcome, 'ok', 'an eighth of the time is enough');
    const broken = throughputMeasurement(result({ intervals: intervals(1, 1), cut: 'the server closed the connection or died' }), asked);
    assert.equal(broken.outcome, 'ok', 'a run that broke off has the figures until then');
    assert.equal(throughputMeasurement(result({ intervals: [burst] }), OPTIONS).outcome, 'ok', 'an amount takes as long as it takes');
  });

  it('name a saturated processor, fallbacks, and few intervals as causes of error', () => {
    const busy = throughputMeasurement(
      result({
        intervals: intervals(1, 1, 1, 1),
        sender: report('up', { busiest: 0.99 }),
        receiver: report('up', { busiest: 0.5, fallbacks: ['bulk data moved by Node streams'] }),
      }),
      { ...OPTIONS, also: ['limit: the server allows 5 ms'] },
    );
    assert.match(causes(busy), /processor: the sender's busiest thread computed 99 %/);
    assert.doesNotMatch(causes(busy), /receiver's busiest/);
    assert.match(causes(busy), /receiver: bulk data moved by Node streams/);
    assert.match(causes(busy), /only 2 intervals/);
    assert.match(causes(busy), /limit:/);
  });

  it('widen the error by what losses held back', () => {
    const burst = intervals(0, 0, 1e6, 5e6, 1e6, 1e6, 1e6, 1e6);
    const tcp = (retransmits: number): PumpReport => report('up', { tcp: [{ retransmits, rttMs: 1, rttVarMs: 1 }] });
    const clean = throughputMeasurement(result({ intervals: burst, sender: tcp(0) }), OPTIONS);
    const lossy = throughputMeasurement(result({ intervals: burst, sender: tcp(3) }), OPTIONS);
    assert.equal((lossy.error?.value ?? 0) - (clean.error?.value ?? 0), (4e6 * 8000) / 600);
    assert.match(causes(lossy), /retransmissions/);
  });

  it("tell what the sender's kernel knew, stream by stream and interval by interval", () => {
    const info = { retransmits: 2, rttMs: 10, rttVarMs: 1, cwndSegments: 7, minRttMs: 9, deliveryRateBps: 1e6, congestion: 'cubic' };
    const senderIntervals = intervals(1, 1, 1).map((interval) => ({ ...interval, tcp: [info] }));
    const direction = result({
      intervals: intervals(10, 10, 10),
      senderIntervals,
      sender: report('up', { tcp: [info] }),
      receiver: report('up', { bytes: [30], elapsedMs: 300 }),
    });
    const { details } = throughputMeasurement(direction, OPTIONS);
    assert.deepEqual([details?.['retransmits'], details?.['congestion'], details?.['bytes']], [2, 'cubic', 30]);
    const { congestion: _, ...kept } = info;
    assert.deepEqual(details?.['perStream'], [{ bytes: 30, bps: 800, ...kept }]);
    assert.deepEqual(details?.['intervals'][1], {
      startMs: 100,
      endMs: 200,
      bytes: 10,
      bps: 800,
      retransmits: 2,
      rttMs: 10,
      cwndSegments: 7,
    });
    assert.equal(tcpRttMs(direction, 100), 10);
    assert.equal(tcpRttMs(result({}), 0), undefined);
  });
});

describe("Jain's fairness index", () => {
  it('is 1 for equal shares, 1/n for one that takes all, and as published in between', () => {
    assert.equal(fairness([5, 5, 5, 5]), 1);
    assert.equal(fairness([8, 0, 0, 0]), 0.25);
    // Jain, Chiu, Hawe 1984: of n users k share equally, the rest get nothing: k/n.
    assert.equal(fairness([3, 3, 0, 0, 0]), 0.4);
    assert.equal(fairness([0, 0]), 1);
  });
});
