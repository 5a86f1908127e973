/**
 * The use cases: check a path, run one probe, answer peers, read the configuration, print the schema.
 * Each wires rooms together (probes over ports, ratings over results) and is called by the command
 * line and by programs alike. It prints nothing and parses no arguments; progress goes to a sink that
 * the caller hands in.
 *
 *     const document = await measure(ports, { probe: 'echo', target: '10.0.0.2', options: { count: 100 }, ... });
 */
export * from './advise.js';
export { workloadHelp } from './advise-workloads.js';
export * from './check.js';
export * from './check-host.js';
export * from './config.js';
export * from './config-reference.js';
export * from './config-schema.js';
export * from './history.js';
export * from './keep-run.js';
export * from './key.js';
export * from './measure.js';
export * from './nearest.js';
export * from './progress.js';
export * from './schema.js';
export * from './self.js';
export * from './serve.js';
export * from './tune/index.js';
export { announceReady, createHostPorts, keepHeapSmall } from '../host/index.js';
export type { HostPorts } from '../host/index.js';
export { PROBES, parseCount } from '../probe/index.js';
export type { Probe, ProbeFlag } from '../probe/index.js';
export { GROUPS } from '../results/index.js';
