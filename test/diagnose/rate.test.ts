import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DEFAULT_BANDS, rate, rateAll } from '../../src/diagnose/index.js';
import { aboveCeiling } from '../../src/results/index.js';
import type { Measurement } from '../../src/results/index.js';
import { around, measurement } from '../report/documents.js';

const rtt = (medianMs: number, rest: Partial<Measurement> = {}): Measurement =>
  measurement({ probe: 'echo', metric: 'rtt', summary: around('ms', medianMs, 100), ...rest });
const lost = (count: number, sent = 1000): NonNullable<Measurement['loss']> => ({ sent, received: sent - count, ratio: count / sent });
const stars = (each: Measurement): number | undefined => rate(each, DEFAULT_BANDS)?.stars;

describe('rating', () => {
  it('gives five to two stars by band and one an order of magnitude beyond fair', () => {
    assert.deepEqual(
      [1, 3, 7, 40, 99.9, 100].map((ms) => stars(rtt(ms))),
      [5, 4, 3, 2, 2, 1],
    );
    const throughput = (bps: number): Measurement => measurement({ probe: 'throughput', metric: 'throughput.up', summary: around('bps', bps, 10) });
    assert.deepEqual(
      [500e6, 300e6, 150e6, 50e6, 10e6].map((bps) => stars(throughput(bps))),
      [5, 4, 3, 2, 1],
    );
  });

  it('gives one star to what did not work, and none to what was not or could not be tried', () => {
    for (const outcome of ['lost', 'refused', 'timeout'] as const) {
      assert.deepEqual(rate(measurement({ probe: 'tcp', metric: 'connect', outcome, reason: 'x' }), DEFAULT_BANDS), { band: 'poor', stars: 1 });
    }
    for (const outcome of ['unsupported', 'unchecked'] as const) {
      assert.equal(rate(measurement({ probe: 'tcp', metric: 'connect', outcome, reason: 'x' }), DEFAULT_BANDS), undefined);
    }
    assert.equal(
      rate(measurement({ probe: 'echo', metric: 'rtt', outcome: 'timeout', partial: true, reason: 'interrupted' }), DEFAULT_BANDS),
      undefined,
    );
  });

  it('never rates a round trip better than its loss', () => {
    assert.deepEqual(
      [0, 1, 5, 20, 100, 300].map((count) => stars(rtt(1, { loss: lost(count) }))),
      [5, 4, 4, 3, 2, 1],
    );
    assert.equal(stars(rtt(50, { loss: lost(5) })), 2);
  });

  it('rates what load adds, not what the path has anyway', () => {
    const idle = measurement({ probe: 'throughput', metric: 'rtt.idle', summary: around('ms', 80, 50) });
    const loaded = measurement({ probe: 'throughput', metric: 'rtt.loaded.up', summary: around('ms', 100, 50) });
    const rated = rateAll([idle, loaded], DEFAULT_BANDS);
    assert.deepEqual(
      rated.map(({ rating }) => rating?.stars),
      [2, 4],
    );
    assert.equal(rate(loaded, DEFAULT_BANDS), undefined, 'without an idle figure there is nothing to compare with');
    assert.equal(rate(loaded, DEFAULT_BANDS, { idleMs: 120 })?.stars, 5, 'faster under load counts as nothing added');
  });

  it('compares with the idle round trip of the same run, and never with that of another path', () => {
    const idle = (medianMs: number, path: string): Measurement =>
      measurement({ probe: 'throughput', metric: 'rtt.idle', path, summary: around('ms', medianMs, 50) });
    const loaded = (path: string): Measurement => measurement({ probe: 'throughput', metric: 'rtt.loaded.up', path, summary: around('ms', 100, 50) });
    const load = (path: string): Measurement => measurement({ probe: 'throughput', metric: 'throughput.up', path });
    const stars = (...measurements: Measurement[]): unknown[] =>
      rateAll(measurements, DEFAULT_BANDS)
        .filter(({ metric }) => metric === 'rtt.loaded.up')
        .map(({ rating }) => rating?.stars);
    assert.deepEqual(
      stars(load('lan'), idle(1, 'lan'), loaded('lan'), load('lan'), loaded('lan'), idle(99, 'lan')),
      [2, 5],
      'whichever of the two comes first',
    );
    assert.deepEqual(stars(load('lan'), idle(1, 'lan'), loaded('lan'), load('vpn'), idle(50, 'vpn'), loaded('vpn'), load('wan'), loaded('wan')), [
      2,
      3,
      undefined,
    ]);
    assert.deepEqual(stars(idle(99, 'lan'), load('lan'), loaded('lan')), [5], 'one measured before, where the run has none of its own');
    assert.deepEqual(stars(load('lan'), loaded('lan'), load('lan'), idle(99, 'lan')), [5], 'or after');
  });

  it('rates a UDP test by what did not arrive', () => {
    const udp = measurement({ probe: 'throughput', metric: 'udp.up', summary: around('bps', 1e6, 10), loss: lost(20), details: { askedBps: 1e6 } });
    assert.equal(rate(udp, DEFAULT_BANDS)?.band, 'fair');
    assert.equal(rate({ ...udp, details: {} }, DEFAULT_BANDS), undefined, 'as fast as it goes, a test loses what the path cannot take');
  });

  it('keeps a rating that is there, and rates nothing without a scale or a figure', () => {
    const [kept] = rateAll([rtt(1, { rating: { band: 'poor', stars: 2 } })], DEFAULT_BANDS);
    assert.equal(kept?.rating?.band, 'poor');
    assert.equal(rate(measurement({ probe: 'mtu', metric: 'mtu', summary: around('ms', 1, 5) }), DEFAULT_BANDS), undefined);
    assert.equal(rate(measurement({ probe: 'echo', metric: 'rtt' }), DEFAULT_BANDS), undefined);
    assert.equal(rate(measurement({ probe: 'echo', metric: 'rtt', summary: around('bps', 1, 5) }), DEFAULT_BANDS), undefined, 'another unit');
  });

  it('does not rate a figure above its ceiling, which is a measuring error', () => {
    const ceiling = { value: 941.5e6, unit: 'bps', why: 'Ethernet' } as const;
    const at = (bps: number): Measurement => measurement({ probe: 'throughput', metric: 'throughput.up', summary: around('bps', bps, 10), ceiling });
    assert.equal(aboveCeiling(at(941.5e6)), undefined);
    assert.ok(Math.abs((aboveCeiling(at(1883e6)) ?? 0) - 2) < 1e-9);
    assert.equal(rate(at(1e9), DEFAULT_BANDS), undefined);
    assert.equal(rate(at(900e6), DEFAULT_BANDS)?.stars, 5);
    assert.equal(aboveCeiling({ ...at(1e9), ceiling: { ...ceiling, unit: 'ms' } }), undefined, 'nothing bounds it');
  });
});
