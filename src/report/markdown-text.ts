import { printable } from './terminal-text.js';

/** Text that is safe in GitHub-flavoured Markdown. */

export function record(fields: readonly string[]): string {
  return `| ${fields.join(' | ')} |`;
}

/**
 * Text as text: markup, table bars and HTML lose their meaning, and a name after @ does not call anybody.
 * Letters and digits around an underscore or a dot need no escape, and escapes there would only be in the way.
 */
export function escaped(text: string): string {
  return printable(text)
    .replace(/[\\`*[\]<>|~#!$]/g, (character) => (character === '<' ? '&lt;' : character === '>' ? '&gt;' : `\\${character}`))
    .replace(/(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/g, '\\_')
    .replace(/&(?!(?:lt|gt);)/g, '&amp;')
    .replace(/@(?=\w)/g, '@&#8288;')
    .replace(/\b(https?):\/\//gi, '$1:&#8288;//')
    .replace(/\bwww\./gi, 'www&#8288;.');
}

/** As code, nothing is escaped: the fence is one backtick longer than any run of them inside (CommonMark 6.1). */
export function code(command: string): string {
  const plain = printable(command);
  const longest = Math.max(0, ...[...plain.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  const room = plain.startsWith('`') || plain.endsWith('`') ? ' ' : '';
  return `${fence}${room}${plain}${room}${fence}`;
}
