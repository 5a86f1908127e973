import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TautlineError, formatBytes, formatMs, formatRate, parseDurationMs, parseRateBps, parseSizeBytes } from '../../src/base/index.js';

describe('units', () => {
  test('durations need their unit', () => {
    assert.deepEqual(['250us', '1ms', '1.5s', '2m', '1h', '0s'].map(parseDurationMs), [0.25, 1, 1500, 120_000, 3_600_000, 0]);
    refused(parseDurationMs, ['', '5', '-1s', '1 day', '1e3s', 's', '1,5s', 'NaNs', `${'9'.repeat(400)}s`], 'duration');
  });

  test('rates are decimal bits per second, above zero', () => {
    assert.deepEqual(['64k', '50M', '1.5G', '1000', '10Mbps', '10Mbit/s'].map(parseRateBps), [64e3, 50e6, 1.5e9, 1000, 10e6, 10e6]);
    refused(parseRateBps, ['', '10x', '0', '0M', '-5M', '10MB', '5Mi', 'M'], 'rate');
  });

  test('sizes tell decimal and binary prefixes apart', () => {
    assert.deepEqual(['1400', '64k', '1M', '1KiB', '10MB', '1.5k'].map(parseSizeBytes), [1400, 64e3, 1e6, 1024, 10e6, 1500]);
    assert.equal(parseSizeBytes('1MiB'), 1048576);
    refused(parseSizeBytes, ['', 'x', '-1', '1 kB B', '1Mbit'], 'size');
  });

  test('figures are written for people', () => {
    assert.deepEqual([941.5e6, 1e9, 0, Number.NaN].map(formatRate), ['941.5 Mbit/s', '1.000 Gbit/s', '0 bit/s', '-']);
    assert.deepEqual([0.0382, 12.34, 15_000].map(formatMs), ['38.20 us', '12.34 ms', '15.00 s']);
    assert.equal(formatBytes(1.25e9), '1.250 GB');
  });
});

function refused(parse: (text: string) => number, texts: readonly string[], what: string): void {
  for (const text of texts) {
    assert.throws(
      () => parse(text),
      (error) => error instanceof TautlineError && error.code === 'usage' && error.message.includes(what) && error.hint !== undefined,
      text,
    );
  }
}
