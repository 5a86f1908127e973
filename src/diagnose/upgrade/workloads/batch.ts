import type { WorkloadKind } from '../workload.js';
import { lowest, plainQuantity } from '../workload.js';
import { SHARE_MAX, judgeSteps } from './step.js';

/** Small batches that a worker fetches, one for each step. */
export const smallBatches: WorkloadKind = {
  id: 'batch',
  title: 'small batches',
  main: 'size',
  keys: {
    size: { takes: 'size', help: 'what one batch moves', min: 1, max: 1e15, default: 4e6 },
    every: { takes: 'duration', help: 'how long one batch is worked on', min: 0.001, max: 86_400_000, default: 1000 },
  },
  example: 'batch=4MB,every=1s',
  judge: ({ size = 0, every = 1000 }, carriers) =>
    judgeSteps(
      {
        title: `batches of ${plainQuantity(size, 'bytes')} every ${plainQuantity(every, 'ms')}`,
        stepSeconds: every / 1000,
        exposed: (carrier) => {
          const { bound } = lowest(carrier.bounds);
          return { seconds: (size * 8) / bound.bps + carrier.rttMs / 1000, bps: bound.bps, limitedBy: bound.what };
        },
      },
      carriers,
    ),
  sufficient: {
    need: `fetching a batch takes at most ${SHARE_MAX * 100} % of the time (1 s of work each)`,
    upTo: ({ bounds, rttMs }) => {
      const waitSeconds = Math.max(0, SHARE_MAX / (1 - SHARE_MAX) - rttMs / 1000);
      return `batches of up to ${plainQuantity((waitSeconds * lowest(bounds).bound.bps) / 8, 'bytes')}`;
    },
  },
};
