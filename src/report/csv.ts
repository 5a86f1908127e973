import type { Measurement, ResultDocument } from '../results/index.js';
import { aboveCeiling } from '../results/index.js';
import { printable } from './terminal-text.js';

type Place = { readonly document: ResultDocument; readonly subject: string; readonly role: string; readonly measurement: Measurement };
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
];

export const CSV_HEADER: readonly string[] = COLUMNS.map(([name]) => name);

/** One record a measurement under a fixed header, by RFC 4180: CRLF, fields quoted where they must be. */
export function renderCsv(document: ResultDocument): string {
  const records = placesOf(document).map((place) => COLUMNS.map(([, field]) => write(field(place))).join(','));
  return [CSV_HEADER.join(','), ...records].map((record) => `${record}\r\n`).join('');
}

function placesOf(document: ResultDocument): Place[] {
  if (document.schema === 'tautline.measure/1')
    return document.measurements.map((measurement) => ({ document, subject: document.target, role: 'target', measurement }));
  return document.subjects.flatMap(({ name, role, measurements }) =>
    measurements.map((measurement) => ({ document, subject: name, role, measurement })),
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
