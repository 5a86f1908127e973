/** Text that is safe in a terminal, and how much room it takes there. */

/**
 * The text with everything that a terminal would obey written out instead: control characters of both sets
 * (8-bit ones are obeyed too), bidirectional controls that reorder what is read, and line separators. Line
 * breaks and tabs become spaces.
 */
export function printable(text: string): string {
  return text.replace(/[\t\r\n]+/g, ' ').replace(UNSAFE, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

// Built from code points, so that this file itself stays readable; lone surrogates go too, as they are no text.
const UNSAFE = new RegExp('[\\u0000-\\u001f\\u007f-\\u009f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb]|\\p{Cs}', 'gu');

/** Columns that a text takes: two for wide characters (Unicode East Asian Width W and F, emoji), none for combining ones. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) {
    if (ZERO_WIDTH.test(character)) continue;
    width += isWide(character.codePointAt(0) ?? 0) ? 2 : 1;
  }
  return width;
}

/** Cut to `width` columns, the last of them an ellipsis where something is missing. */
export function fit(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let kept = '';
  let used = 0;
  for (const character of text) {
    const next = displayWidth(character);
    if (used + next > width - 1) break;
    kept += character;
    used += next;
  }
  return width < 1 ? '' : `${kept}…`;
}

/**
 * Breaks at spaces into lines of at most `width` columns; the first begins with `first`, the others with
 * `rest`. A word longer than a line is cut.
 */
export function wrap(text: string, options: { readonly width: number; readonly first?: string; readonly rest?: string }): string[] {
  const { width, first = '', rest = first } = options;
  const lines: string[] = [];
  let line = first;
  let empty = true;
  for (const word of text
    .split(/ +/)
    .filter((part) => part !== '')
    .flatMap((part) => pieces(part, Math.max(8, width - displayWidth(rest))))) {
    if (!empty && displayWidth(line) + 1 + displayWidth(word) > width) {
      lines.push(line);
      line = rest;
      empty = true;
    }
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  return empty && lines.length > 0 ? lines : [...lines, line];
}

function pieces(word: string, width: number): string[] {
  const parts: string[] = [];
  let part = '';
  for (const character of word) {
    if (displayWidth(part) + displayWidth(character) > width) {
      parts.push(part);
      part = '';
    }
    part += character;
  }
  return [...parts, part];
}

const ZERO_WIDTH = /\p{Mn}|\p{Me}|\p{Cf}/u;

/** Wide blocks of EastAsianWidth.txt (Unicode 15), without the few narrow code points inside them. */
const WIDE: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x231a, 0x231b],
  [0x2329, 0x232a],
  [0x23e9, 0x23ec],
  [0x25fd, 0x25fe],
  [0x2614, 0x2615],
  [0x2648, 0x2653],
  [0x26aa, 0x26ab],
  [0x26bd, 0x26be],
  [0x26c4, 0x26c5],
  [0x26f2, 0x26f5],
  [0x2705, 0x2705],
  [0x270a, 0x270b],
  [0x2728, 0x2728],
  [0x274c, 0x274c],
  [0x2753, 0x2755],
  [0x2757, 0x2757],
  [0x2795, 0x2797],
  [0x2b1b, 0x2b1c],
  [0x2b50, 0x2b50],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6f],
  [0xff01, 0xff60],
  [0xffe0, 0xffe6],
  [0x16fe0, 0x18cff],
  [0x1b000, 0x1b2ff],
  [0x1f004, 0x1f004],
  [0x1f0cf, 0x1f0cf],
  [0x1f18e, 0x1f18e],
  [0x1f191, 0x1f19a],
  [0x1f200, 0x1f320],
  [0x1f32d, 0x1f335],
  [0x1f337, 0x1f37c],
  [0x1f37e, 0x1f393],
  [0x1f3a0, 0x1f3ca],
  [0x1f3e0, 0x1f3f0],
  [0x1f400, 0x1f43e],
  [0x1f440, 0x1f4fc],
  [0x1f4ff, 0x1f53d],
  [0x1f550, 0x1f567],
  [0x1f5fb, 0x1f64f],
  [0x1f680, 0x1f6c5],
  [0x1f6d0, 0x1f6d2],
  [0x1f6eb, 0x1f6ec],
  [0x1f7e0, 0x1f7eb],
  [0x1f90c, 0x1f9ff],
  [0x1fa70, 0x1faff],
  [0x20000, 0x3fffd],
];

function isWide(code: number): boolean {
  return code >= 0x1100 && WIDE.some(([from, to]) => code >= from && code <= to);
}
