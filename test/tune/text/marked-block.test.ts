import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { fileBytes, fileText } from '../../../src/tune/text/bytes.js';
import { BLOCK_BEGIN, BLOCK_END, findBlock, putBlock, removeBlock } from '../../../src/tune/text/marked-block.js';

/** Files of any bytes: with and without a last line end, CRLF, what is no UTF-8, and words that look like our markers. */
const anyFile = fc
  .array(
    fc.oneof(
      fc.constantFrom('\n', '\r\n', '\r', 'Host *', '  ControlMaster no', `${BLOCK_BEGIN}x`, `x${BLOCK_END}`, `${BLOCK_BEGIN} `, ''),
      fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''))
  .filter((text) => findBlock(text) === undefined);
const someLines = fc.array(fc.constantFrom('Host *', '    ControlMaster auto', '# a note', ''), { maxLength: 5 });

function textOf(edit: ReturnType<typeof putBlock>): string {
  assert.ok('text' in edit, JSON.stringify(edit));
  return edit.text;
}

describe('a marked block', () => {
  test('is put into any file, and removing it gives every byte back', () => {
    fc.assert(
      fc.property(anyFile, someLines, (text, lines) => {
        assert.equal(textOf(removeBlock(textOf(putBlock(text, lines)))), text);
      }),
      { numRuns: 2000 },
    );
  });

  test('keeps all that was there before it', () => {
    fc.assert(fc.property(anyFile, someLines, (text, lines) => textOf(putBlock(text, lines)).startsWith(text)));
  });

  test('is replaced where it is: the same as if only the last one had been put there', () => {
    fc.assert(
      fc.property(anyFile, someLines, someLines, (text, first, second) => {
        assert.equal(textOf(putBlock(textOf(putBlock(text, first)), second)), textOf(putBlock(text, second)));
      }),
      { numRuns: 1000 },
    );
  });

  test('is found again with its lines, whatever the file ends its lines with', () => {
    for (const before of ['', 'Host a\n', 'Host a', 'Host a\r\n', 'Host a\r\nUser b']) {
      const found = findBlock(textOf(putBlock(before, ['Host *', '', '  x'])));
      assert.ok(found && 'lines' in found);
      assert.deepEqual(found.lines, ['Host *', '', '  x']);
      assert.equal(found.lineEnd, before.includes('\r') ? '\r\n' : '\n');
    }
  });

  test('that somebody has written something behind is removed without it', () => {
    const text = textOf(putBlock('Host a\n', ['Host *']));
    assert.deepEqual(removeBlock(`${text}Host later\n`), { text: 'Host a\nHost later\n' });
  });

  for (const [what, text] of [
    ['only its beginning', `Host a\n${BLOCK_BEGIN}\nHost *\n`],
    ['only its end', `Host a\n${BLOCK_END}\n`],
    ['them the wrong way round', `\n${BLOCK_END}\n${BLOCK_BEGIN}\n`],
    ['two of them', `${BLOCK_BEGIN}\n${BLOCK_END}\n${BLOCK_BEGIN}\n${BLOCK_END}\n`],
  ] as const) {
    test(`is neither put nor removed where markers were edited: ${what}`, () => {
      const put = putBlock(text, ['x']);
      assert.ok('problem' in put && /^line \d+: the markers/.test(put.problem), JSON.stringify(put));
      assert.ok('problem' in removeBlock(text));
    });
  }

  test('is a matter of bytes: every byte of a file survives being read as text and written again', () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)).toString('base64');
    const text = fileText({ kind: 'file', bytesBase64: bytes, links: 1, mode: 0o600, ownerId: 0, groupId: 0 });
    assert.equal(text.length, 256);
    assert.equal(fileBytes(text), bytes);
  });
});
