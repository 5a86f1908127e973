import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { shellWord } from '../../src/base/index.js';

const NASTY = [
  'eth0; touch x',
  '$(id)',
  '`id`',
  "a'b",
  "'; id #",
  '"',
  '\\',
  '*',
  '~',
  '!',
  'a b',
  '',
  '|',
  '&',
  '{a,b}',
  '#',
  '<x',
  '\u00fc',
  'a=b',
];

describe('a word of a command that is offered for pasting', () => {
  it('stays one word in a shell, whatever it is, and without what a terminal takes for keys', () => {
    const text = fc.oneof(fc.constantFrom(...NASTY), fc.string(), fc.string({ unit: 'binary' }));
    const texts = fc.sample(text, { numRuns: 500, seed: 3 }).filter((each) => !/\p{Cs}/u.test(each));
    const out = execFileSync('/bin/sh', ['-c', `printf '%s\\0' ${texts.map(shellWord).join(' ')}`]).toString('utf8');
    assert.deepEqual(
      out.split('\0').slice(0, -1),
      texts.map((each) => each.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '')),
    );
  });

  it('is left as it is where it needs nothing', () => {
    for (const plain of ['eth0', 'br-1a2b.10', 'beta', '/home/me/.ssh/cm-%C', 'fe80::1%eth0', 'me@beta']) assert.equal(shellWord(plain), plain);
    assert.equal(shellWord(''), "''");
  });

  it('does not let an escape sequence or the end of a paste through', () => {
    assert.equal(shellWord('a\u001b[201~\nid\n\u202e'), "'a[201~id'");
  });
});
