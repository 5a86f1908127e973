/** What stands before a line that was taken out of force here. */
export const COMMENT_MARK = '# tautline: ';

/** Puts the mark before these lines, counted from 1; every other byte stays. */
export function commentOut(text: string, lines: readonly number[]): string {
  return text
    .split('\n')
    .map((line, at) => (lines.includes(at + 1) ? COMMENT_MARK + line : line))
    .join('\n');
}
