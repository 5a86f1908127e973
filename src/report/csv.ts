import type { Limit, Measurement, ResultDocument, Subject } from '../results/index.js';
import { aboveCeiling } from '../results/index.js';
import { printable } from './terminal-text.js';

type Place = {
  readonly document: ResultDocument;
  readonly subject: string;
  readonly role: string;
  readonly about?: Subject;
  readonly measurement: Measurement;
};
type Field = string | number | undefined;

/** Every column, in order. Columns are only ever added at the end, so that what reads an old file reads a new one. */
const COLUMNS: readonly (readonly [name: string, field: (place: Place) => Field])[] = [
  ['document', ({ document }) => document.schema],
  ['started_at', ({ measurement }) => measurement.startedAt],
  ['subject', ({ subject }) => subject],
  ['role', ({ role }) => role],
  ['probe', ({ measurement }) => measurement.probe],
  ['metric', ({ measurement }) => measurement.metric],
  ['target', ({ measurement }) => measurement.target],
  ['path', ({ measurement }) => measurement.path],
  ['outcome', ({ measurement }) => measurement.outcome],
  ['provenance', ({ measurement }) => measurement.provenance],
  ['partial', ({ measurement }) => (measurement.partial === true ? 'true' : 'false')],
  ['duration_ms', ({ measurement }) => measurement.durationMs],
  ['unit', ({ measurement }) => measurement.summary?.unit],
  ['n', ({ measurement }) => measurement.summary?.n],
  ['min', ({ measurement }) => measurement.summary?.min],
  ['median', ({ measurement }) => measurement.summary?.median],
  ['mean', ({ measurement }) => measurement.summary?.mean],
  ['p95', ({ measurement }) => measurement.summary?.p95],
  ['p99', ({ measurement }) => measurement.summary?.p99],
  ['max', ({ measurement }) => measurement.summary?.max],
  ['stddev', ({ measurement }) => measurement.summary?.stddev],
  ['ci95_low', ({ measurement }) => measurement.summary?.ci95?.[0]],
  ['ci95_high', ({ measurement }) => measurement.summary?.ci95?.[1]],
  ['sent', ({ measurement }) => measurement.loss?.sent],
  ['received', ({ measurement }) => measurement.loss?.received],
  ['loss_ratio', ({ measurement }) => measurement.loss?.ratio],
  ['loss_ci95_low', ({ measurement }) => measurement.loss?.ci95?.[0]],
  ['loss_ci95_high', ({ measurement }) => measurement.loss?.ci95?.[1]],
  ['error', ({ measurement }) => measurement.error?.value],
  ['error_unit', ({ measurement }) => measurement.error?.unit],
  ['error_from', ({ measurement }) => measurement.error?.from.join('; ')],
  ['ceiling', ({ measurement }) => measurement.ceiling?.value],
  ['ceiling_unit', ({ measurement }) => measurement.ceiling?.unit],
  ['ceiling_why', ({ measurement }) => measurement.ceiling?.why],
  ['above_ceiling', ({ measurement }) => (aboveCeiling(measurement) === undefined ? 'false' : 'true')],
  ['band', ({ measurement }) => measurement.rating?.band],
  ['stars', ({ measurement }) => measurement.rating?.stars],
  ['reason', ({ measurement }) => measurement.reason],
  ['peer', ({ about }) => about?.peer],
  ['path_kind', ({ about }) => about?.kind],
  ['limit', (place) => lowestLimit(place)?.id],
  ['limit_bps', (place) => lowestLimit(place)?.bps],
  ['limit_kind', (place) => lowestLimit(place)?.kind],
  ['limit_reached', (place) => lowestLimit(place)?.reached],
  ['limit_why', (place) => lowestLimit(place)?.why],
  ['findings', (place) => findingsAbout(place)],
];

/** What bounds a throughput at the lowest; other figures have no such bound. */
function lowestLimit({ about, measurement }: Place): Limit | undefined {
  const direction = /^throughput\.(up|down)$/.exec(measurement.metric)?.[1];
  return direction === undefined ? undefined : about?.limits?.find((limit) => limit.direction === direction || limit.direction === 'both');
}

/** Ids of the findings about this figure's path, the most important first; empty where none was found or nobody looked. */
function findingsAbout({ document, about }: Place): string | undefined {
  if (document.schema !== 'tautline.check/1' || !about) return undefined;
  const own = (document.findings ?? []).filter(
    ({ subject, path }) => subject === (about.peer ?? about.name) && (path === undefined || path === about.path),
  );
  return own.length === 0 ? undefined : own.map(({ id }) => id).join(';');
}

export const CSV_HEADER: readonly string[] = COLUMNS.map(([name]) => name);

/** One record a measurement under a fixed header, by RFC 4180: CRLF, fields quoted where they must be. */
export function renderCsv(document: ResultDocument): string {
  const records = placesOf(document).map((place) => COLUMNS.map(([, field]) => write(field(place))).join(','));
  return [CSV_HEADER.join(','), ...records].map((record) => `${record}\r\n`).join('');
}

function placesOf(document: ResultDocument): Place[] {
  if (document.schema === 'tautline.measure/1')
    return document.measurements.map((measurement) => ({ document, subject: document.target, role: 'target', measurement }));
  return document.subjects.flatMap((about) =>
    about.measurements.map((measurement) => ({ document, subject: about.name, role: about.role, about, measurement })),
  );
}

/**
 * Text that begins like a formula gets an apostrophe before it, as OWASP advises ("CSV Injection"): a reason
 * or a name may come from a peer, and a spreadsheet would run it. Numbers stay as they are.
 */
export function write(field: Field): string {
  if (field === undefined) return '';
  if (typeof field === 'number') return Number.isFinite(field) ? String(field) : '';
  const text = printable(field);
  const safe = /^[=+\-@|%]/.test(text.trimStart()) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) || safe !== safe.trim() ? `"${safe.replace(/"/g, '""')}"` : safe;
}
