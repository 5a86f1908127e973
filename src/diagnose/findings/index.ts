/**
 * From figures to what is wrong: symptoms, their causes, how each is told from the others, and what to do. The graph
 * is data (`FINDING_GRAPH`): a symptom is an entry in `symptoms/`, a cause one object in `causes/`; the engine walks
 * them, ranks what is supported, and says what was excluded and what could not be looked at.
 *
 *     for (const finding of findingsOf({ paths, host })) console.log(finding.title, finding.evidence);
 */
import { CAUSES } from './causes/index.js';
import { SYMPTOMS } from './symptoms/index.js';

export { findingsOf } from './engine.js';
export { findingsReference } from './reference.js';

/** The graph as a listing: which symptom leads to which causes, what tells them apart, and what mends them. */
export const FINDING_GRAPH = {
  symptoms: SYMPTOMS.map(({ id, title, why, kind }) => ({ id, title, why, kind })),
  causes: CAUSES.map(({ id, title, severity, explains, check, fix }) => ({ id, title, severity, explains, check, fix })),
} as const;
