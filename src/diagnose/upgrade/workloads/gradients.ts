import type { Carrier, WorkloadKind } from '../workload.js';
import { lowest, plainQuantity } from '../workload.js';
import { SHARE_MAX, judgeSteps } from './step.js';

/**
 * Exchange of gradients after each step of training. A ring all-reduce over n hosts sends 2 (n - 1) / n of the
 * gradients out of and into each host, in 2 (n - 1) rounds that each wait for one way of the path (Patarasuk and
 * Yuan, Bandwidth optimal all-reduce algorithms, 2009).
 */
export const gradientExchange: WorkloadKind = {
  id: 'gradients',
  title: 'training over several hosts',
  main: 'size',
  keys: {
    size: { takes: 'size', help: 'the gradients of one step: parameters times bytes each', min: 1, max: 1e15, required: true },
    hosts: { takes: 'count', help: 'hosts in the ring', min: 2, max: 10_000, default: 2 },
    step: { takes: 'duration', help: 'how long a step computes', min: 0.001, max: 86_400_000, default: 1000 },
    overlap: { takes: 'share', help: 'the share of computing during which gradients are already sent', min: 0, max: 1, default: 0 },
  },
  example: 'gradients=7GB,hosts=2,step=1s,overlap=50%',
  judge: (values, carriers) => {
    const { size = 0, hosts = 2, step = 1000, overlap = 0 } = values;
    return judgeSteps(
      {
        title: `exchanging ${plainQuantity(size, 'bytes')} of gradients between ${hosts} hosts every ${plainQuantity(step, 'ms')}`,
        stepSeconds: step / 1000,
        exposed: (carrier) => {
          const ring = ringSeconds(carrier, size, hosts);
          return { ...ring, seconds: Math.max(0, ring.seconds - (overlap * step) / 1000) };
        },
        ...(overlap === 0 ? { note: 'frameworks that send while they compute wait less: overlap=50% says so' } : {}),
      },
      carriers,
    );
  },
  sufficient: {
    need: `waiting for gradients takes at most ${SHARE_MAX * 100} % of a step (2 hosts, 1 s of computing, no overlap)`,
    upTo: (carrier) => `gradients of up to ${plainQuantity(bytesWithinShare(carrier), 'bytes')} a step`,
  },
};

function ringSeconds(carrier: Carrier, sizeBytes: number, hosts: number): { seconds: number; bps: number; limitedBy: string } {
  const { bound } = lowest(carrier.bounds);
  const rounds = 2 * (hosts - 1);
  const seconds = ((rounds / hosts) * sizeBytes * 8) / bound.bps + (rounds * carrier.rttMs) / 2 / 1000;
  return { seconds, bps: bound.bps, limitedBy: bound.what };
}

/** The size at which two hosts that compute for a second wait for exactly the share that is allowed. */
function bytesWithinShare(carrier: Carrier): number {
  const waitSeconds = SHARE_MAX / (1 - SHARE_MAX) - carrier.rttMs / 1000;
  return (Math.max(0, waitSeconds) * lowest(carrier.bounds).bound.bps) / 8;
}
