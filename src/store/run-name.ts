import { createHash } from 'node:crypto';

/** `20261121T074012123Z-check-1f0c9a3be2`: the time first, so that names sort by it, and a hash, so that no two runs share one. */
export interface RunName {
  /** The file's name without `.json`. */
  readonly id: string;
  readonly startedAt: string;
  readonly kind: string;
  readonly hash: string;
}

/** Of the document's text: runs that start in the same millisecond differ in what they measured. */
const HASH_DIGITS = 10;

export function nameRun(kind: string, startedAt: string, text: string): RunName | undefined {
  const stamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(startedAt) ? startedAt.replace(/[-:.]/g, '') : undefined;
  const hash = createHash('sha256').update(text).digest('hex').slice(0, HASH_DIGITS);
  return stamp === undefined ? undefined : { id: `${stamp}-${kind}-${hash}`, startedAt, kind, hash };
}

/** What a file's name says; undefined where it is none of ours. */
export function readRunName(fileName: string): RunName | undefined {
  const match = /^((\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z-([a-z]+)-([0-9a-f]{10}))\.json$/.exec(fileName);
  if (!match) return undefined;
  const [, id = '', year, month, day, hour, minute, second, ms, kind = '', hash = ''] = match;
  return { id, startedAt: `${year}-${month}-${day}T${hour}:${minute}:${second}.${ms}Z`, kind, hash };
}
