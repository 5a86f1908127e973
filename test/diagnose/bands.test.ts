import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DEFAULT_BANDS, bandOf, bandProblem, resolveBands, scaleOf } from '../../src/diagnose/index.js';
import { BANDS } from '../../src/results/index.js';

const scale = (metric: string) => {
  const found = scaleOf(metric, DEFAULT_BANDS);
  assert.ok(found, metric);
  return found;
};

describe('rating bands', () => {
  it('are what the product promises for latency, throughput, responses and SSH', () => {
    const cases = [
      ['rtt', 1.99, 'excellent'],
      ['rtt', 2, 'good'],
      ['rtt', 4.99, 'good'],
      ['rtt', 5, 'fair'],
      ['rtt', 9.99, 'fair'],
      ['rtt', 10, 'poor'],
      ['throughput.up', 400.1e6, 'excellent'],
      ['throughput.up', 400e6, 'good'],
      ['throughput.down', 200e6, 'fair'],
      ['throughput.down', 100e6, 'fair'],
      ['throughput.down', 99.9e6, 'poor'],
      ['http.total', 49, 'excellent'],
      ['http.total', 99, 'good'],
      ['http.total', 199, 'fair'],
      ['http.total', 200, 'poor'],
      ['ssh', 99, 'excellent'],
      ['ssh', 499, 'good'],
      ['ssh', 999, 'fair'],
      ['ssh', 1000, 'poor'],
    ] as const;
    for (const [metric, figure, band] of cases) assert.equal(bandOf(figure, scale(metric)), band, `${metric} ${figure}`);
  });

  it('have a source each and pass their own validation', () => {
    for (const [metric, each] of Object.entries(DEFAULT_BANDS)) {
      assert.equal(bandProblem(metric, each), undefined, metric);
      assert.ok(each.why.length > 20, metric);
    }
  });

  it('have no gaps: any figure has one band, and a better figure never a worse one', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.keys(DEFAULT_BANDS)),
        fc.double({ min: 0, max: 1e12, noNaN: true }),
        fc.double({ min: 0, max: 1e12, noNaN: true }),
        (metric, a, b) => {
          const each = scale(metric);
          const [better, worse] = each.better === 'lower' ? [Math.min(a, b), Math.max(a, b)] : [Math.max(a, b), Math.min(a, b)];
          assert.ok(BANDS.indexOf(bandOf(better, each)) <= BANDS.indexOf(bandOf(worse, each)));
        },
      ),
      { seed: 1 },
    );
  });

  it('of a metric hold for its parts unless these have their own', () => {
    assert.equal(scaleOf('throughput.up', DEFAULT_BANDS), DEFAULT_BANDS['throughput']);
    assert.equal(scaleOf('rtt.loaded.both', DEFAULT_BANDS), DEFAULT_BANDS['rtt.loaded']);
    assert.equal(scaleOf('rtt.idle', DEFAULT_BANDS), DEFAULT_BANDS['rtt']);
    assert.equal(scaleOf('loss.down', DEFAULT_BANDS), DEFAULT_BANDS['loss']);
    const bands = resolveBands({ 'throughput.up': { excellent: 40e6, good: 20e6, fair: 10e6 } });
    assert.equal(scaleOf('throughput.up', bands)?.excellent, 40e6);
    assert.equal(scaleOf('throughput.down', bands)?.excellent, 400e6);
    for (const unknown of ['http', 'weather', '', '.', 'toString', '__proto__']) assert.equal(scaleOf(unknown, DEFAULT_BANDS), undefined, unknown);
  });

  it('are overridden by valid edges and keep unit and direction', () => {
    const bands = resolveBands({ rtt: { excellent: 20, good: 50, fair: 150 } });
    assert.equal(bandOf(30, bands['rtt'] ?? assert.fail()), 'good');
    assert.deepEqual([bands['rtt']?.unit, bands['rtt']?.better, bands['rtt']?.why], ['ms', 'lower', 'set in the configuration']);
    assert.equal(bands['connect'], DEFAULT_BANDS['connect']);
  });

  it('refuse edges that leave a band empty, and say which and why', () => {
    const cases = [
      ['rtt', { excellent: 5, good: 5, fair: 10 }, /'excellent' of rtt \(5\.000 ms\) must be below 'good' \(5\.000 ms\), because lower is better/],
      ['rtt', { excellent: 1, good: 12, fair: 10 }, /'good' of rtt \(12\.00 ms\) must be below 'fair' \(10\.00 ms\)/],
      [
        'throughput',
        { excellent: 100e6, good: 200e6, fair: 300e6 },
        /'excellent' of throughput \(100\.0 Mbit\/s\) must be above 'good' \(200\.0 Mbit\/s\), because higher is better/,
      ],
      ['loss', { excellent: 0.1, good: 1, fair: 3 }, /'good' of loss is a share and must be below 1/],
      ['rtt', { excellent: 0, good: 5, fair: 10 }, /above zero/],
      ['rtt', { excellent: -1, good: 5, fair: 10 }, /above zero/],
      ['rtt', { excellent: Number.NaN, good: 5, fair: 10 }, /above zero/],
      ['rtt', { excellent: 1, good: 5, fair: Number.POSITIVE_INFINITY }, /above zero/],
      ['latency', { excellent: 1, good: 5, fair: 10 }, /no metric 'latency' to rate; known are rtt, connect/],
    ] as const;
    for (const [metric, edges, message] of cases) {
      assert.match(bandProblem(metric, edges) ?? '', message);
      assert.throws(() => resolveBands({ [metric]: edges }), { name: 'TautlineError', code: 'config', message });
    }
  });
});
