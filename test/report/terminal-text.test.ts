import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { fit, printable, wrap } from '../../src/report/terminal-text.js';
import { displayWidth } from '../../src/report/index.js';

describe('text for a terminal', () => {
  it('counts wide characters twice and combining ones not at all', () => {
    const cases = [
      ['abc', 3],
      ['', 0],
      ['東京', 4],
      ['한글', 4],
      ['ﾊﾝ', 2],
      ['Ｆｕｌｌ', 8],
      ['e\u0301', 1],
      ['★☆', 2],
      ['–─…±', 4],
      ['🚀', 2],
      ['a\u200db', 2],
    ] as const;
    for (const [text, width] of cases) assert.equal(displayWidth(text), width, text);
  });

  it('cuts to columns, not to code units', () => {
    assert.equal(fit('東京サーバー', 6), '東京…');
    assert.equal(fit('abc', 3), 'abc');
    assert.equal(fit('abcd', 3), 'ab…');
    assert.equal(fit('abc', 0), '');
  });

  it('writes out what a terminal would obey', () => {
    assert.equal(printable('\u001b[2J\u009b1m\u0000\u007f'), '\\x1b[2J\\x9b1m\\x00\\x7f');
    assert.equal(printable('a\r\nb\tc'), 'a b c');
    assert.equal(printable('\u202eabc\u2066\u2028\ufeff'), '\\u202eabc\\u2066\\u2028\\ufeff');
    assert.equal(printable('Grüße 東京 🚀 é'), 'Grüße 東京 🚀 é');
    assert.equal(printable('\ud800'), '\\ud800');
  });

  it('never lets a control character through and never widens beyond the cut', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), fc.nat(40), (text, width) => {
        assert.doesNotMatch(printable(text), /[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/);
        assert.ok(displayWidth(fit(printable(text), width)) <= width);
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it('wraps at spaces with a hanging indent, and cuts only words longer than a line', () => {
    assert.deepEqual(wrap('one two three four', { width: 9, first: '', rest: '  ' }), ['one two', '  three', '  four']);
    assert.deepEqual(wrap('', { width: 9, first: '> ' }), ['> ']);
    assert.deepEqual(wrap('abcdefghijklmnop', { width: 10 }), ['abcdefghij', 'klmnop']);
    fc.assert(
      fc.property(fc.lorem({ maxCount: 30 }), fc.integer({ min: 20, max: 60 }), (text, width) => {
        const lines = wrap(text, { width, first: '- ', rest: '  ' });
        for (const line of lines) assert.ok(displayWidth(line) <= width);
        assert.equal(lines.map((line) => line.slice(2)).join(' '), text);
      }),
      { seed: 2 },
    );
  });
});
