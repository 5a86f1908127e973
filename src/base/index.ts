/**
 * The ground that every room stands on: units, the one error class, targets and endpoints, seeded
 * random numbers, and the ports through which everything else reaches the world. It imports nothing
 * and does nothing by itself; `host/` implements the ports on a real machine, `sim/` in virtual time.
 *
 *     const ms = parseDurationMs('250us'); // 0.25
 *     const target = parseTarget('[::1]:7227');
 */
export * from './errors.js';
export * from './latency-hold.js';
export * from './ports-control.js';
export * from './ports-datagrams.js';
export * from './ports-facts.js';
export * from './ports-host.js';
export * from './ports-packets.js';
export * from './ports-streams.js';
export * from './ports-web.js';
export * from './ports.js';
export * from './quantity.js';
export * from './random.js';
export * from './shell.js';
export * from './target.js';
export * from './units.js';
export * from './version.js';
