/**
 * What was measured before: each run is one JSON file, its document with the environment that it was measured
 * in, named so that names sort by time. There is no index that could go stale; what is corrupt, foreign or of a
 * newer release is passed over and named. What a run means, and how it is shown, is for others.
 *
 *     await keepRun({ files, folder }, document, { countMax: 500 });
 *     const { runs, skipped } = await readRuns({ files, folder }, { newest: 20 });
 */
export * from './archive.js';
export * from './environment.js';
export * from './run-name.js';
