import { TautlineError } from '../base/index.js';
import type { Files } from '../base/index.js';
import { documentFault } from '../results/index.js';
import type { ResultDocument } from '../results/index.js';
import { nameRun, readRunName } from './run-name.js';
import type { RunName } from './run-name.js';

/** Where runs are kept. */
export interface Archive {
  readonly files: Files;
  readonly folder: string;
}

/** What is kept at most; the oldest go first. */
export interface KeepLimits {
  readonly countMax: number;
  readonly bytesMax: number;
}

export const KEEP_LIMITS: KeepLimits = { countMax: 500, bytesMax: 256 * 1024 * 1024 };

/** A document that is larger than this is not kept: it is no run of ours. */
const DOCUMENT_BYTES_MAX = 32 * 1024 * 1024;
/** Documents name addresses and hosts: they are for their owner alone. */
const FILE_MODE = 0o600;

export interface KeptRun {
  readonly name: RunName;
  readonly document: ResultDocument;
}

/** A file that was passed over. */
export interface SkippedRun {
  readonly file: string;
  readonly why: string;
}

/**
 * Writes the document as a new file and removes what is beyond the limits.
 * @returns the name that it can be shown by
 * @throws TautlineError `io` or `permission`; the run itself is not kept then, or older ones were not removed
 */
export async function keepRun({ files, folder }: Archive, document: ResultDocument, limits: KeepLimits = KEEP_LIMITS): Promise<RunName> {
  const text = `${JSON.stringify(document)}\n`;
  if (byteLength(text) > DOCUMENT_BYTES_MAX) throw new TautlineError('io', `the document is larger than ${DOCUMENT_BYTES_MAX} bytes`);
  const name = nameRun(kindOf(document), document.startedAt, text);
  if (!name) throw new TautlineError('io', `'${document.startedAt}' is no time that a file can be named after`);
  await files.makeFolder(folder);
  const path = `${folder}/${name.id}.json`;
  // The same name means the same text, so writing it again would change nothing.
  if ((await files.status(path)) === undefined) await files.writeText(path, text, { mode: FILE_MODE });
  await prune({ files, folder }, limits, name);
  return name;
}

/** Removes the oldest runs beyond the limits, never the one just kept, and nothing that is not ours. */
async function prune({ files, folder }: Archive, limits: KeepLimits, kept: RunName): Promise<void> {
  const names = await runNames({ files, folder });
  let bytes = 0;
  let count = 0;
  for (const name of names.toReversed()) {
    const path = `${folder}/${name.id}.json`;
    bytes += (await files.status(path))?.sizeBytes ?? 0;
    count += 1;
    if ((count > limits.countMax || bytes > limits.bytesMax) && name.id !== kept.id) await files.remove(path);
  }
}

/** Names of all kept runs, the oldest first. */
export async function runNames({ files, folder }: Archive): Promise<readonly RunName[]> {
  return ((await files.list(folder)) ?? []).flatMap((file) => readRunName(file) ?? []).sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
}

export interface ReadQuery {
  /** So many of the newest that `wanted` lets through; all without it. */
  readonly newest?: number;
  /** Looks at a name before its file is read, and at the document after. */
  readonly sinceMs?: number;
  readonly wanted?: (document: ResultDocument) => boolean;
}

export interface ReadRuns {
  /** The oldest first. */
  readonly runs: readonly KeptRun[];
  readonly skipped: readonly SkippedRun[];
  /** Whether older ones were left unread. */
  readonly more: boolean;
}

/** Reads kept runs from the newest on. A file that cannot be read or is not ours costs the others nothing. */
export async function readRuns(archive: Archive, query: ReadQuery = {}): Promise<ReadRuns> {
  const runs: KeptRun[] = [];
  const skipped = await foreignFiles(archive);
  let more = false;
  for (const name of (await runNames(archive)).toReversed()) {
    if (query.sinceMs !== undefined && Date.parse(name.startedAt) < query.sinceMs) break;
    if (query.newest !== undefined && runs.length >= query.newest) {
      more = true;
      break;
    }
    const found = await readRun(archive, name);
    if ('why' in found) skipped.push(found);
    else if (query.wanted?.(found.document) ?? true) runs.push(found);
  }
  return { runs: runs.reverse(), skipped, more };
}

/** What lies in the folder and has no name of ours; half-written files of others that run now are not told. */
async function foreignFiles({ files, folder }: Archive): Promise<SkippedRun[]> {
  const names = (await files.list(folder)) ?? [];
  return names.filter((file) => !file.startsWith('.') && !readRunName(file)).map((file) => ({ file, why: 'its name is none that tautline gives' }));
}

/** One run, or why its file is passed over. */
export async function readRun({ files, folder }: Archive, name: RunName): Promise<KeptRun | SkippedRun> {
  const file = `${name.id}.json`;
  const path = `${folder}/${file}`;
  try {
    const status = await files.status(path);
    if (!status) return { file, why: 'it was removed meanwhile' };
    if (status.kind !== 'file') return { file, why: 'it is not a plain file' };
    if (status.sizeBytes > DOCUMENT_BYTES_MAX) return { file, why: 'it is too large to be a run' };
    const value: unknown = JSON.parse((await files.readText(path)) ?? '');
    const why = whyNotRead(value, name);
    return why === undefined ? { name, document: value as ResultDocument } : { file, why };
  } catch (error) {
    if (error instanceof SyntaxError) return { file, why: 'it is no JSON, perhaps cut off' };
    if (error instanceof TautlineError) return { file, why: error.message };
    throw error;
  }
}

/** The version of each kind that this release reads. */
const VERSIONS: Readonly<Record<string, number>> = { check: 1, measure: 1 };

function whyNotRead(value: unknown, name: RunName): string | undefined {
  const document = (typeof value === 'object' && value !== null ? value : {}) as Readonly<Record<string, unknown>>;
  const [, kind = '', version = ''] = /^tautline\.([a-z]+)\/(\d+)$/.exec(String(document['schema'])) ?? [];
  const known = VERSIONS[kind];
  if (known === undefined) return 'it holds no run of tautline';
  if (Number(version) > known) return `a newer release wrote it (${String(document['schema'])})`;
  if (kind !== name.kind || document['startedAt'] !== name.startedAt) return 'its name and what it holds differ';
  // A moment that no calendar has; names are only digits.
  if (Number.isNaN(Date.parse(name.startedAt))) return 'its time is none';
  // Whatever shows it takes for granted what the schema says: one spoilt file must not keep the others from being shown.
  const fault = documentFault(value, kind === 'check' ? 'check' : 'measure');
  return fault === undefined ? undefined : `parts of it are missing or not what they must be (${fault})`;
}

function kindOf(document: ResultDocument): string {
  return document.schema === 'tautline.check/1' ? 'check' : 'measure';
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}
