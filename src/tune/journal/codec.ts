import { createHash } from 'node:crypto';
import { checkRecord, JOURNAL_SCHEMA } from './record-schema.js';
import type { BeginRecord } from './record-schema.js';
import type { JournalRecord } from './records.js';

/** A journal as it was read. */
export type Decoded =
  | {
      readonly kind: 'journal';
      readonly records: readonly [BeginRecord, ...JournalRecord[]];
      /** The lines that count, each with its end: what the file holds once it is mended. */
      readonly text: string;
      /** Whether the file holds anything else: the rest of a line that a crash tore, or no end of the last line. */
      readonly torn: boolean;
    }
  /** The crash came before the first line was whole, and so before anything was changed. */
  | { readonly kind: 'never-begun' }
  | { readonly kind: 'damaged'; readonly why: string };

/** What the next line continues. */
export interface Chain {
  readonly seq: number;
  /** SHA-256 of the line before, without its end. */
  readonly previous: string;
}

export const CHAIN_START: Chain = { seq: 0, previous: '0'.repeat(64) };

/**
 * A line is one JSON object: `seq`, `previous` (the SHA-256 of the line before), the record, and `sha256` of all that stands
 * before it in the line. `previous` notices that another line was edited, lost or moved; `sha256` that this one was, which
 * for the last line nothing else could.
 */
export function encodeLine(chain: Chain, record: JournalRecord): { readonly line: string; readonly next: Chain } {
  const body = JSON.stringify({ ...chain, ...record }).slice(0, -1);
  const line = `${body},"sha256":"${sha256(body)}"}`;
  return { line: `${line}\n`, next: { seq: chain.seq + 1, previous: sha256(line) } };
}

/** The chain after these lines, to go on writing. */
export function chainAfter(text: string): Chain {
  const lines = text.split('\n').slice(0, -1);
  return { seq: lines.length, previous: lines.length === 0 ? CHAIN_START.previous : sha256(lines.at(-1) as string) };
}

/** Reads a journal. Whatever is not exactly what `encodeLine` writes is damage, except that a crash may have torn the last line. */
export function decodeJournal(bytes: Uint8Array): Decoded {
  const all = decodeUtf8(bytes);
  const lines = all.split('\n');
  const rest = lines.pop() as string;
  const records: JournalRecord[] = [];
  let chain = CHAIN_START;
  for (const [i, line] of lines.entries()) {
    const read = readLine(line, chain, records[0]);
    if ('problem' in read) return damaged(i + 1, read.problem);
    records.push(read.record);
    chain = { seq: chain.seq + 1, previous: sha256(line) };
  }
  const text = lines.map((line) => `${line}\n`).join('');
  if (rest === '') return asJournal(records, text, false);
  const last = readLine(rest, chain, records[0]);
  if ('record' in last) return asJournal([...records, last.record], `${text}${rest}\n`, true);
  return looksTorn(rest, chain) ? asJournal(records, text, true) : damaged(lines.length + 1, last.problem);
}

function asJournal(records: readonly JournalRecord[], text: string, torn: boolean): Decoded {
  const [begin, ...others] = records;
  if (begin === undefined) return { kind: 'never-begun' };
  return { kind: 'journal', records: [begin as BeginRecord, ...others], text, torn };
}

function damaged(line: number, problem: string): Decoded {
  return { kind: 'damaged', why: `line ${line} ${problem}` };
}

const SEALED = /^(\{.*),"sha256":"([0-9a-f]{64})"\}$/s;

function readLine(line: string, chain: Chain, first: JournalRecord | undefined): { readonly record: JournalRecord } | { readonly problem: string } {
  const [, body = '', sum] = SEALED.exec(line) ?? [];
  const value = parseObject(line);
  if (value === undefined) return { problem: line.includes('\0') ? 'holds zero bytes: the disk lost it' : 'is not a JSON object' };
  const schema = value['schema'];
  if (chain.seq === 0 && schema !== JOURNAL_SCHEMA) return { problem: foreignSchema(schema) };
  if (sum === undefined) return { problem: 'does not end in its SHA-256: it was edited, or something else wrote it' };
  if (sum !== sha256(body)) return { problem: 'was edited: it does not match its own SHA-256' };
  const { seq, previous, sha256: _, ...record } = value;
  if (seq !== chain.seq) return { problem: misplaced(seq, chain.seq) };
  if (previous !== chain.previous) return { problem: `does not continue line ${chain.seq}: one of the two was exchanged` };
  // The same name twice in an object would be hashed as two and read as one.
  if (JSON.stringify(value) !== line) return { problem: 'is not written as Tautline writes: it was made by something else' };
  if ((record['type'] === 'begin') !== (chain.seq === 0))
    return { problem: chain.seq === 0 ? 'does not begin a change' : 'begins a change a second time' };
  const checked = checkRecord(record, first as BeginRecord | undefined);
  return 'record' in checked ? checked : { problem: `is no valid record: ${checked.problem}` };
}

function foreignSchema(schema: unknown): string {
  const release = typeof schema === 'string' ? /^tautline\.journal\/(\d+)$/.exec(schema)?.[1] : undefined;
  if (release !== undefined)
    return `has the schema tautline.journal/${release}, which a newer release of Tautline wrote; this one reads ${JOURNAL_SCHEMA}`;
  return `does not open a journal of Tautline: its schema is not ${JOURNAL_SCHEMA}`;
}

function misplaced(seq: unknown, wanted: number): string {
  if (typeof seq !== 'number') return 'has no number';
  const there = `is numbered ${seq} where ${wanted} belongs`;
  return seq > wanted ? `${there}: lines before it are missing or were moved` : `${there}: it was moved here or stands here twice`;
}

/**
 * Whether this is what a crash leaves of a line that would continue the chain: its beginning, or nothing but zero bytes after
 * it (a file system that had the new length on the disk before the data).
 */
function looksTorn(rest: string, chain: Chain): boolean {
  const start = rest.replace(/\0+$/, '');
  if (start.includes('\0') || /,"sha256":"[0-9a-f]{64}"\}/.test(start)) return false;
  const head = `{"seq":${chain.seq},"previous":"${chain.previous}",${chain.seq === 0 ? `"type":"begin","schema":"${JOURNAL_SCHEMA}",` : '"type":"'}`;
  return start.length < head.length ? head.startsWith(start) : start.startsWith(head);
}

function parseObject(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** A torn line may end inside a character; bytes that are no UTF-8 elsewhere no longer match their SHA-256. */
function decodeUtf8(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
