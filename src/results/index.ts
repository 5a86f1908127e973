/**
 * The result documents: what every probe returns, every report prints and every later release reads.
 * Each shape is declared once, here, as a valibot schema; the TypeScript type and the published JSON
 * Schema (`tautline export schema`) both come from it. Objects accept unknown keys, so that an old
 * release can read a newer document.
 *
 *     const document = v.parse(CheckDocumentSchema, JSON.parse(text));
 */
export * from './advice.js';
export * from './ceiling.js';
export * from './comparison.js';
export * from './details.js';
export * from './document.js';
export * from './fault.js';
export * from './finding.js';
export * from './load-latency.js';
export * from './measurement.js';
export * from './metrics.js';
export * from './tune.js';
