import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { niceScale, plotLines } from '../../src/report/plot.js';
import type { PlotOptions, PlotPoint } from '../../src/report/plot.js';

const START = Date.UTC(2026, 10, 20, 10);
const points = (values: readonly number[], stepMs = 3_600_000): PlotPoint[] => values.map((value, i) => ({ atMs: START + i * stepMs, value }));
const options = (more: Partial<PlotOptions> = {}): PlotOptions => ({
  width: 60,
  height: 8,
  unicode: false,
  label: (value) => String(Number(value.toFixed(6))),
  ...more,
});

describe('a plot', () => {
  test('ends whatever a spoilt file holds: what no scale has room for is left out', () => {
    const value = fc.constantFrom(1e308, -1e308, 5e-324, 1e-320, Number.NaN, Number.POSITIVE_INFINITY, 0, 1, 2, 1e15);
    const atMs = fc.constantFrom(0, 1, 8.64e15, -8.64e15, 1e20, Number.NaN, START);
    fc.assert(
      fc.property(fc.array(fc.record({ value, atMs }), { maxLength: 5 }), (spoilt) => {
        const lines = plotLines(spoilt, options());
        assert.ok(lines.length <= 11 && lines.every((line) => line.length <= 80));
      }),
      { seed: 9, numRuns: 2000 },
    );
    assert.deepEqual(plotLines([{ atMs: START, value: 1e308 }], options()), []);
  });

  test('puts each value at its height and its time', () => {
    assert.deepEqual(plotLines(points([0, 10, 0]), options({ width: 21, height: 6 })), [
      '10 +        *',
      '   |      .. ..',
      '   |    ..     .',
      ' 5 +   .        ..',
      '   | ..           ..',
      ' 0 +*               *',
      '   ++---------------+',
      '    10:00       12:00',
    ]);
  });

  test('marks a change by a line from top to bottom and a letter, and joins no figures across it', () => {
    const lines = plotLines([...points([5, 5]), { atMs: START + 7_200_000, value: 5, mark: 'A' }, { atMs: START + 10_800_000, value: 5 }], options());
    const column = lines.at(-1)?.indexOf('A') ?? -1;
    assert.ok(column > 0);
    const rows = lines.slice(0, 8);
    assert.equal(rows.filter((line) => line[column] === ':').length, 7, 'every row but that of the point');
    const level = rows.find((line) => line.includes('*')) ?? '';
    assert.match(level.slice(0, column), /\*\.+\* *$/, 'the line ends at the point before the change');
  });

  test('braille shows four times the height and twice the width', () => {
    const text = plotLines(points([0, 1, 4, 9, 16, 25]), options({ unicode: true })).join('\n');
    assert.match(text, /[\u2801-\u28ff]/);
    assert.match(text, /•/);
    assert.match(text, /┤/);
  });

  test('ASCII only holds ASCII', () => {
    const text = plotLines(points([1, 2, 3]), options()).join('\n');
    assert.ok([...text].every((character) => (character.codePointAt(0) ?? 0) < 128));
  });

  test('times are shown as finely as the span needs', () => {
    const axis = (stepMs: number): string => plotLines(points([1, 2, 3], stepMs), options())[9] ?? '';
    assert.match(axis(60_000), /10:00:00 .*10:02:00/);
    assert.match(axis(3_600_000), /10:00 .*12:00/);
    assert.match(axis(10 * 86_400_000), /11-20 10:00 .*12-10 10:00/);
    assert.match(axis(100 * 86_400_000), /2026-11-20 .*2027-06-08/);
  });

  test('whatever the values: no line is wider than asked, every point is drawn, ticks enclose all values', () => {
    const value = fc.oneof(fc.double({ min: 1e-6, max: 1e12, noNaN: true }), fc.constant(0));
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 50 }), fc.integer({ min: 40, max: 160 }), fc.boolean(), (values, width, unicode) => {
        const scale = niceScale(values, 4);
        assert.ok(scale.bottom <= Math.min(...values) && scale.top >= Math.max(...values), JSON.stringify(scale));
        assert.ok(scale.ticks.length >= 2 && scale.ticks.length <= 8);
        const lines = plotLines(points(values), options({ width, unicode, label: (tick) => tick.toPrecision(3) }));
        assert.ok(
          lines.every((line) => line.length <= width),
          lines.join('\n'),
        );
        const drawn = lines.join('').split(unicode ? '•' : '*').length - 1;
        assert.ok(drawn >= 1 && drawn <= values.length);
        assert.doesNotMatch(lines.join(''), /NaN|Infinity|undefined/);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a scale', () => {
  const scales: readonly (readonly [values: readonly number[], bottom: number, top: number, step: number])[] = [
    [[0, 10], 0, 10, 5],
    [[1, 97], 0, 100, 50],
    [[60, 97], 60, 100, 10],
    [[940, 945], 920, 970, 10],
    [[5, 5, 5], 4.9, 5.1, 0.05],
    [[0], 0, 0.6, 0.2],
    [[-3, 3], -4, 4, 2],
  ];
  for (const [values, bottom, top, step] of scales) {
    test(`for ${values.join(', ')} goes from ${bottom} to ${top} in steps of ${step}`, () => {
      const scale = niceScale(values, 4);
      const close = [scale.bottom - bottom, scale.top - top, scale.step - step].map((off) => Math.abs(off) < 1e-9);
      assert.deepEqual(close, [true, true, true], JSON.stringify(scale));
    });
  }
});
