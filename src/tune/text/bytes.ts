import type { Entry } from '../../base/index.js';

/**
 * The bytes of a file as text in which every character is one byte (ISO 8859-1), so that an edit of a few lines leaves all
 * others as they are, whatever their encoding. What is put in must be ASCII.
 */
export function fileText(entry: Extract<Entry, { kind: 'file' }>): string {
  return Buffer.from(entry.bytesBase64, 'base64').toString('latin1');
}

export function fileBytes(text: string): string {
  return Buffer.from(text, 'latin1').toString('base64');
}

/** How lines end in a text: as its first line does. */
export function lineEndOf(text: string): '\n' | '\r\n' {
  return /^[^\n]*\r\n/.test(text) ? '\r\n' : '\n';
}
