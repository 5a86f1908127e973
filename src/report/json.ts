import { type AnyDocument, DOCUMENT_SCHEMAS, MeasurementSchema, SubjectSchema } from '../results/index.js';

/**
 * The document as it is, in two-space JSON. Keys stand in the order of their declaration, so that two
 * documents can be compared line by line whichever code put them together; what is not declared follows as it came.
 */
export function renderJson(document: AnyDocument): string {
  const declared = Object.values(DOCUMENT_SCHEMAS).find(({ entries }) => entries.schema.literal === document.schema);
  const text = JSON.stringify(ordered(document, Object.keys(declared?.entries ?? {})), undefined, 2);
  // JSON leaves these as they are, and a terminal may obey the 8-bit control characters.
  return `${text.replace(UNESCAPED, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)}\n`;
}

const UNESCAPED = /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;
const SUBJECT_KEYS = Object.keys(SubjectSchema.entries);
const MEASUREMENT_KEYS = Object.keys(MeasurementSchema.entries);

function ordered(value: object, keys: readonly string[]): Record<string, unknown> {
  const given = value as Readonly<Record<string, unknown>>;
  const known = keys.filter((key) => Object.hasOwn(given, key));
  const others = Object.keys(given).filter((key) => !keys.includes(key));
  return Object.fromEntries([...known, ...others].map((key) => [key, inside(key, given[key])]));
}

function inside(key: string, value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  if (key === 'subjects') return value.map((subject: object) => ordered(subject, SUBJECT_KEYS));
  if (key === 'measurements') return value.map((measurement: object) => ordered(measurement, MEASUREMENT_KEYS));
  return value;
}
