import { TautlineError, assert } from '../../base/index.js';
import type { Clock, Datagrams, FlowOptions } from '../../base/index.js';
import { libcUnavailable, loadLibc } from '../libc/index.js';
import type { Libc } from '../libc/index.js';
import { FallbackFlow } from './fallback.js';
import { NativeFlow } from './native-flow.js';
import { openSocket } from './sockets.js';

export interface DatagramsOptions {
  /** `never` goes without the system's functions, as where they are missing. */
  readonly native?: 'auto' | 'never';
}

/** The datagrams port of this machine. */
export function createDatagrams(clock: Clock, options: DatagramsOptions = {}): Datagrams {
  const wanted = options.native ?? 'auto';
  let flows = 0;
  return {
    async open(flow) {
      check(flow);
      const libc = wanted === 'auto' ? loadLibc() : undefined;
      if (!libc) return openFallback(clock, flow, wanted === 'never' ? 'native sockets are turned off' : (libcUnavailable() ?? 'no libc'));
      // Identifiers differ between the flows of a process and, nearly always, between processes.
      const identifier = (process.pid * 31 + flows++) & 0xffff;
      return openNative(libc, flow, identifier);
    },
  };
}

function openNative(libc: Libc, flow: FlowOptions, identifier: number): NativeFlow {
  const socket = openSocket(libc, flow, identifier);
  try {
    return new NativeFlow(libc, flow.remote, socket);
  } catch (cause) {
    libc.close(socket.fd);
    throw new TautlineError('io', 'cannot start a thread to measure with', { hint: 'the system may be out of memory or threads', cause });
  }
}

async function openFallback(clock: Clock, flow: FlowOptions, why: string): Promise<FallbackFlow> {
  if (flow.protocol === 'icmp')
    throw new TautlineError('unsupported', `no ICMP socket: ${why}`, { hint: "the system's own ping can be used instead" });
  return FallbackFlow.open(clock, flow, why);
}

function check(flow: FlowOptions): void {
  assert(flow.dscp === undefined || (Number.isInteger(flow.dscp) && flow.dscp >= 0 && flow.dscp <= 63), 'a DSCP is 0..63');
  assert(flow.ttl === undefined || (Number.isInteger(flow.ttl) && flow.ttl >= 1 && flow.ttl <= 255), 'a TTL is 1..255');
  assert(flow.protocol === 'icmp' || (flow.remote.port >= 1 && flow.remote.port <= 65535), 'a UDP flow has a remote port');
}
