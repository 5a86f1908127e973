import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseJson, setJson, valueAt } from '../../../src/tune/text/json-edit.js';

const bytesOf = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');
const read = (text: string): unknown => JSON.parse(Buffer.from(text, 'latin1').toString('utf8'));

function set(text: string, path: readonly string[], value: unknown): string {
  const edit = setJson(text, path, value);
  assert.ok('text' in edit, JSON.stringify(edit));
  return edit.text;
}

/** Objects with names that JSON.parse does not treat specially. */
const anyObject = fc.dictionary(
  fc.string({ maxLength: 6 }).filter((name) => name !== '__proto__'),
  fc.jsonValue({ maxDepth: 2 }),
  { maxKeys: 5 },
);
const layouts = fc.constantFrom(undefined, '  ', '    ', '\t');

describe('setting a value of a JSON file', () => {
  test('gives what parsing, setting and printing would give, for any object in any layout', () => {
    fc.assert(
      fc.property(anyObject, layouts, fc.boolean(), fc.integer(), (object, indent, crlf, value) => {
        const printed = JSON.stringify(object, undefined, indent);
        const text = bytesOf(crlf ? printed.replaceAll('\n', '\r\n') : printed);
        assert.deepEqual(read(set(text, ['mtu'], value)), { ...(read(text) as object), mtu: value });
      }),
      { numRuns: 1000 },
    );
  });

  test('leaves every byte around it as it was', () => {
    fc.assert(
      fc.property(anyObject, layouts, (object, indent) => {
        const text = bytesOf(`${JSON.stringify({ ...object, mtu: 1500, zz: 'ä' }, undefined, indent)}\n`);
        assert.equal(set(set(text, ['mtu'], 1280), ['mtu'], 1500), text);
      }),
      { numRuns: 500 },
    );
  });

  for (const [what, before, after] of [
    ['two spaces', '{\n  "a": 1\n}\n', '{\n  "a": 1,\n  "mtu": 1280\n}\n'],
    ['tabs', '{\n\t"a": [\n\t\t1\n\t]\n}', '{\n\t"a": [\n\t\t1\n\t],\n\t"mtu": 1280\n}'],
    ['CRLF', '{\r\n    "a": 1\r\n}\r\n', '{\r\n    "a": 1,\r\n    "mtu": 1280\r\n}\r\n'],
    ['one line', '{"a": 1, "b": 2}', '{"a": 1, "b": 2, "mtu": 1280}'],
    ['an empty object', '{}\n', '{\n  "mtu": 1280\n}\n'],
    ['an empty file', '', '{\n  "mtu": 1280\n}\n'],
    ['white space only', ' \r\n', '{\n  "mtu": 1280\n}\n'],
  ] as const) {
    test(`keeps the layout of the file: ${what}`, () => assert.equal(set(before, ['mtu'], 1280), after));
  }

  test('makes the objects above a value, laid out as the file is', () => {
    const value = { Name: 'nofile', Hard: 65536, Soft: 65536 };
    assert.equal(
      set('{\n    "debug": true\n}\n', ['default-ulimits', 'nofile'], value),
      '{\n    "debug": true,\n    "default-ulimits": {\n        "nofile": {\n            "Name": "nofile",\n            "Hard": 65536,\n            "Soft": 65536\n        }\n    }\n}\n',
    );
    assert.equal(
      set('{\n    "default-ulimits": {\n        "nproc": {}\n    }\n}', ['default-ulimits', 'nofile'], { Hard: 1 }),
      '{\n    "default-ulimits": {\n        "nproc": {},\n        "nofile": {\n            "Hard": 1\n        }\n    }\n}',
    );
  });

  for (const [what, text, problem] of [
    ['a comma at the end', '{\n  "a": 1,\n}', 'line 3, column 1: a comma before the closing brace'],
    ['a comment', '{\n  // mtu\n  "a": 1\n}', 'line 2, column 3: a name in quotes is expected'],
    ['a missing comma', '{"a": 1 "b": 2}', 'line 1, column 9: a comma or a closing brace is expected'],
    ['a missing brace', '{"a": 1', 'line 1, column 8: a comma or a closing brace is expected'],
    ['a missing colon', '{"a" 1}', 'line 1, column 6: a colon is expected after "a"'],
    ['something behind it', '{}\n{}', 'line 2, column 1: something follows the value'],
    ['a byte order mark', '\xef\xbb\xbf{}', 'line 1, column 1: no value of JSON'],
    ['a number with a leading zero', '{"a": 01}', 'line 1, column 7: no value of JSON'],
    [
      'a raw line end in a string',
      '{"a": "x\n"}',
      'line 1, column 7: a string that does not end, or with a character that JSON does not allow in it',
    ],
    ['a list instead of an object', '[1]', 'line 1, column 1: an object is expected'],
    ['a name that is there twice', '{"mtu": 1, "mtu": 2}', "line 1, column 12: 'mtu' is there twice"],
    ['nesting without end', '['.repeat(100), 'line 1, column 66: nested deeper than 64 levels'],
  ] as const) {
    test(`refuses and names the place: ${what}`, () => assert.deepEqual(setJson(text, ['mtu'], 1280), { problem }));
  }

  test('takes and refuses the same texts as JSON.parse', () => {
    const pieces = fc.constantFrom('{', '}', '[', ']', '"a"', ':', ',', '1', '-0.5e3', 'true', 'null', ' ', '\n', '"\\u00e9"', '01', "'");
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 9 }), (parts) => {
        const text = parts.join('');
        let valid = true;
        try {
          JSON.parse(text);
        } catch {
          valid = false;
        }
        assert.equal('problem' in parseJson(text), !valid, text);
      }),
      { numRuns: 5000 },
    );
  });

  test('reads a value back, and tells one that is not there', () => {
    const text = bytesOf('{"a": {"b": "ü"}, "c": null}');
    assert.deepEqual(valueAt(text, ['a', 'b']), { value: 'ü' });
    assert.deepEqual(valueAt(text, ['c']), { value: null });
    assert.equal(valueAt(text, ['a', 'x']), undefined);
    assert.equal(valueAt('', ['a']), undefined);
  });
});
