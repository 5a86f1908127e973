import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { JournalRecord } from '../../../src/tune/index.js';
import { newChangeId } from '../../../src/tune/index.js';
import { CHAIN_START, decodeJournal, encodeLine } from '../../../src/tune/journal/codec.js';
import type { Decoded } from '../../../src/tune/journal/codec.js';
import { problemOfStep } from '../../../src/tune/journal/record-schema.js';
import { replay } from '../../../src/tune/engine/replay.js';
import { MEANT, freshHost, stepsFor } from './bench.js';

const steps = await stepsFor(freshHost().ports);
const BEGIN: JournalRecord = {
  type: 'begin',
  schema: 'tautline.journal/1',
  change: '20261121T140311Z-voice-ab12',
  tool: '0.1.0',
  at: '2026-11-21T14:03:11.000Z',
  host: { machine: 'm', boot: 'b', network: 'n', name: 'höst' },
  userId: 0,
  profile: 'voice',
  persist: false,
  steps: steps.slice(0, 2),
};
const RECORDS: readonly JournalRecord[] = [
  BEGIN,
  { type: 'doing', step: 0 },
  { type: 'done', step: 0, found: '4096 131072 16777216' },
  { type: 'doing', step: 1 },
  { type: 'failed', step: 1, why: 'the kernel said n\u00f6' },
];

function linesOf(records: readonly JournalRecord[] = RECORDS): string[] {
  let chain = CHAIN_START;
  return records.map((record) => {
    const { line, next } = encodeLine(chain, record);
    chain = next;
    return line;
  });
}

function decode(text: string | Uint8Array): Decoded {
  return decodeJournal(typeof text === 'string' ? new TextEncoder().encode(text) : text);
}

function recordsIn(decoded: Decoded): readonly JournalRecord[] {
  assert.equal(decoded.kind, 'journal', JSON.stringify(decoded));
  return decoded.kind === 'journal' ? decoded.records : [];
}

function damage(text: string): string {
  const decoded = decode(text);
  assert.equal(decoded.kind, 'damaged', JSON.stringify(decoded).slice(0, 300));
  return decoded.kind === 'damaged' ? decoded.why : '';
}

describe('a journal', () => {
  const lines = linesOf();
  const whole = lines.join('');

  test('is read as it was written', () => {
    const decoded = decode(whole);
    assert.deepEqual(recordsIn(decoded), RECORDS);
    assert.deepEqual(decoded.kind === 'journal' && [decoded.torn, decoded.text === whole], [false, true]);
  });

  test('torn anywhere in its last line is the journal before that line', () => {
    const bytes = new TextEncoder().encode(whole);
    const last = new TextEncoder().encode(lines.at(-1)).length;
    for (let cut = 2; cut < last; cut++) {
      const decoded = decode(bytes.subarray(0, bytes.length - cut));
      assert.equal(recordsIn(decoded).length, RECORDS.length - 1, `${cut} bytes short`);
      assert.deepEqual(decoded.kind === 'journal' && [decoded.torn, decoded.text], [true, lines.slice(0, -1).join('')]);
    }
  });

  test('without the end of its last line has that line all the same', () => {
    const decoded = decode(whole.slice(0, -1));
    assert.deepEqual(recordsIn(decoded), RECORDS);
    assert.equal(decoded.kind === 'journal' && decoded.torn, true);
  });

  test('torn in its first line was never begun', () => {
    const first = new TextEncoder().encode(lines[0]);
    for (let length = 0; length < first.length - 2; length += 7)
      assert.equal(decode(first.subarray(0, length)).kind, 'never-begun', `${length} bytes`);
  });

  test('whose last line has zero bytes behind its beginning was torn, as a file system leaves it that had no time for the data', () => {
    assert.equal(recordsIn(decode(`${lines.slice(0, -1).join('')}${'\0'.repeat(80)}`)).length, RECORDS.length - 1);
    assert.equal(
      recordsIn(decode(`${lines.slice(0, -1).join('')}${(lines.at(-1) as string).slice(0, 120)}${'\0'.repeat(80)}`)).length,
      RECORDS.length - 1,
    );
  });

  test('is damaged by any other byte that any line has', () => {
    const bytes = new TextEncoder().encode(whole);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = Uint8Array.from(bytes);
        changed[at] = (bytes[at] as number) ^ flip;
        assert.equal(decode(changed).kind, 'damaged', `byte ${at} by ${flip}`);
      }),
      { numRuns: 2000 },
    );
  });

  test('tells the line and what is wrong with it', () => {
    const [a = '', b = '', c = '', d = '', e = ''] = lines;
    const newer = a.replace('journal/1', 'journal/2');
    const cases: readonly (readonly [string, RegExp])[] = [
      [a + b + c.replace('16777216', '16777217') + d + e, /^line 3 was edited: it does not match its own SHA-256/],
      [a + b + d + e, /^line 3 is numbered 3 where 2 belongs: lines before it are missing/],
      [a + c + b + d + e, /^line 2 is numbered 2 where 1 belongs/],
      [a + b + b + c + d, /^line 3 is numbered 1 where 2 belongs: it was moved here or stands here twice/],
      [b + c, /^line 1 does not open a journal of Tautline/],
      ['{"schema": "something/1"}\n', /^line 1 does not open a journal of Tautline: its schema is not tautline\.journal\/1/],
      [newer, /^line 1 has the schema tautline\.journal\/2, which a newer release of Tautline wrote/],
      ['hello\n', /^line 1 is not a JSON object/],
      ['hello', /^line 1 is not a JSON object/],
      [`${a}\n${b}`, /^line 2 is not a JSON object/],
      [a + JSON.stringify({ seq: 1, type: 'doing', step: 0 }) + '\n', /^line 2 does not end in its SHA-256/],
    ];
    for (const [text, why] of cases) assert.match(damage(text), why);
    // Two journals of one machine, mixed: each line is in order, and does not continue the other.
    const [, other = ''] = linesOf([{ ...BEGIN, profile: 'bulk' } as JournalRecord, { type: 'doing', step: 1 }]);
    assert.match(damage(a + other), /^line 2 does not continue line 1/);
  });

  test('made by hand with right sums is still held against what may be in it', () => {
    const [step = steps[0]] = steps;
    const begin = (changed: object): string => linesOf([{ ...BEGIN, steps: [{ ...step, ...changed }] } as unknown as JournalRecord]).join('');
    assert.match(damage(begin({ place: { kind: 'kernel-value', path: '/etc/shadow' } })), /is not below \/proc\/sys/);
    assert.match(damage(begin({ place: { kind: 'kernel-value', path: '/proc/sys/../../etc/shadow' } })), /not a plain path/);
    assert.match(damage(begin({ place: { kind: 'kernel-value', path: '/proc/sysrq-trigger' } })), /is not below/);
    assert.match(damage(begin({ place: { kind: 'offloads', interface: '../x' } })), /interface/);
    assert.match(damage(begin({ place: { kind: 'spell', path: '/x' } })), /kind that this release does not know/);
    assert.match(damage(begin({ original: 7 })), /step 0: original/);
    assert.match(damage(begin({ original: 'a\nb' })), /more than one line/);
    assert.match(damage(begin({ extra: true })), /step 0: extra/);
    assert.match(damage(linesOf([BEGIN, { type: 'done', step: 9, found: 'x' }]).join('')), /there is no step 9/);
    assert.match(damage(linesOf([BEGIN, { type: 'done', step: 0, found: { a: 1 } } as unknown as JournalRecord]).join('')), /found/);
    assert.match(damage(linesOf([BEGIN, BEGIN]).join('')), /begins a change a second time/);
  });

  test('takes what plans make at every kind of place', () => {
    for (const [i, step] of steps.entries()) assert.equal(problemOfStep(JSON.parse(JSON.stringify(step)) as never), undefined, MEANT[i]?.[0].kind);
  });

  test('whose records contradict each other is told, with the line', () => {
    const begin = BEGIN as Extract<JournalRecord, { type: 'begin' }>;
    const after = (...records: JournalRecord[]) => replay([begin, ...records]);
    const at = '2026-11-21T14:03:12.000Z';
    assert.deepEqual(after({ type: 'done', step: 0, found: 'x' }), { problem: 'line 2 (done) cannot follow the lines before it' });
    assert.deepEqual(after({ type: 'applied', at }), { problem: 'line 2 (applied) cannot follow the lines before it' });
    assert.deepEqual(after({ type: 'doing', step: 0 }, { type: 'undoing', step: 0 }), {
      problem: 'line 3 (undoing) cannot follow the lines before it',
    });
    const undo: JournalRecord = { type: 'undo', at, reason: 'asked', force: false };
    assert.deepEqual(after({ type: 'doing', step: 0 }, undo, { type: 'rolled-back', at, clean: true }), {
      problem: 'line 4 (rolled-back) cannot follow the lines before it',
    });
    assert.deepEqual(after(undo, { type: 'doing', step: 0 }), { problem: 'line 3 (doing) cannot follow the lines before it' });
    assert.deepEqual(after({ type: 'confirmed', at }), { problem: 'line 2 (confirmed) cannot follow the lines before it' });
  });
});

describe('the name of a change', () => {
  test('says when and for what, and sorts after all before it, whatever the clock does', () => {
    const wallMs = Date.parse('2026-11-21T14:03:11.500Z');
    const first = newChangeId({ wallMs, profile: 'voice', salt: 'a', existing: [] });
    assert.match(first, /^20261121T140311Z-voice-[0-9a-f]{4}$/);
    const second = newChangeId({ wallMs, profile: 'bulk', salt: 'a', existing: [first] });
    const third = newChangeId({ wallMs: wallMs - 3_600_000, profile: 'ai', salt: 'a', existing: [first, second] });
    assert.deepEqual([third, first, second].toSorted(), [first, second, third]);
  });

  test('is a file name whatever the profile is called', () => {
    assert.match(
      newChangeId({ wallMs: 5000, profile: '../My Profile!.yaml', salt: '', existing: [] }),
      /^19700101T000005Z-my-profile-yaml-[0-9a-f]{4}$/,
    );
    assert.match(newChangeId({ wallMs: 5000, profile: '\u00e9', salt: '', existing: [] }), /^19700101T000005Z-change-[0-9a-f]{4}$/);
  });
});
