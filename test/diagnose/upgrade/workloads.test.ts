import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { LINK_SPEEDS, WORKLOAD_KINDS, advise } from '../../../src/diagnose/index.js';
import type { UpgradeInput } from '../../../src/diagnose/index.js';
import type { Advice } from '../../../src/results/index.js';
import { declared } from './hosts.js';

const PAIR = { fromBps: 1e9, toBps: 10e9, measured: { rttMs: 0.5 } };

function judged(id: string, values: Readonly<Record<string, number>> = {}, input: UpgradeInput = PAIR): Advice['workloads'][number] {
  const [found] = advise({ ...input, workloads: [declared(id, values)] })?.workloads ?? [];
  assert.ok(found);
  return found;
}

function near(actual: number | undefined, wanted: number, share = 0.001): void {
  assert.ok(actual !== undefined && Math.abs(actual - wanted) <= wanted * share, `${actual} is near ${wanted}`);
}

describe('what a faster link changes', () => {
  test('10 GB take 85 s at 1 Gbit/s and 8.5 s at 10 Gbit/s: size over what the link carries', () => {
    const model = judged('model', { size: 10e9 });
    near(model.now.seconds, (10e9 * 8) / 941.48e6 + 0.001);
    near(model.after.seconds, (10e9 * 8) / 9414.8e6 + 0.001);
    near(model.factor, 10, 0.01);
    assert.equal(model.verdict, 'helps', 'no need was stated');
  });

  test('a measured rate takes the place of the ceiling for what is now', () => {
    near(judged('model', { size: 10e9 }, { ...PAIR, measured: { bps: 945.11e6 } }).now.seconds, 84.65);
  });

  test('a slow disk limits what a fast link could do, and is named', () => {
    const hdd = { ...PAIR, disk: { bps: 1.2e9, name: 'a hard disk' } };
    const model = judged('model', { size: 10e9 }, hdd);
    near(model.after.seconds, (10e9 * 8) / 1.2e9);
    assert.equal(model.after.limitedBy, 'a hard disk');
    near(model.factor, 1.2 / 0.94148);
    assert.equal(judged('model', { size: 10e9, verify: 0.9e9 }, hdd).verdict, 'changes nothing', 'the checksum is slower than the link is now');
  });

  test('a stated need decides between sufficient, needed, and missed either way', () => {
    const verdicts = [100, 30, 5].map((within) => judged('model', { size: 10e9, within: within * 1000 }).verdict);
    assert.deepEqual(verdicts, ['sufficient now', 'needs it', 'helps']);
  });

  test("Ray's own manager is slower than 10 Gbit/s: five times is not ten", () => {
    const ray = judged('ray', { size: 1e9 });
    assert.equal(ray.after.limitedBy, "Ray's object manager");
    near(ray.factor, 4.5 / 0.94148, 0.01);
    assert.equal(judged('ray', { size: 1e9, framework: 40e9 }).after.limitedBy, 'the 10 Gbit/s link');
  });

  test('a ring all-reduce over n hosts moves 2 (n - 1) / n of the gradients and waits 2 (n - 1) times for half a round trip', () => {
    for (const hosts of [2, 3, 8]) {
      const { now } = judged('gradients', { size: 1e9, hosts, step: 1000 });
      near(now.seconds, 1 + ((2 * (hosts - 1)) / hosts) * ((1e9 * 8) / 941.48e6) + 2 * (hosts - 1) * 0.00025);
    }
  });

  test('training needs the faster link where waiting falls below a tenth of a step by it, and gains only partly where gradients are larger', () => {
    assert.equal(judged('gradients', { size: 10e6 }).verdict, 'sufficient now');
    assert.equal(judged('gradients', { size: 100e6 }).verdict, 'needs it');
    const large = judged('gradients', { size: 7e9 });
    assert.equal(large.verdict, 'helps');
    assert.match(large.why, /missed either way/);
  });

  test('what is sent while computing is not waited for', () => {
    const overlapped = judged('gradients', { size: 100e6, step: 1000, overlap: 1 });
    assert.equal(overlapped.now.seconds, 1);
    assert.equal(overlapped.verdict, 'sufficient now');
  });

  test('audio gains nothing: 50 streams take half a per cent, and latency decides', () => {
    const audio = judged('audio');
    assert.equal(audio.verdict, 'changes nothing');
    assert.equal(audio.factor, 1);
    // 64 kbit/s and 50 packets a second of 78 bytes around each.
    assert.equal(audio.now.bps, 50 * (64_000 + 50 * 78 * 8));
    assert.equal(audio.now.limitedBy, 'latency and jitter');
    assert.equal(judged('audio', { streams: 20_000 }).verdict, 'needs it', 'but 20,000 streams do not fit into 1 Gbit/s');
  });

  test('a model that is loaded once a day, small batches and development do with 1 Gbit/s', () => {
    for (const id of ['inference', 'batch', 'sync']) assert.equal(judged(id).verdict, 'sufficient now', id);
  });

  test('a stream needs it from the rate on at which it takes four fifths of the path', () => {
    assert.equal(judged('stream', { rate: 750e6 }).verdict, 'sufficient now');
    assert.equal(judged('stream', { rate: 760e6 }).verdict, 'needs it');
    const over = judged('stream', { rate: 20e9 });
    assert.equal(over.verdict, 'helps');
    near(over.factor, 10);
  });

  test('a night is long enough for 3.4 TB at 1 Gbit/s and for ten times that at 10 Gbit/s', () => {
    assert.deepEqual(
      [3e12, 5e12, 50e12].map((size) => judged('bulk', { size }).verdict),
      ['sufficient now', 'needs it', 'helps'],
    );
  });

  test('what else was declared to bound the path, such as a VPN, bounds every kind of work', () => {
    const vpn = { ...PAIR, bounds: [{ what: 'vpn', bps: 2e9 }] };
    assert.equal(judged('model', { size: 10e9 }, vpn).after.limitedBy, 'vpn');
    near(judged('stream', { rate: 5e9 }, vpn).after.bps, 2e9);
  });

  test('what a link is said to be sufficient for is judged sufficient on it, and a little more is not', () => {
    const figure = (text: string): number => {
      const [, count = '', unit = ''] = /([\d.]+) ([kMGT]?)(?:B|bit)/.exec(text) ?? [];
      return Number(count) * ({ '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12 }[unit] ?? Number.NaN);
    };
    const rows = advise(PAIR)?.sufficient ?? [];
    assert.equal(rows.length, WORKLOAD_KINDS.length);
    const needs: Readonly<Record<string, readonly [key: string, rest: Readonly<Record<string, number>>]>> = {
      model: ['size', { within: 60_000 }],
      gradients: ['size', {}],
      inference: ['size', {}],
      batch: ['size', {}],
      sync: ['size', {}],
      stream: ['rate', {}],
      bulk: ['size', {}],
    };
    for (const [id, [key, rest]] of Object.entries(needs)) {
      const most = figure(rows.find((row) => row.id === id)?.now ?? '');
      assert.equal(judged(id, { [key]: most * 0.99, ...rest }).verdict, 'sufficient now', `${id} ${most}`);
      assert.notEqual(judged(id, { [key]: most * 1.02, ...rest }).verdict, 'sufficient now', `${id} ${most}`);
    }
  });

  test('whatever is declared: times are finite, a faster link never takes longer, and the factor is what the times say', () => {
    const speeds = fc.subarray([...LINK_SPEEDS], { minLength: 2, maxLength: 2 });
    const size = fc.double({ min: 1, max: 1e15, noNaN: true });
    fc.assert(
      fc.property(
        speeds,
        size,
        fc.constantFrom('model', 'ray', 'gradients', 'inference', 'batch', 'sync', 'bulk'),
        ([fromBps = 0, toBps = 0], bytes, id) => {
          const { now, after, factor } = judged(id, { size: bytes }, { fromBps, toBps });
          assert.ok(Number.isFinite(now.seconds) && Number.isFinite(after.seconds));
          assert.ok((after.seconds ?? 0) <= (now.seconds ?? 0) * 1.000001);
          assert.ok(Math.abs(factor - (now.seconds ?? 0) / (after.seconds ?? 1)) < 1e-9 * factor);
        },
      ),
      { numRuns: 200 },
    );
  });
});
