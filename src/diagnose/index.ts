/**
 * What a figure is worth: rating bands per metric, the rating of one measurement, and one sentence of
 * conclusion over all of them. It judges what others measured and never measures; which overrides a person
 * wrote is `app/`'s to read, how a rating looks is `report/`'s.
 *
 *     const bands = resolveBands({ rtt: { excellent: 10, good: 30, fair: 80 } });
 *     const rated = rateAll(measurements, bands);
 *     const verdict = conclude({ subjects, bands });
 */
export * from './bands.js';
export * from './conclude.js';
export * from './rate.js';
export * from './workloads.js';
export * from './ceilings/index.js';
export type * from './evidence.js';
export * from './findings/index.js';
export * from './upgrade/index.js';
