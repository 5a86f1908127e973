import { TautlineError, assert } from '../../base/index.js';
import type { PacketLog, PacketPlan, Packets } from '../../base/index.js';
import { libcUnavailable, loadLibc } from '../libc/index.js';
import { startThread } from '../thread.js';
import { FLOWS_MAX } from './messages.js';
import type { PacketsAnswer, PacketsWorkerData } from './messages.js';

/** One sequence number each. */
const PACKETS_MAX = 65_535;

export interface PacketsOptions {
  /** Where ICMP errors are read; default: the sockets' own queue where the kernel has one, else a socket of ICMP. */
  readonly errors?: 'queue' | 'socket';
}

/** The packets port of this machine. */
export function createPackets(options: PacketsOptions = {}): Packets {
  let plans = 0;
  return {
    async probe(plan) {
      check(plan);
      const libc = loadLibc();
      if (!libc) {
        throw new TautlineError('unsupported', `packets with a TTL of their own cannot be sent: ${libcUnavailable() ?? 'no libc'}`, {
          hint: 'Node.js has no way to read who answered them',
        });
      }
      // Differs between the plans of a process and, nearly always, between processes.
      const run = (process.pid * 31 + plans++ * 1009) & 0xffff;
      return perform(plan, { run, errors: options.errors ?? (libc.constants.IP_RECVERR === undefined ? 'socket' : 'queue') });
    },
  };
}

function perform({ signal, onOutcome, ...plan }: PacketPlan, how: Pick<PacketsWorkerData, 'run' | 'errors'>): Promise<PacketLog> {
  const data: PacketsWorkerData = { plan, abort: new SharedArrayBuffer(4), tell: onOutcome !== undefined, ...how };
  const words = new Int32Array(data.abort);
  const abort = (): void => void Atomics.store(words, 0, 1);
  if (signal?.aborted === true) abort();
  signal?.addEventListener('abort', abort, { once: true });
  return new Promise<PacketLog>((resolve, reject) => {
    let answer: Exclude<PacketsAnswer, { kind: 'outcome' }> | undefined;
    startThread({
      entry: new URL('./packets-worker.js', import.meta.url),
      name: 'tautline packets',
      data,
      onMessage: (message) => {
        const told = message as PacketsAnswer;
        if (told.kind === 'outcome') onOutcome?.(told.index, told.outcome);
        else answer = told;
      },
      onExit: (failure) => {
        signal?.removeEventListener('abort', abort);
        if (answer?.kind === 'log') return resolve(answer.log);
        if (!answer) return reject(new TautlineError('io', `the thread that sends packets failed: ${failure ?? 'it ended'}`));
        const { code, message, hint } = answer;
        reject(new TautlineError(code, message, hint === undefined ? {} : { hint }));
      },
    });
  });
}

function check({ protocol, remote, packets, intervalMs, timeoutMs, outstandingMax, dscp }: PacketPlan): void {
  assert(packets.length <= PACKETS_MAX, `a plan has at most ${PACKETS_MAX} packets`);
  assert(new Set(packets.map(({ flow }) => flow ?? 0)).size <= FLOWS_MAX, `a plan has at most ${FLOWS_MAX} flows`);
  assert(intervalMs >= 0 && timeoutMs > 0, 'an interval is not negative, and answers take time');
  assert(outstandingMax === undefined || outstandingMax >= 1, 'one packet at least is out at a time');
  assert(dscp === undefined || (Number.isInteger(dscp) && dscp >= 0 && dscp <= 63), 'a DSCP is 0..63');
  assert(protocol === 'icmp' || (remote.port >= 1 && remote.port <= 65535), 'UDP and TCP packets have a remote port');
  for (const { ttl } of packets) assert(ttl === undefined || (Number.isInteger(ttl) && ttl >= 1 && ttl <= 255), 'a TTL is 1..255');
}
