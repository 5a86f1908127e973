/**
 * What changes this host: values of /proc and /sys, files with all that makes them what they are, interfaces, a hold on idle
 * states, and a process that outlives this one. Each call is one change, on the disk or in the kernel when it returns. What to
 * change, in which order, and how to undo it is for `tune/`.
 *
 *     const control = createControl(commands);
 *     const before = await control.readEntry('/etc/sysctl.d/90-tautline.conf');
 */
import { LATENCY_DEVICE, TautlineError } from '../../base/index.js';
import type { Commands, HostControl } from '../../base/index.js';
import { append } from './append.js';
import { entryControl } from './entries.js';
import { startGuard } from './guard.js';
import { hostPlace } from './host-place.js';
import { createLatencyControl } from './latency.js';
import { createLinkControl } from './links.js';
import { lock } from './lock.js';
import { isAlive } from './processes.js';
import { valueControl } from './values.js';

export interface ControlOptions {
  /** Default /dev/cpu_dma_latency. */
  readonly latencyDevice?: string;
  /** What a guard runs; default: the program that this process runs. */
  readonly guardProgram?: string;
}

export function createControl(commands: Commands, options: ControlOptions = {}): HostControl {
  return {
    ...valueControl,
    ...entryControl,
    ...createLinkControl(),
    ...createLatencyControl(options.latencyDevice ?? LATENCY_DEVICE),
    append,
    lock,
    startGuard: async (args, readyTimeoutMs) => {
      const program = options.guardProgram ?? process.argv[1];
      if (program === undefined) throw new TautlineError('unsupported', 'this process cannot start itself again: it was not started from a file');
      return await startGuard(program, args, readyTimeoutMs);
    },
    isAlive: (pid) => Promise.resolve(isAlive(pid)),
    place: () => hostPlace(commands),
  };
}

export { announceReady } from './guard.js';
