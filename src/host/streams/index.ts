import type { Clock, Streams } from '../../base/index.js';
import { connect } from './connect.js';
import { pump } from './pump.js';
import type { PumpChoices } from './pump.js';

/**
 * TCP on a real machine: connections that are made and timed, bulk data moved over them by worker
 * threads (or by Node's streams where libc cannot be reached), the kernel's TCP_INFO, and the
 * listener of `tautline serve`, which tells our protocol from HTTP. What is said over a connection
 * and what its figures mean is for others.
 *
 *     const streams = createStreams(clock);
 *     const made = await streams.connect({ remote, timeoutMs: 3000 });
 *     if (made.outcome === 'ok') await streams.pump({ connections: [made.connection], role: 'send', durationMs: 5000, idleMs: 2000, intervalMs: 250 });
 */
export function createStreams(clock: Clock, choices: PumpChoices = {}): Streams {
  return { connect: (options) => connect(clock, options), pump: (plan) => pump(clock, plan, choices) };
}

export type { PumpChoices } from './pump.js';
export { explainListen, listen } from './listen.js';
export type { ListenLimits, ListenOptions, Listener } from './listen.js';
