import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { cableCarries, goodputCeilingBps } from '../../../src/diagnose/index.js';
import type { Cable } from '../../../src/diagnose/index.js';

describe('what a cable carries', () => {
  const rows: readonly (readonly [cable: Cable, bps: number, metres: number, carries: boolean])[] = [
    ['cat5e', 1e9, 100, true],
    // IEEE 802.3bz: Cat5e does not end at 1 Gbit/s.
    ['cat5e', 2.5e9, 100, true],
    ['cat5e', 5e9, 100, true],
    ['cat5e', 10e9, 1, false],
    ['cat6', 10e9, 55, true],
    ['cat6', 10e9, 56, false],
    ['cat6a', 10e9, 100, true],
    ['cat6a', 10e9, 101, false],
    ['cat6a', 25e9, 5, false],
    ['cat8', 25e9, 30, true],
    ['cat8', 25e9, 31, false],
    ['dac', 10e9, 7, true],
    ['dac', 25e9, 6, false],
    ['om3', 10e9, 300, true],
    ['os2', 100e9, 9000, true],
  ];
  for (const [cable, bps, metres, carries] of rows) {
    test(`${cable} ${carries ? 'carries' : 'does not carry'} ${bps / 1e9} Gbit/s over ${metres} m`, () => {
      const found = cableCarries(cable, bps, metres);
      assert.equal(found.carries, carries, found.why);
    });
  }

  test('5 Gbit/s over Cat5e depends on the installation, and that is said', () => {
    assert.match(cableCarries('cat5e', 5e9, 60).depends ?? '', /bundles/);
    assert.equal(cableCarries('cat5e', 2.5e9, 60).depends, undefined);
  });
});

describe('what a link carries of TCP payload', () => {
  test('941.5 Mbit/s of 1 Gbit/s with timestamps, 949.3 without, more with jumbo frames', () => {
    assert.equal((goodputCeilingBps(1e9) / 1e6).toFixed(1), '941.5');
    assert.equal((goodputCeilingBps(1e9, { timestamps: false }) / 1e6).toFixed(1), '949.3');
    assert.equal((goodputCeilingBps(10e9, { mtu: 9000 }) / 1e9).toFixed(3), '9.900');
  });
});
