import type { HttpClient, HttpOutcome } from '../base/index.js';
import type { Outcome } from '../results/index.js';

/** Lists of a host with many containers, or of a network with many peers, are far below this. */
export const ANSWER_BYTES_MAX = 8 * 1024 * 1024;
const EXCERPT_CHARS = 80;

export interface LocalQuestion {
  readonly client: HttpClient;
  readonly socketPath: string;
  /** The name that the server wants to be called by. */
  readonly host: string;
  /** Path and query. */
  readonly target: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** `absent`: there is no such socket. `denied`: this user may not ask. */
export interface LocalFailure {
  readonly outcome: Exclude<Outcome, 'ok'>;
  readonly reason: string;
  readonly why: 'absent' | 'ended' | 'denied' | 'silent' | 'status' | 'garbled' | 'interrupted' | 'other';
  readonly status?: number;
}

export type LocalAnswer =
  | { readonly outcome: 'ok'; readonly value: unknown; readonly http: Extract<HttpOutcome, { outcome: 'ok' }>; readonly text: string }
  | LocalFailure;

/** Asks a program of this host over its Unix socket, and reads the answer as JSON. Never throws for what comes back. */
export async function askLocally(question: LocalQuestion): Promise<LocalAnswer> {
  const answer = await askForText(question);
  if (answer.outcome !== 'ok') return answer;
  const { http, text } = answer;
  const place = question.socketPath;
  if (http.bytes > ANSWER_BYTES_MAX)
    return {
      outcome: 'lost',
      why: 'garbled',
      reason: `the answer of ${place} to ${question.target} has ${http.bytes} bytes, more than is read here`,
    };
  try {
    return { ...answer, value: JSON.parse(text) as unknown };
  } catch {
    return { outcome: 'unsupported', why: 'garbled', reason: `${place} answers, but not in JSON (${excerpt(text)}): something else listens there` };
  }
}

/** As above, for an answer that is plain text; the value is the text. */
export async function askForText(question: LocalQuestion): Promise<LocalAnswer> {
  const { client, socketPath, host, target, timeoutMs, signal } = question;
  const http = await client.request({
    url: `http://${host}${target}`,
    socketPath,
    method: 'GET',
    timeoutMs,
    keepBytesMax: ANSWER_BYTES_MAX,
    signal,
  });
  if (http.outcome !== 'ok') return signal.aborted ? interrupted() : failureOf(http);
  const text = new TextDecoder().decode(http.body ?? new Uint8Array());
  if (http.status === 401 || http.status === 403)
    return {
      outcome: 'unchecked',
      why: 'denied',
      status: http.status,
      reason: `${socketPath} does not answer this user (HTTP ${http.status}: ${excerpt(text)})`,
    };
  if (http.status < 200 || http.status > 299)
    return {
      outcome: 'unsupported',
      why: 'status',
      status: http.status,
      reason: `${socketPath} answered ${target} with HTTP ${http.status} (${excerpt(text)})`,
    };
  return { outcome: 'ok', value: text, http, text };
}

function failureOf(http: Exclude<HttpOutcome, { outcome: 'ok' }>): LocalFailure {
  const { reason, errno, outcome } = http;
  if (errno === 'ENOENT' || errno === 'ENOTDIR') return { outcome: 'unsupported', why: 'absent', reason };
  if (errno === 'ECONNREFUSED') return { outcome: 'refused', why: 'ended', reason };
  if (errno === 'EACCES' || errno === 'EPERM') return { outcome: 'unchecked', why: 'denied', reason };
  if (outcome === 'timeout') return { outcome: 'timeout', why: 'silent', reason };
  return { outcome: outcome === 'refused' ? 'refused' : 'lost', why: 'other', reason };
}

export function interrupted(): LocalFailure {
  return { outcome: 'unchecked', why: 'interrupted', reason: 'interrupted before anything was measured' };
}

/** The head of what somebody else wrote, on one line. */
export function excerpt(text: string, chars = EXCERPT_CHARS): string {
  const line = text
    .slice(0, 4 * chars)
    .replace(/\s+/g, ' ')
    .trim();
  if (line === '') return 'nothing';
  return line.length <= chars ? line : `${line.slice(0, chars)}…`;
}
