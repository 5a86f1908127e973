import { lineEndOf } from './bytes.js';

/** Lines between these two in a file of somebody else are ours, and nothing else is. */
export const BLOCK_BEGIN = '# >>> tautline';
export const BLOCK_END = '# <<< tautline';

export type BlockText = { readonly text: string } | { readonly problem: string };

export interface MarkedBlock {
  readonly start: number;
  /** Behind the line end of the last marker, where there is one. */
  readonly end: number;
  readonly lineEnd: '\n' | '\r\n';
  readonly lines: readonly string[];
}

/**
 * Puts our block at the end of a text, or in the place of the block that is there.
 *
 * 1. Lines end as the text's first line does.
 * 2. A text without a line end at its end gets one before the block, and the block has none: so the block tells by itself
 *    whether the line end before it is part of it, and `removeBlock` gives every byte back.
 */
export function putBlock(text: string, lines: readonly string[]): BlockText {
  const found = findBlock(text);
  if (found && 'problem' in found) return found;
  if (found) {
    const closed = text.slice(found.start, found.end).endsWith('\n');
    return { text: text.slice(0, found.start) + blockText(lines, found.lineEnd, closed) + text.slice(found.end) };
  }
  const lineEnd = lineEndOf(text);
  const closed = text === '' || text.endsWith('\n');
  return { text: text + (closed ? '' : lineEnd) + blockText(lines, lineEnd, closed) };
}

/** The text as it was before our block was put there; a text without one stays as it is. */
export function removeBlock(text: string): BlockText {
  const found = findBlock(text);
  if (!found) return { text };
  if ('problem' in found) return found;
  const { start, end, lineEnd } = found;
  const open = !text.slice(start, end).endsWith('\n');
  const from = open && text.slice(0, start).endsWith(lineEnd) ? start - lineEnd.length : start;
  return { text: text.slice(0, from) + text.slice(end) };
}

/** Our block in a text; a problem where its markers do not make a pair, because somebody edited them. */
export function findBlock(text: string): MarkedBlock | { readonly problem: string } | undefined {
  const begins = linesThatAre(text, BLOCK_BEGIN);
  const ends = linesThatAre(text, BLOCK_END);
  const [begin] = begins;
  const [end] = ends;
  if (!begin && !end) return undefined;
  if (!begin || !end || begins.length > 1 || ends.length > 1 || end.start < begin.end) {
    const line = lineNumber(text, (begin ?? end ?? { start: 0 }).start);
    return { problem: `line ${line}: the markers '${BLOCK_BEGIN}' and '${BLOCK_END}' do not make one pair` };
  }
  const lineEnd = text.slice(begin.start, begin.end).endsWith('\r\n') ? '\r\n' : '\n';
  const inside = text.slice(begin.end, end.start);
  const lines = inside === '' ? [] : inside.slice(0, inside.endsWith(lineEnd) ? -lineEnd.length : -1).split(lineEnd);
  return { start: begin.start, end: end.end, lineEnd, lines };
}

/** Counted from 1. */
export function lineNumber(text: string, at: number): number {
  return text.slice(0, at).split('\n').length;
}

function blockText(lines: readonly string[], lineEnd: string, closed: boolean): string {
  return [BLOCK_BEGIN, ...lines, BLOCK_END].join(lineEnd) + (closed ? lineEnd : '');
}

function linesThatAre(text: string, wanted: string): { readonly start: number; readonly end: number }[] {
  const found: { start: number; end: number }[] = [];
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + 1)) {
    if (at > 0 && text[at - 1] !== '\n') continue;
    const behind = /^\r?(?:\n|$)/.exec(text.slice(at + wanted.length, at + wanted.length + 2));
    if (behind) found.push({ start: at, end: at + wanted.length + behind[0].length });
  }
  return found;
}
