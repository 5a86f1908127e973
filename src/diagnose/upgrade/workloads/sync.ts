import type { WorkloadKind } from '../workload.js';
import { durationText, lowest, plainQuantity } from '../workload.js';
import { judgeTransfer } from './transfer.js';

/** Ten seconds keep somebody's attention (Nielsen, Usability Engineering, 1993). */
const WITHIN_MS = 10_000;

/** Development: what changed is copied to the other host before each try. */
export const developmentSync: WorkloadKind = {
  id: 'sync',
  title: 'development and testing',
  main: 'size',
  keys: {
    size: { takes: 'size', help: 'what is copied before a try', min: 1, max: 1e15, default: 200e6 },
    within: { takes: 'duration', help: 'how long one waits for it', min: 1, max: 86_400_000, default: WITHIN_MS },
  },
  example: 'sync=200MB,within=10s',
  judge: ({ size = 0, within = WITHIN_MS }, carriers) =>
    judgeTransfer(
      {
        title: `copying ${plainQuantity(size, 'bytes')} before a try`,
        sizeBytes: size,
        beside: ({ disks }) => disks,
        need: { seconds: within / 1000, text: `it is to take ${durationText(within / 1000)} at most` },
      },
      carriers,
    ),
  sufficient: {
    need: 'a copy before a try takes at most 10 s',
    upTo: (carrier) =>
      `copies of up to ${plainQuantity((lowest([...carrier.bounds, ...carrier.disks]).bound.bps / 8) * (WITHIN_MS / 1000), 'bytes')}`,
  },
};
