/**
 * The operating system behind the ports of `base/`: sockets, clocks, names, files, facts, on Linux and
 * macOS. The only room that does input and output. It moves bytes and takes times; what they mean is
 * for `probe/` and `serve/`. Nothing heavy happens at import: libc and worker threads are loaded by the
 * first plan that needs them, and everything that a plan opened is closed with it.
 *
 *     const ports = createHostPorts({ logLevel: 'warn' });
 *     const flow = await ports.datagrams.open({ protocol: 'udp', remote });
 */
import type { HostControl, Ports } from '../base/index.js';
import { createClock } from './clock.js';
import { createCommands } from './commands.js';
import { announceReady, createControl } from './control/index.js';
import type { ControlOptions } from './control/index.js';
import { createDatagrams } from './datagrams/index.js';
import { createFacts } from './facts/index.js';
import { createFiles } from './files.js';
import type { HostFiles } from './files.js';
import { createLog } from './log.js';
import type { LogLevel } from './log.js';
import { createNames } from './names.js';
import { createPackets } from './packets/index.js';
import { createStreams } from './streams/index.js';
import { createWeb } from './web/index.js';

export interface HostPorts extends Ports {
  readonly files: HostFiles;
  readonly control: HostControl;
  /** Lets go of everything; may be called twice. */
  close(): Promise<void>;
}

export interface HostOptions {
  /** The least that is written to stderr; default `warn`. */
  readonly logLevel?: LogLevel;
  readonly control?: ControlOptions;
}

export function createHostPorts(options: HostOptions = {}): HostPorts {
  const clock = createClock();
  const files = createFiles();
  const commands = createCommands();
  return {
    clock,
    files,
    commands,
    control: createControl(commands, options.control),
    names: createNames(clock),
    datagrams: createDatagrams(clock),
    packets: createPackets(),
    streams: createStreams(clock),
    web: createWeb(clock),
    facts: createFacts(files, commands),
    log: createLog(options.logLevel === undefined ? {} : { level: options.logLevel }),
    close: () => Promise.resolve(),
  };
}

export { announceReady, createClock, createFiles };
export { keepHeapSmall } from './memory.js';
export { runUdpLoop, runUdpNode, udpLoopUnavailable } from './datagrams/index.js';
export { explainListen, listen } from './streams/index.js';
export type { Listener } from './streams/index.js';
export { startThread } from './thread.js';
export type { Thread } from './thread.js';
export { attachHttp } from './web/index.js';
export type { ControlOptions, HostFiles, LogLevel };
