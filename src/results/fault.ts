import * as v from 'valibot';
import { CheckDocumentSchema, MeasureDocumentSchema } from './document.js';

/** The place of the first thing that keeps a value from being a result document, such as `measurements.0.metric`; undefined where it is one. */
export function documentFault(value: unknown, kind: 'check' | 'measure'): string | undefined {
  const parsed = v.safeParse(kind === 'check' ? CheckDocumentSchema : MeasureDocumentSchema, value, { abortEarly: true });
  return parsed.success ? undefined : (v.getDotPath(parsed.issues[0]) ?? 'the whole');
}
